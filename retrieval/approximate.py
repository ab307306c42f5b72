"""Indexes that look at a part of the vectors and find most of the nearest: inverted lists of codes, and a graph.

What they find are candidates, to be ranked by the vectors themselves; `vectors` does that, and keeps them in step with
what is added and removed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import faiss
import numpy as np
from numpy.typing import NDArray

_PROBES = 256  # queries by which a new index chooses its effort, and how many candidates are ranked
_RECALL = 0.995  # at 10: of the exact ones by the candidates of the most effort, and of these by those of the chosen


@contextmanager
def _one_thread() -> Iterator[None]:
    """For thousands of short steps: on a busy machine threads wait for each other at the end of each."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


class Approximate(ABC):
    """A FAISS index, whose searches look at as much of it as its `effort` says."""

    name: ClassVar[str]
    depths: ClassVar[tuple[int, ...]]  # how many candidates may be ranked
    least: ClassVar[int]  # effort
    wider: ClassVar[float]  # where a share of the vectors passes, the effort is 1 / share to this power as great

    def __init__(self, index: faiss.Index) -> None:
        self.index = index

    @property
    @abstractmethod
    def effort(self) -> int:
        """How much of the index a search looks at; kept with it."""

    @effort.setter
    @abstractmethod
    def effort(self, effort: int) -> None: ...

    @property
    @abstractmethod
    def most(self) -> int:
        """The greatest effort."""

    @abstractmethod
    def outgrown(self, count: int) -> bool:
        """Whether it ought to be made anew for so many vectors."""

    @abstractmethod
    def _parameters(self, effort: int, selector: faiss.IDSelector | None) -> faiss.SearchParameters: ...

    @classmethod
    @abstractmethod
    def make(cls, matrix: NDArray[np.float32]) -> Approximate:
        """Of the vectors in `matrix`, (n, dimensions); its effort is still to be chosen."""

    def add(self, matrix: NDArray[np.float32]) -> None:
        for start in range(0, len(matrix), 100_000):
            self.index.add(matrix[start : start + 100_000])

    def search(
        self, queries: NDArray[np.float32], depth: int, share: float = 1.0, selector: faiss.IDSelector | None = None
    ) -> NDArray[np.int64]:
        """Rows of `depth` candidates for each query, (len(queries), depth), -1 where there are fewer.

        `share` of all vectors pass the `selector`.
        """
        effort = min(round(self.effort * share**-self.wider), self.most)
        rows: NDArray[np.int64] = self.index.search(queries, depth, params=self._parameters(effort, selector))[1]
        return rows


class Lists(Approximate):
    """Lists around centroids, of codes of 4 bits for every two dimensions (FAISS's IVF, PQ, fast scan)."""

    name = "ivf"
    depths = (50, 100, 200, 400, 800)
    least = 4
    wider = 1 / 3

    @classmethod
    def make(cls, matrix: NDArray[np.float32]) -> Lists:
        count, width = matrix.shape
        nlist = cls._lists(count)
        parts = max(n for n in range(1, min(256, max(1, width // 2)) + 1) if width % n == 0)
        index = faiss.index_factory(width, f"IVF{nlist},PQ{parts}x4fs", faiss.METRIC_INNER_PRODUCT)
        index.by_residual = False  # one table of products for a query, and not one for each list
        index.cp.niter = 10
        sample = np.random.default_rng(0).choice(count, min(count, 64 * nlist), replace=False)
        with _one_thread():
            index.train(matrix[np.sort(sample)])
        made = cls(index)
        made.add(matrix)
        return made

    @staticmethod
    def _lists(count: int) -> int:
        return round(1.6 * math.sqrt(count))

    @property
    def effort(self) -> int:
        return int(self.index.nprobe)

    @effort.setter
    def effort(self, effort: int) -> None:
        self.index.nprobe = effort

    @property
    def most(self) -> int:
        return int(self.index.nlist)

    def outgrown(self, count: int) -> bool:
        return self._lists(count) > 2 * self.most  # by four times as many vectors

    def _parameters(self, effort: int, selector: faiss.IDSelector | None) -> faiss.SearchParameters:
        return faiss.IVFSearchParameters(nprobe=effort, sel=selector)

    def __str__(self) -> str:
        return f"ivf ({self.effort} of {self.most} lists looked through)"


class Graph(Approximate):
    """A graph of near vectors, in bfloat16 (FAISS's HNSW; Malkov and Yashunin, arXiv 1603.09320)."""

    name = "hnsw"
    depths = (50,)
    least = 64
    wider = 1 / 2
    most = 2048  # beyond, FAISS spends its time on the queue of what is in view

    @classmethod
    def make(cls, matrix: NDArray[np.float32]) -> Graph:
        index = faiss.IndexHNSWSQ(
            matrix.shape[1], faiss.ScalarQuantizer.QT_bf16, 16, faiss.METRIC_INNER_PRODUCT
        )  # 16 neighbours, 32 at the ground
        index.hnsw.efConstruction = 100
        index.train(matrix[:1])  # which bfloat16 does not need, and FAISS asks for
        made = cls(index)
        with _one_thread():  # so that the same vectors make the same graph, too
            made.add(matrix)
        return made

    @property
    def effort(self) -> int:
        return int(self.index.hnsw.efSearch)

    @effort.setter
    def effort(self, effort: int) -> None:
        self.index.hnsw.efSearch = effort

    def outgrown(self, count: int) -> bool:
        return False

    def _parameters(self, effort: int, selector: faiss.IDSelector | None) -> faiss.SearchParameters:
        return faiss.SearchParametersHNSW(efSearch=effort, sel=selector)

    def __str__(self) -> str:
        return f"hnsw ({self.effort} vectors kept in view)"


def approximate_of(index: faiss.Index) -> Approximate:
    """What was kept as a FAISS index."""
    return Graph(index) if isinstance(index, faiss.IndexHNSW) else Lists(index)


def choose_effort(made: Approximate, rows: faiss.IndexFlatIP, matrix: NDArray[np.float32]) -> int:
    """Sets the effort, and gives back how many candidates are to be ranked.

    Both as little as finds _RECALL of what more would. Queries are the means of three vectors: there it is as empty as
    around a question, and a search as hard; around one of the vectors it is not (docs/retrieval.md).
    """
    random = np.random.default_rng(1)
    probes = matrix[random.choice(len(matrix), (3, _PROBES))].sum(axis=0)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True).clip(min=1e-12)
    nearest = rows.search(probes, 10)[1]

    def found(effort: int) -> NDArray[np.bool_]:
        """Which of the nearest are among the first so many candidates: shape (probes, 10, depths)."""
        made.effort = effort
        candidates = made.search(probes, made.depths[-1])
        same = candidates[:, None, :] == nearest[:, :, None]
        return np.stack([same[:, :, :depth].any(axis=2) for depth in made.depths], axis=2)

    with _one_thread():
        best = found(made.most).mean(axis=(0, 1))
        chosen = int((best >= _RECALL * best[-1]).argmax())
        effort = made.least
        while found(effort)[:, :, chosen].mean() < _RECALL * best[chosen] and effort < made.most:
            effort = min(math.ceil(effort * math.sqrt(2)), made.most)
    return made.depths[chosen]

"""Unit vectors by integer keys, and the nearest of them, by FAISS. Knows arrays; nothing of documents or models.

The vectors are the rows of a flat index. While they are few, a search compares them all ("exact"). When they are many,
they are also cut into lists around centroids, as codes of 4 bits for every two dimensions ("ivf"): a search looks
through the codes of the nearest lists, and ranks the best of them by the rows.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from octavo.ingest.text import reason_of
from octavo.retrieval.flushing import flush
from octavo.retrieval.lists import DEPTHS, choose_effort, lists_for, make_lists
from octavo.retrieval.model import IndexType
from octavo.retrieval.passing import Among, Passing

log = logging.getLogger(__name__)

CROSSING = 50_000  # vectors from which lists are worth their making (docs/retrieval.md)
_TEACHING = 1_000  # vectors without which there is nothing to learn lists from
_DEAD = 0.25  # share of removed rows at which all is made anew
_GROWN = 4  # times as many vectors as when the lists were learnt, likewise
_EXACT_AMONG = 20  # times the root of all vectors: so few that pass a filter are all compared


class Moved(Protocol):
    """A copy of all vectors elsewhere, on GPUs say."""

    most: int  # the greatest k

    def search(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        """Rows of the `k` nearest to each query, shape (len(queries), k), roughly in order."""
        ...


class Vectors:
    """Unit vectors of one dimension, by keys of 0 to 2**63 - 1. Safe to use from several threads.

    `index_type` "auto" takes lists from CROSSING vectors on; while they are made, searches compare all. `move`, given
    all rows, makes a copy that searches without a filter run on, or None where it cannot; it is made anew after a
    change, and its candidates are ranked here.
    """

    def __init__(
        self,
        index_type: IndexType | str = IndexType.AUTO,
        move: Callable[[NDArray[np.float32]], Moved | None] | None = None,
    ) -> None:
        self.index_type, self.move = IndexType(index_type), move
        self.changes = 0  # counts what was added or removed
        self._writing = Lock()  # held by what changes the vectors, from its beginning to its end
        self._lock = Lock()  # held by what looks at them or swaps them
        self._forget()

    def _forget(self) -> None:
        self._keys = np.empty(0, np.int64)  # by row; -1 where a vector was removed
        self._rows: faiss.IndexFlatIP | None = None
        self._lists: faiss.IndexIVFPQFastScan | None = None
        self._depth = DEPTHS[0]  # candidates, of lists or of a copy, that are ranked by their rows; at least 2 k
        self._owner: faiss.IndexIDMap2 | None = None  # of both, where they were read from a file
        self._moved: Moved | None = None
        self._left: Passing | None = None  # rows that were not removed; None for all

    def __len__(self) -> int:
        return len(self._keys) if self._left is None else self._left.count

    @property
    def dimensions(self) -> int:
        """0 before the first vectors, which give it."""
        return self._rows.d if self._rows else 0

    @property
    def type(self) -> str:
        """The type in use, in words."""
        if self._lists is None:
            return "exact"
        return f"ivf ({self._lists.nprobe} of {self._lists.nlist} lists looked through)"

    def keys(self) -> NDArray[np.int64]:
        """The keys of all vectors, shape (len(self),), in the order they were added."""
        return self._keys[self._keys >= 0]

    def add(self, keys: Iterable[int], vectors: NDArray[np.float32]) -> None:
        """Adds vectors, shape (number of keys, dimensions), replacing those of keys already there.

        Of a key given twice the last vector stays. Raises ValueError when there are not as many vectors as keys, or
        their dimension is not that of the others.
        """
        new = np.fromiter(keys, np.int64)
        if len(new) != len(vectors):
            raise ValueError(f"{len(vectors)} vectors for {len(new)} keys")
        if not len(new):
            return
        once = np.zeros(len(new), bool)
        once[len(new) - 1 - np.unique(new[::-1], return_index=True)[1]] = True
        vectors = np.ascontiguousarray(vectors[once], np.float32)
        with self._writing:
            with self._lock:
                if self._rows is None:
                    self._rows = faiss.IndexFlatIP(vectors.shape[1])
                if vectors.shape[1] != self._rows.d:
                    raise ValueError(f"vectors of {vectors.shape[1]} dimensions do not fit an index of {self._rows.d}")
                self._keys[np.isin(self._keys, new)] = -1
                self._keys = np.concatenate([self._keys, new[once]])
                self._rows.add(vectors)
                if self._lists is not None:
                    self._lists.add(vectors)
                self._changed()
            self._settle()

    def remove(self, keys: Iterable[int]) -> None:
        """Removes the vectors of `keys`; those that are not there are left out."""
        with self._writing:
            with self._lock:
                self._keys[np.isin(self._keys, np.fromiter(keys, np.int64))] = -1
                self._changed()
            self._settle()

    def clear(self) -> None:
        """Removes all; the next ones may be of another dimension."""
        with self._writing, self._lock:
            self._forget()
            self._changed()

    def get(self, keys: Iterable[int]) -> NDArray[np.float32]:
        """The vectors of `keys` that are there, shape (n, dimensions), in that order."""
        with self._lock:
            if self._rows is None:
                return np.empty((0, 0), np.float32)
            wanted = list(keys)
            rows = np.isin(self._keys, wanted).nonzero()[0]
            row = dict(zip(self._keys[rows].tolist(), rows, strict=True))
            return self._matrix()[[row[key] for key in wanted if key in row]]

    # Searching

    def search(
        self, queries: NDArray[np.float32], k: int, among: Among | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys and cosines of the `k` vectors nearest to each of `queries`, shape (n, dimensions), best first.

        Both of shape (n, least of k and the number of vectors); where fewer are `among` these, the last keys are -1.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        with self._lock:
            k = min(k, len(self))
            if not k:
                return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
            scores, rows = self._nearest(queries, k, self._left if among is None else self._find(among))
            keys = np.where(rows < 0, -1, self._keys[rows])
            order = np.lexsort((keys, -scores))[:, :k]  # of equal ones the least key, whatever the index
            return np.take_along_axis(keys, order, 1), np.take_along_axis(scores, order, 1)

    def _find(self, among: Among) -> Passing:
        if among.found is None or among.found[0] != self.changes:
            among.found = self.changes, Passing(np.isin(self._keys, among.keys))
        return among.found[1]

    def _nearest(
        self, queries: NDArray[np.float32], k: int, passing: Passing | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and rows of at least the `k` nearest, in any order; rows of -1 where fewer pass."""
        depth = min(max(self._depth, 2 * k), len(self))
        if passing is self._left and (found := self._in_copy(queries, depth)) is not None:
            return self._ranked(queries, found if passing is None else passing.rows[found])
        count = len(self) if passing is None else passing.count
        if self._lists is None or count <= _EXACT_AMONG * len(self) ** 0.5:
            return self._compared(queries, k, passing)
        more = (len(self._keys) / count) ** (1 / 3)  # where fewer of each list pass, the nearest lie in more lists
        nprobe = min(round(self._lists.nprobe * more), self._lists.nlist)
        selector = None if passing is None else faiss.IDSelectorBitmap(passing.bits)
        parameters = faiss.IVFSearchParameters(nprobe=nprobe, sel=selector)
        scores, rows = self._ranked(queries, self._lists.search(queries, depth, params=parameters)[1])
        short = (rows >= 0).sum(axis=1) < min(depth, count)
        if short.any():  # what passes lies far from these queries, in lists that were not looked through
            scores[short], rows[short] = -np.inf, -1
            scores[short, :k], rows[short, :k] = self._compared(queries[short], k, passing)
        return scores, rows

    def _compared(
        self, queries: NDArray[np.float32], k: int, passing: Passing | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and rows of the `k` nearest, all compared; both of shape (n, k)."""
        assert self._rows is not None  # noqa: S101 - looked at by `search`
        selector = None if passing is None else faiss.IDSelectorArray(passing.rows)  # it looks at these rows alone
        parameters = None if passing is None else faiss.SearchParameters(sel=selector)
        scores, rows = self._rows.search(queries, k, params=parameters)
        return scores, rows

    def _ranked(
        self, queries: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The exact scores of `rows`, shape (n, candidates), and these; -inf where one is -1."""
        assert self._rows is not None  # noqa: S101 - looked at by `search`
        rows, scores = np.ascontiguousarray(rows), np.empty(rows.shape, np.float32)
        pointers = (faiss.swig_ptr(array) for array in (queries, scores, rows))
        query, score, row = pointers
        self._rows.compute_distance_subset(len(queries), query, rows.shape[1], score, row)
        return scores, rows

    def _in_copy(self, queries: NDArray[np.float32], depth: int) -> NDArray[np.int64] | None:
        """Candidates by the copy, as rows of those not removed; None where there is none, or it gives no so many."""
        if self.move is None:
            return None
        try:
            if self._moved is None:
                matrix = self._matrix()
                self._moved = self.move(matrix if self._left is None else matrix[self._left.mask])
            if self._moved is not None:
                return self._moved.search(queries, depth) if depth <= self._moved.most else None
            self.move = None
        except RuntimeError as error:  # as of a GPU whose memory is full
            log.warning("searching without a copy of the vectors on the device: %s", reason_of(error))
            self.move = self._moved = None
        return None

    # Keeping

    def save(self, path: Path) -> None:
        """Writes all to one file at `path`, whole or not at all. No vectors: no file. Raises OSError, RuntimeError."""
        with self._writing, self._lock:
            if self._rows is None:
                path.unlink(missing_ok=True)
                return
            kept = self._rows
            if self._lists is not None:
                kept = faiss.IndexRefine(self._lists, self._rows)
                kept.k_factor = self._depth / 10
            whole = faiss.IndexIDMap2(faiss.IndexFlatIP(self._rows.d))
            whole.index, whole.ntotal = kept, kept.ntotal
            faiss.copy_array_to_vector(self._keys, whole.id_map)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                faiss.write_index(whole, file.name)
            flush(Path(file.name))
            Path(file.name).replace(path)

    def load(self, path: Path) -> None:
        """Takes what was saved at `path` in the place of what is here. Raises OSError, RuntimeError."""
        whole = faiss.read_index(str(path))
        with self._writing:
            self._take(whole)
            self._settle()

    def _take(self, whole: faiss.IndexIDMap2) -> None:
        with self._lock:
            self._forget()
            self._owner, self._keys = whole, faiss.vector_to_array(whole.id_map)
            kept = faiss.downcast_index(whole.index)
            if isinstance(kept, faiss.IndexRefine):
                self._lists, self._rows = map(faiss.downcast_index, (kept.base_index, kept.refine_index))
                self._depth = round(kept.k_factor * 10)
            else:
                self._rows = kept
            self._changed()

    # The type

    def _changed(self) -> None:
        left = self._keys >= 0
        self._left = None if left.all() else Passing(left)
        self._moved = None
        self.changes += 1

    def _settle(self) -> None:
        """Makes the index what its vectors ask for; after each change. Meanwhile searches compare all."""
        if self._rows is None:
            return
        count = len(self)
        least = {IndexType.AUTO: CROSSING, IndexType.EXACT: np.inf, IndexType.IVF: _TEACHING}[self.index_type]
        if self._lists is None:
            stale = self._left is not None
        else:
            dead, few = count < (1 - _DEAD) * len(self._keys), count < (1 - _DEAD) * least  # lest they come and go
            stale = dead or few or lists_for(count) > _GROWN**0.5 * self._lists.nlist
        if stale:
            self._compact()
        if self._lists is None and count >= least:
            lists = make_lists(self._matrix())
            depth = choose_effort(lists, self._rows, self._matrix())
            with self._lock:
                self._lists, self._depth = lists, depth

    def _compact(self) -> None:
        """Takes removed rows out, and the lists with them."""
        with self._lock:
            self._lists, self._depth = None, DEPTHS[0]
            if self._rows is not None and self._left is not None:
                self._rows.remove_ids(faiss.IDSelectorBitmap(np.packbits(~self._left.mask, bitorder="little")))
                self._keys = self._keys[self._left.mask]
                self._changed()

    def _matrix(self) -> NDArray[np.float32]:
        """The rows as they lie in FAISS, shape (rows, dimensions); a view."""
        assert self._rows is not None  # noqa: S101 - for those who have vectors
        rows = self._rows
        matrix: NDArray[np.float32] = faiss.rev_swig_ptr(rows.get_xb(), rows.ntotal * rows.d).reshape(-1, rows.d)
        return matrix

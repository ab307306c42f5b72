"""Lists of vectors around centroids, as codes of 4 bits for every two dimensions; how many of them a search needs.

Knows the lists alone; `vectors` keeps them in step with what is added and removed.
"""

from __future__ import annotations

import math

import faiss
import numpy as np
from numpy.typing import NDArray

from octavo.ingest.directions import unit

DEPTHS = (50, 100, 200, 400, 800)
"""How many candidates may be ranked by their exact vectors."""

_PROBES = 256  # queries by which a new index chooses how many candidates are ranked, and how many lists looked through
_DEEP, _WIDE = 0.995, 0.99  # recall at 10: of the exact ones by the candidates ranked, and of these by the lists


def lists_for(count: int) -> int:
    """How many lists so many vectors are cut into."""
    return round(1.6 * math.sqrt(count))


def make_lists(matrix: NDArray[np.float32]) -> faiss.IndexIVFPQFastScan:
    """Learns lists and codes from some of the vectors, and puts all in."""
    count, width = matrix.shape
    random = np.random.default_rng(0)
    nlist = lists_for(count)
    parts = max(n for n in range(1, min(256, max(1, width // 2)) + 1) if width % n == 0)
    lists = faiss.index_factory(width, f"IVF{nlist},PQ{parts}x4fs", faiss.METRIC_INNER_PRODUCT)
    lists.by_residual = False  # one table of products for a query, and not one for each list
    lists.cp.niter = 10
    sample = random.choice(count, min(count, 64 * nlist), replace=False)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # it takes thousands of short steps: on a busy machine threads wait for each other
    try:
        lists.train(matrix[np.sort(sample)])
    finally:
        faiss.omp_set_num_threads(threads)
    for start in range(0, count, 100_000):
        lists.add(matrix[start : start + 100_000])
    return lists


def choose_effort(lists: faiss.IndexIVFPQFastScan, rows: faiss.IndexFlatIP, matrix: NDArray[np.float32]) -> int:
    """Sets how many lists are looked through, and gives back how many candidates are to be ranked.

    Both as few as find _DEEP and _WIDE of what more would. Queries are the means of three vectors: there it is as
    empty as around a question, and a search as hard; around one of the vectors it is not (docs/retrieval.md).
    """
    random = np.random.default_rng(1)
    probes = unit(matrix[random.choice(len(matrix), (3, _PROBES))].sum(axis=0))
    nearest = rows.search(probes, 10)[1]

    def found(nprobe: int) -> NDArray[np.bool_]:
        """Which of the nearest are among the first so many candidates: shape (probes, 10, depths)."""
        candidates = lists.search(probes, DEPTHS[-1], params=faiss.IVFSearchParameters(nprobe=nprobe))[1]
        same = candidates[:, None, :] == nearest[:, :, None]
        return np.stack([same[:, :, :depth].any(axis=2) for depth in DEPTHS], axis=2)

    best = found(lists.nlist).mean(axis=(0, 1))
    chosen = int((best >= _DEEP * best[-1]).argmax())
    lists.nprobe = 4
    while lists.nprobe < lists.nlist and found(lists.nprobe)[:, :, chosen].mean() < _WIDE * best[chosen]:
        lists.nprobe = min(math.ceil(lists.nprobe * math.sqrt(2)), lists.nlist)
    return DEPTHS[chosen]

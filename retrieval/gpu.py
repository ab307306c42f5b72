"""Exact search on GPUs in float16: by FAISS where it is built for them, else by torch.

Either holds a share of the vectors on each GPU and names candidates, which the vectors' owner ranks in float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

from octavo.retrieval.vectors import Moved

_MOST = 2048  # that FAISS selects on a GPU
_SCRATCH = 64 * 2**20  # bytes there beside the vectors; by itself FAISS takes 1.5 GiB


def move(vectors: NDArray[np.float32], device: str = "auto") -> Moved | None:
    """A copy of vectors, shape (n, dimensions), on the GPUs of `device`: all of them for "auto" and "cuda".

    "cuda:N" is that one alone. None for "cpu", and where there are none.
    """
    if device == "cpu":
        return None
    if gpus := faiss_gpus(device):
        return FaissCopy(vectors, gpus)
    from octavo.retrieval import torch_copy  # here, as opening a library must not wait for torch

    cuda = _named(device, torch_copy.cuda_count())
    return torch_copy.TorchCopy(vectors, [f"cuda:{n}" for n in cuda]) if cuda else None


def faiss_gpus(device: str = "auto") -> list[int]:
    """The GPUs that FAISS searches on for `device`; none where it is built without them."""
    return _named(device, faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0)


def _named(device: str, count: int) -> list[int]:
    if device == "cpu":
        return []
    number = device.partition(":")[2]
    return [n for n in range(count) if not number or n == int(number)]


class FaissCopy:
    """Vectors, shape (n, dimensions), in float16 on these GPUs of FAISS, a share on each."""

    most = _MOST

    def __init__(self, vectors: NDArray[np.float32], gpus: Sequence[int]) -> None:
        options = faiss.GpuMultipleClonerOptions()
        options.shard, options.useFloat16 = True, True
        self._resources = [faiss.StandardGpuResources() for _ in gpus]  # which must outlive the index
        for resources in self._resources:
            resources.setTempMemory(_SCRATCH)
        here = faiss.IndexFlatIP(vectors.shape[1])
        here.add(vectors)
        self._index = faiss.index_cpu_to_gpu_multiple_py(self._resources, here, options, list(gpus))

    def search(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        """Rows of the `k` nearest to each query, shape (len(queries), k)."""
        rows: NDArray[np.int64] = self._index.search(queries, k)[1]
        return rows

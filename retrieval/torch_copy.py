"""Exact search by torch, for GPUs that the installed FAISS is not built for; runs on any device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

_SCORES = 2**28  # products that are held at once


def cuda_count() -> int:
    """How many GPUs torch has."""
    return torch.cuda.device_count()


class TorchCopy:
    """Vectors, shape (n, dimensions), in float16 on these devices, a share on each; all of them compared."""

    most = 2**31

    def __init__(self, vectors: NDArray[np.float32], devices: Sequence[str]) -> None:
        shares = np.array_split(vectors, len(devices))
        self._shares = [
            torch.from_numpy(share).to(device, torch.float16)
            for share, device in zip(shares, devices, strict=True)
            if len(share)
        ]

    def search(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        """Rows of the `k` nearest to each query, shape (len(queries), k)."""
        at_once = max(1, _SCORES // max(map(len, self._shares)))
        parts = (queries[start : start + at_once] for start in range(0, len(queries), at_once))
        return np.concatenate([self._search(torch.from_numpy(part), k) for part in parts])

    @torch.inference_mode()
    def _search(self, queries: torch.Tensor, k: int) -> NDArray[np.int64]:
        scores, rows, start = [], [], 0
        for share in self._shares:  # each GPU begins before the first one's answer is waited for
            products = queries.to(share.device, torch.float16) @ share.T
            best = products.topk(min(k, len(share)), dim=1)
            scores.append(best.values)
            rows.append(best.indices + start)
            start += len(share)
        score, row = (torch.cat([part.cpu() for part in parts], dim=1) for parts in (scores, rows))
        found: NDArray[np.int64] = row.gather(1, score.float().topk(k, dim=1).indices).numpy()
        return found

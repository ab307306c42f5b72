"""The exact area under the ROC curve of two sets of scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def auc(positive: ArrayLike | Any, negative: ArrayLike | Any) -> float:
    """The share of (positive, negative) pairs in the right order, a tie counted half: the area under the ROC curve.

    Exact, by sorting the negatives and finding each positive's place among them: O((P + N) log N) time, no pair is
    formed. U / (P N) with U the Mann-Whitney statistic (Mann and Whitney, 1947).

    Args:
        positive: Scores of right pairs, a tensor of any floating dtype and device, an array or a sequence; P of them.
        negative: Scores of wrong pairs; N of them.

    Raises:
        ValueError: where either has no score, or one that is not a number.
    """
    above, below = _scores(positive, "positive"), np.sort(_scores(negative, "negative"))
    # Twice the count of each: whole numbers, so that the sum is exact.
    doubled = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return int(doubled.sum(dtype=np.int64)) / (2 * len(above) * len(below))


def _scores(scores: ArrayLike | Sequence[float] | Any, name: str) -> NDArray[np.float64]:
    if hasattr(scores, "detach"):  # a tensor; bfloat16 has no dtype in numpy
        scores = scores.detach().cpu().double().numpy()
    flat = np.asarray(scores, np.float64).ravel()
    if not flat.size:
        raise ValueError(f"there are no {name} scores: the area under the ROC curve needs both kinds")
    if np.isnan(flat).any():
        raise ValueError(f"{int(np.isnan(flat).sum())} of the {name} scores are not a number")
    return flat

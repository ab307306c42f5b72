"""Intervals: what the mean of so few questions can tell. Everything random takes a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from octavo.evaluation.answers import wilson

RESAMPLES = 10_000
_LEVEL = (2.5, 97.5)  # per cent: the middle 95%


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions with its 95% interval; all NaN-free, n = 0 gives (0, 0, 1)."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float], seed: int = 0) -> Estimate:
    """The mean with its percentile bootstrap interval over questions (Efron and Tibshirani, 1993, chapter 13).

    Also for paired differences, one for each question. Values that are all the same leave nothing to resample: the
    interval then has no width, which says too much when there are few of them.
    """
    if not values:
        return Estimate(0.0, 0.0, 1.0, 0)
    data = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(data), (RESAMPLES, len(data)))
    low, high = np.percentile(data[drawn].mean(axis=1), _LEVEL)
    return Estimate(float(data.mean()), float(low), float(high), len(data))


def share_interval(values: Sequence[float]) -> Estimate:
    """The share of ones among zeros and ones, with its Wilson interval."""
    hits = round(sum(values))
    low, high = wilson(hits, len(values))
    return Estimate(hits / len(values) if values else 0.0, low, high, len(values))

"""Vectors as directions: of length 1, and their means. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows at length 1, in place; a row of zeros stays."""
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    return vectors


def middles(many: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean direction of each of `many`, arrays of shape (n, dimensions): float32 (len(many), dimensions)."""
    means = np.asarray([vectors.mean(axis=0) for vectors in many], np.float32)
    return unit(means.reshape(len(many), -1 if many else 0))

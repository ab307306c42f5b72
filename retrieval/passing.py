"""Which rows of an index may be found: by a mask of all, in the forms that FAISS selects by."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class Passing:
    """The rows that may be found, by a mask of all."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.mask, self.count = mask, int(mask.sum())

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        return np.packbits(self.mask, bitorder="little")

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        return self.mask.nonzero()[0]


class Among:
    """Keys that may be found. Looking them up takes time, so whoever asks for the same ones again keeps this."""

    def __init__(self, keys: Iterable[int]) -> None:
        self.keys = np.fromiter(keys, np.int64)
        self.found: tuple[int, Passing] | None = None  # where they are, with the `changes` at that time

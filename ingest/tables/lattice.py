"""Edges of rows and columns laid over a block's words. Knows nothing of how the edges were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.model import Box
from octavo.ingest.tables.block import Block, Piece

Edges = tuple[float, ...]
Places = dict[tuple[int, int], Piece]


@dataclass(frozen=True, slots=True)
class Axis:
    """Edges along one axis, outer ones included, and for each word the stretch between two that its middle lies in.

    Every stretch has a word.
    """

    edges: Edges
    at: NDArray[np.intp]

    @property
    def key(self) -> bytes:
        """The same for all edges that part the words alike."""
        return self.at.tobytes()


def axis(edges: Sequence[float], middles: NDArray[np.float64]) -> Axis:
    """The edges but for those with no word between them and the one before."""
    at = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, len(edges) - 2)
    full, at = np.unique(at, return_inverse=True)
    return Axis((float(edges[full[0]]), *(float(edges[n + 1]) for n in full.tolist())), at)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Columns between `xs`, from left to right, and rows between `ys`, downwards; the words of each place with any.

    `space` is the usual one between two words, in points.
    """

    xs: Edges
    ys: Edges
    filled: Places
    space: float

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def cell(self, row: int, column: int) -> Box:
        return self.xs[column], self.ys[row], self.xs[column + 1], self.ys[row + 1]


def lattice(block: Block, across: Axis, down: Axis) -> Lattice:
    numbers: dict[tuple[int, int], list[int]] = {}
    for n, place in enumerate(zip(down.at.tolist(), across.at.tolist(), strict=True)):
        numbers.setdefault(place, []).append(n)
    filled = {place: block.piece(tuple(ns)) for place, ns in numbers.items()}
    return Lattice(across.edges, down.edges, filled, block.space)

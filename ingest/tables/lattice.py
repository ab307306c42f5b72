"""A lattice of row and column edges over words.

Knows nothing of how the edges were found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from octavo.ingest.model import Box
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lines import lines
from octavo.ingest.text import join_lines


@dataclass(frozen=True, slots=True)
class Lattice:
    """Edges of columns (`xs`, from left to right) and of rows (`ys`, downwards), outer ones included, in points."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def place(self, word: Word) -> tuple[int, int]:
        """Row and column of the word's centre."""
        x0, y0, x1, y1 = word.bbox
        row = bisect_right(self.ys, (y0 + y1) / 2) - 1
        column = bisect_right(self.xs, (x0 + x1) / 2) - 1
        return min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)

    def cell(self, row: int, column: int, down: int = 1, across: int = 1) -> Box:
        return self.xs[column], self.ys[row], self.xs[column + across], self.ys[row + down]


Places = dict[tuple[int, int], list[Word]]


def places(lattice: Lattice, words: Sequence[Word]) -> Places:
    """The words of each place that has any."""
    found: Places = {}
    for word in words:
        found.setdefault(lattice.place(word), []).append(word)
    return found


def kept(lattice: Lattice, words: Sequence[Word]) -> Lattice:
    """The lattice without the rows and columns in which no word stands."""
    filled = [lattice.place(word) for word in words]
    rows, columns = sorted({r for r, _ in filled}), sorted({c for _, c in filled})
    return Lattice(_outer(lattice.xs, columns), _outer(lattice.ys, rows))


def _outer(edges: Sequence[float], full: Sequence[int]) -> tuple[float, ...]:
    if not full:
        return tuple(edges)
    inner = [edges[b] if b == a + 1 else (edges[a + 1] + edges[b]) / 2 for a, b in pairwise(full)]
    return (edges[full[0]], *inner, edges[full[-1] + 1])


def text(words: Sequence[Word]) -> str:
    return join_lines([" ".join(w.text for w in line.words) for line in lines(words)], heal=False)

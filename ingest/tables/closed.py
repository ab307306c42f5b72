"""Cells that are drawn whole: rules on all their sides. Where all words stand in such, there is little to judge.

Knows nothing of other readings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.model import Span, Table
from octavo.ingest.runs import Line, level, reach
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.build import joined
from octavo.ingest.tables.lattice import Lattice
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.spans import crosses, lies_across

_RULED = 0.7  # share of a cell's side that a rule runs along
_MOST_PLACES = 5000
_STACKED = 3  # lines: as many short ones, level with those of another cell, are rows


@dataclass(frozen=True, slots=True)
class ClosedCells:
    """Cells over the places between `xs` and `ys`, and for each word of the block the cell that it stands in."""

    block: Block
    xs: Sequence[float]
    ys: Sequence[float]
    cells: Sequence[Span]
    of_word: Sequence[Span | None]

    @property
    def filled(self) -> float:
        """Share of the cells that hold words."""
        return len({*self.of_word} - {None}) / max(1, len(self.cells))

    def table(self) -> Table | None:
        """The table of the cells, with words in two rows and two columns at least.

        None where a word stands outside of all cells or across a side, and where cells hold what rules do not part.
        """
        held = self._held(range(len(self.of_word)))
        if held is None or len({c.row for c in held}) < 2 or len({c.column for c in held}) < 2:
            return None
        rows, columns = sorted({c.row for c in self.cells}), sorted({c.column for c in self.cells})
        places = {c: _within(c, rows, columns) for c in self.cells}
        filled = {(places[c].row, places[c].column): self.block.piece(ns) for c, ns in held.items()}
        right, bottom = max(c.column + c.columns for c in self.cells), max(c.row + c.rows for c in self.cells)
        xs, ys = tuple(self.xs[n] for n in [*columns, right]), tuple(self.ys[n] for n in [*rows, bottom])
        lattice = Lattice(xs, ys, filled, self.block.space)
        return joined(self.block, lattice, [s for s in places.values() if s.rows * s.columns > 1])[0]

    def rows(self) -> list[tuple[float, float]]:
        """Top and bottom of each row of places of which all words stand in cells of that row alone, two at least."""
        found = []
        at = np.searchsorted(self.ys, self.block.y) - 1
        for row in np.unique(at).tolist():
            held = self._held(np.flatnonzero(at == row).tolist())
            if held and len(held) > 1 and all(cell.rows == 1 for cell in held):
                found.append((self.ys[row], self.ys[row + 1]))
        return found

    def _held(self, numbers: Sequence[int]) -> dict[Span, tuple[int, ...]] | None:
        """The cells of these words; None where one has none or cells hold more than one each."""
        held: dict[Span, list[int]] = {}
        for n in numbers:
            cell = self.of_word[n]
            if cell is None:
                return None
            held.setdefault(cell, []).append(n)
        whole = {cell: tuple(own) for cell, own in held.items()}
        unparted = any(self._holds_several(cell, own) for cell, own in whole.items()) or self._stacked(whole)
        return None if unparted else whole

    def _holds_several(self, cell: Span, numbers: tuple[int, ...]) -> bool:
        """Whether values stand under each other in it or, under a header over several columns, texts far apart."""
        piece = self.block.piece(numbers)
        return piece.values > 1 or (piece.torn and cell.row > 0 and cell.columns > 1)

    def _stacked(self, held: dict[Span, tuple[int, ...]]) -> bool:
        """Whether lines that end for no want of room stand level in two cells beside each other: rows without rules."""
        tall: dict[tuple[int, int], list[tuple[Line, ...]]] = {}
        for cell, numbers in held.items():
            lines, width = self.block.piece(numbers).lines, self.xs[cell.column + cell.columns] - self.xs[cell.column]
            if len(lines) >= _STACKED and _ends_early(lines, width):
                tall.setdefault((cell.row, cell.rows), []).append(lines)
        return any(
            level(*sorted((a, b), key=len)) > 0.8 for beside in tall.values() for a, b in combinations(beside, 2)
        )


def closed_cells(block: Block, rulings: Rulings) -> ClosedCells:
    """Those among the rules of a block; none where more than 5,000 places draw a picture."""
    xs, ys = rulings.columns(0), rulings.rows(0)
    cells = _closed(rulings, xs, ys) if len(xs) * len(ys) <= _MOST_PLACES else []
    places = {(c.row + i, c.column + j): c for c in cells for i in range(c.rows) for j in range(c.columns)}
    at = zip((np.searchsorted(ys, block.y) - 1).tolist(), (np.searchsorted(xs, block.x) - 1).tolist(), strict=True)

    def holder(n: int, cell: Span | None) -> Span | None:
        if cell is None:
            return None
        word, sides = block.words[n], (xs[cell.column], xs[cell.column + cell.columns])
        ends = ys[cell.row], ys[cell.row + cell.rows]
        across = any(crosses(word, x) for x in sides) or any(lies_across(word, y) for y in ends)
        return None if across else cell

    return ClosedCells(block, xs, ys, cells, [holder(n, places.get(place)) for n, place in enumerate(at)])


def _closed(rulings: Rulings, xs: Sequence[float], ys: Sequence[float]) -> list[Span]:
    """The rectangles of places with rules on all sides and none within."""
    rows, columns = len(ys) - 1, len(xs) - 1
    if min(rows, columns) < 1:
        return []
    down: NDArray[np.bool_] = np.array(
        [[rulings.beside(x, ys[r], ys[r + 1]) > _RULED for x in xs] for r in range(rows)]
    )
    across: NDArray[np.bool_] = np.array(
        [[rulings.under(y, xs[c], xs[c + 1]) > _RULED for c in range(columns)] for y in ys]
    )
    free = np.ones((rows, columns), dtype=bool)
    found = []
    for top, left in np.argwhere(down[:, :-1] & across[:-1]).tolist():
        if not free[top, left]:
            continue
        right = left + 1 + _first(down[top, left + 1 :])
        bottom = top + 1 + _first(np.any(across[top + 1 :, left:right], axis=1))
        around = down[top:bottom, [left, right]].all() and across[[top, bottom], left:right].all()
        within = down[top:bottom, left + 1 : right].any()
        if around and not within:
            free[top:bottom, left:right] = False
            found.append(Span(top, left, bottom - top, right - left))
    return found


def _first(flags: NDArray[np.bool_]) -> int:
    """The place of the first that is set, else the last place."""
    return int(flags.argmax()) if flags.any() else len(flags) - 1


def _within(cell: Span, rows: Sequence[int], columns: Sequence[int]) -> Span:
    """The cell over those `rows` and `columns` alone at which one begins."""
    row, column = bisect_left(rows, cell.row), bisect_left(columns, cell.column)
    end = bisect_left(rows, cell.row + cell.rows), bisect_left(columns, cell.column + cell.columns)
    return Span(row, column, end[0] - row, end[1] - column)


def _ends_early(lines: Sequence[Line], width: float) -> bool:
    """Whether most lines leave room, in a cell so many points wide, for the word that opens the next."""
    room = [width - (reach(a, b) - a.words[0].bbox[0]) for a, b in pairwise(lines)]
    margin = 1.5 * (lines[0].bottom - lines[0].top)
    return sum(left > margin for left in room) > 0.5 * len(room)

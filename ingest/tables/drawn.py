"""Cells that are drawn: rules on all their sides. Where all words stand in such, there is nothing to judge.

Knows nothing of other readings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from octavo.ingest.model import Span, Table
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.build import joined
from octavo.ingest.tables.lattice import Lattice
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.spans import crosses, lies_across

_RULED = 0.7  # share of a cell's side that a rule runs along
_MOST_PLACES = 5000


class Drawn:
    """The cells that rules close, over the places between all rules, and the words of a block in them."""

    def __init__(self, block: Block, rulings: Rulings) -> None:
        self._block = block
        self._xs, self._ys = rulings.columns(0), rulings.rows(0)
        self._cells = _closed(rulings, self._xs, self._ys) if len(self._xs) * len(self._ys) <= _MOST_PLACES else []
        places = {(c.row + i, c.column + j): c for c in self._cells for i in range(c.rows) for j in range(c.columns)}
        self._rows = (np.searchsorted(self._ys, block.y) - 1).tolist()
        at = zip(self._rows, (np.searchsorted(self._xs, block.x) - 1).tolist(), strict=True)
        self._of_word = [self._holder(n, places.get(place)) for n, place in enumerate(at)]

    def table(self) -> Table | None:
        """The table of the cells, with words in two rows and two columns at least.

        None where a word stands outside of all cells or across a side, and where cells hold what rules do not part.
        """
        held = self._held(range(len(self._of_word)))
        if held is None or len({c.row for c in held}) < 2 or len({c.column for c in held}) < 2:
            return None
        rows, columns = sorted({c.row for c in self._cells}), sorted({c.column for c in self._cells})
        places = {c: _within(c, rows, columns) for c in self._cells}
        filled = {(places[c].row, places[c].column): self._block.piece(ns) for c, ns in held.items()}
        xs, ys = [self._xs[n] for n in columns] + self._xs[-1:], [self._ys[n] for n in rows] + self._ys[-1:]
        lattice = Lattice(tuple(xs), tuple(ys), filled, self._block.space)
        return joined(self._block, lattice, [s for s in places.values() if s.rows * s.columns > 1])[0]

    def rows(self) -> list[tuple[float, float]]:
        """Top and bottom of each row of places of which all words stand in cells of that row alone, two at least."""
        found = []
        for row in sorted(set(self._rows)):
            held = self._held([n for n, at in enumerate(self._rows) if at == row])
            if held and len(held) > 1 and all(cell.rows == 1 for cell in held):
                found.append((self._ys[row], self._ys[row + 1]))
        return found

    def _held(self, numbers: Sequence[int]) -> dict[Span, tuple[int, ...]] | None:
        """The cells of these words; None where one has none or a cell holds more than one."""
        held: dict[Span, list[int]] = {}
        for n in numbers:
            cell = self._of_word[n]
            if cell is None:
                return None
            held.setdefault(cell, []).append(n)
        whole = {cell: tuple(own) for cell, own in held.items()}
        return None if any(self._unparted(cell, own) for cell, own in whole.items()) else whole

    def _unparted(self, cell: Span, numbers: tuple[int, ...]) -> bool:
        """Whether a cell holds several: values under each other, or texts far apart, under a header, over columns."""
        piece = self._block.piece(numbers)
        return piece.values > 1 or (piece.torn and cell.row > 0 and cell.columns > 1)

    def _holder(self, n: int, cell: Span | None) -> Span | None:
        """The cell, unless the word stands across one of its sides."""
        if cell is None:
            return None
        word, (x0, x1) = self._block.words[n], (self._xs[cell.column], self._xs[cell.column + cell.columns])
        top, bottom = self._ys[cell.row], self._ys[cell.row + cell.rows]
        across = any(crosses(word, x) for x in (x0, x1)) or any(lies_across(word, y) for y in (top, bottom))
        return None if across else cell


def _within(cell: Span, rows: Sequence[int], columns: Sequence[int]) -> Span:
    """The cell over those `rows` and `columns` alone at which one begins."""
    row, column = bisect_left(rows, cell.row), bisect_left(columns, cell.column)
    end = bisect_left(rows, cell.row + cell.rows), bisect_left(columns, cell.column + cell.columns)
    return Span(row, column, end[0] - row, end[1] - column)


def _closed(rulings: Rulings, xs: Sequence[float], ys: Sequence[float]) -> list[Span]:
    """The rectangles of places with rules on all sides and none within."""
    rows, columns = len(ys) - 1, len(xs) - 1
    if min(rows, columns) < 1:
        return []
    down = np.array([[rulings.beside(x, ys[r], ys[r + 1]) > _RULED for x in xs] for r in range(rows)])
    across = np.array([[rulings.under(y, xs[c], xs[c + 1]) > _RULED for c in range(columns)] for y in ys])
    free = np.ones((rows, columns), dtype=bool)
    found = []
    for top, left in np.ndindex(rows, columns):
        right, bottom = left + 1, top + 1
        while right < columns and not down[top, right]:
            right += 1
        while bottom < rows and not across[bottom, left:right].any():
            bottom += 1
        around = down[top:bottom, [left, right]].all() and across[[top, bottom], left:right].all()
        within = down[top:bottom, left + 1 : right].any() or across[top + 1 : bottom, left:right].any()
        if free[top, left] and around and not within:
            free[top:bottom, left:right] = False
            found.append(Span(top, left, bottom - top, right - left))
    return found

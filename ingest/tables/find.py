"""All tables of a sheet: each region read in every way, the likeliest kept. Knows no PDF library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.geometry import sides, union
from octavo.ingest.model import Box, ElementType, Span, Table
from octavo.ingest.runs import inside
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.build import table
from octavo.ingest.tables.closed import ClosedCells, closed_cells
from octavo.ingest.tables.features import Features, agreement
from octavo.ingest.tables.judge import likeness
from octavo.ingest.tables.readings import readings
from octavo.ingest.tables.regions import table_regions
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.signs import joined_signs
from octavo.ingest.text import opens_caption

_LEAST = 0.4  # likeness: less, and a region is no table
_LEAST_FRAMED, _LEAST_UNNAMED = 0.75, 0.8  # of one that no model named a table, with most cells closed by rules or not
_BAR = 12.0  # points; narrower fills are bars of a small chart in a cell
_FILLED = 0.5  # share of its cells that hold words, from which what rules close needs no name
# Rare in the made tables that the judge learnt from, and hardly ever in a right reading: a title over several columns
# whose words stand far apart, a header cell that ends in a value, a rule from top to bottom that is no edge, words
# with a space between them in two cells, a label over two lines of which the second had room on the first.
_DOUBTS = ("torn spans", "valued header", "cut through", "cut words", "early breaks")
_DOUBT = 0.1  # likeness, for each of up to three
_NOTE = re.compile(r"^(sources?|notes?|n\.?b\.?)\b\s*[:.]|^[*†‡§]|^\(?[a-z\d]\)? [A-Z]", re.IGNORECASE)


def find_tables(sheet: Sheet) -> list[tuple[Box, Table]]:
    """Each table with its box, in the order of the sheet's regions."""
    found = [(seen.region.bbox, _read(seen)) for seen in blocks(sheet)]
    return [(box, joined_signs(table)) for box, table in found if table and table.rows]


class Seen:
    """A region that may be a table: its words and, once they are asked for, what is drawn round them."""

    def __init__(self, region: Region, words: Sequence[Word], rules: Sequence[Box], fills: Sequence[Box]) -> None:
        self.region, self.block = region, Block(words)
        self.named = region.type is ElementType.TABLE  # a layout model took it for one
        self._rules, self._fills = rules, fills

    @cached_property
    def rules(self) -> Rulings:
        return Rulings(self._rules, self.region.bbox)

    @cached_property
    def edges(self) -> Rulings:
        """The rules, and the sides of filled boxes: where a colour ends the eye sees an edge."""
        return Rulings(self._edges, self.region.bbox) if self._fills else self.rules

    @cached_property
    def ruled_cells(self) -> ClosedCells:
        return closed_cells(self.block, self.rules)

    @cached_property
    def cells(self) -> ClosedCells:
        """The cells that rules and filled boxes close; these reach beyond a region, which ends with its words."""
        if not self._fills:
            return self.ruled_cells
        reach = union([self.region.bbox, *_filled(np.array(self._fills), self.block, self.region.bbox)])
        return closed_cells(self.block, Rulings(self._edges, reach))

    @property
    def _edges(self) -> list[Box]:
        return [*self._rules, *(side for fill in self._fills for side in sides(fill))]


def blocks(sheet: Sheet) -> Iterator[Seen]:
    """The regions of a sheet that may be tables."""
    fills = [fill for fill in sheet.fills if fill[2] - fill[0] > _BAR]
    for region in table_regions(sheet):
        if words := inside(sheet.words, region.bbox):
            yield Seen(region, words, sheet.rules, fills)


def _filled(fills: NDArray[np.float64], block: Block, box: Box) -> list[Box]:
    """The fills that hold words of the block and lie in its box for the most part."""
    x0, y0, x1, y1 = fills.T
    wide = np.clip(np.minimum(x1, box[2]) - np.maximum(x0, box[0]), 0, None)
    high = np.clip(np.minimum(y1, box[3]) - np.maximum(y0, box[1]), 0, None)
    own = fills[wide * high > 0.5 * (x1 - x0) * (y1 - y0)]
    return [
        (a, b, c, d)
        for a, b, c, d in own.tolist()
        if np.any((a <= block.x) & (block.x <= c) & (b <= block.y) & (block.y <= d))
    ]


def _read(seen: Seen) -> Table | None:
    """The region's table: as it is drawn, where that closes all cells, else as the judge likes it best."""
    if seen.named or seen.ruled_cells.filled > _FILLED:
        drawn = seen.ruled_cells.table() or (seen.cells.table() if seen.named else None)
        if drawn:
            return _without_caption(drawn)
    made = considered(seen)
    if not made:
        return None
    marks = likeness([shown for _, shown in made])
    best = max(range(len(made)), key=lambda n: marks[n] - doubt(made[n][1]))
    table, shown = made[best]
    return table if marks[best] > least(shown) else None


def doubt(seen: Mapping[str, float]) -> float:
    """What a reading loses of its likeness when it is weighed against the others of its region."""
    return _DOUBT * min(3, sum(seen[name] for name in _DOUBTS))


def least(seen: Mapping[str, float]) -> float:
    """The likeness, by `judge`, that the best reading of a region must pass to be a table; `seen` shows of it."""
    if seen["named"]:
        return _LEAST
    return _LEAST_FRAMED if seen["closed"] > 0.5 else _LEAST_UNNAMED


def considered(seen: Seen) -> list[tuple[Table, dict[str, float]]]:
    """The readings of a region, and what shows of each."""
    block = seen.block
    lattices = readings(seen.region, block, seen.edges, seen.cells.rows())
    # a rule left out tells of a span; a band's end tells nothing
    made = [(lattice, *table(block, lattice, seen.rules)) for lattice in lattices]
    shown, shared = Features(block, seen.edges), agreement([(one.rows, one.columns) for one, _, _ in made])
    named = {"named": float(seen.named)}
    return [
        (_without_notes(_without_caption(one[1])), shown.of(*one) | extra | named)
        for one, extra in zip(made, shared, strict=True)
    ]


def _without_caption(table: Table) -> Table:
    """The table without captions above it that its region took in."""
    first = 0
    while first < len(table.rows) and _alone(table.rows[first]) and opens_caption(" ".join(table.rows[first]).strip()):
        first += 1
    return _rows_of(table, first, len(table.rows))


def _without_notes(table: Table) -> Table:
    """The table without notes below it that its region took in."""
    last = len(table.rows)
    while last and _alone(table.rows[last - 1]) and _is_note(table, last - 1):
        last -= 1
    return _rows_of(table, 0, last)


def _rows_of(table: Table, first: int, last: int) -> Table:
    spans = [
        Span(s.row - first, s.column, min(s.rows, last - s.row), s.columns)
        for s in table.spans
        if first <= s.row < last
    ]
    kept = tuple(s for s in spans if s.rows * s.columns > 1)
    return Table(table.rows[first:last], table.cells[first:last], kept, max(0, table.header_rows - first))


def _is_note(table: Table, row: int) -> bool:
    """Whether a text alone in its row opens as a note does, or runs over several columns."""
    text = next(filter(None, table.rows[row]))
    return bool(_NOTE.match(text)) or any(span.row == row and span.columns > 1 for span in table.spans)


def _alone(row: tuple[str, ...]) -> bool:
    return sum(map(bool, row)) == 1

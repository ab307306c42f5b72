"""All tables of a sheet: each region read in every way, the likeliest kept. Knows no PDF library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from octavo.ingest.geometry import covered, sides, union
from octavo.ingest.model import Box, ElementType, Span, Table
from octavo.ingest.sheet import Region, Sheet
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.build import table
from octavo.ingest.tables.drawn import Drawn
from octavo.ingest.tables.features import Features, agreement
from octavo.ingest.tables.judge import likeness
from octavo.ingest.tables.lines import inside
from octavo.ingest.tables.readings import readings
from octavo.ingest.tables.regions import table_regions
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.signs import joined_signs
from octavo.ingest.text import opens_caption

_LEAST = 0.4  # likeness: less, and a region is no table
_LEAST_FRAMED, _LEAST_UNNAMED = 0.75, 0.8  # of one that no model named a table, with most cells closed by rules or not
# Rare in the made tables that the judge learnt from, and hardly ever in a right reading: a title over several columns
# whose words stand far apart, a header cell that ends in a value, a rule from top to bottom that is no edge.
_DOUBTS = ("torn spans", "valued header", "cut through")
_DOUBT = 0.1  # likeness, for each of up to three
_NOTE = re.compile(r"^(sources?|notes?|n\.?b\.?)\b\s*[:.]|^[*†‡§]|^\(?[a-z\d]\)? [A-Z]", re.IGNORECASE)


def find_tables(sheet: Sheet) -> list[tuple[Box, Table]]:
    """Each table with its box, in the order of the sheet's regions."""
    read = ((region.bbox, _read(region, block, sheet)) for region, block in blocks(sheet))
    return [(box, joined_signs(table)) for box, table in read if table]


def blocks(sheet: Sheet) -> Iterator[tuple[Region, Block]]:
    """Each region that may be a table, with its words."""
    for region in table_regions(sheet):
        if words := inside(sheet.words, region.bbox):
            yield region, Block(words)


def _read(region: Region, block: Block, sheet: Sheet) -> Table | None:
    """The region's table: as it is drawn, where that closes all cells, else as the judge likes it best."""
    named = region.type is ElementType.TABLE
    drawn = Drawn(block, Rulings(sheet.rules, region.bbox)).table() or (named and _drawn(region, block, sheet).table())
    if drawn:
        return _trimmed(drawn, notes=False)
    made = considered(region, block, sheet)
    if not made:
        return None
    marks = likeness([seen for _, seen in made])
    best = max(range(len(made)), key=lambda n: marks[n] - doubt(made[n][1]))
    table, seen = made[best]
    return table if marks[best] > least(seen) else None


def doubt(seen: Mapping[str, float]) -> float:
    """What a reading loses of its likeness when it is weighed against the others of its region."""
    return _DOUBT * min(3, sum(seen[name] for name in _DOUBTS))


def least(seen: Mapping[str, float]) -> float:
    """The likeness, by `judge`, that the best reading of a region must pass to be a table; `seen` shows of it."""
    if seen["named"]:
        return _LEAST
    return _LEAST_FRAMED if seen["closed"] > 0.5 else _LEAST_UNNAMED


def considered(region: Region, block: Block, sheet: Sheet) -> list[tuple[Table, dict[str, float]]]:
    """The readings of a region, and what shows of each."""
    drawn = Rulings(sheet.rules, region.bbox)  # a rule left out tells of a span; a band's end tells nothing
    rulings = Rulings(_edges(sheet), region.bbox)
    rows = _drawn(region, block, sheet).rows()
    made = [(lattice, *table(block, lattice, drawn)) for lattice in readings(region, block, rulings, rows)]
    seen, shared = Features(block, rulings), agreement([(one.rows, one.columns) for one, _, _ in made])
    named = {"named": float(region.type is ElementType.TABLE)}
    return [(_trimmed(one[1]), seen.of(*one) | extra | named) for one, extra in zip(made, shared, strict=True)]


def _edges(sheet: Sheet) -> list[Box]:
    """The rules, and the sides of filled boxes: where a colour ends the eye sees an edge."""
    return [*sheet.rules, *(side for fill in sheet.fills for side in sides(fill))]


def _drawn(region: Region, block: Block, sheet: Sheet) -> Drawn:
    """The cells that rules and fills close. Fills reach beyond a region, which ends with its words."""
    own = [fill for fill in sheet.fills if covered(fill, region.bbox) > 0.5 and inside(block.words, fill)]
    return Drawn(block, Rulings(_edges(sheet), union([region.bbox, *own])))


def _trimmed(table: Table, notes: bool = True) -> Table:
    """The table without a caption above, and without `notes` below, that its region took in."""
    first, last = 0, len(table.rows)
    while first < last and _alone(table.rows[first]) and opens_caption(" ".join(filter(None, table.rows[first]))):
        first += 1
    while notes and last > first and _alone(table.rows[last - 1]) and _is_note(table, last - 1):
        last -= 1
    if (first, last) == (0, len(table.rows)):
        return table
    spans = [Span(s.row - first, s.column, s.rows, s.columns) for s in table.spans if first <= s.row < last]
    header = max(0, table.header_rows - first)
    return Table(table.rows[first:last], table.cells[first:last], tuple(spans), header)


def _is_note(table: Table, row: int) -> bool:
    """Whether a text alone in its row opens as a note does, or runs over several columns."""
    text = next(filter(None, table.rows[row]))
    return bool(_NOTE.match(text)) or any(span.row == row and span.columns > 1 for span in table.spans)


def _alone(row: tuple[str, ...]) -> bool:
    return sum(map(bool, row)) == 1

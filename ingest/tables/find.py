"""All tables of a sheet: each region read in every way, the likeliest kept. Knows no PDF library."""

from __future__ import annotations

import re

from octavo.ingest.model import Box, Span, Table
from octavo.ingest.sheet import Region, Sheet
from octavo.ingest.tables.build import table
from octavo.ingest.tables.features import agreement, features
from octavo.ingest.tables.judge import likeness
from octavo.ingest.tables.lines import inside, lines
from octavo.ingest.tables.readings import lattices
from octavo.ingest.tables.regions import table_regions
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.text import opens_caption

_NOTE = re.compile(r"^(sources?|notes?|n\.?b\.?)\b\s*[:.]", re.IGNORECASE)


def find_tables(sheet: Sheet) -> list[tuple[Box, Table]]:
    """Each table with its box, in the order of the sheet's regions."""
    found = []
    for region in table_regions(sheet):
        read = _read(region, sheet)
        if read is not None:
            found.append(read)
    return found


def _read(region: Region, sheet: Sheet) -> tuple[Box, Table] | None:
    words, rulings = inside(sheet.words, region.bbox), Rulings(sheet.rules, region.bbox)
    if not words:
        return None
    text = lines(words)
    made = [(lattice, table(lattice, words, rulings)) for lattice in lattices(region, words, rulings)]
    if not made:
        return None
    shared = agreement([(lattice.rows, lattice.columns) for lattice, _ in made])
    marks = [likeness(features(*pair, words, text, rulings) | extra) for pair, extra in zip(made, shared, strict=True)]
    _, best = made[marks.index(max(marks))]
    best = _trimmed(best)
    return (region.bbox, best) if len(best.rows) > 1 else None


def _trimmed(table: Table) -> Table:
    """The table without a caption above and notes below that its region took in."""
    first, last = 0, len(table.rows)
    while first < last and _alone(table.rows[first]) and opens_caption(" ".join(filter(None, table.rows[first]))):
        first += 1
    while last > first and _alone(table.rows[last - 1]) and _NOTE.match(next(filter(None, table.rows[last - 1]))):
        last -= 1
    if (first, last) == (0, len(table.rows)):
        return table
    spans = [Span(s.row - first, s.column, s.rows, s.columns) for s in table.spans if first <= s.row < last]
    header = max(0, table.header_rows - first)
    return Table(table.rows[first:last], table.cells[first:last], tuple(spans), header)


def _alone(row: tuple[str, ...]) -> bool:
    return sum(map(bool, row)) == 1

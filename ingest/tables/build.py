"""A lattice over words as a Table: spans found, texts joined, header counted. Knows nothing of how it was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.model import Box, Table
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lattice import Lattice, places, text
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.spans import spans
from octavo.ingest.tables.values import header_rows


def table(lattice: Lattice, words: Sequence[Word], rulings: Rulings) -> Table:
    """The lattice filled: a span's text in its first place, the number of header rows counted."""
    filled = places(lattice, words)
    rows = [[text(filled.get((r, c), [])) for c in range(lattice.columns)] for r in range(lattice.rows)]
    found = spans(lattice, filled, rulings, header_rows(rows))
    cells: list[list[Box | None]] = [[lattice.cell(r, c) for c in range(lattice.columns)] for r in range(lattice.rows)]
    for span in found:
        covered = [(span.row + i, span.column + j) for i in range(span.rows) for j in range(span.columns)]
        whole = text([w for place in covered for w in filled.get(place, [])])
        for r, c in covered:
            rows[r][c] = ""
        rows[span.row][span.column] = whole
    return Table(tuple(map(tuple, rows)), tuple(map(tuple, cells)), tuple(found), header_rows=header_rows(rows))

"""A lattice as a Table: spans found, texts joined, header counted. Knows nothing of how it was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.model import Span, Table
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.lattice import Lattice, Places
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.spans import spans
from octavo.ingest.tables.values import header_rows


def table(block: Block, lattice: Lattice, rulings: Rulings) -> tuple[Table, Places]:
    """The lattice filled, and the pieces of its cells, each at its cell's first place, as its text."""
    header = header_rows(_texts(lattice, lattice.filled))
    return joined(block, lattice, spans(lattice, rulings, header))


def joined(block: Block, lattice: Lattice, found: Sequence[Span]) -> tuple[Table, Places]:
    """The same with the spans given."""
    cells = dict(lattice.filled)
    for span in found:
        covered = [(span.row + i, span.column + j) for i in range(span.rows) for j in range(span.columns)]
        pieces = [cells.pop(place) for place in covered if place in cells]
        if pieces:
            cells[span.row, span.column] = block.piece(tuple(sorted(n for piece in pieces for n in piece.numbers)))
    rows = _texts(lattice, cells)
    boxes = tuple(tuple(lattice.cell(r, c) for c in range(lattice.columns)) for r in range(lattice.rows))
    return Table(tuple(map(tuple, rows)), boxes, tuple(found), header_rows=header_rows(rows)), cells


def _texts(lattice: Lattice, cells: Places) -> list[list[str]]:
    return [[cells[r, c].text if (r, c) in cells else "" for c in range(lattice.columns)] for r in range(lattice.rows)]

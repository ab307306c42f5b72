"""Currency and per cent signs that stand apart from their figures, as in financial statements, joined to them."""

from __future__ import annotations

import re
from dataclasses import replace

from octavo.ingest.geometry import union
from octavo.ingest.model import Span, Table

_CURRENCY = re.compile(r"(?P<rest>.*?)\s*(?P<sign>[$€£¥])")
_CLOSING = re.compile(r"\)?\s*%|\)")
_FIGURE = re.compile(r"[\d(–—-]")


def joined_signs(table: Table) -> Table:
    """The table without columns of signs alone, and with no sign at the end of the cell before its figure's."""
    table = _moved(table)
    for column in reversed(range(len(table.rows[0]) - 1)):
        if _are_signs(table, column + 1, closing=True):
            table = _merged(table, column, "")
    for column in reversed(range(len(table.rows[0]) - 1)):
        if _are_signs(table, column, closing=False):
            table = _merged(table, column, " ")
    return table


def _moved(table: Table) -> Table:
    """The table with a currency sign behind another text moved to the figure that follows it in its row."""
    rows = [list(row) for row in table.rows]
    for row in rows:
        for column in range(len(row) - 1):
            found = _CURRENCY.fullmatch(row[column])
            if found and found["rest"] and _FIGURE.match(row[column + 1]):
                row[column], row[column + 1] = found["rest"], f"{found['sign']} {row[column + 1]}"
    return replace(table, rows=tuple(map(tuple, rows)))


def _are_signs(table: Table, column: int, closing: bool) -> bool:
    """Whether below the header a column has signs alone, each beside a figure: before it, or if `closing` behind."""
    beside = column - 1 if closing else column + 1
    signs = [(row[column], row[beside]) for row in table.rows[table.header_rows :] if row[column]]
    form = _CLOSING if closing else re.compile("[$€£¥]")
    return len(signs) > 1 and all(form.fullmatch(sign) and any(map(str.isdigit, text)) for sign, text in signs)


def _merged(table: Table, column: int, gap: str) -> Table:
    """The table with a column and the next one as one; where both have a text, `gap` parts the two."""
    rows, cells = [], []
    for row, boxes in zip(table.rows, table.cells, strict=True):
        text = gap.join(filter(None, row[column : column + 2]))
        around = [box for box in boxes[column : column + 2] if box]
        rows.append((*row[:column], text, *row[column + 2 :]))
        cells.append((*boxes[:column], union(around) if around else None, *boxes[column + 2 :]))
    spans = [
        Span(s.row, s.column - (s.column > column), s.rows, s.columns - (s.column <= column < s.column + s.columns - 1))
        for s in table.spans
    ]
    return replace(table, rows=tuple(rows), cells=tuple(cells), spans=tuple(s for s in spans if s.rows * s.columns > 1))

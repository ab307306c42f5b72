"""Currency and per cent signs that stand apart from their figures, as in financial statements, joined to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
            table = _merged(table, column, column + 1, "")
    for column in reversed(range(len(table.rows[0]) - 1)):
        if _are_signs(table, column, closing=False):
            table = _merged(table, column, column, " ")
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


def _merged(table: Table, column: int, signs: int, gap: str) -> Table:
    """The table with a column and the next one as one, of which `signs` is that of signs alone.

    Where both have a text, `gap` parts the two. What spans the signs and not their figures ends beside them.
    """
    texts, spans = [list(row) for row in table.rows], []
    for span in table.spans:
        first, last = span.column, span.column + span.columns - 1
        if signs == column == last:
            last -= 1
        elif signs == first == column + 1:
            first += 1
            if first <= last:
                texts[span.row][first], texts[span.row][signs] = texts[span.row][signs], ""
        first, last = first - (first > column), last - (last > column)
        spans.append(Span(span.row, first, span.rows, last - first + 1))
    rows, cells = [], []
    for row, boxes in zip(texts, table.cells, strict=True):
        around = [box for box in boxes[column : column + 2] if box]
        rows.append((*row[:column], gap.join(filter(None, row[column : column + 2])), *row[column + 2 :]))
        cells.append((*boxes[:column], union(around) if around else None, *boxes[column + 2 :]))
    return replace(table, rows=tuple(rows), cells=tuple(cells), spans=tuple(_apart(spans, rows)))


def _apart(spans: Sequence[Span], rows: Sequence[Sequence[str]]) -> Iterator[Span]:
    """The spans over several places but for those that cover another's, or a place with a text of its own."""
    taken: set[tuple[int, int]] = set()
    for span in spans:
        places = {(span.row + i, span.column + j) for i in range(span.rows) for j in range(span.columns)}
        if (
            len(places) > 1
            and not places & taken
            and not any(rows[r][c] for r, c in places - {(span.row, span.column)})
        ):
            taken |= places
            yield span

"""What a table's grid says: spans mended, header found, each value with the labels that give it meaning.

Knows nothing of how the grid was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from octavo.ingest.geometry import union
from octavo.ingest.model import Box, Span, Table
from octavo.ingest.text import join_lines

Word = tuple[float, float, float, float, str]
_VALUE = re.compile(r"^[($€£¥~<>≈±+\-–—−\s]*\d[\d,.]*\s*(%|\)|bps|[xX]|[MBK])*\)?\s*\*?(\s*\(\w\))?$")
_NOTHING = re.compile(r"^[\s—–\-−$%*]*$|^(n/?a|nm|n\.m\.)$", re.IGNORECASE)
_YEAR = re.compile(r"^(FY\s?)?(19|20)\d\d$")


def is_value(text: str) -> bool:
    """Whether a cell holds a quantity (a year alone is a label)."""
    return bool(_VALUE.match(text)) and not _YEAR.match(text)


def grid(
    rows: Sequence[Sequence[str | None]], cells: Sequence[Sequence[Sequence[float] | None]], words: Sequence[Word]
) -> Table:
    """A Table from a raw grid: text cleaned, cells that a word straddles joined into a span, header rows counted.

    `words` are the page's words with their boxes. A layout grid cuts a header that stands over several columns
    ("Three Mo|nths Ended"); a word drawn across a column's edge shows that no edge is there in that row.
    """
    width = max((len(row) for row in rows), default=0)
    text = [[join_lines((value or "").splitlines()) for value in row] + [""] * (width - len(row)) for row in rows]
    boxes: list[list[Box | None]] = [[_box(cell) for cell in row] + [None] * (width - len(row)) for row in cells]
    spans = []
    for r, row in enumerate(boxes):
        for first, last in _straddled(row, words):
            box = union([b for b in row[first : last + 1] if b])
            text[r][first] = join_lines(_lines(_inside(box, words)))
            text[r][first + 1 : last + 1] = [""] * (last - first)
            spans.append(Span(r, first, 1, last - first + 1))
    return Table(tuple(map(tuple, text)), tuple(map(tuple, boxes)), tuple(spans), header_rows=_header_rows(text))


def _box(cell: Sequence[float] | None) -> Box | None:
    return None if cell is None else (float(cell[0]), float(cell[1]), float(cell[2]), float(cell[3]))


def _straddled(row: Sequence[Box | None], words: Sequence[Word]) -> list[tuple[int, int]]:
    """Runs (first, last) of columns joined by words that reach at least a third of a letter into both neighbours."""
    joined = []
    for j in range(len(row) - 1):
        left, right = row[j], row[j + 1]
        if left is None or right is None:
            continue
        edge, middle = left[2], (left[1] + left[3]) / 2
        for x0, y0, x1, y1, word in words:
            reach = (x1 - x0) / max(1, len(word)) / 3
            if x0 + reach < edge < x1 - reach and y0 < middle < y1 + 2 and left[0] < x1 and x0 < right[2]:
                joined.append(j)
                break
    runs: list[tuple[int, int]] = []
    for j in joined:
        if runs and runs[-1][1] == j:
            runs[-1] = runs[-1][0], j + 1
        else:
            runs.append((j, j + 1))
    return runs


def _inside(box: Box, words: Sequence[Word]) -> list[Word]:
    return [w for w in words if box[0] <= (w[0] + w[2]) / 2 <= box[2] and box[1] <= (w[1] + w[3]) / 2 <= box[3]]


def _lines(words: Sequence[Word]) -> list[str]:
    lines: dict[int, list[Word]] = {}
    for word in sorted(words, key=lambda w: (w[1] + w[3]) / 2):
        middle = (word[1] + word[3]) / 2
        line = next((y for y in lines if abs(y - middle) < (word[3] - word[1]) / 2), round(middle))
        lines.setdefault(line, []).append(word)
    return [" ".join(w[4] for w in sorted(line)) for _, line in sorted(lines.items())]


def _header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Rows before the first with a value beside its label; 1 for a table of words, 0 for one that opens with values.

    A row with a label and nothing beside it ("Net sales:") opens the body.
    """
    for r, row in enumerate(rows):
        if any(map(is_value, row[1:])):
            return r
        if r and row[0] and not any(row[1:]):
            return r
    return min(1, len(rows) - 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table with what names it.

    `label` is its row's label, led by the group row above it; `header` the texts above its column, outermost first.
    """

    row: int
    column: int
    label: str
    header: str
    text: str
    bbox: Box | None


def values(table: Table, header: Table | None = None) -> Iterator[Cell]:
    """The body's non-empty cells beyond the label columns, row by row.

    `header` is the table that this one continues: its header rows name the columns when the widths agree and
    this one's own header holds none.
    """
    names = column_names(table)
    if header is not None and not any(names[1:]) and len(column_names(header)) == len(names):
        names = column_names(header)
    labels = label_columns(table)
    group = ""
    for r, row in enumerate(table.rows[table.header_rows :], table.header_rows):
        label = " ".join(filter(None, row[:labels]))
        if label and all(_NOTHING.match(value) for value in row[labels:]):
            group = label.rstrip(":")
            continue
        closes = label.lower().startswith("total")
        named = f"{group}: {label}" if group and label and not closes else label or group
        for c, value in enumerate(row[labels:], labels):
            if value and value != "$":
                yield Cell(r, c, named, names[c], value, table.cells[r][c] if r < len(table.cells) else None)
        if closes:
            group = ""


def label_columns(table: Table) -> int:
    """How many leading columns name rows rather than hold values; at least 1."""
    body = table.rows[table.header_rows :]
    for c in range(1, len(table.rows[0]) if table.rows else 0):
        filled = [row[c] for row in body if not _NOTHING.match(row[c])]
        if sum(map(is_value, filled)) > 0.3 * len(filled):
            return c
    return 1


def column_names(table: Table) -> list[str]:
    """For each column the header texts above it, outermost first, a span's text standing over all that it covers."""
    width = len(table.rows[0]) if table.rows else 0
    names: list[list[str]] = [[] for _ in range(width)]
    for r, row in enumerate(table.rows[: table.header_rows]):
        for c, value in enumerate(row):
            reach = next((s.columns for s in table.spans if (s.row, s.column) == (r, c)), 1)
            for name in names[c : c + reach] if value else []:
                name.append(value)
    return [" ".join(name) for name in names]

"""What a table's grid says: spans mended, header found, each value with the labels that give it meaning.

Knows nothing of how the grid was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from octavo.ingest.geometry import union
from octavo.ingest.model import Box, Span, Table
from octavo.ingest.sheet import Sheet
from octavo.ingest.text import join_lines

Word = tuple[float, float, float, float, str]
_VALUE = re.compile(r"^[($€£¥~<>≤≥≈±+\-–—−\s]*\d[\d,.]*\s*(%|\)|bps|[xX]|[MBK])*\)?\s*[*^]*(\s*\(\w\))?$")
_NOTHING = re.compile(r"^[\s—–\-−$%*]*$|^(n/?a|nm|n\.m\.)[*^]*$", re.IGNORECASE)
_YEAR = re.compile(r"^(FY\s?)?(19|20)\d\d$")


def is_value(text: str) -> bool:
    """Whether a cell holds a quantity (a year alone is a label)."""
    return bool(_VALUE.match(text)) and not _YEAR.match(text)


def find_tables(sheet: Sheet) -> list[tuple[Box, Table]]:
    """The tables of a page, each with its box."""
    words = [(*word.bbox, word.text) for word in sheet.words]
    found = []
    for region in sheet.regions:
        for _, cells in region.grids[:1]:
            rows = [["\n".join(_lines(_inside(cell, words))) if cell else None for cell in row] for row in cells]
            found.append((region.bbox, grid(rows, cells, words)))
    return found


def grid(
    rows: Sequence[Sequence[str | None]], cells: Sequence[Sequence[Sequence[float] | None]], words: Sequence[Word]
) -> Table:
    """A Table from a raw grid: text cleaned, cells that a word straddles joined into a span, header rows counted.

    `words` are the page's words with their boxes. A layout grid cuts a header that stands over several columns
    ("Three Mo|nths Ended", "Commercial |Banking"); a word drawn across a column's edge, or in a header a gap there that
    is no wider than between words, shows that no edge is there in that row.
    """
    width = max((len(row) for row in rows), default=0)
    text = [
        [join_lines((value or "").splitlines(), heal=False) for value in row] + [""] * (width - len(row))
        for row in rows
    ]
    boxes: list[list[Box | None]] = [[_box(cell) for cell in row] + [None] * (width - len(row)) for row in cells]
    header = header_rows(text)
    spans = []
    for r, row in enumerate(boxes):
        for first, last in _straddled(row, words, r < header):
            box = union([b for b in row[first : last + 1] if b])
            text[r][first] = join_lines(_lines(_inside(box, words)), heal=False)
            text[r][first + 1 : last + 1] = [""] * (last - first)
            spans.append(Span(r, first, 1, last - first + 1))
    return Table(tuple(map(tuple, text)), tuple(map(tuple, boxes)), tuple(spans), header_rows=header_rows(text))


def _box(cell: Sequence[float] | None) -> Box | None:
    return None if cell is None else (float(cell[0]), float(cell[1]), float(cell[2]), float(cell[3]))


def _straddled(row: Sequence[Box | None], words: Sequence[Word], in_header: bool) -> list[tuple[int, int]]:
    """Runs (first, last) of columns joined by words that reach at least a third of a letter into both neighbours.

    In a header two words with no more than a space between them, one on each side of the edge, join them too.
    """
    joined = []
    for j in range(len(row) - 1):
        left, right = row[j], row[j + 1]
        if left is None or right is None:
            continue
        beside = [w for w in words if left[0] < w[2] and w[0] < right[2] and left[1] < (w[1] + w[3]) / 2 < left[3] + 1]
        if any(_crosses(word, left[2]) for word in beside) or (in_header and _runs_on(beside, left[2])):
            joined.append(j)
    runs: list[tuple[int, int]] = []
    for j in joined:
        if runs and runs[-1][1] == j:
            runs[-1] = runs[-1][0], j + 1
        else:
            runs.append((j, j + 1))
    return runs


def _crosses(word: Word, edge: float) -> bool:
    reach = (word[2] - word[0]) / max(1, len(word[4])) / 3
    return word[0] + reach < edge < word[2] - reach


def _runs_on(words: Sequence[Word], edge: float) -> bool:
    """Whether two words on one line, a space (0.35 of their height) apart, stand on different sides of `edge`."""
    left = [word for word in words if word[0] + word[2] < 2 * edge and _letters(word)]
    right = [word for word in words if word[0] + word[2] > 2 * edge and _letters(word)]
    return any(abs(a[1] - b[1]) < 1 and 0 <= b[0] - a[2] < 0.35 * (a[3] - a[1]) for a in left for b in right)


def _letters(word: Word) -> bool:
    return any(ch.isalpha() or ch == "&" for ch in word[4])


def _inside(box: Box, words: Sequence[Word]) -> list[Word]:
    return [w for w in words if box[0] <= (w[0] + w[2]) / 2 <= box[2] and box[1] <= (w[1] + w[3]) / 2 <= box[3]]


def _lines(words: Sequence[Word]) -> list[str]:
    lines: dict[int, list[Word]] = {}
    for word in sorted(words, key=lambda w: (w[1] + w[3]) / 2):
        middle = (word[1] + word[3]) / 2
        line = next((y for y in lines if abs(y - middle) < (word[3] - word[1]) / 2), round(middle))
        lines.setdefault(line, []).append(word)
    return [" ".join(w[4] for w in sorted(line)) for _, line in sorted(lines.items())]


def header_rows(rows: Sequence[Sequence[str]]) -> int:
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
    `group` is that group row's text, "" when there is none.
    """

    row: int
    column: int
    label: str
    header: str
    text: str
    bbox: Box | None
    group: str = ""


def values(table: Table, header: Table | None = None) -> Iterator[Cell]:
    """The body's non-empty cells beyond the label columns, row by row; of a form, each entry with its key as label.

    `header` is the table that this one continues: its header rows name the columns when the widths agree and
    this one's own header holds none.
    """
    if keys := key_columns(table):
        yield from _entries(table, keys)
        return
    names = column_names(table)
    if header is not None and not any(names[1:]) and len(column_names(header)) == len(names):
        names = column_names(header)
    labels = label_columns(table)
    last = len(names) - _labelled_last(table)
    group = ""
    for r, row in enumerate(table.rows[table.header_rows :], table.header_rows):
        label = " ".join(filter(None, [*row[:labels], *row[last:]]))
        if label and all(_NOTHING.match(value) for value in row[labels:last]):
            group = label.rstrip(":")
            continue
        closes = label.lower().startswith("total")
        named = f"{group}: {label}" if group and label and not closes else label or group
        for c, value in enumerate(row[labels:last], labels):
            if value and value != "$":
                yield Cell(r, c, named, names[c], value, _box_at(table, r, c), "" if closes else group)
        if closes:
            group = ""


def key_columns(table: Table) -> list[int]:
    """The columns that hold the keys of a form ("Aircraft: | Cessna 172 | Damage: | Destroyed"); none for other tables.

    A key ends in a colon. Two columns make a form by their first; more do when keys and entries alternate.
    """
    keys = []
    for c, column in enumerate(zip(*table.rows, strict=True)):
        filled = [value for value in column if value]
        if len(filled) >= len(column) / 2 and sum(v.endswith(":") for v in filled) > 0.6 * len(filled):
            keys.append(c)
    width = len(table.rows[0]) if table.rows else 0
    return keys if keys[:1] == [0] and (width == 2 or len(keys) > 1) and keys[-1] < width - 1 else []


def _entries(table: Table, keys: Sequence[int]) -> Iterator[Cell]:
    keys = [key for key in keys if key - 1 not in keys]  # "Tampa, FL Accident Number:" is an entry and a key in one
    ends = [*keys[1:], len(table.rows[0])]
    for r, row in enumerate(table.rows):
        for key, end in zip(keys, ends, strict=True):
            found = [c for c in range(key + 1, end) if row[c]]
            if row[key] and found:
                entry = " ".join(row[c] for c in found)
                yield Cell(r, found[0], row[key].rstrip(":"), "", entry, _box_at(table, r, found[0]))


def _box_at(table: Table, row: int, column: int) -> Box | None:
    return table.cells[row][column] if row < len(table.cells) else None


def label_columns(table: Table) -> int:
    """How many leading columns name rows rather than hold values.

    At least 1, but for a table of one row whose first column has a header and a value under it, or whose labels stand
    last.
    """
    body = table.rows[table.header_rows :]
    if _labelled_last(table):
        return 0
    first = [row[0] for row in body]
    if (
        len(body) == 1
        and any(first)
        and all(is_value(v) or _NOTHING.match(v) for v in first)
        and column_names(table)[0]
    ):
        return 0
    for c in range(1, len(table.rows[0]) if table.rows else 0):
        filled = [row[c] for row in body if not _NOTHING.match(row[c])]
        if not filled or sum(map(is_value, filled)) > 0.3 * len(filled):
            return c
    return 1


def _labelled_last(table: Table) -> bool:
    """Whether the labels stand in the last column, after the values ("$ | (187) | Operating loss")."""
    body = table.rows[table.header_rows :]
    before = [value for row in body for value in row[:-1] if not _NOTHING.match(value)]
    after = [row[-1] for row in body if row[-1]]
    return (
        len(after) == len(body) > 1
        and sum(any(ch.isalpha() for ch in value) for value in before) == 0 < len(before)
        and all(" " in value and not is_value(value) for value in after)
    )


def column_names(table: Table) -> list[str]:
    """For each column the header texts above it, outermost first, a span's text standing over all that it covers.

    A text that is drawn in the middle of its columns ("Three Months Ended" over four) stands in the grid over the
    middle ones: it reaches as far to the left as to the right, over columns that have a text of their own further down.
    """
    width = len(table.rows[0]) if table.rows else 0
    header = table.rows[: table.header_rows]
    names: list[list[str]] = [[] for _ in range(width)]
    for r, row in enumerate(header):
        over: dict[int, int] = {}  # a column -> the place of the text above it
        for c, value in enumerate(row):
            reach = next((s.columns for s in table.spans if (s.row, s.column) == (r, c)), 1)
            over |= {place: c for place in range(c, min(c + reach, width)) if value}
        bare = {c for c in range(1, width) if c not in over and any(lower[c] for lower in header[r + 1 :])}
        for c, start in sorted((over | _reached(over, bare)).items()):
            names[c].append(row[start])
    return [" ".join(name) for name in names]


def _reached(over: dict[int, int], bare: set[int]) -> dict[int, int]:
    """The `bare` columns beside each text's own, taken in pairs, one on either side: column -> place of the text."""
    found: dict[int, int] = {}
    for start in sorted(set(over.values())):
        own = [c for c, place in over.items() if place == start]
        first, last = min(own) - 1, max(own) + 1
        while {first, last} <= bare - set(found):
            found |= {first: start, last: start}
            first, last = first - 1, last + 1
    return found

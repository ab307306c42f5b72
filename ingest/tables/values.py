"""What a table's grid says: its header, and each value with the labels that give it meaning.

Knows nothing of how the grid was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from octavo.ingest.model import Box, Table

_VALUE = re.compile(r"^[($€£¥~<>≤≥≈±+\-–—−\s]*\d[\d,.]*\s*(%|\)|bps|[xX]|[MBK])*\)?\s*[*^]*(\s*\(\w\))?$")
_NOTHING = re.compile(r"^[\s—–\-−$%*]*$|^(n/?a|nm|n\.m\.)[*^]*$", re.IGNORECASE)
_YEAR = re.compile(r"^(FY\s?)?(19|20)\d\d$")
_NAME = re.compile(r"[^\W_]{2}")  # not "N/A", nor a dash


def is_value(text: str) -> bool:
    """Whether a cell holds a quantity (a year alone is a label)."""
    return bool(_VALUE.match(text)) and not _YEAR.match(text)


def header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Rows before the first with a value beside its label; 1 for a table of words, 0 for one that opens with values.

    A row with a label and nothing beside it ("Net sales:") opens the body. Without a label, a row with as many words as
    values is of the header: the values end its words ("Three Months Ended June", "30").
    """
    for r, row in enumerate(rows):
        found = sum(map(is_value, row[1:]))
        if found and (row[0] or found > sum(any(map(str.isalpha, text)) for text in row[1:])):
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


def goes_on_unnamed(table: Table, first: Table) -> bool:
    """Whether `table` has the columns of `first` without a header: as many, and no names of its own.

    Names are those of two columns of values or more, or one that `first` has too.
    """
    names, known, body = column_names(table), column_names(first), table.rows[table.header_rows :]
    valued = [c for c in range(1, len(names)) if any(is_value(row[c]) for row in body)]
    own = sum(bool(_NAME.search(names[c])) for c in valued)
    return len(names) == len(known) and own < 2 and not {*names[1:]} & {*known[1:]} - {""}


def repeated_columns(table: Table, first: Table) -> list[int | None] | None:
    """For each column of `table` the one of `first` whose name it repeats; None where the headers say not the same.

    The columns may stand in another order. An empty one without a name, which a grid has more, stands for none.
    """
    names, known = column_names(table), column_names(first)
    if names == known:
        return [*range(len(names))] if any(names) else None
    if sorted(filter(None, names)) != sorted(filter(None, known)):
        return None
    found: list[int | None] = []
    for c, name in enumerate(names):
        if name:  # of several columns of one name each stands for the next
            found.append(next(k for k, other in enumerate(known) if other == name and k not in found))
        elif not any(row[c] for row in table.rows):
            found.append(None)
        elif c == 0 and not known[0]:  # labels seldom have a name
            found.append(0)
        else:
            return None
    return found


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

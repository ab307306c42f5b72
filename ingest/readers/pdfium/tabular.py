"""Whether words stand as those of a table do, in rows whose parts line up in columns, and where such words stand.

Knows nothing of rules, of layout models, or of what the words say; how the cells lie is for `octavo.ingest.tables`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from octavo.ingest.geometry import horizontal_overlap, union
from octavo.ingest.model import Box
from octavo.ingest.runs import rows_of_words, runs, type_size
from octavo.ingest.sheet import Word

_CELL_GAP = 0.9  # in sizes of type; words nearer than that are of one cell
_ALIGNED = 0.5  # in sizes; edges or middles nearer than that are of one column
_ROW_GAP = 1.6  # in sizes of white between two rows of a table
_LEAST_ROWS = 3
_TABULAR = 0.6  # of the rows have several cells, and of these line up with a neighbour's


@dataclass(frozen=True, slots=True)
class Row:
    """One line of words in its cells."""

    cells: tuple[Box, ...]
    words: tuple[Word, ...]

    @property
    def bbox(self) -> Box:
        return union(self.cells)


def rows(words: Sequence[Word]) -> list[Row]:
    """The words as rows from the top."""
    size = type_size(words)
    return [
        Row(tuple(union(w.bbox for w in run) for run in runs(line, _CELL_GAP * size)), line.words)
        for line in rows_of_words(words)
    ]


def is_tabular(words: Sequence[Word]) -> bool:
    """Whether most rows have several cells, and most of those line up with the cells of the row above or below."""
    size, made = type_size(words), rows(words)
    several = [row for row in made if len(row.cells) > 1]
    if len(several) < _LEAST_ROWS or len(several) < _TABULAR * len(made):
        return False
    agree = [_aligned(a, b, _ALIGNED * size) for a, b in pairwise(several)]
    return sum(agree) >= _TABULAR * len(agree)


def tabular_parts(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The groups of rows, close under each other, that are tabular; rows of one cell around them left out."""
    size = type_size(words)
    group: list[Row] = []
    for row in [*rows(words), None]:
        if row and (not group or _under(group[-1], row, size)):
            group.append(row)
            continue
        while group and len(group[-1].cells) < 2:
            group.pop()
        while group and len(group[0].cells) < 2:
            group.pop(0)
        found = [word for member in group for word in member.words]
        if found and is_tabular(found):
            yield found
        group = [row] if row else []


def _under(above: Row, row: Row, size: float) -> bool:
    return row.bbox[1] - above.bbox[3] < _ROW_GAP * size and horizontal_overlap(above.bbox, row.bbox) > 0.5


def _aligned(a: Row, b: Row, near: float) -> bool:
    """Whether at least two cells of the row with fewer share an edge or a middle with one of the other's."""
    fewer, more = sorted((a.cells, b.cells), key=len)
    shared = sum(any(_shares(cell, other, near) for other in more) for cell in fewer)
    return shared >= max(2, _TABULAR * len(fewer))


def _shares(a: Box, b: Box, near: float) -> bool:
    return min(abs(a[0] - b[0]), abs(a[2] - b[2]), abs(a[0] + a[2] - b[0] - b[2]) / 2) < near

"""Which places of a lattice are one cell: by the words that cross an edge, the rules left out, and how headers centre.

Knows nothing of where the lattice comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from octavo.ingest.model import Span
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lattice import Lattice, Places
from octavo.ingest.tables.rulings import Rulings

_RULED, _BARE = 0.7, 0.2  # shares of an edge that a rule runs along: there is one, there is none


def spans(lattice: Lattice, filled: Places, rulings: Rulings, header: int) -> list[Span]:
    """Cells that stand over several places; the first `header` rows are the header."""
    units = [_across(lattice, filled, rulings, r, header) for r in range(lattice.rows)]
    taken: set[tuple[int, int]] = set()
    found = []
    for r, row in enumerate(units):
        for first, last in row:
            if (r, first) in taken:
                continue
            end = r
            while (
                end + 1 < lattice.rows
                and (first, last) in units[end + 1]
                and _down(lattice, filled, rulings, end, first, last, header)
            ):
                end += 1
                taken.add((end, first))
            if end > r or last > first:
                found.append(Span(r, first, end - r + 1, last - first + 1))
    return found


def _across(lattice: Lattice, filled: Places, rulings: Rulings, row: int, header: int) -> list[tuple[int, int]]:
    """The row's cells as (first, last) column."""
    cells: list[tuple[int, int]] = []
    for c in range(lattice.columns):
        if cells and _joined(lattice, filled, rulings, row, c - 1, row < header):
            cells[-1] = cells[-1][0], c
        else:
            cells.append((c, c))
    return _centred(lattice, filled, rulings, row, header, cells) if row < header - 1 else cells


def _joined(lattice: Lattice, filled: Places, rulings: Rulings, row: int, column: int, in_header: bool) -> bool:
    """Whether no edge parts `column` from the next one in this row.

    A word crosses it; or in a header words run on over it; or it is ruled elsewhere but not here and one side is empty.
    """
    x, top, bottom = lattice.xs[column + 1], lattice.ys[row], lattice.ys[row + 1]
    here = rulings.beside(x, top, bottom)
    if here > _RULED:
        return False
    left, right = filled.get((row, column), []), filled.get((row, column + 1), [])
    if any(crosses(word, x) for word in [*left, *right]) or (in_header and _run_on(left, right)):
        return True
    return here < _BARE and not (left and right) and rulings.beside(x, lattice.ys[0], lattice.ys[-1]) > 0.5


def crosses(word: Word, edge: float) -> bool:
    """Whether at least a third of a letter lies on each side of the edge."""
    reach = (word.bbox[2] - word.bbox[0]) / max(1, len(word.text)) / 3
    return word.bbox[0] + reach < edge < word.bbox[2] - reach


def _run_on(left: Sequence[Word], right: Sequence[Word]) -> bool:
    """Whether a word of `left` and one of `right` stand on one line with no more than a space between them."""
    a = [w for w in left if any(ch.isalpha() or ch == "&" for ch in w.text)]
    b = [w for w in right if any(ch.isalpha() or ch == "&" for ch in w.text)]
    return any(
        min(v.bbox[3], w.bbox[3]) - max(v.bbox[1], w.bbox[1]) > 0.5 * (w.bbox[3] - w.bbox[1])
        and 0 <= w.bbox[0] - v.bbox[2] < 0.4 * w.size
        for v in a
        for w in b
    )


def _centred(
    lattice: Lattice, filled: Places, rulings: Rulings, row: int, header: int, cells: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The cells with each text widened to the columns in whose middle it stands, or to those of the rule below it."""
    y = lattice.ys[row + 1]
    texts = {cell: [w for c in range(cell[0], cell[1] + 1) for w in filled.get((row, c), [])] for cell in cells}
    free = {
        c
        for cell, words in texts.items()
        if not words
        for c in range(cell[0], cell[1] + 1)
        if c and any(filled.get((r, c)) for r in range(row + 1, header))
    }
    made: list[tuple[int, int]] = []
    for (first, last), words in texts.items():
        if not words:
            continue
        middle = (min(w.bbox[0] for w in words) + max(w.bbox[2] for w in words)) / 2
        best = min(
            _ranges(lattice, rulings, row, first, last, free),
            key=lambda ends: _off(lattice, filled, rulings, row, ends, middle, y),
        )
        if _off(lattice, filled, rulings, row, best, middle, y) < 0.5 * _off(
            lattice, filled, rulings, row, (first, last), middle, y
        ):
            first, last = best
        free -= set(range(first, last + 1))
        made.append((first, last))
    covered = {c for first, last in made for c in range(first, last + 1)}
    rest = [cell for cell in cells if not covered & set(range(cell[0], cell[1] + 1))]
    loose = [(c, c) for cell in cells if cell not in rest for c in range(cell[0], cell[1] + 1) if c not in covered]
    return sorted([*made, *rest, *loose])


def _ranges(
    lattice: Lattice, rulings: Rulings, row: int, first: int, last: int, free: set[int]
) -> Iterator[tuple[int, int]]:
    """Runs of columns around (first, last) that reach over free ones without crossing a rule."""
    top, bottom = lattice.ys[row], lattice.ys[row + 1]
    start = first
    while True:
        end = last
        while True:
            yield start, end
            if end + 1 not in free or rulings.beside(lattice.xs[end + 1], top, bottom) > _RULED:
                break
            end += 1
        if start - 1 not in free or rulings.beside(lattice.xs[start], top, bottom) > _RULED:
            return
        start -= 1


def _off(
    lattice: Lattice, filled: Places, rulings: Rulings, row: int, ends: tuple[int, int], middle: float, y: float
) -> float:
    """How far `middle` lies from the middle of what stands below in these columns, in points."""
    below = [
        w for c in range(ends[0], ends[1] + 1) for r in range(row + 1, lattice.rows) for w in filled.get((r, c), [])
    ]
    if not below:
        return float("inf")
    left, right = min(w.bbox[0] for w in below), max(w.bbox[2] for w in below)
    return abs((left + right) / 2 - middle)


def _lies_across(word: Word, y: float) -> bool:
    return word.bbox[1] + 0.25 * word.size < y < word.bbox[3] - 0.25 * word.size


def _down(lattice: Lattice, filled: Places, rulings: Rulings, row: int, first: int, last: int, header: int) -> bool:
    """Whether the cell goes on in the next row.

    A word lies across the edge; or the edge is ruled elsewhere but not here, between ruled sides or in a header.
    """
    y, left, right = lattice.ys[row + 1], lattice.xs[first], lattice.xs[last + 1]
    if rulings.under(y, left, right) > _BARE:
        return False
    above = [w for c in range(first, last + 1) for w in filled.get((row, c), [])]
    below = [w for c in range(first, last + 1) for w in filled.get((row + 1, c), [])]
    if any(_lies_across(w, y) for w in [*above, *below]):
        beside = [w for c in range(lattice.columns) for r in (row, row + 1) for w in filled.get((r, c), [])]
        return sum(_lies_across(w, y) for w in beside) < 0.34 * len(beside)
    if rulings.under(y, lattice.xs[0], lattice.xs[-1]) < _BARE:
        return False
    top, bottom = lattice.ys[row], lattice.ys[row + 2]
    sides = [rulings.beside(x, top, bottom) > _RULED for x in (left, right) if x not in (lattice.xs[0], lattice.xs[-1])]
    return all(sides) or (row + 1 < header and bool(above and below))

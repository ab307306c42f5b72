"""Which places of a lattice are one cell: by the words that cross an edge, the rules left out, and how headers centre.

Knows nothing of where the lattice comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from octavo.ingest.model import Box, Span
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lattice import Lattice
from octavo.ingest.tables.rulings import Rulings

_RULED, _BARE = 0.7, 0.2  # shares of an edge that a rule runs along: there is one, there is none


def spans(lattice: Lattice, rulings: Rulings, header: int) -> list[Span]:
    """Cells that stand over several places; the first `header` rows are the header."""
    units = [_across(lattice, rulings, r, header) for r in range(lattice.rows)]
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
                and _down(lattice, rulings, end, first, last, header)
            ):
                end += 1
                taken.add((end, first))
            if end > r or last > first:
                found.append(Span(r, first, end - r + 1, last - first + 1))
    return found


def _across(lattice: Lattice, rulings: Rulings, row: int, header: int) -> list[tuple[int, int]]:
    """The row's cells as (first, last) column."""
    cells: list[tuple[int, int]] = []
    for c in range(lattice.columns):
        if cells and _joined(lattice, rulings, row, c - 1, row < header):
            cells[-1] = cells[-1][0], c
        else:
            cells.append((c, c))
    if row < header - 1:
        return _centred(lattice, rulings, row, header, cells)
    first = _heads(lattice, rulings, row)
    return cells if first is None else [*((c, c) for c in range(first)), (first, lattice.columns - 1)]


def _heads(lattice: Lattice, rulings: Rulings, row: int) -> int | None:
    """The first column of those, to the last, in whose middle the row's only text stands, no rule parting them.

    A group's name over the whole body, or a unit over all values.
    """
    pieces = {c: piece for (r, c), piece in lattice.filled.items() if r == row}
    if lattice.columns < 3 or 0 in pieces or not pieces:
        return None
    left, right = min(p.box[0] for p in pieces.values()), max(p.box[2] for p in pieces.values())
    gaps = [pieces[c + 1].box[0] - pieces[c].box[2] for c in pieces if c + 1 in pieces]
    if len(pieces) > len(gaps) + 1 or max(gaps, default=0) > 2 * lattice.space:
        return None
    top, bottom = lattice.ys[row], lattice.ys[row + 1]
    for first in (0, 1):
        if any(rulings.beside(x, top, bottom) > _BARE for x in lattice.xs[first + 1 : -1]):
            continue
        boxes = [piece.box for (r, c), piece in lattice.filled.items() if c >= first and r != row]
        middle = (min(box[0] for box in boxes) + max(box[2] for box in boxes)) / 2
        if abs((left + right) / 2 - middle) < 3 * lattice.space:
            return first
    return None


def _joined(lattice: Lattice, rulings: Rulings, row: int, column: int, in_header: bool) -> bool:
    """Whether no edge parts `column` from the next one in this row.

    A word crosses it; or in a header words run on over it; or it is ruled elsewhere but not here and one side is empty.
    """
    x, top, bottom = lattice.xs[column + 1], lattice.ys[row], lattice.ys[row + 1]
    here = rulings.beside(x, top, bottom)
    if here > _RULED:
        return False
    left, right = lattice.filled.get((row, column)), lattice.filled.get((row, column + 1))
    if left and left.box[2] > x and any(crosses(word, x) for word in left.words):
        return True
    if right and right.box[0] < x and any(crosses(word, x) for word in right.words):
        return True
    if left and right:
        return in_header and _run_on(left.words, right.words, lattice.space)
    return here < _BARE and rulings.beside(x, lattice.ys[0], lattice.ys[-1]) > 0.5


def crosses(word: Word, edge: float) -> bool:
    """Whether at least a third of a letter lies on each side of the edge."""
    reach = (word.bbox[2] - word.bbox[0]) / max(1, len(word.text)) / 3
    return word.bbox[0] + reach < edge < word.bbox[2] - reach


def _run_on(left: Sequence[Word], right: Sequence[Word], space: float) -> bool:
    """Whether a word of `left` goes on in one of `right`: on one line, with about a `space` between them.

    Figures beside each other are those of two columns, but for a year after its day ("June 30, 2022").
    """
    open_ended = [w for w in left if w.text.endswith(",") or any(ch.isalpha() or ch == "&" for ch in w.text)]
    return any(
        min(v.bbox[3], w.bbox[3]) - max(v.bbox[1], w.bbox[1]) > 0.5 * (w.bbox[3] - w.bbox[1])
        and 0 <= w.bbox[0] - v.bbox[2] < 1.3 * space
        for v in open_ended
        for w in right
    )


def _centred(
    lattice: Lattice, rulings: Rulings, row: int, header: int, cells: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The cells with each text widened to the columns in whose middle it stands."""
    free = {
        c
        for first, last in cells
        if not any((row, c) in lattice.filled for c in range(first, last + 1))
        for c in range(first, last + 1)
        if c and any((r, c) in lattice.filled for r in range(row + 1, header))
    }
    if not free:
        return cells
    below: dict[int, list[Box]] = {}
    for (r, c), piece in lattice.filled.items():
        if r > row:
            below.setdefault(c, []).append(piece.box)
    widened: dict[tuple[int, int], tuple[int, int]] = {}
    for first, last in cells:
        pieces = [lattice.filled[row, c] for c in range(first, last + 1) if (row, c) in lattice.filled]
        if not pieces or not free & {first - 1, last + 1}:
            continue
        middle = (min(p.box[0] for p in pieces) + max(p.box[2] for p in pieces)) / 2
        off = {ends: _off(below, ends, middle) for ends in _ranges(lattice, rulings, row, first, last, free)}
        best = min(off, key=lambda ends: off[ends])
        if off[best] < 0.5 * off[first, last]:
            widened[first, last] = best
            free -= set(range(best[0], best[1] + 1))
    taken = {c for first, last in widened.values() for c in range(first, last + 1)}
    kept = [cell for cell in cells if not taken & set(range(cell[0], cell[1] + 1))]
    loose = {c for cell in cells if cell not in kept for c in range(cell[0], cell[1] + 1)} - taken
    return sorted([*kept, *widened.values(), *((c, c) for c in loose)])


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


def _off(below: Mapping[int, Sequence[Box]], ends: tuple[int, int], middle: float) -> float:
    """How far `middle` lies from the middle of what stands below in these columns, in points."""
    boxes = [box for c in range(ends[0], ends[1] + 1) for box in below.get(c, ())]
    if not boxes:
        return float("inf")
    return abs((min(box[0] for box in boxes) + max(box[2] for box in boxes)) / 2 - middle)


def _words(lattice: Lattice, row: int, first: int, last: int) -> list[Word]:
    pieces = (lattice.filled.get((row, c)) for c in range(first, last + 1))
    return [word for piece in pieces if piece for word in piece.words]


def lies_across(word: Word, y: float) -> bool:
    return word.bbox[1] + 0.25 * word.size < y < word.bbox[3] - 0.25 * word.size


def _down(lattice: Lattice, rulings: Rulings, row: int, first: int, last: int, header: int) -> bool:
    """Whether the cell goes on in the next row.

    A word lies across the edge; or the edge is ruled elsewhere but not here, between ruled sides or in a header.
    """
    y, left, right = lattice.ys[row + 1], lattice.xs[first], lattice.xs[last + 1]
    if rulings.under(y, left, right) > _BARE:
        return False
    above, below = _words(lattice, row, first, last), _words(lattice, row + 1, first, last)
    if any(lies_across(w, y) for w in [*above, *below]):
        beside = [w for r in (row, row + 1) for w in _words(lattice, r, 0, lattice.columns - 1)]
        return sum(lies_across(w, y) for w in beside) < 0.34 * len(beside)
    if rulings.under(y, lattice.xs[0], lattice.xs[-1]) < _BARE:
        return False
    top, bottom = lattice.ys[row], lattice.ys[row + 2]
    sides = [rulings.beside(x, top, bottom) > _RULED for x in (left, right) if x not in (lattice.xs[0], lattice.xs[-1])]
    return all(sides) or (row + 1 < header and bool(above and below))

"""The ways in which a region may be a table: lattices from its grids, its rules and its words, and their crossings.

Knows nothing of which is right: `judge` picks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from octavo.ingest.sheet import Grid, Region, Word
from octavo.ingest.tables.aligned import Edges, column_proposals, row_proposals
from octavo.ingest.tables.lattice import Lattice, kept
from octavo.ingest.tables.lines import lines
from octavo.ingest.tables.rulings import Rulings

_SAME = 3.0  # points: edges that lie closer are one


def lattices(region: Region, words: Sequence[Word], rulings: Rulings) -> dict[Lattice, set[str]]:
    """Every way to lay columns and rows over the region's words, and the names of the readings that say so."""
    left = min([region.bbox[0], *(w.bbox[0] for w in words)]) - 1
    right = max([region.bbox[2], *(w.bbox[2] for w in words)]) + 1
    top = min([region.bbox[1], *(w.bbox[1] for w in words)]) - 1
    bottom = max([region.bbox[3], *(w.bbox[3] for w in words)]) + 1
    text = lines(words)
    columns: list[tuple[str, Edges]] = []
    rows: list[tuple[str, Edges]] = []
    for name, grid in region.grids:
        columns.append((name, _whole(_merged(_sides(grid, 0)), left, right)))
        rows.append((name, _whole(_merged(_sides(grid, 1)), top, bottom)))
    for share in (0.15, 0.6):
        columns.append(("rules", _whole(rulings.columns(share * (bottom - top)), left, right)))
        rows.append(("rules", _whole(rulings.rows(share * (right - left)), top, bottom)))
    columns += [("words", edges) for edges in column_proposals(text, left, right)]
    ruled_columns, ruled_rows = rulings.columns(0.15 * (bottom - top)), rulings.rows(0.15 * (right - left))
    across = sorted((w.bbox[0] + w.bbox[2]) / 2 for w in words)
    down = sorted((w.bbox[1] + w.bbox[3]) / 2 for w in words)
    found: dict[Lattice, set[str]] = {}
    seen: dict[tuple[tuple[int, ...], tuple[int, ...]], Lattice] = {}
    for name, xs in columns:
        if len(xs) < 3:
            continue
        for other, ys in [*rows, *(("words", edges) for edges in row_proposals(text, xs, top, bottom))]:
            if len(ys) < 3:
                continue
            lattice = kept(Lattice(_snapped(xs, ruled_columns, across), _snapped(ys, ruled_rows, down)), words)
            if lattice.rows < 2 or lattice.columns < 2:
                continue
            at = [lattice.place(word) for word in words]
            key = tuple(r for r, _ in at), tuple(c for _, c in at)
            found.setdefault(seen.setdefault(key, lattice), set()).add(f"{name}/{other}")
    return found


def _sides(grid: Grid, axis: int) -> list[float]:
    return [side for row in grid for cell in row if cell for side in (cell[axis], cell[axis + 2])]


def _merged(edges: Iterable[float]) -> list[float]:
    """Edges with those that lie within 3 points of each other as one."""
    groups: list[list[float]] = []
    for edge in sorted(edges):
        if groups and edge - groups[-1][-1] < _SAME:
            groups[-1].append(edge)
        else:
            groups.append([edge])
    return [sum(group) / len(group) for group in groups]


def _snapped(edges: Edges, ruled: Sequence[float], middles: Sequence[float]) -> Edges:
    """The edges with each moved onto the nearest rule that no word's middle parts it from."""
    moved = [min((r for r in ruled if _free(middles, r, e)), key=lambda r: abs(r - e), default=e) for e in edges[1:-1]]
    return tuple(sorted({edges[0], *(e for e in moved if edges[0] < e < edges[-1]), edges[-1]}))


def _free(middles: Sequence[float], a: float, b: float) -> bool:
    return bisect_left(middles, min(a, b)) == bisect_left(middles, max(a, b))


def _whole(edges: Sequence[float], start: float, end: float) -> Edges:
    """The edges between `start` and `end`, these two included."""
    inner = [edge for edge in edges if start + 2 * _SAME < edge < end - 2 * _SAME]
    merged = [start, *inner, end]
    return tuple(b for a, b in pairwise([float("-inf"), *merged]) if b > a)

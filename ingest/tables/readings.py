"""The ways in which a region may be a table: lattices from its grids, its rules and its words, and their crossings.

Knows nothing of which is right: `judge` picks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.geometry import union
from octavo.ingest.sheet import Grid, Region
from octavo.ingest.tables.aligned import column_proposals, row_proposals
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.lattice import Axis, Edges, Lattice, axis, lattice
from octavo.ingest.tables.rulings import Rulings

_SAME = 3.0  # points: edges that lie closer are one


def readings(region: Region, block: Block, rulings: Rulings, closed: Sequence[tuple[float, float]]) -> list[Lattice]:
    """Every way to lay columns and rows over the region's words, two of each at least, each way once.

    Between top and bottom of each of the `closed` rows is one row in all of them.
    """
    left, top, right, bottom = union([region.bbox, block.box])
    left, top, right, bottom = left - 1, top - 1, right + 1, bottom + 1
    ruled_columns, ruled_rows = rulings.columns(0.15 * (bottom - top)), rulings.rows(0.15 * (right - left))
    long_columns, long_rows = rulings.columns(0.6 * (bottom - top)), rulings.rows(0.6 * (right - left))
    columns = [_merged(_sides(grid, 0)) for _, grid in region.grids] + [ruled_columns, long_columns]
    rows = [_merged(_sides(grid, 1)) for _, grid in region.grids] + [ruled_rows, long_rows]
    columns += [list(edges) for edges in column_proposals(block, left, right)]
    whole = [
        _cleared(_snapped(_whole(edges, left, right), ruled_columns, block.x), block.run_ends, ruled_columns)
        for edges in columns
    ]
    found: dict[tuple[bytes, bytes], tuple[Axis, Axis]] = {}
    lines = np.array([line.middle for line in block.lines])[block.line_of]
    within = np.any([(above < block.y) & (block.y < below) for above, below in closed], axis=0)
    middles = np.where(within, block.y, lines)
    fixed = _axes((_snapped(_whole(edges, top, bottom), ruled_rows, block.y) for edges in rows), block.y)
    for across in _axes(whole, block.x):
        proposed = row_proposals(block, across.at, top, bottom)
        for down in [*fixed, *(Axis(_snapped(one.edges, ruled_rows, block.y), one.at) for one in proposed)]:
            one = _with_rows(down, closed, middles) if closed else down
            found.setdefault((across.key, one.key), (across, one))
    return [lattice(block, across, down) for across, down in found.values() if len(down.edges) > 2]


def _with_rows(down: Axis, rows: Sequence[tuple[float, float]], middles: NDArray[np.float64]) -> Axis:
    """The rows with these among them, whole; `middles` are those of the words in these, and of others' lines."""
    free = [edge for edge in down.edges if not any(top - _SAME < edge < bottom + _SAME for top, bottom in rows)]
    ends = [edge for row in rows for edge in row]
    outer = [min(ends[0], down.edges[0]), max(ends[-1], down.edges[-1])]
    return axis(sorted({*free, *ends, *outer}), middles)


def _axes(edges: Iterable[Edges], middles: NDArray[np.float64]) -> list[Axis]:
    """Those that part the words in two at least, each way of parting once."""
    made = (axis(one, middles) for one in edges)
    return list({one.key: one for one in made if len(one.edges) > 2}.values())


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


def _cleared(edges: Edges, runs: NDArray[np.float64], ruled: Sequence[float]) -> Edges:
    """The edges with each that cuts runs of words and is not ruled moved to an end of one of them that spares most.

    No run may change sides but those that were cut. A header wider than what stands below it is so kept whole.
    """
    moved = list(edges)
    for n in range(1, len(edges) - 1):
        edge = edges[n]
        cut = (runs[:, 0] < edge) & (edge < runs[:, 1])
        if edge in ruled or not cut.any():
            continue
        whole = runs[~cut]
        low = max(whole[whole[:, 1] <= edge, 1], default=edges[n - 1])
        high = min(whole[whole[:, 0] >= edge, 0], default=edges[n + 1])
        places = [x for x in (*(runs[cut, 0] - 0.2), *(runs[cut, 1] + 0.2)) if low <= x <= high]
        cuts = [((runs[:, 0] < x) & (x < runs[:, 1])).sum() for x in places]
        if cuts and min(cuts) < cut.sum():
            moved[n] = float(places[int(np.argmin(cuts))])
    return tuple(moved)


def _snapped(edges: Edges, ruled: Sequence[float], middles: NDArray[np.float64]) -> Edges:
    """The edges with each moved onto the nearest rule that no word's middle parts it from."""
    if not ruled:
        return edges
    ordered = np.sort(middles)
    rank, ranks = np.searchsorted(ordered, edges[1:-1]), np.searchsorted(ordered, ruled)
    moved = [
        min((r for r, n in zip(ruled, ranks, strict=True) if n == m), key=lambda r: abs(r - e), default=e)
        for e, m in zip(edges[1:-1], rank, strict=True)
    ]
    return (edges[0], *moved, edges[-1])


def _whole(edges: Iterable[float], start: float, end: float) -> Edges:
    """The edges between `start` and `end`, these two included."""
    return (start, *(edge for edge in edges if start + 2 * _SAME < edge < end - 2 * _SAME), end)

"""What shows of a reading without the truth: how words fill it, what its edges cut, what it agrees with.

Knows nothing of what the figures are worth: `judge` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.model import Table
from octavo.ingest.runs import reach, runs
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.lattice import Lattice, Places
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.values import is_value


class Features:
    """Named figures of readings of one block; shares lie in [0, 1], distances are in type sizes."""

    def __init__(self, block: Block, rulings: Rulings) -> None:
        self.block, self.rulings = block, rulings
        self._gaps: dict[float, tuple[float, int, int]] = {}
        parts = [runs(line, max(1.2 * block.size, 2.5 * block.space)) for line in block.lines]
        wide = [(a[-1].bbox[2], b[0].bbox[0]) for part in parts for a, b in pairwise(part)]
        self._wide = np.array(wide).reshape(-1, 2)
        lettered = [word.text.isalpha() and len(word.text) > 1 for word in block.words]
        self._neighbours = [(a, b) for run in block.runs for a, b in pairwise(run) if lettered[a] and lettered[b]]

    def of(self, lattice: Lattice, table: Table, cells: Places) -> dict[str, float]:
        return {
            "rows": log(lattice.rows),
            "columns": log(lattice.columns),
            "words": log(1 + len(self.block.words)),
            **_fill(lattice, table),
            **_kinds(table),
            **self._column_gaps(lattice),
            **self._row_gaps(lattice),
            **_cells(lattice, cells, table.header_rows),
            **self._ruled(lattice, table),
            "cut words": float(self._cut_words(cells)),
            "early breaks": float(_early_breaks(lattice, cells, table.header_rows)),
        }

    def _cut_words(self, cells: Places) -> int:
        """How many words of letters stand in another cell than such a one a space before them."""
        home = {n: place for place, piece in cells.items() for n in piece.numbers}
        return sum(home[a] != home[b] for a, b in self._neighbours)

    def _column_gaps(self, lattice: Lattice) -> dict[str, float]:
        """How clear the columns' edges are, what crosses them; and wide gaps where no edge is."""
        seen = [self._gap(x) for x in lattice.xs[1:-1]]
        edges = np.array(lattice.xs[1:-1])
        inside = (self._wide[:, :1] <= edges + 1) & (edges - 1 <= self._wide[:, 1:])
        return {
            "column gap": sum(clear for clear, _, _ in seen) / len(seen),
            "least column gap": min(clear for clear, _, _ in seen),
            "crossed": sum(crossed for _, crossed, _ in seen) / max(1, sum(lines for _, _, lines in seen)),
            "gaps inside": float((~inside.any(axis=1)).sum()) / len(self.block.lines),
        }

    def _gap(self, x: float) -> tuple[float, int, int]:
        """Clear width at `x` over all lines, lines that leave less than half a type size, lines on both sides."""
        if x not in self._gaps:
            block, size = self.block, self.block.size
            left, right = np.full(len(block.lines), -np.inf), np.full(len(block.lines), np.inf)
            before = block.x < x
            np.maximum.at(left, block.line_of[before], block.right[before])
            np.minimum.at(right, block.line_of[~before], block.left[~before])
            gaps = (right - left)[np.isfinite(left) & np.isfinite(right)] / size
            clear = float(np.clip((right.min() - left.max()) / size, -2, 4))
            self._gaps[x] = clear, int((gaps < 0.5).sum()), len(gaps)
        return self._gaps[x]

    def _row_gaps(self, lattice: Lattice) -> dict[str, float]:
        """Space between lines within a row beside that between rows."""
        middles = np.array([line.middle for line in self.block.lines])
        at = np.searchsorted(lattice.ys[1:-1], middles)
        pitch, same = np.diff(middles) / self.block.size, np.diff(at) == 0
        within, between = np.minimum(pitch[same], 5), np.minimum(pitch[~same], 5)
        return {
            "lines a row": len(middles) / lattice.rows,
            "widest within": float(within.max()) if len(within) else 0.0,
            "mean within": float(within.mean()) if len(within) else 0.0,
            "least between": float(between.min()) if len(between) else 0.0,
            "mean between": float(between.mean()) if len(between) else 0.0,
            "order of gaps": _order(within, between),
        }

    def _frames(self, lattice: Lattice) -> dict[str, float]:
        """Shares of filled places with rules on all four sides, and on some of them only."""
        closed = ajar = 0
        for r, c in lattice.filled:
            left, top, right, bottom = lattice.cell(r, c)
            sides = [self.rulings.under(y, left, right) > 0.7 for y in (top, bottom)]
            sides += [self.rulings.beside(x, top, bottom) > 0.7 for x in (left, right)]
            closed += all(sides)
            ajar += any(sides) and not all(sides)
        return {"closed": closed / len(lattice.filled), "ajar": ajar / len(lattice.filled)}

    def _ruled(self, lattice: Lattice, table: Table) -> dict[str, float]:
        """How edges and rules agree: shares of inner edges that are ruled, and of rules that are inner edges."""
        left, top, right, bottom = lattice.box
        down = [self.rulings.beside(x, top, bottom) for x in lattice.xs[1:-1]]
        across = [self.rulings.under(y, left, right) for y in lattice.ys[1:-1]]
        columns = [x for x in self.rulings.columns(0.3 * (bottom - top)) if self.block.x.min() < x < self.block.x.max()]
        rows = [y for y in self.rulings.rows(0.5 * (right - left)) if self.block.y.min() < y < self.block.y.max()]
        return {
            "ruled columns": sum(down) / len(down),
            "least ruled column": min(down),
            "ruled rows": sum(across) / len(across),
            "least ruled row": min(across),
            "least ruled header": min(across[: max(1, table.header_rows)]),
            "kept column rules": _kept(columns, lattice.xs, self.block.x),
            "kept row rules": _kept(rows, lattice.ys, self.block.y),
            "column rules": float(min(12, len(columns))),
            "cut through": self._cut_through(lattice),
            "row rules": log(1 + len(rows)),
            **self._frames(lattice),
        }

    def _cut_through(self, lattice: Lattice) -> float:
        """How many rules from top to bottom with words on both sides are no edge of the lattice."""
        _, top, _, bottom = lattice.box
        middles = np.sort(self.block.x)
        rules = set(np.searchsorted(middles, self.rulings.columns(0.9 * (bottom - top))).tolist())
        return float(len(rules - set(np.searchsorted(middles, lattice.xs).tolist()) - {0, len(middles)}))


def _fill(lattice: Lattice, table: Table) -> dict[str, float]:
    counts = [sum(map(bool, row)) for row in table.rows]
    columns = [sum(map(bool, column)) for column in zip(*table.rows, strict=True)]
    spanned = sum(span.rows * span.columns for span in table.spans)
    body = table.rows[table.header_rows :] or table.rows
    return {
        "filled": sum(counts) / (lattice.rows * lattice.columns),
        "lone rows": sum(n == 1 for n in counts) / lattice.rows,
        "full rows": sum(n == lattice.columns for n in counts) / lattice.rows,
        "sparse columns": sum(n <= max(1, 0.2 * lattice.rows) for n in columns) / lattice.columns,
        "unlabelled": sum(not row[0] for row in body) / len(body),
        "spanned": spanned / (lattice.rows * lattice.columns),
        "body spans": sum(s.row >= table.header_rows for s in table.spans) / lattice.rows,
        "header": table.header_rows / lattice.rows,
        "header rows": float(min(table.header_rows, 6)),
        "headless columns": sum(
            not any(row[c] for row in table.rows[: max(1, table.header_rows)]) for c in range(1, lattice.columns)
        )
        / lattice.columns,
        "same pattern": _same_pattern(table),
    }


def _same_pattern(table: Table) -> float:
    """Share of rows that fill the same columns as another row next to them."""
    patterns = [tuple(map(bool, row)) for row in table.rows]
    return sum(a == b for a, b in pairwise(patterns)) / max(1, len(patterns) - 1)


def _kinds(table: Table) -> dict[str, float]:
    """How far the body's columns hold one kind each, and how often a cell holds two values or goes on in lower case."""
    body = table.rows[table.header_rows :] or table.rows
    cells = [value for row in body for value in row if value]
    pure, numeric = [], 0
    for column in list(zip(*body, strict=True))[1:]:
        kinds = [is_value(value) for value in column if any(ch.isalnum() for ch in value)]
        if kinds:
            share = sum(kinds) / len(kinds)
            pure.append(max(share, 1 - share))
            numeric += share > 0.5
    lower = sum(value[0].islower() or value[0] in ",;)" for value in cells)
    return {
        "pure": sum(pure) / len(pure) if pure else 0.5,
        "least pure": min(pure, default=0.5),
        "numeric columns": numeric / max(1, len(pure)),
        "lower case": lower / max(1, len(cells)),
        "letters": log(1 + sum(map(len, cells)) / max(1, len(cells))),
    }


def _order(within: NDArray[np.float64], between: NDArray[np.float64]) -> float:
    """Share of pairs of gaps in which that within a row is the narrower; 1 when there are no pairs."""
    if not len(within) or not len(between):
        return 1.0
    return float((within[:, None] < between[None] - 0.02).mean())


def _cells(lattice: Lattice, cells: Places, header: int) -> dict[str, float]:
    """Lines in a cell; cells with several lines that each are a value; and rows whose cells have as many lines each."""
    pieces = cells.values()
    counts: dict[int, list[int]] = {}
    for (row, _), piece in cells.items():
        counts.setdefault(row, []).append(len(piece.lines))
    return {
        "tall": sum(len(piece.lines) > 1 for piece in pieces) / len(pieces),
        "stacked": sum(piece.values > 1 for piece in pieces) / len(pieces),
        "two values": sum(piece.doubled for piece in pieces) / len(pieces),
        "torn": sum(piece.torn for piece in pieces) / len(pieces),
        "torn spans": float(
            sum(piece.torn for place, piece in cells.items() if piece is not lattice.filled.get(place))
        ),
        "valued header": float(
            sum(len(piece.lines) > piece.values > 0 for (row, _), piece in cells.items() if row < header)
        ),
        "even rows": sum(min(ns) == max(ns) > 1 and len(ns) > 1 for ns in counts.values()) / lattice.rows,
    }


def _early_breaks(lattice: Lattice, cells: Places, header: int) -> int:
    """Labels of several lines of which one opens with a capital that had room on the line before: two labels."""
    labels = {row: piece for (row, column), piece in cells.items() if column == 0 and row >= header}
    if not labels:
        return 0
    limit = max(piece.box[2] for piece in labels.values()) - lattice.space
    return sum(
        any(b.words[0].text[:1].isupper() and reach(a, b) + lattice.space < limit for a, b in pairwise(piece.lines))
        for piece in labels.values()
    )


def _kept(rules: Sequence[float], edges: Sequence[float], middles: NDArray[np.float64]) -> float:
    """Share of rules that are edges; those with no word's middle between them count as one."""
    found: dict[int, bool] = {}
    for rule, rank in zip(rules, np.searchsorted(np.sort(middles), rules).tolist(), strict=True):
        found[rank] = found.get(rank, False) or any(abs(rule - edge) < 3 for edge in edges)
    return sum(found.values()) / len(found) if found else 1.0


def agreement(sizes: Sequence[tuple[int, int]]) -> list[dict[str, float]]:
    """For each reading (of so many rows and columns), the share of all readings with as many."""
    rows, columns = Counter(r for r, _ in sizes), Counter(c for _, c in sizes)
    return [
        {"rows agree": rows[r] / len(sizes), "columns agree": columns[c] / len(sizes), "readings": log(len(sizes))}
        for r, c in sizes
    ]

"""What shows of a reading without the truth: how words fill it, what its edges cut, what it agrees with.

Knows nothing of what the figures are worth: `judge` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

from octavo.ingest.model import Table
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lattice import Lattice, Places, places
from octavo.ingest.tables.lines import Line, lines, runs, type_size
from octavo.ingest.tables.rulings import Rulings
from octavo.ingest.tables.values import is_value


def features(
    lattice: Lattice, table: Table, words: Sequence[Word], text: Sequence[Line], rulings: Rulings
) -> dict[str, float]:
    """Named figures of one reading; shares lie in [0, 1], distances are in type sizes."""
    filled = places(lattice, words)
    size = type_size(words)
    return {
        "rows": log(lattice.rows),
        "columns": log(lattice.columns),
        "words": log(1 + len(words)),
        **_fill(lattice, table),
        **_kinds(table),
        **_column_gaps(lattice, text, size),
        **_row_gaps(lattice, text, size),
        **_cells(lattice, filled, size),
        **_ruled(lattice, rulings, words),
    }


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
    double = sum(sum(map(is_value, value.split())) > 1 for value in cells)
    lower = sum(value[0].islower() or value[0] in ",;)" for value in cells)
    return {
        "pure": sum(pure) / len(pure) if pure else 0.5,
        "least pure": min(pure, default=0.5),
        "numeric columns": numeric / max(1, len(pure)),
        "two values": double / max(1, len(cells)),
        "lower case": lower / max(1, len(cells)),
        "letters": log(1 + sum(map(len, cells)) / max(1, len(cells))),
    }


def _column_gaps(lattice: Lattice, text: Sequence[Line], size: float) -> dict[str, float]:
    """How clear the columns' edges are: the space around them, what crosses them; and wide gaps where no edge is."""
    clear, crossed, missed, seen = [], 0, 0, 0
    for x in lattice.xs[1:-1]:
        left = [max((w.bbox[2] for w in line.words if (w.bbox[0] + w.bbox[2]) / 2 < x), default=None) for line in text]
        right = [
            min((w.bbox[0] for w in line.words if (w.bbox[0] + w.bbox[2]) / 2 >= x), default=None) for line in text
        ]
        gaps = [(b - a) / size for a, b in zip(left, right, strict=True) if a is not None and b is not None]
        crossed += sum(gap < 0.5 for gap in gaps)
        seen += len(gaps)
        reach = max((a for a in left if a is not None), default=x), min((b for b in right if b is not None), default=x)
        clear.append(max(-2.0, min(4.0, (reach[1] - reach[0]) / size)))
    for line in text:
        edges = [(a[-1].bbox[2], b[0].bbox[0]) for a, b in pairwise(runs(line, 1.2 * size))]
        missed += sum(not any(a <= x + 1 and x - 1 <= b for x in lattice.xs[1:-1]) for a, b in edges)
    return {
        "column gap": sum(clear) / len(clear) if clear else 0.0,
        "least column gap": min(clear, default=0.0),
        "crossed": crossed / max(1, seen),
        "gaps inside": missed / max(1, len(text)),
    }


def _row_gaps(lattice: Lattice, text: Sequence[Line], size: float) -> dict[str, float]:
    """Space between lines within a row beside that between rows, in type sizes."""
    at = [sum(y < line.middle for y in lattice.ys[1:-1]) for line in text]
    within = [
        (b.middle - a.middle) / size for (a, b), (i, j) in zip(pairwise(text), pairwise(at), strict=True) if i == j
    ]
    between = [
        (b.middle - a.middle) / size for (a, b), (i, j) in zip(pairwise(text), pairwise(at), strict=True) if i != j
    ]
    return {
        "lines a row": len(text) / lattice.rows,
        "widest within": min(5.0, max(within, default=0.0)),
        "mean within": min(5.0, sum(within) / len(within)) if within else 0.0,
        "least between": min(5.0, min(between, default=0.0)),
        "mean between": min(5.0, sum(between) / len(between)) if between else 0.0,
        "order of gaps": _order(within, between),
    }


def _order(within: Sequence[float], between: Sequence[float]) -> float:
    """Share of pairs of gaps in which that within a row is the narrower; 1 when there are no pairs."""
    if not within or not between:
        return 1.0
    return sum(a < b - 0.02 for a in within for b in between) / (len(within) * len(between))


def _cells(lattice: Lattice, filled: Places, size: float) -> dict[str, float]:
    """Lines in a cell; cells with several lines that each are a value; and rows whose cells have as many lines each."""
    tall = stacked = even = 0
    rows: dict[int, list[int]] = {}
    for (row, _), words in filled.items():
        inner = lines(words)
        rows.setdefault(row, []).append(len(inner))
        tall += len(inner) > 1
        stacked += len(inner) > 1 and sum(is_value(" ".join(w.text for w in line.words)) for line in inner) > 1
    even = sum(min(counts) == max(counts) > 1 and len(counts) > 1 for counts in rows.values())
    return {
        "tall": tall / max(1, len(filled)),
        "stacked": stacked / max(1, len(filled)),
        "even rows": even / lattice.rows,
    }


def _ruled(lattice: Lattice, rulings: Rulings, words: Sequence[Word]) -> dict[str, float]:
    """How the edges and the rules agree: shares of inner edges that are ruled, and of rules that are inner edges."""
    left, top, right, bottom = lattice.box
    down = [rulings.beside(x, top, bottom) for x in lattice.xs[1:-1]]
    across = [rulings.under(y, left, right) for y in lattice.ys[1:-1]]
    columns = [x for x in rulings.columns(0.3 * (bottom - top)) if _parts(x, words, 0)]
    rows = [y for y in rulings.rows(0.5 * (right - left)) if _parts(y, words, 1)]
    return {
        "ruled columns": sum(down) / len(down) if down else 0.0,
        "ruled rows": sum(across) / len(across) if across else 0.0,
        "kept column rules": _share(columns, lattice.xs),
        "kept row rules": _share(rows, lattice.ys),
        "column rules": float(min(12, len(columns))),
        "row rules": log(1 + len(rows)),
    }


def _parts(edge: float, words: Sequence[Word], axis: int) -> bool:
    """Whether words stand on both sides of the edge."""
    middles = [(w.bbox[axis] + w.bbox[axis + 2]) / 2 for w in words]
    return min(middles) < edge < max(middles)


def _share(rules: Sequence[float], edges: Sequence[float]) -> float:
    return sum(any(abs(rule - edge) < 3 for edge in edges) for rule in rules) / len(rules) if rules else 1.0


def agreement(sizes: Sequence[tuple[int, int]]) -> list[dict[str, float]]:
    """For each reading (of so many rows and columns), the share of all readings with as many."""
    rows, columns = Counter(r for r, _ in sizes), Counter(c for _, c in sizes)
    return [
        {"rows agree": rows[r] / len(sizes), "columns agree": columns[c] / len(sizes), "readings": log(len(sizes))}
        for r, c in sizes
    ]

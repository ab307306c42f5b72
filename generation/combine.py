"""Answers that take more than one cell of a table: the extreme of a column or row, two periods, two rows.

Knows nothing of scores: it makes candidates, or joins the cells that were chosen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from octavo.generation.candidates import Candidate, Kind
from octavo.generation.periods import Day, timeless
from octavo.generation.question import Question, terms
from octavo.ingest.geometry import union

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_TOTAL = re.compile(r"^(?:total|net|sub-?total|all\b|consolidated|combined)|\btotal$|\beliminations?\b", re.I)
_FEWEST = 2  # things that make a comparison


def extremes(cells: Sequence[Candidate], sign: int) -> Iterator[Candidate]:
    """The largest (`sign` 1) or smallest (-1) of each column's cells under one group row, and of each row's cells.

    Totals are left out. Along a row only columns of one period that are named by something else compete, such as
    segments side by side.
    """
    columns: dict[tuple[str, int, str, bool], list[Candidate]] = defaultdict(list)
    rows: dict[tuple[str, int, Day, bool], list[Candidate]] = defaultdict(list)
    for cell in cells:
        if number(cell.value) is None or not cell.label or _TOTAL.search(cell.label):
            continue
        columns[cell.element.id, cell.column, cell.group, "%" in cell.value].append(cell)
        thing = timeless(cell.header)
        if thing and not _TOTAL.search(thing):
            rows[cell.element.id, cell.row, cell.period.last, "%" in cell.value].append(cell)
    for column in columns.values():
        yield from _extreme(column, sign, named=False)
    for row in rows.values():
        if len({timeless(cell.header) for cell in row}) == len(row):
            yield from _extreme(row, sign, named=True)


def _extreme(cells: Sequence[Candidate], sign: int, named: bool) -> Iterator[Candidate]:
    if len(cells) < _FEWEST:
        return
    best = max(cells, key=lambda cell: sign * (number(cell.value) or 0.0))
    what, of = (
        (timeless(best.header), best.label)
        if named
        else (best.label, " ".join(filter(None, [best.group, best.header])))
    )
    word = "highest" if sign > 0 else "lowest"
    yield replace(
        best,
        kind=Kind.EXTREME,
        text=f"{what}: {best.value} (the {word} of {len(cells)}{f', {of}' if of else ''})",
        own=of,
        near=f"{best.near} {what}",
        label="",
    )


def partners(question: Question, best: Candidate, cells: Sequence[Candidate]) -> list[Candidate]:
    """Cells of `best`'s table that the question names beside it.

    Rows: those of the same column whose labels the question names in full ("Mac and iPad"). Periods, where two are to be
    compared: those of the same row and length of time, in the years asked for, or else the one next to it.
    """
    table = [cell for cell in cells if cell.element.id == best.element.id and cell is not best]
    asked = question.period.years
    if question.both or len(asked) > 1:
        row = [cell for cell in table if cell.row == best.row and timeless(cell.header) == timeless(best.header)]
        years = [cell for cell in row if cell.period.last[0] and cell.period.months == best.period.months]
        named = [c for c in years if c.period.last[0] in asked] if len(asked) > 1 else []
        return named or sorted(years, key=lambda c: abs(c.column - best.column))[:1]
    own = terms(best.label)
    taken = {own}
    rows = []
    for cell in table:
        label = terms(cell.label)
        if cell.column != best.column or cell.group != best.group or not label or any(label & other for other in taken):
            continue
        if label <= question.terms and own <= question.terms:
            rows.append(cell)
            taken.add(label)
    return rows


def joined(best: Candidate, others: Sequence[Candidate]) -> Candidate:
    """`best` with `others` of the same table beside it: one answer, boxed together."""
    cells = [best, *others]
    return replace(best, text="; ".join(c.text for c in cells), bbox=union(c.bbox for c in cells))


def number(text: str) -> float | None:
    """The first number in a cell, negative in parentheses or after a minus; None when there is none."""
    match = _NUMBER.search(text)
    if not match:
        return None
    value = float(match[0].replace(",", ""))
    return -value if re.match(r"[$€£¥\s]*[(\-−–]", text) else value

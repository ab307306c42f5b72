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
from octavo.generation.question import Question
from octavo.generation.words import terms
from octavo.ingest.geometry import union

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_TOTAL = re.compile(r"^(?:total|net|sub-?total|all\b|consolidated|combined)|\btotal$|\beliminations?\b", re.I)
NAMED = 0.5
"""The share of a label's terms that names it where a question enumerates: "cash" for "Cash and cash equivalents"."""
_FEWEST = 2  # things that make a comparison
_MOST_ROWS = 10  # that are listed where each is asked for


def extremes(cells: Sequence[Candidate], sign: int) -> Iterator[Candidate]:
    """The largest (`sign` 1) or smallest (-1) of each column's cells under one group row, and of each row's cells.

    None for `sign` 0. Totals are left out. Along a row only columns of one period that are named by something else
    compete, such as segments side by side.
    """
    if not sign:
        return
    columns: dict[tuple[str, int, str, bool], list[Candidate]] = defaultdict(list)
    rows: dict[tuple[str, int, Day, bool], list[Candidate]] = defaultdict(list)
    for cell in cells:
        if number(cell.value) is None or not cell.label:
            continue
        if not _TOTAL.search(cell.label):
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
    column = " ".join(filter(None, [best.group, best.header]))
    what, of = (timeless(best.header), best.label) if named else (best.label, column)
    word = "highest" if sign > 0 else "lowest"
    yield replace(
        best,
        kind=Kind.EXTREME,
        text=f"{what}: {best.value} (the {word} of {len(cells)}{f', {of}' if of else ''})",
        own=of,
        near=f"{best.near} {what}",
        label="",
    )


def combined(question: Question, best: Candidate, cells: Sequence[Candidate]) -> Candidate:
    """`best` with the cells of its table that the question asks for beside it; `best` alone when there are none.

    All rows of its kind where each is asked for; or else the rows of its column that the question names too ("Mac and
    iPad"); or, where periods are to be compared, the same row in the other one.
    """
    table = [cell for cell in cells if cell.element.id == best.element.id]
    if question.each and len(rows := _siblings(best, table)) > 1:
        of = ", ".join(filter(None, [rows[0].group, best.header]))
        text = "; ".join(f"{cell.label}: {cell.value}" for cell in rows)
        return replace(best, text=f"{text} ({of})" if of else text, bbox=union(cell.bbox for cell in rows))
    beside = _named(question, best, table)
    if not beside and (question.both or len(question.period.years) > 1):
        beside = _other_period(question, best, table)
    told = [best, *beside]
    return replace(best, text="; ".join(cell.text for cell in told), bbox=union(cell.bbox for cell in told))


def _siblings(best: Candidate, table: Sequence[Candidate]) -> list[Candidate]:
    """The rows of `best`'s column in its group, without their total; of a total, the rows that it sums up."""
    column = sorted((cell for cell in table if cell.column == best.column and cell.label), key=lambda cell: cell.row)
    parts = [cell for cell in column if not _TOTAL.search(cell.label)]
    if not _TOTAL.search(best.label):
        return [cell for cell in parts if cell.group == best.group][:_MOST_ROWS]
    above = [cell for cell in parts if cell.row < best.row]
    since = max((c.row for c in column if c.row < best.row and _TOTAL.search(c.label)), default=-1)
    return [cell for cell in above if cell.row > since and cell.group == above[-1].group][:_MOST_ROWS]


def _named(question: Question, best: Candidate, table: Sequence[Candidate]) -> list[Candidate]:
    """Rows of `best`'s column that the question names by words that no row before says, the best named first."""
    taken = terms(best.label)
    if not taken or not _is_named(taken, question):
        return []
    column = [cell for cell in table if cell.column == best.column and cell.row != best.row]
    column.sort(key=lambda cell: (-len(terms(cell.label) & question.terms), cell.row))
    rows = []
    for cell in column:
        label = terms(cell.label)
        if label and not label & taken and _is_named(label, question):
            rows.append(cell)
            taken |= label
    return rows


def _is_named(label: frozenset[str], question: Question) -> bool:
    return len(label & question.terms) >= (NAMED if question.several else 1.0) * len(label)


def _other_period(question: Question, best: Candidate, table: Sequence[Candidate]) -> list[Candidate]:
    row = [c for c in table if c.row == best.row and timeless(c.header) == timeless(best.header)]
    year, month, _ = best.period.last
    others = [c for c in row if c.period.months == best.period.months and c.period.last[0] not in (0, year)]
    named = [c for c in others if c.period.last[0] in question.period.years]
    return sorted(named or others, key=lambda c: (abs(c.period.last[1] - month), abs(c.column - best.column)))[:1]


def number(text: str) -> float | None:
    """The first number in a cell, negative in parentheses or after a minus; None when there is none."""
    match = _NUMBER.search(text)
    if not match:
        return None
    value = float(match[0].replace(",", ""))
    return -value if re.match(r"[$€£¥\s]*[(\-−–]", text) else value

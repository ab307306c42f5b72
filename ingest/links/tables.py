"""A table that goes over several pages or columns as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from octavo.ingest.model import Box, Element, Link, LinkType, Span, Table
from octavo.ingest.tables import goes_on_unnamed, repeated_columns


@dataclass(frozen=True, slots=True)
class JoinedTable:
    """A table of one or more `parts`, elements in reading order.

    `table` has the first part's header and every part's body rows in the first's columns, a header that a part repeats
    dropped; its cells are boxes on the page of their part, which `places` names: for each row (part, row in that part's
    own table).
    """

    parts: tuple[Element, ...]
    table: Table
    places: tuple[tuple[int, int], ...]

    @property
    def boxes(self) -> tuple[tuple[int, Box], ...]:
        """(page, box) of each part."""
        return tuple((part.page, part.bbox) for part in self.parts)

    def body_of(self, part: Element) -> list[int]:
        """The body rows that `part` shows, by their numbers in the whole table."""
        body = range(self.table.header_rows, len(self.table.rows))
        return [row for row in body if self.parts[self.places[row][0]].id == part.id]


def joined_tables(elements: Sequence[Element], links: Sequence[Link]) -> list[JoinedTable]:
    """Every table of a document as one, however many parts it has; elements in reading order.

    A part whose columns do not line up with the first's is a table of its own, whatever its caption says.
    """
    before = {link.source: link.target for link in links if link.type is LinkType.CONTINUES}
    by_last: dict[str, list[_Part]] = {}  # the parts read so far, by the id of the last
    for element in elements:
        if element.table and element.table.rows:
            table = element.table
            parts = by_last.get(before.get(element.id, ""), [])
            lined_up = _lined_up(element, table, parts[0].table) if parts else None
            if lined_up:
                by_last[element.id] = [*by_last.pop(before[element.id]), lined_up]
            else:
                by_last[element.id] = [_Part(element, table, range(len(table.rows[0])), 0)]
    order = {element.id: n for n, element in enumerate(elements)}
    return [_join(parts) for parts in sorted(by_last.values(), key=lambda parts: order[parts[0].element.id])]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a table: for each of its columns the first part's, and the row that its body opens with."""

    element: Element
    table: Table
    columns: Sequence[int | None]
    start: int


def _lined_up(element: Element, table: Table, first: Table) -> _Part | None:
    """A later part by the names of its columns; without any by their places, if there are as many."""
    if columns := repeated_columns(table, first):
        return _Part(element, table, columns, table.header_rows)
    if goes_on_unnamed(table, first):
        return _Part(element, table, range(len(table.rows[0])), 0)
    return None


def _join(parts: Sequence[_Part]) -> JoinedTable:
    first = parts[0].table
    width = len(first.rows[0])
    rows: list[tuple[str, ...]] = []
    cells: list[tuple[Box | None, ...]] = []
    spans: list[Span] = []
    places: list[tuple[int, int]] = []
    for n, part in enumerate(parts):
        own = {to: c for c, to in enumerate(part.columns)}
        for span in part.table.spans:
            covers = part.columns[span.column : span.column + span.columns]
            at = covers[0]
            if span.row >= part.start and at is not None and [*covers] == [*range(at, at + len(covers))]:
                spans.append(replace(span, row=span.row - part.start + len(rows), column=at))
        rows += [tuple(row[own[c]] if c in own else "" for c in range(width)) for row in part.table.rows[part.start :]]
        cells += [
            tuple(row[own[c]] if c in own else None for c in range(width)) for row in part.table.cells[part.start :]
        ]
        places += [(n, row) for row in range(part.start, len(part.table.rows))]
    table = Table(tuple(rows), tuple(cells), tuple(spans), first.header_rows)
    return JoinedTable(tuple(part.element for part in parts), table, tuple(places))

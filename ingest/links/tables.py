"""A table that goes over several pages or columns as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from octavo.ingest.model import Box, Element, Link, LinkType, Span, Table


@dataclass(frozen=True, slots=True)
class JoinedTable:
    """A table of one or more `parts`, elements in reading order.

    `table` has the first part's header and every part's body rows, a header that a part repeats dropped; its cells are
    boxes on the page of their part, which `places` names: for each row (part, row in that part's own table).
    """

    parts: tuple[Element, ...]
    table: Table
    places: tuple[tuple[int, int], ...]

    @property
    def boxes(self) -> tuple[tuple[int, Box], ...]:
        """(page, box) of each part."""
        return tuple((part.page, part.bbox) for part in self.parts)

    def body_of(self, part: Element) -> list[tuple[int, tuple[str, ...]]]:
        """The body rows that `part` shows, each with its number in the whole table."""
        rows = list(enumerate(zip(self.table.rows, self.places, strict=True)))[self.table.header_rows :]
        return [(r, row) for r, (row, (n, _)) in rows if self.parts[n].id == part.id]


def joined_tables(elements: Sequence[Element], links: Sequence[Link]) -> list[JoinedTable]:
    """Every table of a document as one, however many parts it has; elements in reading order."""
    before = {link.source: link.target for link in links if link.type is LinkType.CONTINUES}
    by_last: dict[str, list[Element]] = {}  # the parts read so far, by the id of the last
    for element in elements:
        if element.table and element.table.rows:
            by_last[element.id] = [*by_last.pop(before.get(element.id, ""), []), element]
    order = {element.id: n for n, element in enumerate(elements)}
    return [_join(parts) for parts in sorted(by_last.values(), key=lambda parts: order[parts[0].id])]


def _join(parts: Sequence[Element]) -> JoinedTable:
    tables = [part.table for part in parts if part.table]
    first = tables[0]
    width = max(len(row) for table in tables for row in table.rows)
    rows: list[tuple[str, ...]] = []
    cells: list[tuple[Box | None, ...]] = []
    spans: list[Span] = []
    places: list[tuple[int, int]] = []
    for n, table in enumerate(tables):
        start = _repeated(first, table) if n else 0
        spans += [replace(s, row=s.row - start + len(rows)) for s in table.spans if s.row >= start]
        rows += [row + ("",) * (width - len(row)) for row in table.rows[start:]]
        cells += [row + (None,) * (width - len(row)) for row in table.cells[start:]]
        places += [(n, row) for row in range(start, len(table.rows))]
    return JoinedTable(tuple(parts), Table(tuple(rows), tuple(cells), tuple(spans), first.header_rows), tuple(places))


def _repeated(first: Table, table: Table) -> int:
    """How many rows `table` opens with that repeat the header of `first`."""
    count = 0
    for row, other in zip(first.rows[: first.header_rows], table.rows, strict=False):
        if row != other:
            break
        count += 1
    return count

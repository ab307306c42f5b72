"""Pages that stand sideways as displayed, as landscape tables often do: read upright, their boxes then turned back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from octavo.ingest.model import Box, Element, Page
from octavo.ingest.reader import PageContent

_BACK: dict[int, Callable[[float, float, float, float], tuple[float, float]]] = {
    90: lambda u, v, width, height: (v, width - u),
    180: lambda u, v, width, height: (width - u, height - v),
    270: lambda u, v, width, height: (height - v, u),
}


def turned_back(content: PageContent, turn: int) -> PageContent:
    """What was read of a page that had been turned by `turn` degrees clockwise (90, 180, 270), as it is displayed."""
    width, height = content.page.width, content.page.height

    def back(box: Box) -> Box:
        (ax, ay), (bx, by) = (_BACK[turn](u, v, width, height) for u, v in (box[:2], box[2:]))
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)

    def element_back(element: Element) -> Element:
        table = element.table and replace(
            element.table, cells=tuple(tuple(cell and back(cell) for cell in row) for row in element.table.cells)
        )
        return replace(element, bbox=back(element.bbox), table=table)

    shape = (width, height) if turn == 180 else (height, width)
    return replace(
        content,
        page=Page(content.page.number, *shape),
        elements=tuple(map(element_back, content.elements)),
        hidden=tuple(replace(h, bbox=back(h.bbox)) for h in content.hidden),
        traces=replace(content.traces, turned={e.id: e.bbox for e in content.elements}),
    )

"""Levels of headings, and which heading an element stands under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from octavo.ingest.geometry import covered, horizontal_overlap
from octavo.ingest.links.confidence import Found
from octavo.ingest.links.labels import AROUND
from octavo.ingest.model import Box, Element, ElementType, LinkType
from octavo.ingest.traces import Traces

_DEEPEST = 6
_SAME_SIZE = 0.3  # points by which sizes of one level may differ
_OUTSIDE = {*AROUND, ElementType.FOOTNOTE}


def heading_levels(headings: Sequence[Element], sizes: Mapping[str, float]) -> dict[str, int]:
    """The level, 1 to 6, of each heading by its id: by size of type (points), capitals above small letters."""
    steps: list[float] = []
    for size in sorted({sizes[h.id] for h in headings}, reverse=True):
        if not steps or steps[-1] - size > _SAME_SIZE:
            steps.append(size)

    def rank(heading: Element) -> tuple[int, bool]:
        step = next(n for n, size in enumerate(steps) if size - sizes[heading.id] <= _SAME_SIZE)
        return step, not heading.text.isupper()

    levels = {rank: min(level, _DEEPEST) for level, rank in enumerate(sorted({rank(h) for h in headings}), 1)}
    return {h.id: levels[rank(h)] for h in headings}


def heading_links(
    elements: Sequence[Element], continued: Sequence[Found], traces: Mapping[int, Traces]
) -> Iterator[Found]:
    """Each element to the heading it stands under, a heading to the one of the level above.

    That is the last heading read before it which does not stand below it or in a column to its right. A box set apart
    is a world of its own. What goes on from before stands under what it stood under there. Footnotes hang on their
    mark, on no heading.
    """
    before = {link.source: link.target for link in continued}
    above: dict[str, str] = {}
    headings: list[Element] = []
    for element in elements:
        if element.type in _OUTSIDE:
            continue
        is_heading = element.type is ElementType.HEADING
        aside = _aside(element, traces)
        found = (
            h.id
            for h in reversed(headings)
            if _aside(h, traces) == aside and _precedes(h, element) and (not is_heading or h.level < element.level)
        )
        heading = above.get(before.get(element.id, "")) or next(found, None)
        if heading:
            above[element.id] = heading
            yield Found(element.id, heading, LinkType.UNDER_HEADING, "heading: above it")
        if is_heading:
            headings.append(element)


def _aside(element: Element, traces: Mapping[int, Traces]) -> tuple[int, Box] | None:
    """The page and the box set apart that an element stands in."""
    boxes = traces[element.page].asides if element.page in traces else ()
    return next(((element.page, box) for box in boxes if covered(element.bbox, box) > 0.7), None)


def _precedes(heading: Element, element: Element) -> bool:
    """Whether `element` may stand under `heading`, which was read before it, by their places on the page."""
    if heading.page != element.page:
        return True
    if horizontal_overlap(heading.bbox, element.bbox) > 0:
        return heading.bbox[1] < element.bbox[3]
    return heading.bbox[0] < element.bbox[0]

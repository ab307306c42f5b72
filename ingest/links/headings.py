"""Levels of headings, and which heading an element stands under."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from octavo.ingest.geometry import covered, horizontal_overlap
from octavo.ingest.links.confidence import Found
from octavo.ingest.model import AROUND, Box, Element, ElementType, LinkType
from octavo.ingest.traces import Traces

_DEEPEST = 6
_SAME_SIZE = 0.3  # points by which sizes of one level may differ
_OUTLINE = (  # what ranks above other headings whatever its type
    re.compile(r"^(?:PART|Part)\s+[IVX\d]+\b"),
    re.compile(r"^(?:(?:ITEM|Item)\s+\d+[A-C]?|SIGNATURES?)\b"),
)
_LABELLED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2})*\.?\s|(?:appendix|annex)\b|notes?\s+(?:to|\d+)\b)", re.I)
_NUMBERED = re.compile(r"^\d{1,2}(?P<further>(?:\.\d{1,2})*)\.?\s")
_OUTSIDE = {*AROUND, ElementType.FOOTNOTE}


def heading_levels(headings: Sequence[Element], traces: Mapping[int, Traces]) -> dict[str, int]:
    """The level, 1 to 6, of each heading by its id.

    By size of type; of one size those with a number above others, "1.2" above "1.2.3", bold above regular, capitals
    above small letters. "PART I" and "ITEM 7" rank above all: they are often set no larger than what is under them.
    """
    faces = {key: face for page in traces.values() for key, face in page.faces.items()}
    sizes = {h.id: faces[h.id].size if h.id in faces else 0.0 for h in headings}
    bold = {key for key, face in faces.items() if face.bold}
    steps: list[float] = []
    for size in sorted(set(sizes.values()), reverse=True):
        if not steps or steps[-1] - size > _SAME_SIZE:
            steps.append(size)
    depths: dict[tuple[int, int], list[int]] = defaultdict(list)

    def place(heading: Element) -> tuple[int, int]:
        outline = next((n for n, words in enumerate(_OUTLINE) if words.match(heading.text)), len(_OUTLINE))
        return outline, next(n for n, size in enumerate(steps) if size - sizes[heading.id] <= _SAME_SIZE)

    for heading in headings:
        if number := _NUMBERED.match(heading.text):
            depths[place(heading)].append(number["further"].count("."))

    def rank(heading: Element) -> tuple[tuple[int, int], bool, int, bool, bool]:
        at, number = place(heading), _NUMBERED.match(heading.text)
        if at[0] < len(_OUTLINE):
            return (at[0], 0), False, 0, False, False
        depth = number["further"].count(".") - min(depths[at]) if number else 0
        return at, not _LABELLED.match(heading.text), depth, heading.id not in bold, not heading.text.isupper()

    levels = {rank: min(level, _DEEPEST) for level, rank in enumerate(sorted({rank(h) for h in headings}), 1)}
    return {h.id: levels[rank(h)] for h in headings}


def heading_links(
    elements: Sequence[Element], continued: Sequence[Found], traces: Mapping[int, Traces]
) -> Iterator[Found]:
    """Each element to the heading it stands under, a heading to the one of the level above.

    That is the last heading read before it which does not stand below it or over a column to its right. A box set
    apart is a world of its own. What goes on from before stands under what it stood under there. Footnotes hang on
    their mark, on no heading.
    """
    body = [e for e in elements if e.type not in _OUTSIDE]
    pages: dict[int, list[Element]] = defaultdict(list)
    for element in body:
        pages[element.page].append(element)
    before = {link.source: link.target for link in continued}
    above: dict[str, str] = {}
    headings: list[Element] = []

    @cache
    def reach(heading: Element) -> float:
        """How far to the right what stands below a heading, and under some of its width, begins at most."""
        below = (
            other.bbox[0]
            for other in pages[heading.page]
            if other.bbox[1] >= heading.bbox[3] and horizontal_overlap(other.bbox, heading.bbox) > 0
        )
        return max(below, default=float("-inf"))

    for element in body:
        is_heading = element.type is ElementType.HEADING
        aside = _aside(element, traces)
        found = (
            h.id
            for h in reversed(headings)
            if _aside(h, traces) == aside
            and _precedes(h, element, reach)
            and (not is_heading or h.level < element.level)
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


def _precedes(heading: Element, element: Element, reach: Callable[[Element], float]) -> bool:
    """Whether `element` may stand under `heading`, which was read before it, by their places on their page."""
    if heading.page != element.page or horizontal_overlap(heading.bbox, element.bbox) > 0:
        return heading.page != element.page or heading.bbox[1] < element.bbox[3]
    if heading.bbox[1] >= element.bbox[3]:
        return heading.bbox[2] <= element.bbox[0]
    return reach(heading) < element.bbox[2]

"""What stands around the text of a page though a layout model took it for text: running headers, footnotes.

Knows nothing of links.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from octavo.ingest.geometry import horizontal_overlap
from octavo.ingest.model import AROUND, Element, ElementType
from octavo.ingest.traces import Traces

_LOOSE = (ElementType.TEXT, ElementType.HEADING, ElementType.LIST)
_MARKED = re.compile(r"^[(\[]?(?:\d{1,2}|[*†‡§]+)[)\].]?\s+[A-Z“\"(]")
_ITEM = re.compile(r"(\d{1,3})[.)]\s")
_CLOSE = 15.0  # points between two items of a list
_SKIPPED = 2  # items that one element may hold
_EXPLAINS = re.compile(r"[*†‡§–—-]+\s.*[a-z]\.$")
_NUMBER = re.compile(r"\d{1,4}$")
_SENTENCE, _LONG = 5, 20  # words
_CLOSING, _LEVEL = 5, 6.0  # pages that a text closes; points between texts of one line
_COUNTED = 3  # pages; a number may close fewer by chance
_SMALLER = 0.92  # times the size of running text


def running_lines(elements: Sequence[Element]) -> list[Element]:
    """The elements, a text that says what a header or footer says in the same place of another page being one."""

    def line(element: Element) -> tuple[str, int]:
        return _unnumbered(element), round(element.bbox[1])

    known = {line(e): e.type for e in elements if e.type in AROUND}
    return [replace(e, type=known[line(e)], level=0) if e.type in _LOOSE and line(e) in known else e for e in elements]


def lone_sentences(elements: Sequence[Element]) -> list[Element]:
    """The elements, a header or footer that says a sentence, or runs long, on its page alone being text.

    Such as the end of a paragraph that began on the page before, over a table that fills the rest of its page.
    """
    times = Counter(_unnumbered(e) for e in elements if e.type in AROUND)

    def said_once(element: Element) -> bool:
        words = len(element.text.split())
        ends = element.text.endswith((".", ":", ";")) and words > _SENTENCE
        return (ends or words > _LONG) and times[_unnumbered(element)] == 1

    return [replace(e, type=ElementType.TEXT) if e.type in AROUND and said_once(e) else e for e in elements]


def page_numbers(elements: Sequence[Element]) -> list[Element]:
    """The elements, a bare number that closes its page being a footer where such numbers count the pages.

    Pages made from a web page end where their text does, so that it stands anywhere.
    """
    offsets = {
        e.id: int(number[0]) - e.page
        for e in _lowest(elements).values()
        if e.type in _LOOSE and (number := _NUMBER.match(e.text))
    }
    times = Counter(offsets.values())
    counting = {key for key, offset in offsets.items() if times[offset] >= _COUNTED}
    return [replace(e, type=ElementType.FOOTER, level=0) if e.id in counting else e for e in elements]


def closing_lines(elements: Sequence[Element]) -> list[Element]:
    """The elements, a text on the last line of its page being a footer where it closes several pages.

    Pages made from a web page end where their text does, so that it stands anywhere. It closes a page that says more.
    """
    lowest = {page: element.bbox[1] for page, element in _lowest(elements).items()}
    above = {e.page for e in elements if e.type not in AROUND and e.bbox[1] <= lowest[e.page] - _LEVEL}
    last = [e for e in elements if e.type in _LOOSE and e.page in above and e.bbox[1] > lowest[e.page] - _LEVEL]
    times = Counter(map(_unnumbered, last))
    closing = {e.id for e in last if times[_unnumbered(e)] >= _CLOSING}
    return [replace(e, type=ElementType.FOOTER, level=0) if e.id in closing else e for e in elements]


def _lowest(elements: Sequence[Element]) -> dict[int, Element]:
    """The element that begins lowest on each page, the first of those that do."""
    found: dict[int, Element] = {}
    for element in elements:
        if element.page not in found or element.bbox[1] > found[element.page].bbox[1]:
            found[element.page] = element
    return found


def _unnumbered(element: Element) -> str:
    """What it says but for its numbers, which count pages."""
    return re.sub(r"\d+", "", element.text)


def explanations(elements: Sequence[Element]) -> list[Element]:
    """The elements, a heading that explains a mark in a full sentence being text ("- No data available.")."""
    return [
        replace(e, type=ElementType.TEXT, level=0) if e.type is ElementType.HEADING and _EXPLAINS.match(e.text) else e
        for e in elements
    ]


def counted_on(elements: Sequence[Element]) -> list[Element]:
    """The elements, a footnote being a list's item that counts on from the item close above it."""
    items: dict[int, list[tuple[int, Element]]] = defaultdict(list)  # each list's items by page, with their numbers
    notes: list[tuple[int, int, Element]] = []
    for n, element in enumerate(elements):
        number = _ITEM.match(element.text) if element.type in (*_LOOSE, ElementType.FOOTNOTE) else None
        if number and element.type is ElementType.FOOTNOTE:
            notes.append((n, int(number[1]), element))
        elif number:
            items[element.page].append((int(number[1]), element))
    found = list(elements)
    for n, count, note in notes:
        if any(0 < count - before <= _SKIPPED and _close(above, note) for before, above in items[note.page]):
            found[n] = replace(note, type=ElementType.LIST)
            items[note.page].append((count, found[n]))
    return found


def _close(above: Element, below: Element) -> bool:
    return abs(below.bbox[1] - above.bbox[3]) < _CLOSE and abs(below.bbox[0] - above.bbox[0]) < _CLOSE


def footnotes(elements: Sequence[Element], traces: Mapping[int, Traces]) -> list[Element]:
    """The elements, a text in small type being a footnote that opens with a mark and has but footnotes below it."""
    sizes = {key: face.size for page in traces.values() for key, face in page.faces.items()}
    usual = median(sizes[e.id] for e in elements if e.id in sizes) if sizes else 0.0
    found: dict[str, Element] = {}
    below: dict[int, list[Element]] = {}
    for element in sorted(elements, key=lambda e: -e.bbox[1]):
        lower = below.setdefault(element.page, [])
        small = element.id in sizes and sizes[element.id] < _SMALLER * usual
        marked = element.type in _LOOSE and small and bool(_MARKED.match(element.text))
        if marked and not any(horizontal_overlap(e.bbox, element.bbox) > 0 for e in lower):
            found[element.id] = replace(element, type=ElementType.FOOTNOTE, level=0)
        elif element.type not in (*AROUND, ElementType.FOOTNOTE):
            lower.append(element)
    return [found.get(e.id, e) for e in elements]

"""Links between the elements of a document: captions, mentions, continuations, headings.

Works on elements in reading order; knows nothing of PDFs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from octavo.ingest.geometry import horizontal_overlap
from octavo.ingest.model import Element, ElementType, Link, LinkType, Page
from octavo.ingest.tables import column_names
from octavo.ingest.text import CAPTION, opens_caption

_CAPTION_REACH = 60.0  # points between a caption and what it names
_CAPTION_LENGTH = 400
_MENTION = re.compile(
    r"\b(?P<kind>Table|Figure|Fig|Chart|Exhibit|Graph|Map)s?\.?\s+(?P<number>\d+(?:[.\-–]\d+)*[A-Za-z]?|[IVX]+)\b"
    r"(?P<more>(?:\s*(?:,|and|&|or|to|through|–|-)\s*\d+(?:[.\-]\d+)*[A-Za-z]?\b)*)",
    re.I,
)
_NEAR = re.compile(
    r"\b(?:following (?P<after>table|figure|chart|graph)|(?P<named>table|figure|chart|graph) (?P<side>below|above))\b",
    re.I,
)
_KINDS = {"fig": "figure", "chart": "figure", "graph": "figure", "map": "figure"}
_CONTINUED = re.compile(r"\bcont(inued|inuation|[’']d|\.)", re.I)
_AROUND = {ElementType.HEADER, ElementType.FOOTER, ElementType.FOOTNOTE, ElementType.CAPTION}
_TEXTS = {ElementType.TEXT, ElementType.LIST, ElementType.FOOTNOTE, ElementType.CAPTION}
_TARGETS = {ElementType.TABLE: "table", ElementType.FIGURE: "figure"}


def name_captions(elements: Sequence[Element]) -> list[Element]:
    """The elements, each that opens as a caption does beside a table or figure typed as one.

    A paragraph that the reader took for a caption ("Table 3 shows that ...") is text again.
    """
    objects = [e for e in elements if e.type in _TARGETS]

    def is_caption(element: Element) -> bool:
        return (
            element.type in (ElementType.TEXT, ElementType.HEADING, ElementType.LIST)
            and len(element.text) <= _CAPTION_LENGTH
            and opens_caption(element.text)
            and any(_gap(element, target) is not None for target in objects)
        )

    def named(element: Element) -> Element:
        if is_caption(element):
            return replace(element, type=ElementType.CAPTION, level=0)
        if element.type is ElementType.CAPTION and CAPTION.match(element.text) and not opens_caption(element.text):
            return replace(element, type=ElementType.TEXT)
        return element

    return list(map(named, elements))


def find_links(pages: Sequence[Page], elements: Sequence[Element]) -> list[Link]:
    """All links of a document, each with a confidence in [0, 1]. Elements in reading order, captions named."""
    captions = list(_captions(elements))
    links = [
        *captions,
        *_mentions(elements, captions),
        *_continuations(pages, elements, captions),
        *_headings(elements),
    ]
    best = {(link.source, link.target, link.type): link for link in sorted(links, key=lambda link: link.confidence)}
    return list(best.values())


def _gap(caption: Element, target: Element) -> float | None:
    """Points between a caption and what it may name, None when it cannot be its: another page or column, too far."""
    if caption.page != target.page or horizontal_overlap(caption.bbox, target.bbox) < 0.3:
        return None
    above, below = target.bbox[1] - caption.bbox[3], caption.bbox[1] - target.bbox[3]
    gap = max(above, below)
    return max(0.0, gap) if gap < _CAPTION_REACH else None


def _captions(elements: Sequence[Element]) -> Iterator[Link]:
    """Each caption to the nearest table or figure of its kind, one caption to a target while there are others."""
    pairs = []
    for caption in (e for e in elements if e.type is ElementType.CAPTION):
        opening = CAPTION.match(caption.text)
        for target in (e for e in elements if e.type in _TARGETS):
            gap = _gap(caption, target)
            if gap is None:
                continue
            kind = _kind(opening["kind"]) if opening else None
            fits = kind in (None, "exhibit", _TARGETS[target.type])
            pairs.append((gap + (0 if fits else _CAPTION_REACH), caption, target, fits))
    taken: set[str] = set()
    for gap, caption, target, fits in sorted(pairs, key=lambda pair: pair[0]):
        if caption.id not in taken and target.id not in taken:
            taken |= {caption.id, target.id}
            yield Link(caption.id, target.id, LinkType.CAPTION_OF, round((1 - gap / 300) * (1 if fits else 0.7), 3))


def _kind(word: str) -> str:
    return _KINDS.get(word.lower(), word.lower())


def _mentions(elements: Sequence[Element], captions: Sequence[Link]) -> Iterator[Link]:
    by_id = {e.id: e for e in elements}
    labelled: dict[tuple[str, str], list[Element]] = defaultdict(list)
    for link in captions:
        opening = CAPTION.match(by_id[link.source].text)
        if opening and not _CONTINUED.search(by_id[link.source].text):
            labelled[_kind(opening["kind"]), opening["number"].lower()].append(by_id[link.target])
    objects = [e for e in elements if e.type in _TARGETS]
    order = {e.id: n for n, e in enumerate(elements)}
    own = {link.source: link.target for link in captions}

    for element in (e for e in elements if e.type in _TEXTS):
        for match in _MENTION.finditer(element.text):
            numbers = [match["number"], *re.findall(r"\d+(?:[.\-]\d+)*[A-Za-z]?", match["more"])]
            for number in numbers:
                named = labelled.get((_kind(match["kind"]), number.lower()), [])
                target = min(named, key=lambda e: abs(e.page - element.page), default=None)
                if target and own.get(element.id) != target.id:
                    yield Link(element.id, target.id, LinkType.MENTION_OF, 0.95 if len(named) == 1 else 0.7)
        for match in _NEAR.finditer(element.text):
            kind = _kind(match["after"] or match["named"])
            ahead = (match["side"] or "below").lower() == "below"
            near = [
                e
                for e in objects
                if _TARGETS[e.type] == kind
                and (order[e.id] > order[element.id]) == ahead
                and abs(e.page - element.page) <= 1
            ]
            if near:
                yield Link(element.id, (near[0] if ahead else near[-1]).id, LinkType.MENTION_OF, 0.6)


def _continuations(pages: Sequence[Page], elements: Sequence[Element], captions: Sequence[Link]) -> Iterator[Link]:
    """A table that opens a page, after one of as many columns that closed the page before, continues it.

    Unless it has a caption of its own that does not say so.
    """
    texts = {e.id: e.text for e in elements}
    own = {link.target: texts[link.source] for link in captions}
    body = [e for e in elements if e.type not in _AROUND]
    heights = {page.number: page.height for page in pages}
    for before, after in pairwise(body):
        parts = [e for e in (before, after) if e.table and e.table.rows]
        if len(parts) < 2 or after.page != before.page + 1 or not before.table or not after.table:
            continue
        reaches = before.bbox[3] > 0.6 * heights[before.page] and after.bbox[1] < 0.35 * heights[after.page]
        fresh = after.id in own and not _CONTINUED.search(own[after.id])
        if reaches and not fresh and len(before.table.rows[0]) == len(after.table.rows[0]):
            repeated = column_names(before.table) == column_names(after.table)
            yield Link(after.id, before.id, LinkType.CONTINUES, 0.95 if repeated else 0.75)


def _headings(elements: Sequence[Element]) -> Iterator[Link]:
    """Each element to the heading it stands under; a heading to the one of the level above."""
    open_headings: list[Element] = []
    for element in elements:
        if element.type in (ElementType.HEADER, ElementType.FOOTER):
            continue
        if element.type is ElementType.HEADING:
            open_headings = [h for h in open_headings if h.level < element.level]
        if open_headings:
            yield Link(element.id, open_headings[-1].id, LinkType.UNDER_HEADING, 0.9)
        if element.type is ElementType.HEADING:
            open_headings.append(element)

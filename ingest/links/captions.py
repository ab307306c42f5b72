"""Which caption is of which table or figure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from octavo.ingest.geometry import horizontal_overlap
from octavo.ingest.links.confidence import Found
from octavo.ingest.links.labels import TARGETS, label_of, one_kind
from octavo.ingest.model import Element, ElementType, LinkType
from octavo.ingest.text import CAPTION, NUMBER, opens_caption, opens_title

_REACH = 60.0  # points between a caption and what it names
_LENGTH = 400
_LABEL = re.compile(rf"^(?P<word>[A-Z][A-Za-z]+)\s+(?:{NUMBER})\b")
_OWN_LABELS = 2  # captions that make a word a label of the document's own
_OTHER_SIDE = 40.0  # points that a caption may be farther on the side where the document's captions stand


def name_captions(elements: Sequence[Element]) -> list[Element]:
    """The elements, each that opens as a caption does beside a table or figure typed as one.

    So is one that opens with a word and a number as other captions of the document do ("KPI 2.3.4").
    A paragraph that the reader took for a caption ("Table 3 shows that ...") is text again.
    """
    objects = _by_page(elements)
    words = Counter(
        label["word"] for e in elements if e.type is ElementType.CAPTION and (label := _LABEL.match(e.text))
    )

    def opens_as_others(text: str) -> bool:
        label = _LABEL.match(text)
        return bool(label and words[label["word"]] >= _OWN_LABELS and opens_title(text, label.end()))

    def is_caption(element: Element) -> bool:
        return (
            element.type in (ElementType.TEXT, ElementType.HEADING, ElementType.LIST)
            and len(element.text) <= _LENGTH
            and (opens_caption(element.text) or opens_as_others(element.text))
            and any(_gap(element, target) is not None for target in objects[element.page])
        )

    def named(element: Element) -> Element:
        if is_caption(element):
            return replace(element, type=ElementType.CAPTION, level=0)
        if element.type is ElementType.CAPTION and CAPTION.match(element.text) and not opens_caption(element.text):
            return replace(element, type=ElementType.TEXT)
        return element

    return list(map(named, elements))


def caption_links(elements: Sequence[Element]) -> Iterator[Found]:
    """Each caption to the nearest table or figure of its kind, on the side where the document's captions stand.

    One caption to a target while there are others.
    """
    objects = _by_page(elements)
    beside = {
        caption.id: [
            (caption, target, gap) for target in objects[caption.page] if (gap := _gap(caption, target)) is not None
        ]
        for caption in elements
        if caption.type is ElementType.CAPTION
    }
    alone = [pairs[0] for pairs in beside.values() if len(pairs) == 1]
    sides = Counter((target.type, _is_above(caption, target)) for caption, target, _ in alone)
    pairs = []
    for caption, target, gap in (pair for pairs in beside.values() for pair in pairs):
        label, above = label_of(caption.text), _is_above(caption, target)
        kind = one_kind(label[0]) if label else None
        fits = kind in (None, "exhibit", TARGETS[target.type])
        usual = sides[target.type, above] >= sides[target.type, not above]
        evidence = "of its kind" if kind and fits else "of another kind" if kind else "without a label"
        pairs.append((gap + (0 if fits else _REACH) + (0 if usual else _OTHER_SIDE), caption.id, target.id, evidence))
    taken: set[str] = set()
    for _, source, target_id, evidence in sorted(pairs):
        if source not in taken and target_id not in taken:
            taken |= {source, target_id}
            yield Found(source, target_id, LinkType.CAPTION_OF, f"caption: {evidence}")


def _by_page(elements: Sequence[Element]) -> dict[int, list[Element]]:
    """What a caption may be of on each page."""
    found: dict[int, list[Element]] = defaultdict(list)
    for element in elements:
        if element.type in TARGETS:
            found[element.page].append(element)
    return found


def _is_above(caption: Element, target: Element) -> bool:
    return caption.bbox[1] + caption.bbox[3] < target.bbox[1] + target.bbox[3]


def _gap(caption: Element, target: Element) -> float | None:
    """Points between a caption and what it may name on its page; None in another column, or too far."""
    if horizontal_overlap(caption.bbox, target.bbox) < 0.3:
        return None
    above, below = target.bbox[1] - caption.bbox[3], caption.bbox[1] - target.bbox[3]
    gap = max(above, below)
    return max(0.0, gap) if gap < _REACH else None

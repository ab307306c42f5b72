"""Which table or paragraph goes on from the column or page before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from octavo.ingest.geometry import covered, horizontal_overlap
from octavo.ingest.links.confidence import Found
from octavo.ingest.links.labels import CONTINUED, label_of
from octavo.ingest.model import AROUND, Element, ElementType, LinkType
from octavo.ingest.tables import goes_on_unnamed, repeated_columns
from octavo.ingest.traces import Traces

_ASIDE = {*AROUND, ElementType.FOOTNOTE}
_FLOATING = {*_ASIDE, ElementType.CAPTION, ElementType.FIGURE, ElementType.TABLE}
_PROSE = {ElementType.TEXT, ElementType.LIST}
_ENDED = re.compile(r"[.!?:;…][\"”’')\]]*(?:\s?\[?\d{1,3}\]?)?$")
_GOES_ON = re.compile(r"^[a-z(–—%$\d]")
_CUT = re.compile(r"[a-z]-$")  # a word in two parts
_SHORTEST = 40  # characters; a shorter text without a full stop is a label
_LOOK_AHEAD = 12  # elements between two parts of a paragraph, figures and captions among them
_PAGEFUL = 60  # elements in which a page's column ends
_WIDTH = 0.03  # by how much the widths of two parts of a table may differ


def continuation_links(
    elements: Sequence[Element], captions: Sequence[Found], traces: Mapping[int, Traces]
) -> Iterator[Found]:
    """Each part of a table or paragraph, but its first, to the part before; boxes set apart are passed over."""
    flow = [e for e in elements if e.type not in _ASIDE and not _set_apart(e, traces)]
    yield from _tables(flow, captions)
    yield from _paragraphs(flow)


def _set_apart(element: Element, traces: Mapping[int, Traces]) -> bool:
    boxes = traces[element.page].asides if element.page in traces else ()
    return any(covered(element.bbox, box) > 0.7 for box in boxes)


def _follows(before: Element, after: Element) -> bool:
    """Whether `after` stands in the next column or on the next page."""
    if after.page == before.page:
        return after.bbox[0] > before.bbox[2] - 5 and after.bbox[1] < before.bbox[3]
    return after.page == before.page + 1


def _tables(flow: Sequence[Element], captions: Sequence[Found]) -> Iterator[Found]:
    by_id = {e.id: e for e in flow}
    own = {link.target: by_id[link.source] for link in captions if link.source in by_id}
    body = [e for e in flow if e.type is not ElementType.CAPTION]
    for before, after in pairwise(body):
        if before.table and after.table and _follows(before, after):
            evidence = _same_table(before, after, own.get(before.id), own.get(after.id))
            if evidence:
                yield Found(after.id, before.id, LinkType.CONTINUES, f"continues: {evidence}")


def _same_table(before: Element, after: Element, caption: Element | None, again: Element | None) -> str:
    """What shows that `after` goes on from `before`, "" when nothing does. `caption` and `again` are their captions."""
    if again and CONTINUED.search(again.text):
        return "caption says so" if not caption or label_of(again.text) in (label_of(caption.text), None) else ""
    if caption and caption.bbox[1] > before.bbox[1]:  # a caption below a table closes it
        return ""
    if again and again.bbox[1] < after.bbox[1] and not (caption and _same_caption(again.text, caption.text)):
        return ""
    if not before.table or not after.table or not before.table.rows or not after.table.rows:
        return ""
    alike = len(before.table.rows[0]) == len(after.table.rows[0])
    width, other = before.bbox[2] - before.bbox[0], after.bbox[2] - after.bbox[0]
    as_wide = abs(width - other) < _WIDTH * width
    if (alike or as_wide) and repeated_columns(after.table, before.table):
        return "header repeated"
    return "columns agree" if as_wide and goes_on_unnamed(after.table, before.table) else ""


def _same_caption(one: str, other: str) -> bool:
    return label_of(one) == label_of(other) if label_of(one) else one == other


def _paragraphs(flow: Sequence[Element]) -> Iterator[Found]:
    taken: set[str] = set()
    # A word in two parts leaves no doubt: what goes on from it is not for another to take.
    for n, before in sorted(enumerate(flow), key=lambda one: not _CUT.search(one[1].text)):
        if before.type not in _PROSE or len(before.text) < _SHORTEST or _ENDED.search(before.text):
            continue
        found = [(after, at_once) for after, at_once in _candidates(flow, n) if after.id not in taken]
        going = next((after for after, _ in found if _GOES_ON.match(after.text)), None)
        if going:
            evidence, after = "sentence goes on", going
        elif found and found[0][1] and not _CUT.search(before.text):
            evidence, after = "sentence left open", found[0][0]
        else:
            continue
        taken.add(after.id)
        yield Found(after.id, before.id, LinkType.CONTINUES, f"continues: {evidence}")


def _candidates(flow: Sequence[Element], n: int) -> list[tuple[Element, bool]]:
    """Texts in the next column or page, and whether no other text or heading stands between.

    First those of its page that are read after the n-th element, then those beside it that were read before.
    """
    before, at_once = flow[n], True
    ahead: list[tuple[Element, bool]] = []
    for after in flow[n + 1 : n + 1 + _LOOK_AHEAD]:
        if _takes_up(flow, n, after):
            ahead.append((after, at_once))
        at_once = at_once and after.type in _FLOATING
    behind = (e for e in flow[max(0, n - _LOOK_AHEAD) : n] if e.page == before.page)
    beside = [(after, False) for after in behind if _takes_up(flow, n, after)]
    return sorted([*ahead, *beside], key=lambda one: one[0].page)


def _takes_up(flow: Sequence[Element], n: int, after: Element) -> bool:
    """Whether `after` may go on from the n-th element, by its type and place."""
    before = flow[n]
    if after.type is not ElementType.TEXT and not (after.type is ElementType.LIST and after.text[:1].islower()):
        return False
    return _follows(before, after) and (bool(_CUT.search(before.text)) or not _goes_down(flow, n, after))


def _goes_down(flow: Sequence[Element], n: int, after: Element) -> bool:
    """Whether the column of the n-th element goes on below it, so that `after` does not take it up."""
    before = flow[n]
    return any(
        e.page == before.page
        and e.type in (*_PROSE, ElementType.HEADING)
        and e.bbox[1] > before.bbox[3] - 5
        and horizontal_overlap(e.bbox, before.bbox) > 0.3
        and (after.page != before.page or horizontal_overlap(e.bbox, after.bbox) == 0)
        for e in flow[n + 1 : n + 1 + _PAGEFUL]
    )

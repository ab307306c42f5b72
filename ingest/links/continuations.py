"""Which table or paragraph goes on from the column or page before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from octavo.ingest.geometry import covered, horizontal_overlap
from octavo.ingest.links.confidence import Found
from octavo.ingest.links.labels import AROUND, CONTINUED, label_of
from octavo.ingest.model import Element, ElementType, LinkType
from octavo.ingest.tables import column_names
from octavo.ingest.traces import Ends, Traces

_ASIDE = {*AROUND, ElementType.FOOTNOTE}
_FLOATING = {*_ASIDE, ElementType.CAPTION, ElementType.FIGURE, ElementType.TABLE}
_PROSE = {ElementType.TEXT, ElementType.LIST}
_ENDED = re.compile(r"[.!?:;…][\"”’')\]]*(?:\s?\[?\d{1,3}\]?)?$")
_GOES_ON = re.compile(r"^[a-z(–—%$\d]")
_SHORTEST = 40  # characters; a shorter text without a full stop is a label
_LOOK_AHEAD = 12  # elements between two parts of a paragraph, figures and captions among them
_WIDTH = 0.03  # by how much the widths of two parts of a table may differ
_INDENT = 4.0  # points
_SPACE = 3.0  # points between words


def continuation_links(
    elements: Sequence[Element], captions: Sequence[Found], traces: Mapping[int, Traces]
) -> Iterator[Found]:
    """Each part of a table or paragraph, but its first, to the part before; boxes set apart are passed over."""
    flow = [e for e in elements if e.type not in _ASIDE and not _set_apart(e, traces)]
    ends = {key: end for page in traces.values() for key, end in page.ends.items()}
    yield from _tables(flow, captions)
    yield from _paragraphs(flow, ends)


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
    if again and again.bbox[1] < after.bbox[1] and not (caption and label_of(again.text) == label_of(caption.text)):
        return ""
    if not before.table or not after.table or not before.table.rows or not after.table.rows:
        return ""
    alike = len(before.table.rows[0]) == len(after.table.rows[0])
    names = column_names(after.table)
    if alike and any(names) and column_names(before.table) == names:
        return "header repeated"
    width, other = before.bbox[2] - before.bbox[0], after.bbox[2] - after.bbox[0]
    return "columns agree" if alike and abs(width - other) < _WIDTH * width else ""


def _paragraphs(flow: Sequence[Element], ends: Mapping[str, Ends]) -> Iterator[Found]:
    taken: set[str] = set()
    shape = _Shape([e for e in flow if e.type in _PROSE], ends)
    for n, before in enumerate(flow):
        if before.type not in _PROSE:
            continue
        ended = bool(_ENDED.search(before.text)) or len(before.text) < _SHORTEST
        for after, at_once in _candidates(flow, n):
            goes_on = bool(_GOES_ON.match(after.text))
            if ended:
                evidence = "line is full" if at_once and shape.runs_on(before, after) else ""
            else:
                evidence = "sentence goes on" if goes_on else "sentence left open" if at_once else ""
            if evidence and after.id not in taken:
                taken.add(after.id)
                yield Found(after.id, before.id, LinkType.CONTINUES, f"continues: {evidence}")
                break


class _Shape:
    """How the paragraphs of a document begin and end."""

    def __init__(self, texts: Sequence[Element], ends: Mapping[str, Ends]) -> None:
        self.ends = ends
        several = [e for e in texts if e.id in ends and ends[e.id].first[3] < ends[e.id].last[1] + 1]
        begins = Counter(self._indented(e) for e in several)
        self.indents = begins[True] > begins[False]

    def runs_on(self, before: Element, after: Element) -> bool:
        """Whether the last line of `before` is so full that the first word of `after` had no room on it.

        Where paragraphs are indented, the lack of an indent says the same.
        """
        if before.id not in self.ends or after.id not in self.ends or ElementType.LIST in (before.type, after.type):
            return False
        room = before.bbox[2] - self.ends[before.id].last[2]
        full = room < self.ends[after.id].first_word + _SPACE
        return full and not (self.indents and self._indented(after))

    def _indented(self, element: Element) -> bool:
        return self.ends[element.id].first[0] > element.bbox[0] + _INDENT


def _candidates(flow: Sequence[Element], n: int) -> Iterator[tuple[Element, bool]]:
    """Texts after the n-th element in the next column or page, and whether no other text or heading stands between."""
    before, at_once = flow[n], True
    for after in flow[n + 1 : n + 1 + _LOOK_AHEAD]:
        if after.type is ElementType.TEXT:
            if _follows(before, after):
                yield after, at_once
            elif after.page == before.page and after.bbox[1] > before.bbox[3] - 5 and _same_column(before, after):
                return  # the column goes on below: it was not its end
        if after.type not in _FLOATING:
            at_once = False


def _same_column(a: Element, b: Element) -> bool:
    return horizontal_overlap(a.bbox, b.bbox) > 0.5

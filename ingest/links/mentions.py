"""Which words name a table, a figure, an exhibit, an appendix, a note or a page, and which one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from octavo.ingest.links.confidence import Found
from octavo.ingest.links.labels import TARGETS, label_of, labelled_texts, one_kind, printed_pages
from octavo.ingest.model import AROUND, Element, ElementType, LinkType, Page
from octavo.ingest.text import CAPTION, NUMBER

_MENTION = re.compile(
    rf"\b(?P<kind>(?i:tables?|figures?|figs?|charts?|exhibits?|graphs?|maps?|appendix|appendices|annex|notes?))\.?\s+"
    rf"(?P<numbers>(?:{NUMBER}|[A-Z])\b(?:\s*(?:,\s*and|,|and|&|or|to|through|–|-)\s*(?:{NUMBER}|[A-Z])\b)*)"
)
_TOKEN = re.compile(rf"(?:{NUMBER}|[A-Z])\b|to\b|through\b|–|-")
_THROUGH = ("to", "through", "-")
_PAGE = re.compile(
    r"(?:(?i:\b(?P<kind>table|figure|chart|graph|map)(?P<several>s?)\s+(?:shown\s+|given\s+)?on\s+))?"
    r"(?i:\bpage(?P<pages>s?)|\bp(?P<pp>p?)\.)\s+(?P<numbers>(?:[A-Z]-)?\d{1,4}\b(?:\s*(?:,\s*and|,|and|&|or|to|through|–|-)\s*\d{1,4}\b)*)"
    r"(?!\s*%)"
)
_NEAR = re.compile(
    r"\b(?:(?P<side>following|preceding|next|above|below)\s+(?P<kind>table|figure|chart|graph)"
    r"|(?P<named>table|figure|chart|graph)\s+(?P<place>below|above|that follows|on the next page))\b",
    re.I,
)
_BACKWARD = {"above", "preceding"}
_ELSEWHERE = re.compile(
    r"\s*\)?,?\s+(?:of|in|to|from|on)\s+(?:(?:its|his|her|their)\b"
    r"|(?!this\b)(?:(?!this\b)[\w\-’']+\s+){0,5}?(?:report|survey|review|manual|statute|act|letter|edition|form|agreement|"
    r"filing|plan|study|paper|book|release|regulations?|code|law|prospectus|statement|circular|guidance|standard)\b)",
    re.I,
)
_TEXTS = {ElementType.TEXT, ElementType.LIST, ElementType.FOOTNOTE, ElementType.CAPTION}
_LARGEST_RANGE = 12


def mention_links(
    pages: Sequence[Page], elements: Sequence[Element], captions: Sequence[Found], continued: Sequence[Found]
) -> Iterator[Found]:
    """Each text to what its words name; of a table over several pages the first part, of a page its first element."""
    index = _Index(pages, elements, captions, continued)
    for element in (e for e in elements if e.type in _TEXTS):
        for target, evidence in index.named_in(element):
            if target.id not in (element.id, index.own.get(element.id)):
                yield Found(element.id, target.id, LinkType.MENTION_OF, f"mention: {evidence}")


class _Index:
    """What can be named in a document, by its names."""

    def __init__(
        self, pages: Sequence[Page], elements: Sequence[Element], captions: Sequence[Found], continued: Sequence[Found]
    ) -> None:
        by_id = {e.id: e for e in elements}
        self.elements = elements
        self.order = {e.id: n for n, e in enumerate(elements)}
        self.own = {link.source: link.target for link in captions}
        self.before = {link.source: link.target for link in continued}
        self.texts = labelled_texts(elements)
        self.named: dict[tuple[str, str], list[Element]] = defaultdict(list)  # by the word of its caption
        self.objects: dict[tuple[str, str], list[Element]] = defaultdict(list)  # by what that word stands for
        for link in captions:
            label, target = label_of(by_id[link.source].text), by_id[self._first_part(link.target)]
            for index in (self.named[label], self.objects[one_kind(label[0]), label[1]]) if label else ():
                if target not in index:
                    index.append(target)
        self.printed = printed_pages(pages, elements)
        self.on_page: dict[int, list[Element]] = defaultdict(list)
        for element in (e for e in elements if e.type not in AROUND):
            self.on_page[element.page].append(element)

    def _first_part(self, element: str) -> str:
        while element in self.before:
            element = self.before[element]
        return element

    def named_in(self, element: Element) -> Iterator[tuple[Element, str]]:
        """Each thing that the element's words name, with the evidence for it."""
        own = CAPTION.match(element.text) if element.type is ElementType.CAPTION else None
        for match in _MENTION.finditer(element.text, own.end() if own else 0):
            if not _ELSEWHERE.match(element.text, match.end()):
                yield from self._labelled(element, match["kind"], match["numbers"])
        for match in _PAGE.finditer(element.text):
            if not _ELSEWHERE.match(element.text, match.end()):
                kind, numbers = one_kind(match["kind"] or ""), _each(match["numbers"], self.printed.__contains__)
                several = kind and (match["several"] or match["pages"] or match["pp"])
                # "The table on page 1 and 3 others" is on one page; of a range of pages the first will do.
                for number in numbers if several else islice(numbers, 1):
                    yield from self._page(number, kind)
        for match in _NEAR.finditer(element.text):
            yield from self._near(element, match)

    def _labelled(self, element: Element, word: str, numbers: str) -> Iterator[tuple[Element, str]]:
        kind = word.lower().removesuffix("s").replace("appendice", "appendix")
        for number in _each(numbers, lambda n: bool(self._bearers(kind, n))):
            bearers = self._bearers(kind, number)
            if bearers:
                target = min(bearers, key=lambda e: (e.type is ElementType.FOOTNOTE, abs(e.page - element.page)))
                if target.type in TARGETS:
                    yield target, "its only bearer" if len(bearers) == 1 else "nearest of several"
                else:
                    yield target, "heading" if target.type is ElementType.HEADING else "note"

    def _bearers(self, kind: str, number: str) -> list[Element]:
        return (
            self.named.get((kind, number))
            or self.objects.get((one_kind(kind), number))
            or self.texts.get((one_kind(kind), number), [])
        )

    def _page(self, number: str, kind: str) -> Iterator[tuple[Element, str]]:
        """What that page opens with, or where the words name a `kind`, its first table or figure."""
        if number in self.printed:
            page, evidence = self.printed[number], "printed page"
        elif self.printed or not number.isdigit():
            return
        else:
            page, evidence = int(number), "counted page"
        on_it = self.on_page.get(page, [])
        named = next((e for e in on_it if TARGETS.get(e.type) == kind), None)
        if named:
            yield named, "on its page"
        elif on_it and not kind:
            yield on_it[0], evidence

    def _near(self, element: Element, match: re.Match[str]) -> Iterator[tuple[Element, str]]:
        """The nearest table or figure on the side that the words tell, on this page or the one beside it."""
        kind = one_kind(match["kind"] or match["named"])
        back = (match["side"] or match["place"]).lower() in _BACKWARD
        at = self.order[element.id]
        for n in range(at - 1, -1, -1) if back else range(at + 1, len(self.elements)):
            other = self.elements[n]
            if abs(other.page - element.page) > 1:
                return
            if TARGETS.get(other.type) == kind and (back or other.id not in self.before):
                yield other, "beside it"
                return


def _each(numbers: str, known: Callable[[str], bool]) -> Iterator[str]:
    """The numbers of "1, 2 and 4", "1 to 3" or "1–3"; the last is one number where something bears it."""
    start = before = ""
    for token in _TOKEN.findall(numbers):
        number = token.lower().replace("–", "-")
        first, _, last = number.rpartition("-")
        if number in _THROUGH:
            start = before
            continue
        if first.isdigit() and last.isdigit() and not known(number):
            start, number = first, last
            yield first
        if start.isdigit() and number.isdigit() and int(number) - int(start) < _LARGEST_RANGE:
            yield from map(str, range(int(start) + 1, int(number)))
        yield number
        start, before = "", number

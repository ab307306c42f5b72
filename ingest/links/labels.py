"""What bears a label ("Table 3", "Appendix B", "Note 7", page "F-12"), and under which words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from octavo.ingest.model import AROUND, Element, ElementType, Page
from octavo.ingest.text import CAPTION, NUMBER, opens_title

TARGETS = {ElementType.TABLE: "table", ElementType.FIGURE: "figure"}
CONTINUED = re.compile(r"\b(cont(inued|inuation|[’']d|\.)|concluded)", re.I)

_KINDS = {"fig": "figure", "chart": "figure", "graph": "figure", "map": "figure", "annex": "appendix"}
_HEADED = re.compile(rf"^\W*(?P<kind>(?i:appendix|annex|exhibit|note))\s+(?P<number>{NUMBER}|[A-Z])\b")
_NUMBERED_NOTE = re.compile(r"^\W?(?P<number>\d{1,2})[\])]?[.:]?\s")
_NOTES = re.compile(r"^(?:\d+\W+)?notes? to\b", re.I)
_PRINTED = re.compile(r"(?<![\w,.$/-])(?:[A-Z]-)?\d{1,4}(?![\w,/%-]|\.\d)")


def one_kind(word: str) -> str:
    """The kind that a word of a label stands for: "Fig", "Chart" and "figure" are all figures."""
    return _KINDS.get(word.lower(), word.lower())


def label_of(text: str) -> tuple[str, str] | None:
    """(word, number) in lower case with which a caption opens, None for one without a label."""
    opening = CAPTION.match(text)
    return (opening["kind"].lower(), opening["number"].lower()) if opening else None


def labelled_texts(elements: Sequence[Element]) -> dict[tuple[str, str], list[Element]]:
    """(kind, number) -> the headings of appendices and notes, and paragraphs and footnotes that open as a note does."""
    found: dict[tuple[str, str], list[Element]] = defaultdict(list)
    in_notes = 0
    for element in elements:
        is_heading = element.type is ElementType.HEADING
        opening = _HEADED.match(element.text)
        if is_heading and _NOTES.match(element.text):
            in_notes = element.level
        elif is_heading and element.level <= in_notes:
            in_notes = 0
        is_note = opening and opening["kind"].lower() == "note" and opens_title(element.text, opening.end())
        if opening and (is_heading or is_note):
            found[one_kind(opening["kind"]), opening["number"].lower()].append(element)
        elif element.type is ElementType.FOOTNOTE or (is_heading and in_notes):
            numbered = _NUMBERED_NOTE.match(element.text)
            if numbered:
                found["note", numbered["number"]].append(element)
    return found


def printed_pages(pages: Sequence[Page], elements: Sequence[Element]) -> dict[str, int]:
    """Page numbers as printed, in lower case -> page. Those of most pages' headers and footers that count on alike."""
    offsets: dict[tuple[str, int], set[int]] = defaultdict(set)
    for element in (e for e in elements if e.type in AROUND):
        for number in _PRINTED.findall(element.text):
            chapter, _, count = number.rpartition("-")
            offsets[chapter, int(count) - element.page].add(element.page)
    counts = Counter({key: len(numbered) for key, numbered in offsets.items()})
    printed: dict[str, int] = {}
    for (chapter, offset), times in counts.most_common():
        if times < 2 and len(pages) > 1:
            break
        for page in offsets[chapter, offset]:
            if page not in printed.values():
                printed.setdefault(f"{chapter}-{page + offset}".lower().lstrip("-"), page)
    best = counts.most_common(1)
    if best and best[0][1] >= max(2, len(pages) / 2):  # the pages between, whose own number was not read
        (chapter, offset), _ = best[0]
        for page in range(1, len(pages) + 1):
            if page not in printed.values():
                printed.setdefault(f"{chapter}-{page + offset}".lower().lstrip("-"), page)
    return printed

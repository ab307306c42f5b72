"""From pages, read apart and in any order, to one document: heading levels, titles, logos out, captions and links."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from octavo.ingest.furniture import (
    closing_lines,
    counted_on,
    explanations,
    footnotes,
    lone_sentences,
    page_numbers,
    running_lines,
)
from octavo.ingest.links import find_links, heading_levels, name_captions
from octavo.ingest.model import AROUND, Element, ElementType, ParsedDocument
from octavo.ingest.reader import Outline, PageContent, UnreadableError
from octavo.ingest.text import count, page_ranges
from octavo.ingest.textlayer.hidden import warnings_of
from octavo.ingest.traces import Traces, upright
from octavo.ingest.workers import Workers, reason

T = TypeVar("T")

DAMAGED = "the file is damaged or cut off: this is what could be recovered of it; a whole copy may hold more"
_RANGE = 8  # pages of one task: enough to pay for opening the file, few enough to spread a long PDF over all workers
_MOST_LOST = 16  # pages of one document that may fail alone before the rest of it is read otherwise, or not
_LOGO_PAGES = 3
_TITLE_LENGTH = 150
_PAGE_NUMBER = 12  # characters, digits apart, that a page number is dressed in ("Page  of ")


def sha256_of(path: Path) -> str:
    """The hex SHA-256 of the file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(
    workers: Workers, path: Path, prefix: str, on_pages: Callable[[int, int], None] = lambda pages, of: None
) -> ParsedDocument:
    """The PDF at `path`, read in parallel by `workers`; element ids begin with `prefix`.

    `on_pages(pages, of)` is told of each range read. A page that hangs or crashes its reader is read again by its words
    alone, or left out, with a warning. Raises UnreadableError when nothing of the document can be had, or it is over
    the workers' limits.
    """
    outline = _result(workers.outline(path))
    if outline.pages > workers.limits.max_pages:
        limit = workers.limits.max_pages
        raise UnreadableError(f"{count(outline.pages, 'page')}, over the limit of {limit} (OCTAVO_MAX_PAGES raises it)")
    starts = range(1, outline.pages + 1, _RANGE)
    ranges = [(first, min(first + _RANGE - 1, outline.pages)) for first in starts]
    tasks = [workers.read(path, prefix, *pages) for pages in ranges]
    reading = _Reading(workers, path, prefix)
    contents: list[PageContent] = []
    for pages, task in zip(ranges, tasks, strict=True):
        unwanted = reading.lost[False] >= _MOST_LOST and task.cancel()
        contents += reading.read(*pages, task=None if unwanted else task)
        on_pages(pages[1] - pages[0] + 1, outline.pages)
    if not contents:
        raise UnreadableError(reading.first_reason)
    if reading.reasons and not any(element.text for content in contents for element in content.elements):
        raise UnreadableError("; ".join(reading.warnings()))
    return assemble(outline, contents, [*([DAMAGED] if outline.repaired else []), *reading.warnings()])


class _Reading:
    """The pages of one document: in ranges, then alone, then by their words alone, as far as each fails before.

    A document may lose so many pages; then the rest of it is read by words alone, and after as many again given up, so
    that what a hostile one costs has a bound. A range loses none: a slow one's pages may all be read alone.
    """

    def __init__(self, workers: Workers, path: Path, prefix: str) -> None:
        self.workers, self.path, self.prefix = workers, path, prefix
        self.lost = {False: 0, True: 0}  # pages, in full and by words alone
        self.first_reason = ""
        self.reasons: dict[int, str] = {}  # why a page could not be read in full
        self.simple: list[int] = []
        self.wordless: list[int] = []  # of those read by words alone
        self.missing: list[int] = []

    def read(
        self, first: int, last: int, simple: bool = False, task: Future[list[PageContent]] | None = None
    ) -> list[PageContent]:
        """Pages `first` to `last`; `task` reads them already."""
        pages = range(first, last + 1)
        if task is None:
            simple = simple or self.lost[False] >= _MOST_LOST
            if self.lost[True] >= _MOST_LOST:
                self.missing += pages
                return []
            task = self.workers.read(self.path, self.prefix, first, last, simple)
        try:
            found = _result(task)
        except UnreadableError as error:
            self.first_reason = self.first_reason or str(error)
            if first < last:
                return [content for page in pages for content in self.read(page, page, simple)]
            self.lost[simple] += 1
            self.reasons.setdefault(first, str(error))
            if not simple:
                return self.read(first, first, True)
            self.missing.append(first)
            return []
        for content in found if simple else ():
            words = any(element.text for element in content.elements)
            (self.simple if words else self.wordless).append(content.page.number)
        return found

    def warnings(self) -> list[str]:
        """A line for each reason why pages are missing, empty, or were read by their words alone."""
        told: dict[str, list[int]] = {}
        for pages, fate in (
            (self.missing, "is missing"),
            (self.wordless, "is missing: it has no words without OCR, tables and figures"),  # of a scan, say
            (self.simple, "was read by its words alone, without tables and figures"),
        ):
            for page in pages:
                why = self.reasons.get(page, "too much before it failed")
                told.setdefault(f"{fate}: {why}", []).append(page)
        return [f"page {page_ranges(pages)} {line}" for line, pages in told.items()]


def _result(task: Future[T]) -> T:
    """A worker's result; whatever went wrong there comes as an UnreadableError that says what."""
    try:
        return task.result()
    except (Exception, CancelledError) as error:
        raise UnreadableError(reason(error)) from error


def assemble(outline: Outline, contents: Sequence[PageContent], warnings: Sequence[str] = ()) -> ParsedDocument:
    """One document from its pages, which may come in any order; `warnings` of their reading are kept with it."""
    contents = sorted(contents, key=lambda content: content.page.number)
    logos = _logos(contents)
    elements = explanations([e for content in contents for e in content.elements])
    headings = [e for e in elements if e.type is ElementType.HEADING]
    traces = {content.page.number: content.traces for content in contents}
    levels = heading_levels(headings, traces)
    elements = [
        replace(e, level=levels[e.id]) if e.type is ElementType.HEADING else e for e in elements if e.image not in logos
    ]
    shown = {e.id: e.bbox for e in elements}
    elements = upright(elements, traces)
    elements = _told_apart(elements, traces)
    pages = tuple(content.page for content in contents)
    pictures = {name: png for content in contents for name, png in content.pictures.items() if name not in logos}
    empty = [c.page.number for c in contents if not any(e.text for e in c.elements)]
    recognised = [c.page.number for c in contents if c.recognised]
    remarks = (
        *warnings,
        *([f"read by OCR: page {page_ranges(recognised)}"] if recognised else []),
        *([f"no text on page {page_ranges(empty)}"] if empty else []),
        *warnings_of({content.page.number: content.hidden for content in contents}),
    )
    links = tuple(find_links(pages, elements, traces))
    elements = [replace(e, bbox=shown[e.id]) for e in elements]
    return ParsedDocument(pages, tuple(elements), links, outline.title or _title(elements), remarks, pictures)


def _told_apart(elements: Sequence[Element], traces: Mapping[int, Traces]) -> list[Element]:
    """The elements, what stands around the text told from it; each step goes by the types that those before it gave."""
    elements = page_numbers(elements)
    elements = closing_lines(elements)
    elements = lone_sentences(elements)
    elements = running_lines(elements)  # the page numbers among them, which are footers now
    elements = _lone_lines(elements)  # of headers and footers, whoever found them
    elements = footnotes(elements, traces)  # nothing but headers and footers stands below one
    elements = counted_on(elements)  # takes footnotes back
    return name_captions(elements)  # of what is left as text


def _logos(contents: Sequence[PageContent]) -> set[str]:
    """Names of pictures that stand on many pages to the pixel: logos and backgrounds."""
    digests = {name: hashlib.sha256(png).digest() for content in contents for name, png in content.pictures.items()}
    counts = Counter(digests.values())
    return {name for name, digest in digests.items() if counts[digest] >= _LOGO_PAGES}


def _lone_lines(elements: Sequence[Element]) -> list[Element]:
    """The elements, a header or footer that is all its page says, and is said on no other, being its text."""
    said = Counter(re.sub(r"\d+", "", e.text) for e in elements)
    full = {e.page for e in elements if e.type not in AROUND}

    def alone(element: Element) -> bool:
        words = re.sub(r"\d+", "", element.text)
        return element.type in AROUND and element.page not in full and len(words) > _PAGE_NUMBER and said[words] == 1

    return [replace(e, type=ElementType.TEXT) if alone(e) else e for e in elements]


def _title(elements: Sequence[Element]) -> str:
    """The heading set largest on the first two pages."""
    headings = [e for e in elements if e.type is ElementType.HEADING and e.page <= 2 and len(e.text) <= _TITLE_LENGTH]
    return min(headings, key=lambda e: (e.level, e.page)).text if headings else ""

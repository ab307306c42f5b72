"""Reads pages of a PDF into elements. `PageReader` is what a second backend implements; PyMuPDF's is here.

Runs in a process that may die: it knows nothing of libraries, catalogues or other pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from octavo.ingest import figures, tables
from octavo.ingest.geometry import covered, horizontal_overlap
from octavo.ingest.model import Box, Element, ElementType, Page
from octavo.ingest.mupdf import pymupdf
from octavo.ingest.ocr import recognise
from octavo.ingest.text import clean, join_lines, opens_caption

_TYPES = {
    "title": ElementType.HEADING,
    "section-header": ElementType.HEADING,
    "list-item": ElementType.LIST,
    "table": ElementType.TABLE,
    "picture": ElementType.FIGURE,
    "caption": ElementType.CAPTION,
    "footnote": ElementType.FOOTNOTE,
    "page-header": ElementType.HEADER,
    "page-footer": ElementType.FOOTER,
}
_PROSE = {ElementType.TEXT, ElementType.HEADING, ElementType.LIST, ElementType.CAPTION}
_KEPT_APART = {ElementType.TABLE, ElementType.HEADER, ElementType.FOOTER, ElementType.CAPTION}


class UnreadableError(ValueError):
    """A file that cannot be read as a PDF; the message says why in words for its owner."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a PDF before its pages are read; `repaired`: it was damaged, and more may have been in it."""

    pages: int
    title: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page as read: elements in reading order, PNG bytes by `Element.image`, heading sizes in points by id.

    `recognised` tells that the words were read by OCR.
    """

    page: Page
    elements: tuple[Element, ...]
    pictures: dict[str, bytes]
    heading_sizes: dict[str, float]
    recognised: bool = False


class PageReader(Protocol):
    """A backend that reads PDFs. Its methods run in a worker process and must be deterministic."""

    def outline(self, path: Path) -> Outline:
        """Page count and title. Raises UnreadableError."""
        ...

    def read(self, path: Path, prefix: str, first: int, last: int) -> list[PageContent]:
        """Pages `first` to `last` (from 1, inclusive); element ids begin with `prefix`. Raises UnreadableError."""
        ...


class PyMuPDFReader:
    """PyMuPDF's layout models for regions, reading order and table grids; figures and spans completed here.

    With `ocr` a page without a text layer gets one by OCR, where the package `rapidocr` is installed.
    """

    def __init__(self, ocr: bool = True) -> None:
        self.ocr = ocr

    def outline(self, path: Path) -> Outline:
        with _open(path) as document:
            title = clean((document.metadata or {}).get("title") or "")
            return Outline(document.page_count, "" if _is_file_name(title) else title, document.is_repaired)

    def read(self, path: Path, prefix: str, first: int, last: int) -> list[PageContent]:
        pymupdf.use_layout(True)
        import pymupdf4llm  # brings the ONNX models in, and only a process that reads pages needs them

        with _open(path) as document:
            numbers = range(first - 1, last)
            read = {n for n in numbers if self.ocr and not document[n].get_text("words") and recognise(document[n])}
            layout = json.loads(pymupdf4llm.to_json(document, pages=list(numbers), use_ocr=False))
            contents = [_page(document[page["page_number"] - 1], page["boxes"], prefix) for page in layout["pages"]]
            return [replace(c, recognised=c.page.number - 1 in read) for c in contents]


def _page(page: pymupdf.Page, boxes: list[dict[str, Any]], prefix: str) -> PageContent:
    words = [word[:5] for word in page.get_text("words")]
    drafts = [_element(box, words) for box in boxes]
    named = [e.bbox for e, _ in drafts if e.type is ElementType.FIGURE]
    grids = [e.bbox for e, _ in drafts if e.type is ElementType.TABLE]
    prose = [e.bbox for e, _ in drafts if e.type in _PROSE]
    found = figures.find_figures(page, named, grids, prose)
    drafts = _place_figures(drafts, found, words)

    elements, pictures, sizes = [], {}, {}
    for n, (draft, size) in enumerate(drafts, 1):
        element = replace(draft, id=f"{prefix}-{page.number + 1}-{n}", page=page.number + 1)
        if element.type is ElementType.FIGURE:
            element = replace(element, image=f"{element.id}.png")
            pictures[f"{element.id}.png"] = figures.render(page, element.bbox)
        if element.type is ElementType.HEADING:
            sizes[element.id] = size
        elements.append(element)
    box = Page(page.number + 1, page.rect.width, page.rect.height)
    return PageContent(box, tuple(elements), pictures, sizes)


def _open(path: Path) -> pymupdf.Document:
    if not path.stat().st_size:
        raise UnreadableError("the file is empty")
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise UnreadableError("not a PDF: it does not begin with %PDF-")
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (pymupdf.FileDataError, RuntimeError) as error:
        raise UnreadableError("the file is damaged and cannot be opened as a PDF") from error
    if document.needs_pass:
        raise UnreadableError("the PDF is encrypted: remove its password first")
    if not document.page_count:
        raise UnreadableError("the PDF has no pages, or is cut off before its first one")
    return document


def _is_file_name(title: str) -> bool:
    """Whether a metadata title is what an authoring program left there rather than a title."""
    letters = sum(ch.isalpha() for ch in title)
    return letters < max(4, len(title) / 2) or Path(title).suffix.lower() in {
        ".doc",
        ".docx",
        ".pdf",
        ".indd",
        ".qxd",
        ".htm",
    }


def _element(box: dict[str, Any], words: list[tables.Word]) -> tuple[Element, float]:
    """A layout box as an element without its id, and its largest font size in points."""
    kind = _TYPES.get(box["boxclass"], ElementType.TEXT)
    bbox: Box = (float(box["x0"]), float(box["y0"]), float(box["x1"]), float(box["y1"]))
    lines = [" ".join(span["text"] for span in line["spans"]) for line in box["textlines"] or ()]
    table = tables.grid(box["table"]["extract"], box["table"]["cells"], words) if box["table"] else None
    text = "\n".join(" | ".join(row) for row in table.rows) if table else join_lines(lines)
    return Element("", kind, 0, bbox, text, table=table), float(box["max_fontsize"] or 0)


def _place_figures(
    drafts: list[tuple[Element, float]], found: list[Box], words: list[tables.Word]
) -> list[tuple[Element, float]]:
    """The drafts with `found` as their figures, each in the reading order where its first part stood.

    Axis labels and legends that the layout model read as text become the figure's text; its caption stays outside.
    """
    placed: list[tuple[Element, float]] = [d for d in drafts if d[0].type is not ElementType.FIGURE]
    order = {id(draft): n for n, draft in enumerate(drafts)}
    position = [float(order[id(draft)]) for draft in placed]
    for box in found:
        parts = [
            n
            for n, draft in enumerate(drafts)
            if draft[0].type not in _KEPT_APART
            and not opens_caption(draft[0].text)
            and covered(draft[0].bbox, box) > 0.7
        ]
        after = [
            n for n, (e, _) in enumerate(drafts) if e.bbox[3] <= box[1] + 5 and horizontal_overlap(e.bbox, box) > 0.3
        ]
        where = parts[0] if parts else max(after, default=-1) + 0.5
        keep = [n for n, at in enumerate(position) if at not in parts]
        placed, position = [placed[n] for n in keep], [position[n] for n in keep]
        inner = [w for w in words if covered(w[:4], box) > 0.5]
        text = " ".join(filter(None, (clean(w[4]) for w in inner)))
        at = next((n for n, p in enumerate(position) if p > where), len(placed))
        placed.insert(at, (Element("", ElementType.FIGURE, 0, box, text), 0.0))
        position.insert(at, where)
    return placed

"""PyMuPDF's backend: what a page draws, and the regions that its layout models see. Knows nothing of what follows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from octavo.ingest.figures import resolution
from octavo.ingest.geometry import area, around, intersection, middle
from octavo.ingest.model import Box
from octavo.ingest.reader import Outline, PageContent, UnreadableError, check_is_pdf, usable_title
from octavo.ingest.readers.fills import Fill, shown_fills
from octavo.ingest.readers.mupdf.door import in_words, pymupdf, upright
from octavo.ingest.readers.mupdf.glyphs import SHOWN, mend_maps, recased
from octavo.ingest.readers.mupdf.hidden import pixels, split_hidden
from octavo.ingest.readers.mupdf.layout import find_regions
from octavo.ingest.readers.mupdf.scan import layered
from octavo.ingest.readers.page import read_page, rules_of, usual_turn
from octavo.ingest.sheet import Drawing, Region, Sheet, Word
from octavo.ingest.text import clean
from octavo.ingest.textlayer.hidden import Pixels
from octavo.ingest.textlayer.scan import Scan

_BOLD = 2**4  # in the flags of a span


class PyMuPDFReader:
    """Reads pages through PyMuPDF and its layout models.

    With `ocr` a page whose text layer does not serve is read by OCR, where the package `rapidocr` is installed.
    """

    def __init__(self, ocr: bool = True) -> None:
        self.ocr = ocr

    @in_words()
    def outline(self, path: Path) -> Outline:
        with _open(path) as document:
            title = clean((document.metadata or {}).get("title") or "")
            return Outline(document.page_count, usable_title(title), document.is_repaired)

    @in_words()
    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        with _open(path) as document:
            maps: set[int] = set()
            pages = (MuPDFPage(document[n - 1], maps) for n in range(first, last + 1))
            return [read_page(page, prefix, self.ocr, simple) for page in pages]


class MuPDFPage:
    """A page of PyMuPDF's, of the number that it has in its document; pages of one document share the `maps` seen."""

    def __init__(self, page: pymupdf.Page, maps: set[int] | None = None) -> None:
        self.number = page.number + 1
        mend_maps(page, set() if maps is None else maps)
        self._show(upright(page))

    def _show(self, page: pymupdf.Page) -> None:
        self.page = page
        self.text = page.get_textpage(flags=SHOWN)

    def lean(self) -> int:
        letters: Counter[int] = Counter()
        for block in self.text.extractDICT()["blocks"]:
            for line in block.get("lines", ()):
                dx, dy = line["dir"]
                letters[(0 if dx > 0 else 180) if abs(dx) > abs(dy) else (90 if dy < 0 else 270)] += sum(
                    len(span["text"]) for span in line["spans"]
                )
        return usual_turn(letters)

    def turn(self, degrees: int) -> None:
        self._show(upright(self.page, degrees))

    def words_alone(self) -> Sheet:
        return self._words_sheet(())

    def _words_sheet(self, images: Sequence[Box]) -> Sheet:
        """The words alone; `images` are asked whether what is hidden is the text of a scan."""
        width, height = self.page.rect.width, self.page.rect.height
        words, hidden = split_hidden(self.page, list(_words(self.text, width, height)), images)
        return Sheet(self.number, width, height, words=tuple(recased(words, self.page)), hidden=tuple(hidden))

    def drawn(self) -> Sheet:
        paths = list(_visible(self.page.get_cdrawings(extended=True), tuple(self.page.rect)))
        images = tuple(_images(self.page))
        return replace(
            self._words_sheet(images),
            rules=tuple(_rules(paths)),
            fills=shown_fills(_fills(paths)),
            drawings=tuple(_drawings(paths)),
            images=images,
        )

    def regions(self, drawn: Sheet, scan: Scan | None) -> tuple[Region, ...]:
        if scan is None:
            return tuple(find_regions(self.page, drawn))
        with layered(scan) as document:
            return tuple(find_regions(document[0], drawn))

    def pixels(self, dpi: float) -> Pixels:
        return pixels(self.page.get_pixmap(matrix=pymupdf.Matrix(dpi / 72, dpi / 72), alpha=False))

    def png(self, box: Box) -> bytes:
        scale = resolution(box) / 72
        pixmap = self.page.get_pixmap(clip=pymupdf.Rect(box), matrix=pymupdf.Matrix(scale, scale), alpha=False)
        return bytes(pixmap.tobytes("png"))


def _open(path: Path) -> pymupdf.Document:
    check_is_pdf(path)
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (pymupdf.FileDataError, RuntimeError) as error:
        raise UnreadableError("the file is damaged and cannot be opened as a PDF: get a whole copy of it") from error
    if document.needs_pass:
        raise UnreadableError("the PDF is encrypted: remove its password first")
    if not document.page_count:
        raise UnreadableError("the PDF has no pages, or is cut off before its first one")
    return document


def _words(text: pymupdf.TextPage, width: float, height: float) -> Iterator[Word]:
    styles: dict[tuple[int, int], list[tuple[float, float, bool]]] = {}  # of a line: where a style starts, and it
    blocks = text.extractDICT()["blocks"]
    for b, block in enumerate(blocks):
        for n, line in enumerate(block.get("lines", ())):
            styles[block.get("number", b), n] = [
                (span["bbox"][0], span["size"], bool(span["flags"] & _BOLD)) for span in line["spans"]
            ]
    numbers: dict[tuple[int, int], int] = defaultdict(lambda: len(numbers))
    for x0, y0, x1, y1, raw, block_number, line_number, _ in text.extractWORDS():
        word = clean(raw)
        x, y = middle((x0, y0, x1, y1))
        if not word or not (0 <= x <= width and 0 <= y <= height):
            continue
        key = block_number, line_number
        spans = styles.get(key) or [(x0, y1 - y0, False)]
        _, size, bold = max((s for s in spans if s[0] <= x), default=spans[0])
        yield Word((x0, y0, x1, y1), word, size, bold, numbers[key])


def _visible(paths: Iterable[dict[str, Any]], page: Box) -> Iterator[dict[str, Any]]:
    """The paths that show; the `rect` of each is as much of it as the page and its clips let show."""
    clips: list[tuple[int, Box]] = [(-1, page)]
    for path in paths:
        while clips[-1][0] >= path["level"]:
            clips.pop()
        if path["type"] == "clip":
            clips.append((path["level"], intersection(path["scissor"], page)))
        elif path.get("fill_opacity") or path.get("stroke_opacity"):
            x0, y0, x1, y1 = intersection(path["rect"], clips[-1][1])
            if x0 <= x1 and y0 <= y1:
                yield path | {"rect": (x0, y0, x1, y1)}


def _rules(paths: Sequence[dict[str, Any]]) -> Iterator[Box]:
    """Straight lines along an axis, thin boxes, and the sides of boxes that are outlined."""
    for path in paths:
        for kind, *points in path["items"]:
            if kind == "l":
                (ax, ay), (bx, by) = points
                if min(abs(ax - bx), abs(ay - by)) < 1:
                    yield min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)
            elif kind in ("re", "qu"):
                x0, y0, x1, y1 = points[0] if kind == "re" else around(points[0])
                yield from rules_of((x0, y0, x1, y1), "s" in path["type"])


def _fills(paths: Sequence[dict[str, Any]]) -> Iterator[Fill]:
    for path in paths:
        if path.get("fill") and path.get("fill_opacity"):
            for kind, *points in path["items"]:
                if kind in ("re", "qu"):
                    box = points[0] if kind == "re" else around(points[0])
                    yield intersection(box, path["rect"]), path["fill"]


def _drawings(paths: Sequence[dict[str, Any]]) -> Iterator[Drawing]:
    for path in paths:
        pictorial = any(
            kind == "c"
            or (kind == "l" and abs(points[0][0] - points[1][0]) > 1 and abs(points[0][1] - points[1][1]) > 1)
            for kind, *points in path["items"]
        )
        yield Drawing(tuple(path["rect"]), len(path["items"]), pictorial, "f" in path["type"])


def _images(page: pymupdf.Page) -> Iterator[Box]:
    for info in page.get_image_info():
        box: Box = tuple(pymupdf.Rect(info["bbox"]) & page.rect)
        if area(box):
            yield box

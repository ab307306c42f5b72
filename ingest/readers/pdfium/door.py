"""The door to pdfium: opening PDFs, and pages as pictures. Knows nothing of what stands on them.

pypdfium2 is Apache-2.0 or BSD-3-Clause, pdfium itself BSD-3-Clause and Apache-2.0.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pypdfium2 import PdfDocument, PdfiumError, PdfPage
from pypdfium2.raw import (
    FLAT_NORMALDISPLAY,
    FLATTEN_SUCCESS,
    FPDF_ANNOT_LINK,
    FPDF_ANNOT_POPUP,
    FPDF_ANNOT_UNKNOWN,
    FPDF_ERR_PASSWORD,
    FPDF_ERR_SECURITY,
    FPDFAnnot_GetSubtype,
    FPDFPage_CloseAnnot,
    FPDFPage_Flatten,
    FPDFPage_GetAnnot,
    FPDFPage_GetAnnotCount,
)

from octavo.ingest.model import Box
from octavo.ingest.reader import UnreadableError, check_is_pdf

if TYPE_CHECKING:
    from PIL.Image import Image

_UNSEEN = {FPDF_ANNOT_LINK, FPDF_ANNOT_POPUP, FPDF_ANNOT_UNKNOWN}  # annotations that show no text on the page
_OBJECT = re.compile(rb"(\d+)\s+(\d+)\s+obj\b")
_OPENING = 2048  # bytes in which an object says what it is


def open_pdf(path: Path) -> PdfDocument:
    """The document at `path`, to be closed. Raises UnreadableError."""
    check_is_pdf(path)
    try:
        document = _open(path)
    except PdfiumError as error:
        if error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise UnreadableError("the PDF is encrypted: remove its password first") from error
        raise UnreadableError("the file is damaged and cannot be opened as a PDF: get a whole copy of it") from error
    if not len(document):
        document.close()
        raise UnreadableError("the PDF has no pages, or is cut off before its first one")
    document.init_forms()  # what is filled in is shown
    return document


def _open(path: Path) -> PdfDocument:
    """pdfium finds the objects of a file that is cut off by itself, but not which of them is its catalogue."""
    try:
        return PdfDocument(path)
    except PdfiumError:
        data = path.read_bytes()
        at = data.rfind(b"/Catalog")
        objects = list(_OBJECT.finditer(data, max(0, at - _OPENING), max(0, at)))
        if not objects:
            raise
        trailer = b"\nendobj\ntrailer\n<< /Root %s %s R >>\nstartxref\n0\n%%%%EOF\n" % objects[-1].groups()
        return PdfDocument(data + trailer)


def open_page(document: PdfDocument, number: int) -> PdfPage:
    """Page `number`, from 1, with its notes and what is filled in as content. Raises UnreadableError."""
    try:
        page = document[number - 1]
        if _is_annotated(page) and FPDFPage_Flatten(page, FLAT_NORMALDISPLAY) == FLATTEN_SUCCESS:  # in memory
            page.close()
            page = document[number - 1]  # else its words are those from before
    except PdfiumError as error:
        raise UnreadableError(f"page {number} is damaged") from error
    return page


def _is_annotated(page: PdfPage) -> bool:
    """Whether a form's field or a note lies on the page."""
    for n in range(FPDFPage_GetAnnotCount(page)):
        annotation = FPDFPage_GetAnnot(page, n)
        kind = FPDFAnnot_GetSubtype(annotation)
        FPDFPage_CloseAnnot(annotation)
        if kind not in _UNSEEN:
            return True
    return False


def picture(page: PdfPage, scale: float, clip: Box | None = None) -> Image:
    """The page as displayed, or `clip` of it (points, within the page), at `scale` pixels a point."""
    width, height = page.get_size()
    left, top, right, bottom = clip or (0, 0, width, height)
    bitmap = page.render(scale=scale, crop=(left, height - bottom, width - right, top), rev_byteorder=True)
    drawn: Image = bitmap.to_pil()
    return drawn

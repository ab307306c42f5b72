"""What pdfium tells of a page for `octavo.ingest.textlayer.hidden`: pictures of it with its text and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage

from octavo.ingest.model import Box
from octavo.ingest.sheet import Hidden, Word
from octavo.ingest.textlayer import hidden
from octavo.ingest.textlayer.hidden import Piece, Pixels


def split_hidden(
    page: PdfPage, words: Sequence[Word], pieces: Sequence[Piece], images: Sequence[Box]
) -> tuple[list[Word], list[Hidden]]:
    """The words of `page` that show, and what is hidden on it; `pieces` are the words' parts by colour."""
    width, height = page.get_size()

    def render(scale: float, in_colour: bool) -> tuple[Pixels, Pixels]:
        shown = pixels(page, scale, in_colour)
        with _without_text(page):
            return shown, pixels(page, scale, in_colour)

    return hidden.split_hidden(words, pieces, lambda: pieces, width, height, images, render)


def pixels(page: PdfPage, scale: float, in_colour: bool = True) -> Pixels:
    """The page as displayed, (height, width, 3) in RGB or (height, width, 1) in grey, at `scale` pixels a point."""
    drawn: Pixels = page.render(scale=scale, grayscale=not in_colour, rev_byteorder=True).to_numpy().copy()
    return np.atleast_3d(drawn)


@contextmanager
def _without_text(page: PdfPage) -> Iterator[None]:
    texts = list(_texts([pdfium.FPDFPage_GetObject(page, n) for n in range(pdfium.FPDFPage_CountObjects(page))]))
    for text in texts:
        pdfium.FPDFPageObj_SetIsActive(text, False)
    try:
        yield
    finally:
        for text in texts:
            pdfium.FPDFPageObj_SetIsActive(text, True)


def _texts(objects: Sequence[Any]) -> Iterator[Any]:
    """The text objects among these, and in the forms among them."""
    for thing in objects:
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            yield thing
        elif kind == pdfium.FPDF_PAGEOBJ_FORM:
            within = range(pdfium.FPDFFormObj_CountObjects(thing))
            yield from _texts([pdfium.FPDFFormObj_GetObject(thing, n) for n in within])

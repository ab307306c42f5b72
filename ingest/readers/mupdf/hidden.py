"""What PyMuPDF tells of a page's text for `textlayer.hidden`: its pieces, and pictures with and without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from octavo.ingest.model import Box
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.sheet import Hidden, Word
from octavo.ingest.text import clean
from octavo.ingest.textlayer import hidden
from octavo.ingest.textlayer.hidden import PAINTED, Piece, Pixels

_CUTS_OUT = 64  # in a span's `char_flags`: what is painted next shows through its glyphs
_ROUGHLY = pymupdf.TEXT_PRESERVE_LIGATURES | pymupdf.TEXT_IGNORE_ACTUALTEXT
_EXACTLY = _ROUGHLY | pymupdf.TEXT_PRESERVE_SPANS | pymupdf.TEXT_ACCURATE_BBOXES
_EVERYWHERE = (-1e6, -1e6, 1e6, 1e6)


def split_hidden(page: pymupdf.Page, words: Sequence[Word], images: Sequence[Box]) -> tuple[list[Word], list[Hidden]]:
    """The words of `page`, which must not be rotated, that show; and what is hidden on it."""
    drawn = page.get_displaylist()
    size = page.rect.width, page.rect.height

    def render(scale: float, in_colour: bool) -> tuple[Pixels, Pixels]:
        colours = pymupdf.csRGB if in_colour else pymupdf.csGRAY
        shown = drawn.get_pixmap(pymupdf.Matrix(scale, scale), colours, alpha=0)
        bare = pymupdf.mupdf.fz_new_pixmap_from_display_list_culling_text2(
            drawn.this,
            pymupdf.mupdf.fz_make_matrix(scale, 0, 0, scale, 0, 0),
            colours.this,
            0,
            [pymupdf.mupdf.ll_fz_make_rect(*_EVERYWHERE)],
        )
        pictures = pixels(shown), pixels(pymupdf.Pixmap(bare, 0))
        height, width = (min(sides) for sides in zip(*(picture.shape[:2] for picture in pictures), strict=True))
        return pictures[0][:height, :width], pictures[1][:height, :width]  # the two round the sides of huge pages apart

    off = list(_in_layers_off(page))
    glanced = [*_pieces(page, _ROUGHLY), *off]
    return hidden.split_hidden(words, glanced, lambda: [*_pieces(page, _EXACTLY), *off], *size, images, render)


def pixels(pixmap: pymupdf.Pixmap) -> Pixels:
    """A picture without transparency as an array (height, width, 3 or 1)."""
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)


def _pieces(page: pymupdf.Page, flags: int) -> Iterator[Piece]:
    """Words, those off the page and those clipped away too; and, where a line changes its style, its parts.

    Taken `_EXACTLY`, with tight boxes at several times the cost, words themselves are cut where the style changes.
    """
    text = page.get_textpage(flags=flags, clip=pymupdf.INFINITE_RECT())
    lines = {
        (block["number"], n): line["spans"]
        for block in text.extractDICT()["blocks"]
        for n, line in enumerate(block.get("lines", ()))
    }
    for n, (line, words) in enumerate(groupby(text.extractWORDS(), key=itemgetter(5, 6))):
        spans = lines.get(line, ())
        if spans:
            yield from filter(None, (_piece(word[:4], word[4], spans[0], n) for word in words))
        if len(spans) > 1:
            yield from filter(None, (_piece(span["bbox"], span["text"], span, n) for span in spans))


def _piece(bbox: Sequence[float], text: str, span: dict[str, Any], line: int) -> Piece | None:
    if not any(map(str.isalnum, text)):  # a hyphen at a line's end is at times not painted
        return None
    painted = span["alpha"] > PAINTED or span["char_flags"] & _CUTS_OUT
    rgb = span["color"]
    colour = (rgb >> 16, rgb >> 8 & 255, rgb & 255) if painted else None
    return Piece((bbox[0], bbox[1], bbox[2], bbox[3]), clean(text), span["size"], colour, line)


def _in_layers_off(page: pymupdf.Page) -> Iterator[Piece]:
    """The pieces that show up when the layers that are off are on."""
    mupdf = pymupdf.mupdf
    document = mupdf.pdf_document_from_fz_document(page.parent.this)
    off = [n for n in range(mupdf.pdf_count_layers(document)) if not mupdf.pdf_layer_is_enabled(document, n)]
    if not off:
        return
    before = set(_pieces(page, _EXACTLY))
    for n in off:
        mupdf.pdf_enable_layer(document, n, 1)
    yield from (replace(piece, shown=False) for piece in _pieces(page, _EXACTLY) if piece not in before)
    for n in off:
        mupdf.pdf_enable_layer(document, n, 0)

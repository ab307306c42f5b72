"""Pages as pictures, with boxes drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from octavo.ingest.model import Box
from octavo.ingest.mupdf import pymupdf, upright

Colour = tuple[float, float, float]
_MOST_PIXELS = 4000
_LOCK = Lock()  # MuPDF is not made for threads, and the chat has several


def page_png(
    path: Path, number: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110, clip: Box | None = None
) -> bytes:
    """Page `number` (from 1) of the PDF at `path` as PNG bytes, each box tinted in its colour (RGB, 0 to 1).

    Boxes in points on the page as displayed; `clip` shows that part of it alone. At most 4,000 pixels on the page's
    longer side, whatever size it claims. Raises IndexError for a page that is not there.
    """
    with _LOCK, pymupdf.open(path, filetype="pdf") as document:
        if not 1 <= number <= document.page_count:
            raise IndexError(f"page {number} of {document.page_count}")
        page = upright(document[number - 1])
        shape = page.new_shape()
        for box, colour in boxes:
            shape.draw_rect((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2))
            shape.finish(color=colour, fill=colour, fill_opacity=0.12, width=1.2)
        shape.commit(overlay=True)
        scale = min(dpi / 72, _MOST_PIXELS / max(page.rect.width, page.rect.height))
        part = page.rect if clip is None else pymupdf.Rect(clip) & page.rect
        shown = page.rect if part.is_empty else part
        picture = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False, clip=shown)
        return bytes(picture.tobytes("png"))

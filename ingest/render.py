"""Pages as pictures, with boxes drawn on them; whatever reads the PDFs, pdfium draws them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock

from octavo.ingest.geometry import area, intersection
from octavo.ingest.model import Box

Colour = tuple[float, float, float]
_MOST_PIXELS = 4000
_TINT = 0.12  # opacity
_LOCK = Lock()  # pdfium is not made for threads, and the chat has several


def page_png(
    path: Path, number: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110, clip: Box | None = None
) -> bytes:
    """Page `number` (from 1) of the PDF at `path` as PNG bytes, each box tinted in its colour (RGB, 0 to 1).

    Boxes in points on the page as displayed; `clip` shows that part of it alone. At most 4,000 pixels on the page's
    longer side, whatever size it claims. Raises IndexError for a page that is not there, and UnreadableError.
    """
    from PIL import Image, ImageDraw

    from octavo.ingest.pdfium import open_page, open_pdf, picture

    with _LOCK, open_pdf(path) as document:
        if not 1 <= number <= len(document):
            raise IndexError(f"page {number} of {len(document)}")
        page = open_page(document, number)
        width, height = page.get_size()
        scale = min(dpi / 72, _MOST_PIXELS / max(width, height))
        part = intersection(clip, (0, 0, width, height)) if clip else (0, 0, width, height)
        shown = part if area(part) else (0, 0, width, height)
        drawn = picture(page, scale, shown).convert("RGB")
    for box, colour in boxes:
        rgb = tuple(round(255 * value) for value in colour)
        x0, y0, x1, y1 = box
        corners = [(x0 - 2 - shown[0]) * scale, (y0 - 2 - shown[1]) * scale]
        corners += [(x1 + 2 - shown[0]) * scale, (y1 + 2 - shown[1]) * scale]
        tint = Image.new("L", drawn.size)
        ImageDraw.Draw(tint).rectangle(corners, fill=round(255 * _TINT))
        drawn.paste(rgb, mask=tint)
        ImageDraw.Draw(drawn).rectangle(corners, outline=rgb, width=max(1, round(1.2 * scale)))
    png = BytesIO()
    drawn.save(png, "PNG")
    return png.getvalue()

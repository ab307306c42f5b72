"""Pages as pictures, with boxes drawn on them; whatever reads the PDFs, pdfium draws them.

In a process of its own, since a page is untrusted here too.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import CancelledError
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock

from pebble import ProcessPool

from octavo.ingest.geometry import area, intersection
from octavo.ingest.model import Box
from octavo.ingest.reader import UnreadableError
from octavo.ingest.workers import reason, restrict, safely

Colour = tuple[float, float, float]
_MOST_PIXELS = 4000
_TINT = 0.12  # opacity
_SECONDS = 30.0  # for one picture; after that the process is ended, and the next picture has another
_BYTES = 3 * 2**30
_first = Lock()  # `cache` lets two first calls, of two threads, both make a pool


def page_png(
    path: Path, number: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110, clip: Box | None = None
) -> bytes:
    """Page `number` (from 1) of the PDF at `path` as PNG bytes, each box tinted in its colour (RGB, 0 to 1).

    Boxes in points on the page as displayed; `clip` shows that part of it alone. At most 4,000 pixels on the page's
    longer side, whatever size it claims. Raises IndexError for a page that is not there, and UnreadableError for one
    that cannot be drawn, or not within limits of time and memory.
    """
    task = _process().schedule(safely, args=(_draw, path, number, tuple(boxes), dpi, clip), timeout=_SECONDS)
    try:
        return bytes(task.result())
    except (IndexError, UnreadableError):
        raise
    except (Exception, CancelledError) as error:
        raise UnreadableError(f"page {number} cannot be drawn: {reason(error, 'drawing')}") from error


def _process() -> ProcessPool:
    with _first:
        if not _pool().active:  # a kill from outside can break the pool itself
            _pool.cache_clear()
        return _pool()


@cache
def _pool() -> ProcessPool:
    context = multiprocessing.get_context("spawn")
    return ProcessPool(max_workers=1, max_tasks=1000, initializer=restrict, initargs=(_BYTES,), context=context)


def _draw(path: Path, number: int, boxes: Sequence[tuple[Box, Colour]], dpi: int, clip: Box | None) -> bytes:
    from PIL import Image, ImageDraw

    from octavo.ingest.readers.pdfium.door import open_page, open_pdf, picture

    with open_pdf(path) as document:
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

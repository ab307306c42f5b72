"""A cited place large enough to read: the part of the page round its box."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from octavo.ingest.model import Box
from octavo.ingest.render import Colour
from octavo.ui import session

_DPI = 150
_MARGIN = 8.0  # points round the box
_LEAST = 260.0  # points across, so that a single cell comes with its neighbours
_TALLEST = 0.9  # of the width, beyond which the lower part is cut off


def close_up(sha256: str, page: int, box: Box, colour: Colour) -> bytes:
    """The page round `box` (points) as PNG bytes. Raises as `Library.page_picture`."""
    with Image.open(BytesIO(session.page_picture(sha256, page, ((box, colour),), _DPI))) as picture:
        scale = _DPI / 72
        cut = window(box, picture.width / scale, picture.height / scale)
        left, top, right, bottom = (round(value * scale) for value in cut)
        part = picture.crop((left, top, right, bottom))
        buffer = BytesIO()
        part.save(buffer, "PNG")
    return buffer.getvalue()


def window(box: Box, width: float, height: float) -> Box:
    """What to show of a page of `width` by `height` for `box`, all in points: within the page, around the box."""
    x0, y0, x1, y1 = box
    across = min(max(x1 - x0 + 2 * _MARGIN, _LEAST), width)
    left = min(max((x0 + x1 - across) / 2, 0.0), width - across)
    top = max(y0 - _MARGIN, 0.0)
    down = min(max(y1 - y0 + 2 * _MARGIN, across / 4), across * _TALLEST)
    return left, top, left + across, min(top + down, height)

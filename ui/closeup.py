"""A cited place large enough to read: the part of the page round its box, and a table's header above its cell."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from octavo.ingest.model import Box, Element
from octavo.ingest.render import Colour
from octavo.ui import session

_DPI = 150
_MARGIN = 8.0  # points round the box
_ACROSS = 260.0  # least width in points, so that a single cell comes with its neighbours
_DOWN = 60.0  # least height
_TALLEST = 0.9  # of the width, beyond which the lower part is cut off
_GAP = 10  # pixels between a header and what stands further below


def close_up(sha256: str, page: int, box: Box, colour: Colour, element: Element | None = None) -> bytes:
    """The page round `box` (points), which is or is in `element`, as PNG bytes. Raises as `Library.page_picture`."""
    with Image.open(BytesIO(session.page_picture(sha256, page, ((box, colour),), _DPI))) as picture:
        scale = _DPI / 72
        cuts = windows(box, element, picture.width / scale, picture.height / scale)
        parts = [picture.crop(_pixels(cut, scale)) for cut in cuts]
    buffer = BytesIO()
    _stacked(parts).save(buffer, "PNG")
    return buffer.getvalue()


def windows(box: Box, element: Element | None, width: float, height: float) -> list[Box]:
    """What to show of a page of `width` by `height` for `box`, from top to bottom, all in points.

    A cell of a table is shown with its whole row, and below the table's header.
    """
    x0, y0, x1, y1 = box
    cell = element is not None and element.table is not None and element.bbox != box
    if cell and element:
        x0, x1 = min(x0, element.bbox[0]), max(x1, element.bbox[2])
    across = min(max(x1 - x0 + 2 * _MARGIN, _ACROSS), width)
    left = min(max((x0 + x1 - across) / 2, 0.0), width - across)
    down = min(max(y1 - y0 + 2 * _MARGIN, _DOWN), across * _TALLEST, height)
    top = max((y0 + y1 - down) / 2, 0.0) if down == _DOWN else max(y0 - _MARGIN, 0.0)
    main = (left, top, left + across, min(top + down, height))
    header = _header(element) if cell and element else None
    if header is None or header[1] >= main[1]:
        return [main]
    if header[1] >= main[1] - _DOWN / 2:  # so near that one picture shows both
        return [(left, header[0], left + across, main[3])]
    return [(left, header[0], left + across, header[1]), main]


def _header(element: Element) -> tuple[float, float] | None:
    """From where to where, in points down the page, the header of a table reaches."""
    table = element.table
    boxes = [box for row in table.cells[: table.header_rows] for box in row if box] if table else []
    if not boxes:
        return None
    return min(box[1] for box in boxes) - 2, max(box[3] for box in boxes) + 1


def _pixels(cut: Box, scale: float) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(value * scale) for value in cut)
    return x0, y0, x1, y1


def _stacked(parts: Sequence[Image.Image]) -> Image.Image:
    """The parts below each other, a grey line between."""
    if len(parts) == 1:
        return parts[0]
    height = sum(part.height for part in parts) + _GAP * (len(parts) - 1)
    whole = Image.new("RGB", (parts[0].width, height), "white")
    top = 0
    for n, part in enumerate(parts):
        if n:
            whole.paste((200, 200, 200), (0, top + _GAP // 2, whole.width, top + _GAP // 2 + 1))
            top += _GAP
        whole.paste(part, (0, top))
        top += part.height
    return whole

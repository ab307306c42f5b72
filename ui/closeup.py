"""A cited place large enough to read: the part of the page round its box, and a table's header above its cell."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from octavo.ingest.model import Box, Element, Table
from octavo.ingest.render import Colour
from octavo.ui import session

_DPI = 150
_MARGIN = 8.0  # points round the box
_ACROSS = 260.0  # least width in points, so that a single cell comes with its neighbours
_DOWN = 60.0  # least height
_TALLEST = 0.9  # of the width, beyond which the lower part is cut off
_GAP = 10  # pixels between a header and what stands further below

Strip = tuple[float, float]  # from where to where down the page, in points


def close_up(sha256: str, page: int, box: Box, colour: Colour, element: Element | None = None) -> bytes:
    """The page round `box` (points), which is or is in `element`, as PNG bytes. Raises as `Library.page_picture`."""
    with Image.open(BytesIO(session.page_picture(sha256, page, ((box, colour),), _DPI))) as picture:
        usual = picture.width * 72 / _DPI  # large pages are drawn smaller
        width = next((p.width for p in session.parsed(sha256).pages if p.number == page), usual)
        scale = picture.width / width
        cuts = windows(box, element, picture.width / scale, picture.height / scale)
        parts = [picture.crop(_pixels(cut, scale)) for cut in cuts]
    buffer = BytesIO()
    _stacked(parts).save(buffer, "PNG")
    return buffer.getvalue()


def windows(box: Box, element: Element | None, width: float, height: float) -> list[Box]:
    """What to show of a page of `width` by `height` for `box`, from top to bottom, all in points.

    A cell of a table is shown in its row, between the rows next to it, and below the table's header.
    """
    x0, y0, x1, y1 = box
    rows = _rows(element.table) if element and element.table and element.bbox != box else []
    if rows and element:
        x0, x1 = min(x0, element.bbox[0]), max(x1, element.bbox[2])
    across = min(max(x1 - x0 + 2 * _MARGIN, _ACROSS), width)
    left = min(max((x0 + x1 - across) / 2, 0.0), width - across)
    strips = _strips(rows, (y0 + y1) / 2) if rows else [_strip(y0, y1, across)]
    return [(left, max(top, 0.0), left + across, min(bottom, height)) for top, bottom in strips]


def _strip(y0: float, y1: float, across: float) -> Strip:
    """A box with some of what stands above and below it."""
    down = min(max(y1 - y0 + 2 * _MARGIN, _DOWN), across * _TALLEST)
    top = (y0 + y1 - down) / 2 if down >= y1 - y0 else y0 - _MARGIN
    return top, top + down


def _strips(rows: Sequence[tuple[Strip, bool]], middle: float) -> list[Strip]:
    """A table's header, and three rows of which the second is at `middle`; in one where they touch."""
    header = [strip for strip, is_header in rows if is_header]
    body = [strip for strip, is_header in rows if not is_header] or header
    here = min(range(len(body)), key=lambda n: abs(sum(body[n]) / 2 - middle))
    near = body[max(here - 1, 0) : here + 2]
    main = near[0][0] - 1, near[-1][1] + 2
    if not header or header[0][0] >= main[0]:
        return [main]
    head = header[0][0] - 2, header[-1][1] + 1
    return [(head[0], main[1])] if here <= 2 else [head, main]  # one row between is no gap worth a line


def _rows(table: Table) -> list[tuple[Strip, bool]]:
    """From where to where each row of a table reaches down the page, and whether it belongs to the header."""
    boxes = [[box for box in row if box] for row in table.cells]
    return [
        ((min(box[1] for box in row), max(box[3] for box in row)), number < table.header_rows)
        for number, row in enumerate(boxes)
        if row
    ]


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

"""The order in which boxes on a page are read: a recursive XY-cut. Knows nothing of what stands in them."""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.model import Box

_GUTTER = 4.0  # points; columns have at least that much white between them
_OVERLAP = 2.0  # points by which boxes of neighbouring paragraphs may overlap


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """The indices of `boxes` as a reader goes through them: columns from the left, each from top to bottom.

    The page is cut into columns where white runs through from top to bottom, else into bands where it runs across;
    bands that share their columns are one (Nagy and Seth 1984, "Hierarchical representation of optically scanned
    documents"; bands are joined so that paragraphs which end at the same height in two columns keep them apart).
    """
    return _cut(list(range(len(boxes))), boxes)


def _cut(members: list[int], boxes: Sequence[Box]) -> list[int]:
    if len(members) < 2:
        return members
    parts = _parts(members, boxes, 0)
    if len(parts) == 1:
        parts = _joined(_parts(members, boxes, 1), boxes)
    if len(parts) == 1:
        return sorted(members, key=lambda n: (boxes[n][1], boxes[n][0]))
    return [n for part in parts for n in _cut(part, boxes)]


def _parts(members: Sequence[int], boxes: Sequence[Box], axis: int) -> list[list[int]]:
    """The members between the gaps along `axis` (0: columns, 1: bands)."""
    least = _GUTTER if axis == 0 else -_OVERLAP
    parts: list[list[int]] = []
    end = 0.0
    for n in sorted(members, key=lambda n: boxes[n][axis]):
        low, high = boxes[n][axis], boxes[n][axis + 2]
        if parts and low - end < least:
            parts[-1].append(n)
            end = max(end, high)
        else:
            parts.append([n])
            end = high
    return parts


def _joined(bands: Sequence[list[int]], boxes: Sequence[Box]) -> list[list[int]]:
    """Runs of bands through which the white between columns goes on, as one; other bands as they are.

    A run opens with a band of several columns, and ends with one unless it ends the page, where columns part.
    """
    found: list[list[int]] = []
    start = 0
    while start < len(bands):
        run = end = start + 1
        whole = list(bands[start])
        if _columns(whole, boxes) > 1:
            while run < len(bands) and _columns([*whole, *bands[run]], boxes) > 1:
                whole += bands[run]
                run += 1
                if run == len(bands) or _columns(bands[run - 1], boxes) > 1:
                    end = run
        found.append([n for band in bands[start:end] for n in band])
        start = end
    return found


def _columns(members: Sequence[int], boxes: Sequence[Box]) -> int:
    return len(_parts(members, boxes, 0))

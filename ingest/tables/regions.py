"""Where a sheet may have tables: the layout model's regions, parted and completed by frames of rules.

Knows nothing of what stands in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from octavo.ingest.geometry import area, covered, union
from octavo.ingest.model import Box, ElementType
from octavo.ingest.sheet import Region, Sheet
from octavo.ingest.tables.lines import inside

_TOUCH = 2.0  # points
_MOST_RULES = 3000  # more of them draw a picture


def table_regions(sheet: Sheet) -> list[Region]:
    """The sheet's table regions, each parted where several frames of rules hold its words, and frames of no region.

    A frame in a picture is a chart's grid.
    """
    frames = _frames(sheet.rules)
    pictures = [region.bbox for region in sheet.regions if region.type is ElementType.FIGURE]
    found = []
    for region in sheet.regions:
        if region.type is ElementType.TABLE:
            found += _parted(region, frames, sheet)
    for frame in frames:
        taken = [*pictures, *(r.bbox for r in found)]
        if not any(covered(frame, box) > 0.2 or covered(box, frame) > 0.2 for box in taken):
            found.append(Region(ElementType.TABLE, frame))
    return found


def _parted(region: Region, frames: Sequence[Box], sheet: Sheet) -> list[Region]:
    own = [frame for frame in frames if covered(frame, region.bbox) > 0.8]
    words = inside(sheet.words, region.bbox)
    framed = [word for frame in own for word in inside(words, frame)]
    if len(own) > 1 and len(framed) > 0.9 * len(words):
        return [replace(region, bbox=frame, grids=()) for frame in own]
    around = [frame for frame in frames if covered(region.bbox, frame) > 0.7 and area(frame) < 1.5 * area(region.bbox)]
    return [replace(region, bbox=union([region.bbox, *around]))]


def _frames(rules: Sequence[Box]) -> list[Box]:
    """Boxes round rules that touch each other, at least two across and two down among them."""
    if not 4 <= len(rules) <= _MOST_RULES:
        return []
    boxes = np.array(rules)
    low, high = boxes[:, :2] - _TOUCH / 2, boxes[:, 2:] + _TOUCH / 2
    touch = np.all((low[:, None] <= high[None]) & (low[None] <= high[:, None]), axis=2)
    label = np.arange(len(rules))
    while True:
        least = np.where(touch, label[None], len(rules)).min(axis=1)
        if (least == label).all():
            break
        label = least
    return [union(group) for group in _groups(rules, label) if _frames_cells(group)]


def _groups(rules: Sequence[Box], label: Iterable[int]) -> Iterable[list[Box]]:
    groups: dict[int, list[Box]] = {}
    for rule, n in zip(rules, label, strict=True):
        groups.setdefault(int(n), []).append(rule)
    return groups.values()


def _frames_cells(group: Sequence[Box]) -> bool:
    across = {round((y0 + y1) / 2 / 3) for x0, y0, x1, y1 in group if x1 - x0 >= y1 - y0}
    down = {round((x0 + x1) / 2 / 3) for x0, y0, x1, y1 in group if x1 - x0 < y1 - y0}
    return len(across) >= 3 and len(down) >= 3

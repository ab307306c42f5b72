"""Where a sheet may have tables: the layout model's regions, parted and completed by frames of rules.

Knows nothing of what stands in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from octavo.ingest.geometry import area, contains, covered, middle, union
from octavo.ingest.model import Box, ElementType
from octavo.ingest.runs import Line, inside, level, rows_of_words, runs, strips, type_size, word_space
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.text import opens_caption

_TOUCH = 2.0  # points
_MISTAKEN = {ElementType.TEXT, ElementType.FIGURE, ElementType.LIST, ElementType.CAPTION, ElementType.FOOTNOTE}
_MOST_RULES = 3000  # more of them draw a picture


def table_regions(sheet: Sheet) -> list[Region]:
    """The sheet's table regions, each parted where several tables seem to stand in it, and others that may be one.

    These, frames of rules and text in columns that the layout model took for something else, are not of type TABLE.
    """
    frames = _frames(sheet.rules)
    found = []
    for region in sheet.regions:
        if region.type is ElementType.TABLE:
            found += _parted(region, frames, sheet)
    for frame in frames:
        if not any(covered(frame, r.bbox) > 0.2 or covered(r.bbox, frame) > 0.2 for r in found):
            found.append(Region(ElementType.FIGURE, frame))
    for region in sheet.regions:
        if region.type in _MISTAKEN and not any(covered(region.bbox, r.bbox) > 0.2 for r in found):
            text = rows_of_words(inside(sheet.words, region.bbox))
            if len(text) > 1 and _columned(text):
                found.append(region)
    return found


def _parted(region: Region, frames: Sequence[Box], sheet: Sheet) -> list[Region]:
    """The region in parts: its frames when they hold its words, else what captions and bare strips part."""
    own = [frame for frame in frames if covered(frame, region.bbox) > 0.5]
    words = inside(sheet.words, region.bbox)
    framed = [word for frame in own for word in inside(words, frame)]
    if len(own) > 1 and len(framed) > 0.9 * len(words):
        return [replace(region, bbox=frame, grids=()) for frame in own]
    bands = _bands(region.bbox, words, sheet.fills)
    if len(bands) > 1:
        return [replace(region, bbox=band, grids=()) for band in bands]
    around = [frame for frame in frames if covered(region.bbox, frame) > 0.7 and area(frame) < 1.5 * area(region.bbox)]
    whole = union([region.bbox, *around])
    boxes = [part for side in _beside(whole, words) for part in _under_captions(side, inside(words, side))]
    return [replace(region, bbox=box, grids=region.grids if len(boxes) == 1 else ()) for box in boxes]


def _bands(box: Box, words: Sequence[Word], fills: Sequence[Box]) -> list[Box]:
    """The box cut where half a type size of white parts the fills in which all its words stand; none for others.

    Each part has rows of fills: single ones apart from each other are the rows of one table.
    """
    own = sorted((fill for fill in fills if covered(fill, box) > 0.5), key=lambda fill: fill[1])
    bands: list[list[Box]] = []
    white, bottom = 0.5 * type_size(words), float("-inf")
    for fill in own:
        if fill[1] - bottom < white:
            bands[-1].append(fill)
        else:
            bands.append([fill])
        bottom = max(bottom, fill[3])
    parts = [union(band) for band in bands]
    whole = all(any(contains(part, middle(word.bbox)) for part in parts) for word in words)
    return parts if whole and all(len({round(fill[1]) for fill in band}) > 1 for band in bands) else []


def _beside(box: Box, words: Sequence[Word]) -> list[Box]:
    """The box cut in two where a bare strip parts lines that do not stand on the same heights."""
    for x in strips(words):
        left, right = rows_of_words(w for w in words if w.bbox[2] < x), rows_of_words(w for w in words if w.bbox[0] > x)
        if (
            min(len(left), len(right)) > 2
            and all(map(_columned, (left, right)))
            and level(*sorted((left, right), key=len)) < 0.5
        ):
            return [(box[0], box[1], x, box[3]), (x, box[1], box[2], box[3])]
    return [box]


def _columned(text: Sequence[Line]) -> bool:
    """Whether most lines, two at least, stand in several columns."""
    gap = 3 * word_space(text)
    return sum(len(runs(line, gap)) > 1 for line in text) > max(1.0, 0.5 * len(text))


def _under_captions(box: Box, words: Sequence[Word]) -> list[Box]:
    """The box cut above each caption with lines of a table over it."""
    text = rows_of_words(words)
    cuts = [
        (above.bottom + line.top) / 2
        for above, line in pairwise(text[1:])
        if opens_caption(" ".join(word.text for word in line.words))
    ]
    return [(box[0], top, box[2], bottom) for top, bottom in pairwise([box[1], *cuts, box[3]])]


def _frames(rules: Sequence[Box]) -> list[Box]:
    """Boxes round rules that touch each other, at least two across and two down among them."""
    if not 4 <= len(rules) <= _MOST_RULES:
        return []
    boxes = np.array(rules)
    low, high = boxes[:, :2] - _TOUCH / 2, boxes[:, 2:] + _TOUCH / 2
    touch = np.all((low[:, None] <= high[None]) & (low[None] <= high[:, None]), axis=2)
    groups, left = [], np.ones(len(rules), dtype=bool)
    while left.any():
        group = reach = np.arange(len(rules)) == left.argmax()
        while reach.any():
            left &= ~reach
            reach = touch[reach].any(axis=0) & left
            group = group | reach
        groups.append([rules[n] for n in np.flatnonzero(group).tolist()])
    return [union(group) for group in groups if _frames_cells(group)]


def _frames_cells(group: Sequence[Box]) -> bool:
    across = {round((y0 + y1) / 2 / 3) for x0, y0, x1, y1 in group if x1 - x0 >= y1 - y0}
    down = {round((x0 + x1) / 2 / 3) for x0, y0, x1, y1 in group if x1 - x0 < y1 - y0}
    return len(across) >= 3 and len(down) >= 3

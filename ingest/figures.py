"""Figures: pictures and vector drawings, each as one box.

The layout model names most pictures; charts drawn as vectors it often misses. This finds those, and leaves out what
only decorates: rules, frames round text, backgrounds. Knows no PDF library.
"""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.geometry import area, covered, union
from octavo.ingest.model import Box, ElementType
from octavo.ingest.sheet import Drawing, Sheet

_LEAST_SIDE = 50.0  # points; smaller drawings are icons, bullets and signatures
_LEAST_STROKES = 8  # a frame or a rule has fewer
_MOST_PAGE = 0.8  # a drawing over more of the page is its background
_MOST_PROSE = 0.35  # running text over more of a drawing makes it a frame round text
_NEAR = 12.0  # points between the paths of one drawing
_PROSE = {ElementType.TEXT, ElementType.HEADING, ElementType.LIST, ElementType.CAPTION}


def find_figures(sheet: Sheet, tables: Sequence[Box]) -> list[Box]:
    """All figures of a page: those named by its layout, grown and completed by images and drawings.

    `tables` are boxes a figure may not be made of, as are paragraphs, headings, lists and captions.
    """
    named = [_grown(region.bbox, sheet) for region in sheet.regions if region.type is ElementType.FIGURE]
    prose = [region.bbox for region in sheet.regions if region.type in _PROSE]
    figures = list(named)
    for box in [*sheet.images, *_drawn(sheet)]:
        if min(box[2] - box[0], box[3] - box[1]) < _LEAST_SIDE or area(box) > _MOST_PAGE * sheet.width * sheet.height:
            continue
        if any(covered(box, table) > 0.3 or covered(table, box) > 0.6 for table in tables):
            continue
        if sum(area(text) * covered(text, box) for text in prose) > _MOST_PROSE * area(box):
            continue
        if any(covered(box, figure) > 0.9 for figure in named):
            continue
        figures.append(box)
    return _merge(figures, prose)


def _grown(figure: Box, sheet: Sheet) -> Box:
    """A named figure with the words, paths and images that reach over its edge and are in no other region."""
    others = [region.bbox for region in sheet.regions if region.bbox != figure]
    parts = [*(word.bbox for word in sheet.words), *(path.bbox for path in sheet.drawings), *sheet.images]
    for part in parts:
        if _touch(part, figure) and not any(_touch(part, other) for other in others):
            figure = union([figure, part])
    return figure


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _drawn(sheet: Sheet) -> list[Box]:
    paths = [d for d in sheet.drawings if d.bbox[2] - d.bbox[0] < 0.95 * sheet.width or d.strokes > 8]
    if sum(path.strokes for path in paths) < _LEAST_STROKES:
        return []
    return [
        union(path.bbox for path in cluster)
        for cluster in _clusters(paths)
        if sum(path.strokes for path in cluster) >= _LEAST_STROKES and _draws(cluster)
    ]


def _clusters(paths: Sequence[Drawing]) -> list[list[Drawing]]:
    """Paths that lie within reach of each other."""
    clusters: list[tuple[Box, list[Drawing]]] = []
    for path in paths:
        x0, y0, x1, y1 = path.bbox
        box, members = (x0 - _NEAR / 2, y0 - _NEAR / 2, x1 + _NEAR / 2, y1 + _NEAR / 2), [path]
        apart = []
        for other, theirs in clusters:
            if _touch(box, other):
                box, members = union([box, other]), [*theirs, *members]
            else:
                apart.append((other, theirs))
        clusters = [*apart, (box, members)]
    return [members for _, members in clusters]


def _draws(paths: Sequence[Drawing]) -> bool:
    """Whether the paths make a drawing: a curve, a slanted line, or filled boxes of several sizes, as bars have."""
    bars = {
        (round(x1 - x0), round(y1 - y0))
        for x0, y0, x1, y1 in (path.bbox for path in paths if path.filled)
        if min(x1 - x0, y1 - y0) > 3
    }
    return any(path.pictorial for path in paths) or len(bars) >= 3


def _merge(boxes: Sequence[Box], prose: Sequence[Box]) -> list[Box]:
    """Boxes that overlap become one, unless a paragraph would come to lie between them."""
    merged: list[Box] = []
    for box in sorted(boxes, key=area, reverse=True):
        for i, other in enumerate(merged):
            whole = union([box, other])
            inner = sum(area(text) for text in prose if covered(text, whole) > 0.5)
            if max(covered(box, other), covered(other, box)) > 0.2 and inner < _MOST_PROSE * area(whole):
                merged[i] = whole
                break
        else:
            merged.append(box)
    return merged

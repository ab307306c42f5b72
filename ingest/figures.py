"""Figures: pictures and vector drawings, each as one box.

The layout model names most pictures; charts drawn as vectors it often misses. This finds those, and leaves out what
only decorates: rules, frames round text, backgrounds.
"""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.geometry import area, covered, union
from octavo.ingest.model import Box
from octavo.ingest.mupdf import pymupdf

_LEAST_SIDE = 50.0  # points; smaller drawings are icons, bullets and signatures
_LEAST_STROKES = 8  # a frame or a rule has fewer
_MOST_PAGE = 0.8  # a drawing over more of the page is its background
_MOST_PROSE = 0.35  # running text over more of a drawing makes it a frame round text
_PICTURE_DPI = 150
_MOST_PIXELS = 2000  # on the longer side


def find_figures(page: pymupdf.Page, named: Sequence[Box], tables: Sequence[Box], prose: Sequence[Box]) -> list[Box]:
    """All figures of a page: those `named` by the layout model, grown and completed by images and drawings.

    `tables` and `prose` (paragraphs, headings, lists, captions) are boxes a figure may not be made of. Boxes in points.
    """
    page_box: Box = tuple(page.rect)
    candidates = [*_images(page), *_drawings(page)]
    figures = list(named)
    for box in candidates:
        if min(box[2] - box[0], box[3] - box[1]) < _LEAST_SIDE or area(box) > _MOST_PAGE * area(page_box):
            continue
        if any(covered(box, table) > 0.3 or covered(table, box) > 0.6 for table in tables):
            continue
        if sum(area(text) * covered(text, box) for text in prose) > _MOST_PROSE * area(box):
            continue
        if any(covered(box, figure) > 0.9 for figure in named):
            continue
        figures.append(box)
    return _merge(figures, prose)


def _images(page: pymupdf.Page) -> list[Box]:
    boxes: list[Box] = [tuple(pymupdf.Rect(info["bbox"]) & page.rect) for info in page.get_image_info()]
    return [box for box in boxes if area(box)]


def _drawings(page: pymupdf.Page) -> list[Box]:
    paths = [p for p in page.get_drawings() if p["rect"].width < 0.95 * page.rect.width or len(p["items"]) > 8]
    if len(paths) < _LEAST_STROKES and sum(len(p["items"]) for p in paths) < _LEAST_STROKES:
        return []
    clusters = page.cluster_drawings(drawings=paths, x_tolerance=12, y_tolerance=12)
    found = []
    for cluster in clusters:
        strokes = [p for p in paths if p["rect"].intersects(cluster) or p["rect"] in cluster]
        if sum(len(p["items"]) for p in strokes) >= _LEAST_STROKES and _draws(strokes):
            found.append(tuple(cluster & page.rect))
    return found


def _draws(paths: Sequence[dict]) -> bool:  # type: ignore[type-arg]
    """Whether the paths make a drawing: a curve, a slanted line, or filled boxes of several heights, as bars have."""
    bars = set()
    for path in paths:
        for item in path["items"]:
            if item[0] == "c":
                return True
            if item[0] == "l" and abs(item[1].x - item[2].x) > 1 and abs(item[1].y - item[2].y) > 1:
                return True
            if item[0] == "re" and path["fill"] and min(item[1].width, item[1].height) > 3:
                bars.add((round(item[1].width), round(item[1].height)))
    return len(bars) >= 3


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


def render(page: pymupdf.Page, box: Box, dpi: int = _PICTURE_DPI) -> bytes:
    """The box as PNG bytes at `dpi`, at most 2,000 pixels on the longer side."""
    longest = max(box[2] - box[0], box[3] - box[1]) / 72
    pixmap = page.get_pixmap(clip=pymupdf.Rect(box), dpi=int(min(dpi, _MOST_PIXELS / longest)), alpha=False)
    return bytes(pixmap.tobytes("png"))

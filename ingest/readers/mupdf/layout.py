"""The regions of a page by PyMuPDF's layout models, the light one where it serves.

The full model looks at the picture of the page too, which is most of what reading costs. The light one reads words and
strokes alone: on pages of plain paragraphs both see the same, for half the time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

from octavo.ingest.geometry import covered
from octavo.ingest.lines import lines
from octavo.ingest.model import Box, ElementType
from octavo.ingest.readers.mupdf.door import own_sessions, pymupdf
from octavo.ingest.sheet import Grid, Region, Sheet, Word

_TYPES = {
    "title": ElementType.HEADING,
    "section-header": ElementType.HEADING,
    "list-item": ElementType.LIST,
    "table": ElementType.TABLE,
    "picture": ElementType.FIGURE,
    "caption": ElementType.CAPTION,
    "footnote": ElementType.FOOTNOTE,
    "page-header": ElementType.HEADER,
    "page-footer": ElementType.FOOTER,
}
SHOWN = {"table", "picture"}
_LEAST_SIDE = 2.0  # points; a flatter region is a stroke
_GAP = 1.2  # of a word's height: a wider gap parts the cells of a row rather than words
_MOST_PARTED = 4  # lines so parted on a page of plain paragraphs: its running header and footer, a numbered heading
_MOST_STROKES = 8  # beyond rules
_LEAST_IMAGE = 30.0  # points; smaller images are bullets and marks


def find_regions(page: pymupdf.Page, drawn: Sheet) -> Iterator[Region]:
    """What the layout models take the boxes of a page for; `drawn` is what it draws, without regions yet."""
    groups = light_regions(page) if is_plain(drawn) else None
    if groups is None or any(group["class_name"] in SHOWN for group in groups):
        groups = full_regions(page)
    for group in groups:
        x0, y0, x1, y1 = map(float, group["group_bbox"])
        bbox = x0, y0, x1, y1
        if min(_size(bbox)) > _LEAST_SIDE and not _is_nested(group, groups):
            kind = _TYPES.get(group["class_name"], ElementType.TEXT)
            grid = group.get("table_grid") if kind is ElementType.TABLE else None
            yield Region(kind, bbox, (("layout", _grid(bbox, grid)),) if grid else ())


def light_regions(page: pymupdf.Page) -> list[dict[str, Any]]:
    """PyMuPDF's raw regions, by words and strokes alone."""
    found: list[dict[str, Any]] = _light_model().predict(page, return_raw=True, do_sort=False)
    return found


def full_regions(page: pymupdf.Page) -> list[dict[str, Any]]:
    """PyMuPDF's raw regions, by the picture of the page too."""
    pymupdf.use_layout(True)
    page.get_layout(return_raw=True, do_sort=False)
    return page.layout_information or []


@cache
def _light_model() -> Any:
    with own_sessions():
        from pymupdf.layout.DocumentLayoutAnalyzer import get_model

        return get_model(feature_set_name="rf")


def is_plain(drawn: Sheet) -> bool:
    """Whether a page shows nothing but paragraphs, as far as words, strokes and images tell."""
    strokes = sum(d.strokes for d in drawn.drawings if d.pictorial or min(_size(d.bbox)) > 3)
    if not drawn.words or strokes > _MOST_STROKES or any(min(_size(box)) > _LEAST_IMAGE for box in drawn.images):
        return False
    return sum(any(map(_apart, line, line[1:])) for line in lines(drawn.words)) <= _MOST_PARTED


def _size(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _apart(left: Word, right: Word) -> bool:
    return right.bbox[0] - left.bbox[2] > _GAP * (left.bbox[3] - left.bbox[1])


def _is_nested(group: dict[str, Any], groups: list[dict[str, Any]]) -> bool:
    """Whether a region lies in another whole; a table may lie in a picture."""
    kind, bbox = group["class_name"], group["group_bbox"]
    return any(
        other is not group and bbox != other["group_bbox"] and covered(bbox, other["group_bbox"]) > 0.999
        for other in groups
        if (kind, other["class_name"]) != ("table", "picture")
    )


def _grid(bbox: Box, grid: Any) -> Grid:
    """The cells between the lines that the table model predicts, which it counts from the box's corner."""
    x0, y0, x1, y1 = bbox
    xs = [x0, *(x0 + float(x) for x in grid.v_lines), x1]
    ys = [y0, *(y0 + float(y) for y in grid.h_lines), y1]
    return tuple(
        tuple((left, top, right, bottom) for left, right in itertools.pairwise(xs))
        for top, bottom in itertools.pairwise(ys)
    )

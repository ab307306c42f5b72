"""Figures: images, vector drawings and composites of both, each as one box.

A page's images and paths are its parts. Those that only decorate go first: backgrounds, panels behind text, the shading
of tables, rules across the page. Parts that touch or nearly touch are one; what then draws something is a figure, and
takes in its labels and its legend. Knows no PDF library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from octavo.ingest.figures.parts import (
    LEAST_SIDE,
    SEAM,
    Part,
    framed,
    gap,
    holds,
    is_picture,
    joined,
    reach_of,
    side,
    together,
)
from octavo.ingest.geometry import area, covered, intersection, union
from octavo.ingest.lines import drawn_lines
from octavo.ingest.model import AROUND, Box, ElementType
from octavo.ingest.sheet import Sheet

_MOST_PAGE = 0.8  # of the page: more is its background
_FEW = 4  # words: a page number, a photographer's name
_ACROSS = 0.75  # of the page's width or height: a longer bar, no thicker than _BAR, separates or frames what is on it
_BAR = 12.0
_EDGE = 0.1  # of the page's height, in which headers and footers run
_MANY = 2  # boxes like one that holds text
_MOST_BOXES = 100
_FAR = 24.0  # between boxes and arrows of which none is a drawing alone
_BESIDE = 8.0  # between a drawing and its labels, its legend, its title
_LABEL = 8  # words; a longer line beside a drawing is text
_PROSE = 25, 5  # words, and words a line, that running text has at least
_RUNNING = {ElementType.TEXT, ElementType.LIST, ElementType.FOOTNOTE}
_NO_LABEL = {*ElementType} - {ElementType.TEXT, ElementType.LIST, ElementType.FIGURE}

_Line = tuple[Box, int]
"""A drawn line of text: its box, and how many words it has."""


def find_figures(sheet: Sheet, tables: Sequence[Box]) -> list[Box]:
    """The boxes of a page's figures, from the top; `tables` are boxes that no figure is made of."""
    tables = [table for table in tables if not _is_drawn(table, sheet) and not _is_in_one_of_many(table, tables, sheet)]
    lines = [(union(word.bbox for word in line), len(line)) for line in drawn_lines(sheet.words)]
    prose = [r.bbox for r in sheet.regions if r.type in _RUNNING and _is_prose(r.bbox, lines)]
    parts = joined(framed([*_images(sheet, tables, prose), *_paths(sheet, [*tables, *prose])]), reach_of)
    loose = [part for part in parts if not part.draws]
    spread = joined((p for p in loose if side(p.bbox) >= _BESIDE), lambda a, b: _FAR)
    figures = [p for p in (*(part for part in parts if part.draws), *spread) if p.draws and not _tabular(p, tables)]
    figures = [part for part in _seen(figures, sheet, tables) if not _frames_text(part, sheet, prose)]

    words = [box for box, count in lines if count <= _LABEL and not _claimed(box, sheet, [*tables, *prose])]
    figures = [_labelled(figure, words) for figure in figures]
    legends = [p for p in loose if any(gap(p.bbox, figure.bbox) < _BESIDE for figure in figures)]
    figures = joined([*figures, *legends], lambda a, b: 0.0 if a.draws and b.draws else _BESIDE)
    return sorted((_labelled(figure, words).bbox for figure in figures), key=lambda box: (box[1], box[0]))


def _images(sheet: Sheet, tables: Sequence[Box], prose: Sequence[Box]) -> Iterator[Part]:
    """The page's images, tiles put together, as far as no text runs over them; one over a page of hardly a word too."""
    over = [*tables, *prose, *(r.bbox for r in sheet.regions if r.type is ElementType.HEADING)]
    most = (_MOST_PAGE if len(sheet.words) > _FEW else 2.0) * sheet.width * sheet.height
    for part in joined((Part(box) for box in sheet.images), lambda a, b: SEAM):
        if area(part.bbox) < most and not _within(part.bbox, tables):
            box = _bare(part.bbox, over)
            if box is not None:
                yield Part(box, images=(box,))


def _bare(image: Box, texts: Iterable[Box]) -> Box | None:
    """An image but for text over its upper or lower end; None when it is no more than the background of that text."""
    x0, top, x1, bottom = image
    bands, at = [], top
    for text in sorted((text for text in texts if covered(text, image) > 0.1), key=lambda text: text[1]):
        bands.append((at, text[1]))
        at = max(at, text[3])
    bands.append((at, bottom))
    *others, (start, end) = sorted(bands, key=lambda band: band[1] - band[0])
    least, most = (bottom - top) / 2, (bottom - top) / 4
    return (x0, start, x1, end) if end - start > least and all(e - s < most for s, e in others) else None


def _paths(sheet: Sheet, texts: Sequence[Box]) -> Iterator[Part]:
    """The page's paths but for backgrounds, bars across it, what lies in or around one of `texts`, beside a header
    or footer."""
    edges = _EDGE * sheet.height, (1 - _EDGE) * sheet.height
    around = [r.bbox for r in sheet.regions if r.type in AROUND]
    running = [(y0, y1) for _, y0, _, y1 in around if y1 < edges[0] or y0 > edges[1]]
    for path in sheet.drawings:
        box = intersection(path.bbox, (0.0, 0.0, sheet.width, sheet.height))
        width, height = box[2] - box[0], box[3] - box[1]
        across, down = width > _ACROSS * sheet.width, height > _ACROSS * sheet.height
        long = (across and height < _BAR) or (down and width < _BAR)
        bar = long and sum(gap(box, d.bbox) < 1 for d in sheet.drawings) < 3
        background = width * height > _MOST_PAGE * sheet.width * sheet.height
        level = any(y0 - _BESIDE < box[1] and box[3] < y1 + _BESIDE for y0, y1 in running)
        if min(width, height) < 0 or bar or level or background:
            continue
        if not _within(box, texts) and not any(covered(text, box) > 0.9 for text in texts):
            yield Part(box, paths=(replace(path, bbox=box),))


def _is_drawn(table: Box, sheet: Sheet) -> bool:
    """Whether what was taken for a table's rules is part of a drawing: filled boxes stand across its border.

    Where the layout model sees a table, it is one.
    """
    if any(r.type is ElementType.TABLE and covered(table, r.bbox) > 0.5 for r in sheet.regions):
        return False
    shares = [covered(path.bbox, table) for path in sheet.drawings if path.filled and side(path.bbox) > _BAR]
    return sum(0.1 < share < 0.9 for share in shares) > 1


def _is_in_one_of_many(table: Box, tables: Sequence[Box], sheet: Sheet) -> bool:
    """Whether what was taken for a table is the text in one of a drawing's boxes: others of its size hold no table."""
    boxes = [path.bbox for path in sheet.drawings if path.filled and side(path.bbox) > LEAST_SIDE]
    empty = [box for box in boxes if not any(covered(other, box) > 0.9 for other in tables)]
    return any(covered(table, box) > 0.9 and sum(_same_size(box, other) for other in empty) >= _MANY for box in boxes)


def _same_size(a: Box, b: Box) -> bool:
    return abs(a[2] - a[0] - b[2] + b[0]) < 1 and abs(a[3] - a[1] - b[3] + b[1]) < 1


def _tabular(part: Part, tables: Sequence[Box]) -> bool:
    return sum(area(intersection(table, part.bbox)) for table in tables) > area(part.bbox) / 2


def _seen(figures: list[Part], sheet: Sheet, tables: Sequence[Box]) -> list[Part]:
    """The figures, together what the layout model sees as one picture, and the pictures that it alone sees."""
    for region in (r.bbox for r in sheet.regions if r.type is ElementType.FIGURE):
        same = [f for f in figures if max(covered(f.bbox, region), covered(region, f.bbox)) > 0.5]
        new = not same and side(region) >= LEAST_SIDE and _shows(region, sheet)
        if (same or new) and not any(f.framed for f in same) and not _tabular(Part(region), tables):
            figures = [*(f for f in figures if f not in same), together([Part(region), *same])]
    return figures


def _shows(region: Box, sheet: Sheet) -> bool:
    """Whether a region shows more than words on bands of colour: an image, a curve, boxes apart from each other.

    Nothing drawn is known of a scan, and what holds no word is not the text of a table.
    """
    if sheet.recognised or not any(_within(word.bbox, [region]) for word in sheet.words):
        return True
    if any(_within(box, [region]) for box in (*sheet.images, *(d.bbox for d in sheet.drawings if d.pictorial))):
        return True
    boxes = [d.bbox for d in sheet.drawings if side(d.bbox) > _BAR and _within(d.bbox, [region])][:_MOST_BOXES]
    return sum(all(box is other or gap(box, other) > SEAM for other in boxes) for box in boxes) > _MANY


def _frames_text(part: Part, sheet: Sheet, prose: Sequence[Box]) -> bool:
    """Whether a drawing is no more than what runs around the text of the whole page."""
    whole = area(part.bbox) > _MOST_PAGE * sheet.width * sheet.height
    return whole and not any(map(is_picture, part.images)) and any(holds(part.bbox, text) for text in prose)


def _labelled(figure: Part, words: Sequence[Box]) -> Part:
    """A drawing with the lines of text beside it, and those beside them; an image or a frame has its text inside."""
    if figure.framed or any(map(is_picture, figure.images)):
        return figure
    box = figure.bbox
    for _ in range(2):
        width, height = box[2] - box[0], box[3] - box[1]
        along = (box[0] - width / 10, box[1] - height, box[2] + width / 10, box[3] + height)
        abreast = (box[0] - width, box[1], box[2] + width, box[3])
        near = [line for line in words if gap(line, box) < _BESIDE]
        box = union([box, *(line for line in near if holds(along, line) or holds(abreast, line))])
    return replace(figure, bbox=box)


def _claimed(line: Box, sheet: Sheet, texts: Sequence[Box]) -> bool:
    """Whether a line of text belongs to something else than a figure."""
    return _within(line, [*texts, *(r.bbox for r in sheet.regions if r.type in _NO_LABEL)])


def _is_prose(region: Box, lines: Iterable[_Line]) -> bool:
    inside = [line for line in lines if covered(line[0], region) > 0.5]
    words, rows = sum(count for _, count in inside), {round(box[3] / 3) for box, _ in inside}
    return words >= _PROSE[0] and words >= _PROSE[1] * len(rows)


def _within(box: Box, others: Iterable[Box]) -> bool:
    """Whether half of `box`, which may be a line without area, lies in one of the others."""
    x0, y0, x1, y1 = box
    solid = (x0, y0, max(x1, x0 + 0.1), max(y1, y0 + 0.1))
    return any(covered(solid, other) > 0.5 for other in others)

"""Rules, drawings and images of a page, from pdfium's page objects. Knows nothing of its words."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfMatrix

from octavo.ingest.geometry import Point, area, around, intersection
from octavo.ingest.model import Box
from octavo.ingest.readers.fills import Fill
from octavo.ingest.readers.page import rules_of
from octavo.ingest.sheet import Drawing

_STRAIGHT = 1.0  # points; a line that leaves its axis by less runs along it
_EXACT = 0.1  # points; the sides of a box leave their axes by less
_DEEPEST = 15  # forms within forms


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a page draws besides text; `rules` are lines along an axis, thin boxes and the sides of outlined boxes."""

    rules: list[Box] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)


@dataclass(slots=True)
class _Subpath:
    """The points that a pen goes through without being lifted; `curves` of the ways between them are not straight."""

    points: list[Point]
    curves: int = 0
    bends: int = 0  # control points met since the last whole curve
    closed: bool = False


def drawn(page: Any, view: PdfMatrix, shown: Box) -> Drawn:
    """What the pypdfium2 page draws; `view` leads from its coordinates to those as displayed, where it is `shown`."""
    found = Drawn()
    objects = ((pdfium.FPDFPage_GetObject(page, n), view) for n in range(pdfium.FPDFPage_CountObjects(page)))
    for thing, matrix, clip in _flat(objects, shown, _DEEPEST):
        if pdfium.FPDFPageObj_GetType(thing) == pdfium.FPDF_PAGEOBJ_PATH:
            _add_path(found, thing, matrix, clip)
        elif pdfium.FPDFPageObj_GetType(thing) == pdfium.FPDF_PAGEOBJ_IMAGE:
            box = intersection(matrix.on_rect(0, 0, 1, 1), clip)
            if area(box):
                found.images.append(box)
    return found


def _flat(objects: Iterator[tuple[Any, PdfMatrix]], clip: Box, depth: int) -> Iterator[tuple[Any, PdfMatrix, Box]]:
    """Each path and image, those within forms too.

    With the matrix from its own coordinates to the page's, and the box round what its clips, and `clip`, let show.
    """
    raw = pdfium.FS_MATRIX()
    for thing, outer in objects:
        pdfium.FPDFPageObj_GetMatrix(thing, ctypes.byref(raw))
        matrix, shown = PdfMatrix.from_raw(raw).multiply(outer), _clipped(thing, outer, clip)
        if shown[0] > shown[2] or shown[1] > shown[3]:
            continue
        if pdfium.FPDFPageObj_GetType(thing) != pdfium.FPDF_PAGEOBJ_FORM:
            yield thing, matrix, shown
        elif depth:
            within = range(pdfium.FPDFFormObj_CountObjects(thing))
            yield from _flat(((pdfium.FPDFFormObj_GetObject(thing, n), matrix) for n in within), shown, depth - 1)


def _clipped(thing: Any, outer: PdfMatrix, shown: Box) -> Box:
    clip = pdfium.FPDFPageObj_GetClipPath(thing)
    for n in range(max(0, pdfium.FPDFClipPath_CountPaths(clip)) if clip else 0):
        segments = range(pdfium.FPDFClipPath_CountPathSegments(clip, n))
        points = [_point(pdfium.FPDFClipPath_GetPathSegment(clip, n, m), outer) for m in segments]
        if points:
            shown = intersection(shown, around(points))
    return shown


def _point(segment: Any, matrix: PdfMatrix) -> Point:
    x, y = ctypes.c_float(), ctypes.c_float()
    pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
    return matrix.on_point(x.value, y.value)  # type: ignore[no-any-return]


def _colour(path: Any, colour_of: Any) -> tuple[float, ...]:
    """Red, green, blue and opacity, 0 to 1, that a path is filled or stroked with; black where pdfium cannot tell."""
    values = [ctypes.c_uint() for _ in range(4)]
    return tuple(v.value / 255 for v in values) if colour_of(path, *map(ctypes.byref, values)) else (0.0, 0.0, 0.0, 1.0)


def _add_path(found: Drawn, path: Any, matrix: PdfMatrix, clip: Box) -> None:
    """Adds what a path draws that can be seen; its rules whole, its box as far as it shows."""
    mode, stroke = ctypes.c_int(), pdfium.FPDF_BOOL()
    pdfium.FPDFPath_GetDrawMode(path, ctypes.byref(mode), ctypes.byref(stroke))
    *colour, opacity = _colour(path, pdfium.FPDFPageObj_GetFillColor)
    filled = bool(mode.value) and opacity > 0
    stroked = bool(stroke.value) and _colour(path, pdfium.FPDFPageObj_GetStrokeColor)[-1] > 0
    subpaths = [s for s in _subpaths(path, matrix) if len(s.points) > 1]
    if not subpaths or not (filled or stroked):
        return
    box = intersection(around(point for subpath in subpaths for point in subpath.points), clip)
    if box[0] > box[2] or box[1] > box[3]:
        return
    strokes, pictorial = 0, False
    for subpath in subpaths:
        if drawn_box := _rectangle(subpath):
            strokes += 1
            found.rules.extend(rules_of(drawn_box, stroked))
            if filled:
                found.fills.append((intersection(drawn_box, clip), tuple(colour)))
            continue
        lines = list(pairwise([*subpath.points, subpath.points[0]] if subpath.closed else subpath.points))
        strokes += len(lines)
        pictorial = pictorial or subpath.curves > 0
        for a, b in lines:
            if min(abs(a[0] - b[0]), abs(a[1] - b[1])) < _STRAIGHT:
                if not subpath.curves:
                    found.rules.append(around((a, b)))
            else:
                pictorial = True
    found.drawings.append(Drawing(box, strokes, pictorial, filled))


def _subpaths(path: Any, matrix: PdfMatrix) -> Iterator[_Subpath]:
    current: _Subpath | None = None
    for n in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, n)
        kind, point = pdfium.FPDFPathSegment_GetType(segment), _point(segment, matrix)
        if kind == pdfium.FPDF_SEGMENT_MOVETO or current is None:
            if current:
                yield current
            current = _Subpath([point])
        elif kind == pdfium.FPDF_SEGMENT_BEZIERTO and current.bends < 2:
            current.bends += 1
        else:
            current.curves += kind == pdfium.FPDF_SEGMENT_BEZIERTO
            current.bends = 0
            current.points.append(point)
        current.closed = bool(pdfium.FPDFPathSegment_GetClose(segment))
    if current:
        yield current


def _rectangle(subpath: _Subpath) -> Box | None:
    """The box, where the subpath is one along the axes."""
    points = subpath.points
    corners = points[:-1] if len(points) == 5 and points[0] == points[4] else points
    if subpath.curves or len(corners) != 4 or not (subpath.closed or len(points) == 5):
        return None
    sides = pairwise([*corners, corners[0]])
    along = all(min(abs(a[0] - b[0]), abs(a[1] - b[1])) < _EXACT for a, b in sides)
    return around(corners) if along else None

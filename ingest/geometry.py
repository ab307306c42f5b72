"""Boxes: areas, overlaps, unions. Points, origin top left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from octavo.ingest.model import Box

Point = tuple[float, float]


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def intersection(a: Box, b: Box) -> Box:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def union(boxes: Iterable[Box]) -> Box:
    """The least box around all; at least one is needed."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def around(points: Iterable[Sequence[float]]) -> Box:
    """The least box around points (x, y); at least one is needed."""
    xs, ys = zip(*points, strict=True)
    return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))


def sides(box: Box) -> list[Box]:
    """Top, bottom, left and right of a box, each as a box without area."""
    x0, y0, x1, y1 = box
    return [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)]


def middle(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def covered(inner: Box, outer: Box) -> float:
    """Share of `inner`'s area that lies in `outer`, in [0, 1]; 0 for a box without area."""
    return area(intersection(inner, outer)) / area(inner) if area(inner) else 0.0


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]; 0 where one has no area."""
    shared = area(intersection(a, b))
    return shared / (area(a) + area(b) - shared) if shared else 0.0


def contains(box: Box, point: Point) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def horizontal_overlap(a: Box, b: Box) -> float:
    """Overlap of the two on the x axis as a share of the narrower, in [0, 1]."""
    shared = min(a[2], b[2]) - max(a[0], b[0])
    return max(0.0, shared) / max(1e-6, min(a[2] - a[0], b[2] - b[0]))

"""The parts of a page that may make figures: images and paths, joined where they touch or nearly touch.

Knows nothing of text, of tables, nor of what else is on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from octavo.ingest.geometry import area, union
from octavo.ingest.model import Box
from octavo.ingest.sheet import Drawing

LEAST_SIDE = 60.0  # points; smaller ones are icons, and trend lines in the cells of a table
SEAM = 1.0  # points between the tiles that an image was cut into
_LOW = 72.0  # an image lower than this and twice as long is a signature or a logo
_LEAST_STROKES = 8  # a frame and a few rules have fewer
_NEAR = 16.0  # between the paths of one drawing
_TOUCH = 3.0  # between an image and its frame


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Images and paths that belong together; `framed`: one path runs around all others."""

    bbox: Box
    images: tuple[Box, ...] = ()
    paths: tuple[Drawing, ...] = ()
    framed: bool = False

    @property
    def draws(self) -> bool:
        """Whether it shows something: an image, or paths with curves, slanted lines or bars of some extent."""
        if side(self.bbox) < LEAST_SIDE:
            return False
        if any(map(is_picture, self.images)):
            return True
        shapes = [path.bbox for path in self.paths if path.pictorial] or self._bars()
        if len(self.paths) < 3 or sum(path.strokes for path in self.paths) < _LEAST_STROKES or not shapes:
            return False
        x0, y0, x1, y1 = union(shapes)
        return max(x1 - x0, y1 - y0) >= LEAST_SIDE

    def _bars(self) -> list[Box]:
        """Filled boxes of one width that stand on one line at different heights, or lie so; in a frame, any two."""
        boxes = [path.bbox for path in self.paths if path.filled and side(path.bbox) > 3]
        if self.framed and len({(round(x1 - x0), round(y1 - y0)) for x0, y0, x1, y1 in boxes}) > 1:
            return boxes
        rows: defaultdict[tuple[str, int, int], dict[int, Box]] = defaultdict(dict)
        for box in sorted(boxes, key=area):  # of two at one place, as of a cell and its paragraph, the larger
            x0, y0, x1, y1 = box
            rows["standing", round(y1), round(x1 - x0)][round(x0)] = box
            rows["lying", round(x0), round(y1 - y0)][round(y1)] = box
        uneven = [
            row for row in rows.values() if len({round(x1 - x0 + y1 - y0) for x0, y0, x1, y1 in row.values()}) > 1
        ]
        return [box for row in uneven for box in row.values()]


def framed(parts: Iterable[Part]) -> list[Part]:
    """The parts, those inside one path (a chart's frame, say) as one with it."""
    found = list(parts)
    large = [part for part in found if part.paths and side(part.bbox) >= LEAST_SIDE]
    for frame in sorted(large, key=lambda part: area(part.bbox), reverse=True):
        if frame in found:
            inner = [part for part in found if part is not frame and holds(frame.bbox, part.bbox)]
            if len(inner) > 2:
                found = [part for part in found if not holds(frame.bbox, part.bbox)]
                found.append(replace(together([frame, *inner]), framed=True))
    return found


def joined(parts: Iterable[Part], reach: Callable[[Part, Part], float]) -> list[Part]:
    """The parts, those less than their `reach` apart as one."""
    done: list[Part] = []
    for part in parts:
        while near := [other for other in done if gap(part.bbox, other.bbox) < reach(part, other)]:
            done = [other for other in done if other not in near]
            part = together([part, *near])
        done.append(part)
    return done


def reach_of(a: Part, b: Part) -> float:
    """How near each other two parts are one, in points."""
    if a.framed and b.framed:
        return 0.0
    if a.images and b.images:
        return SEAM
    return _TOUCH if a.framed or b.framed or a.images or b.images else _NEAR


def together(parts: Sequence[Part]) -> Part:
    """One part of several; framed, if one that is runs around them all."""
    box = union(part.bbox for part in parts)
    images: tuple[Box, ...] = sum((part.images for part in parts), ())
    paths: tuple[Drawing, ...] = sum((part.paths for part in parts), ())
    return Part(box, images, paths, any(part.framed and holds(part.bbox, box) for part in parts))


def is_picture(image: Box) -> bool:
    """Whether an image is large enough for a figure."""
    short, long = sorted((image[2] - image[0], image[3] - image[1]))
    return short >= _LOW or (short >= LEAST_SIDE and long < 2 * short)


def holds(outer: Box, inner: Box) -> bool:
    """Whether `inner` lies in `outer`, to a point."""
    return (
        outer[0] - 1 <= inner[0] and outer[1] - 1 <= inner[1] and inner[2] <= outer[2] + 1 and inner[3] <= outer[3] + 1
    )


def side(box: Box) -> float:
    """The shorter side, in points."""
    return min(box[2] - box[0], box[3] - box[1])


def gap(a: Box, b: Box) -> float:
    """Points between two boxes along the axis on which they are farther apart; negative when they overlap."""
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])

"""Which filled boxes of a page an eye tells from what is round them. Knows no PDF library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from octavo.ingest.geometry import area
from octavo.ingest.model import Box

Fill = tuple[Box, tuple[float, ...]]
"""A box and the red, green and blue, 0 to 1, that it is filled with."""

_THIN = 3.0  # points; a thinner box is a rule
_WHITE = 0.98  # share of each of red, green and blue that looks white
_MOST = 1000  # more of them draw a picture
_NEAR = 1.0  # points


def shown_fills(painted: Iterable[Fill]) -> tuple[Box, ...]:
    """The boxes but for thin ones, white ones, and those within one of the same colour, as behind lines of a cell."""
    colours: dict[tuple[float, ...], list[Box]] = {}
    for (x0, y0, x1, y1), colour in painted:
        if min(x1 - x0, y1 - y0) >= _THIN and min(colour) <= _WHITE:
            colours.setdefault(tuple(round(share, 3) for share in colour), []).append((x0, y0, x1, y1))
    if sum(map(len, colours.values())) > _MOST:
        return ()
    return tuple(box for boxes in colours.values() for box in _outermost(boxes))


def _outermost(boxes: Sequence[Box]) -> list[Box]:
    ordered = sorted(boxes, key=area, reverse=True)
    edges = np.array(ordered)
    low, high = edges[:, :2], edges[:, 2:]
    within = np.all((low[:, None] >= low[None] - _NEAR) & (high[:, None] <= high[None] + _NEAR), axis=2)
    return [box for box, inside in zip(ordered, np.tril(within, -1).any(axis=1).tolist(), strict=True) if not inside]

"""Which filled boxes of a page an eye tells from what is round them. Knows no PDF library."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from octavo.ingest.model import Box

Fill = tuple[Box, tuple[float, ...]]
"""A box and the red, green and blue, 0 to 1, that it is filled with."""

_THIN = 3.0  # points
_WHITE = 0.98  # share of each of red, green and blue that looks white
_MOST = 5000
_NEAR = 1.0  # points


def thin(box: Box) -> bool:
    """Whether a box is a rule rather than an area."""
    return min(box[2] - box[0], box[3] - box[1]) < _THIN


def shown_fills(painted: Iterable[Fill]) -> tuple[Box, ...]:
    """The boxes, `painted` in this order, but for thin ones, white ones, and those that melt into another.

    Such as one behind a line of a cell, of the cell's colour: it lies in a box of its colour, and nothing of another
    was painted over that between the two. More than 5,000 draw a picture, of which there are none.
    """
    wide = ((box, tuple(round(share, 3) for share in colour)) for box, colour in painted if not thin(box))
    last = {fill: n for n, fill in enumerate(wide)}
    if not 0 < len(last) <= _MOST:
        return ()
    fills = sorted(last, key=last.__getitem__)
    numbers = {colour: n for n, colour in enumerate({colour for _, colour in fills})}
    colours = np.array([numbers[colour] for _, colour in fills])
    x0, y0, x1, y1 = np.array([box for box, _ in fills]).T
    areas, order = (x1 - x0) * (y1 - y0), np.arange(len(fills))

    def melts(n: int) -> bool:
        over = (np.minimum(x1, x1[n]) - np.maximum(x0, x0[n]) > _NEAR) & (
            np.minimum(y1, y1[n]) - np.maximum(y0, y0[n]) > _NEAR
        )
        between = np.flatnonzero(over[:n] & (colours[:n] != colours[n]))
        round_it = (x0 <= x0[n] + _NEAR) & (y0 <= y0[n] + _NEAR) & (x1 >= x1[n] - _NEAR) & (y1 >= y1[n] - _NEAR)
        larger = (areas > areas[n]) | ((areas == areas[n]) & (order > n))
        since = between[-1] if len(between) else -1
        return bool(np.any(round_it & larger & (colours == colours[n]) & (order > since)))

    return tuple(box for n, (box, colour) in enumerate(fills) if min(colour) <= _WHITE and not melts(n))

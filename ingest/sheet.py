"""A page as its file draws it: words, rules, drawings, images, and the regions that a layout model sees on it.

What a backend gives, and what the rest of ingestion works on. Knows nothing of any PDF library, nor of what the page
means. Boxes in PDF points, origin top left, on the page as displayed.
"""

from __future__ import annotations

from dataclasses import dataclass

from octavo.ingest.model import Box, ElementType

Grid = tuple[tuple[Box | None, ...], ...]
"""The cells of a table, row by row, in rows of equal length; None where another cell spans."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word; `size` of its type in points. Words of one drawn line have the same `line`, counted from 0."""

    bbox: Box
    text: str
    size: float
    bold: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Hidden:
    """Text that whoever looks at the page does not see, and how it is hidden ("white", "tiny", "off the page")."""

    bbox: Box
    text: str
    how: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn path: how many strokes it has, whether one is curved or slanted (`pictorial`), whether it is filled."""

    bbox: Box
    strokes: int
    pictorial: bool
    filled: bool


@dataclass(frozen=True, slots=True)
class Region:
    """What a layout model takes a box for; of a table, the grids (by the name of what saw them) that it may have."""

    type: ElementType
    bbox: Box
    grids: tuple[tuple[str, Grid], ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page; `number` from 1, `width` and `height` in points as displayed.

    `words` (those that show) stand in the order in which the file draws them, `regions` in reading order. `rules` are
    horizontal and vertical lines, each as a thin box; `fills` boxes filled with another colour than what is round
    them, as the bands of a striped table. `recognised`: the words were read by OCR.
    """

    number: int
    width: float
    height: float
    words: tuple[Word, ...] = ()
    rules: tuple[Box, ...] = ()
    fills: tuple[Box, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    images: tuple[Box, ...] = ()
    regions: tuple[Region, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    recognised: bool = False

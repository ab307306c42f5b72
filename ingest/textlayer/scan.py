"""Pages whose text layer is missing or says something else than they show, read from their pictures by OCR.

Decides which pages these are, and fills a Sheet from the picture. Knows no PDF library: a backend renders the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from octavo.ingest.geometry import area, covered
from octavo.ingest.model import Box, ElementType
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.textlayer import ocr
from octavo.ingest.textlayer.hidden import Pixels
from octavo.ingest.textlayer.legible import garbled, pictured

_BLANK = 16  # levels of 255 between the darkest and the lightest pixel of a page with nothing on it
_FEW = 20  # words: a stamp on a scan
_WHOLE = 0.5  # of the page: a larger image is the page and no figure on it


@dataclass(frozen=True, slots=True)
class Scan:
    """A page as read from its RGB `picture` (height, width, 3) of so many `dpi`; rules and words with boxes in points.

    All upright, which the page itself is once it is turned by `turn` degrees clockwise.
    """

    picture: Pixels
    dpi: float
    words: tuple[Word, ...]
    rules: tuple[Box, ...]
    turn: int

    def fill(self, drawn: Sheet, regions: tuple[Region, ...]) -> Sheet:
        """What the page draws, with what is read of its picture in place of its text."""
        pictures = [region.bbox for region in regions if region.type is ElementType.FIGURE]
        rules = [rule for rule in self.rules if not any(covered(rule, box) > 0.5 for box in pictures)]
        whole = _WHOLE * drawn.width * drawn.height
        return replace(
            drawn,
            words=self.words,
            rules=(*drawn.rules, *rules),
            images=tuple(box for box in drawn.images if area(box) < whole),
            regions=regions,
            recognised=True,
        )


def read_scan(drawn: Sheet, render: Callable[[float], Pixels]) -> Scan | None:
    """What a page shows where the words that it draws do not serve, or None; `render` gives its picture at so many dpi.

    Words in doubt, being garbled or on a page that is one picture, are compared with what a few of their lines look
    like, and serve if they agree. None too without the package `rapidocr`, and where nothing is to be read.
    """
    if not ocr.available() or not (not drawn.words or pictured(drawn) or garbled(drawn.words)):
        return None
    dpi = min(ocr.DPI, 72 * ocr.LONGEST / max(drawn.width, drawn.height))
    picture = render(dpi)
    few = len(drawn.words) < _FEW
    if np.ptp(picture) < _BLANK or (not few and ocr.agrees(drawn.words, picture, dpi)):
        return None
    reading = ocr.recognise(picture, dpi)
    if few and len(reading.words) <= len(drawn.words):
        return None
    upright = np.ascontiguousarray(np.rot90(picture, reading.turns))
    return Scan(upright, dpi, reading.words, tuple(ocr.rules(upright, dpi)), -90 * reading.turns % 360)

"""What the drawing of a page tells of how its elements hang together: boxes set apart, where paragraphs begin and end.

Knows no PDF library and no document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from octavo.ingest.geometry import area, covered, union
from octavo.ingest.lines import lines
from octavo.ingest.model import Box
from octavo.ingest.sheet import Drawing, Sheet, Word

_LEAST, _MOST = 0.02, 0.45  # share of the page that a sidebar takes
_LEAST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last line of a paragraph, and the width of its first word; points."""

    first: Box
    last: Box
    first_word: float


@dataclass(frozen=True, slots=True)
class Traces:
    """Of one page: `asides`, boxes that are tinted or framed and hold running text; `ends` by element id."""

    asides: tuple[Box, ...] = ()
    ends: Mapping[str, Ends] = field(default_factory=dict)


def find_traces(sheet: Sheet, texts: Mapping[str, Sequence[Word]]) -> Traces:
    """The traces of a page; `texts` has the words of each element that is a text, by its id."""
    words = [word for text in texts.values() for word in text]
    return Traces(tuple(_asides(sheet, words)), {key: _ends(text) for key, text in texts.items() if text})


def _asides(sheet: Sheet, words: Sequence[Word]) -> list[Box]:
    page = sheet.width * sheet.height
    found: list[Box] = []
    for drawing in sorted(sheet.drawings, key=lambda d: -area(d.bbox)):
        fits = _LEAST * page < area(drawing.bbox) < _MOST * page and not drawing.pictorial
        if fits and not any(covered(drawing.bbox, box) > 0.9 for box in found) and _holds(drawing, words):
            found.append(drawing.bbox)
    return found


def _holds(drawing: Drawing, words: Sequence[Word]) -> bool:
    """Whether running text stands in the drawing."""
    return sum(covered(word.bbox, drawing.bbox) > 0.5 for word in words) >= _LEAST_WORDS


def _ends(words: Sequence[Word]) -> Ends:
    rows = lines(words)
    first, last = (union(word.bbox for word in row) for row in (rows[0], rows[-1]))
    return Ends(first, last, rows[0][0].bbox[2] - rows[0][0].bbox[0])

"""What the drawing of a page tells of how its elements hang together: boxes set apart, sizes of type.

Knows no PDF library and no document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from octavo.ingest.geometry import area, covered
from octavo.ingest.model import Box, Element
from octavo.ingest.sheet import Drawing, Sheet, Word

_LEAST, _MOST = 0.02, 0.45  # share of the page that a sidebar takes
_LEAST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Face:
    """How a text is set: the size of its type in points, and whether most of it is bold."""

    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """Of one page: `asides`, boxes that are tinted or framed and hold running text; `faces` of texts by element id.

    Of a page that stands sideways, which is read turned upright, `asides` are as they were read, and so are the boxes
    of its elements in `turned`.
    """

    asides: tuple[Box, ...] = ()
    faces: Mapping[str, Face] = field(default_factory=dict)
    turned: Mapping[str, Box] = field(default_factory=dict)


def find_traces(sheet: Sheet, texts: Mapping[str, Sequence[Word]]) -> Traces:
    """The traces of a page; `texts` has the words of each element that is a text, by its id."""
    words = [word for text in texts.values() for word in text]
    return Traces(tuple(_asides(sheet, words)), {key: _face(text) for key, text in texts.items() if text})


def upright(elements: Sequence[Element], traces: Mapping[int, Traces]) -> list[Element]:
    """The elements with the boxes that they have where their pages stand upright."""
    boxes = {key: box for page in traces.values() for key, box in page.turned.items()}
    return [replace(e, bbox=boxes.get(e.id, e.bbox)) for e in elements]


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


def _face(words: Sequence[Word]) -> Face:
    return Face(median(word.size for word in words), sum(word.bold for word in words) > len(words) / 2)

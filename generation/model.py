"""What an answer is, and what it points at."""

from __future__ import annotations

from dataclasses import dataclass, field

from octavo.ingest.model import Box, Element, ElementType
from octavo.retrieval.model import Hit, Selection


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that bears out an answer.

    `number` is the mark `[number]` in the answer's text, from 1. `bbox` in points on `page`: the element's box, or the
    cell's for an answer read off a table. `element` is the element's id; `text` what stands there.
    """

    number: int
    document: str
    sha256: str
    page: int
    bbox: Box
    type: ElementType
    element: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its citations.

    `generator` names what wrote `text`; `notes` say what the reader should know, such as a fallback.
    `unsupported` lists numbers in `text` that appear in no cited element. `timings` in seconds by stage.
    """

    text: str
    citations: tuple[Citation, ...]
    selection: Selection
    generator: str
    unsupported: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the evidence that answers a question: a sentence, a table's cell with its labels, a figure's text.

    `text` reads as an answer; `element` of `hit` holds it, at `bbox` (the element's box, or the cell's) on `page`.
    `score` in [0, 1]: how well it fits the question.
    """

    text: str
    hit: Hit
    element: Element
    bbox: Box
    score: float

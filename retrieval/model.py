"""What a search gives back: hits, and the selection of those worth answering from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from octavo.ingest.model import Box, Chunk, Element


class RetrieverError(ValueError):
    """A retriever found what cannot be a library's; the message is one line that says what it must give."""


class Mode(StrEnum):
    """The four ways of retrieving, over the same documents (UniDoc-Bench, arXiv 2510.03663)."""

    TEXT = "text"  # text chunks
    IMAGE = "image"  # pictures of pages, tables and figures
    FUSION = "fusion"  # both lists, fused by rank
    JOINT = "joint"  # both in one space of vectors


class IndexType(StrEnum):
    """How the nearest vectors are found."""

    AUTO = "auto"  # exact while there are few
    EXACT = "exact"  # all are compared
    IVF = "ivf"  # in the nearest lists, by codes, and ranked by the vectors


class Rule(StrEnum):
    """Which hits are kept: every one, those before the first jump of the scores, those close enough to the best, or
    those that are evidence with a probability that has been calibrated."""

    ALL = "all"
    GAP = "gap"
    RATIO = "ratio"
    CALIBRATED = "calibrated"


@dataclass(frozen=True, slots=True)
class Brought:
    """What brought a chunk that no search found: a hit's chunk, by its id, and the link from there, a LinkType.

    A page's picture comes by "page". `confidence`, in [0, 1], is the link's, over several links their product.
    """

    hit: int
    link: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found, or that belongs to one (`brought`).

    `document` is the file's name, `sha256` its identity. `elements` are the chunk's elements in reading order.
    `score` is higher for better and comparable within one search only. `why` holds the reasons in words.
    """

    chunk: Chunk
    document: str
    sha256: str
    elements: tuple[Element, ...]
    score: float
    why: tuple[str, ...] = ()
    brought: Brought | None = None

    @property
    def page(self) -> int:
        return self.chunk.page

    @property
    def bbox(self) -> Box:
        """The box around the chunk's elements on its first page, in points."""
        boxes = [element.bbox for element in self.elements if element.page == self.page]
        x0, y0, x1, y1 = zip(*boxes, strict=True)
        return min(x0), min(y0), max(x1), max(y1)


@dataclass(frozen=True, slots=True)
class Looked:
    """A document that was chosen: its name and identity, what it is by its card, and how probably it is asked about."""

    document: str
    sha256: str
    card: str
    probability: float


@dataclass(frozen=True, slots=True)
class Selection:
    """The hits an answer may use, best first, and those left out, each with its reason.

    `looked` are the documents that were searched; none stands for all of them.
    """

    kept: tuple[Hit, ...]
    dropped: tuple[tuple[Hit, str], ...] = ()
    notes: tuple[str, ...] = field(default=())
    looked: tuple[Looked, ...] = ()

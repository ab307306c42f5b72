"""What a PDF becomes: documents, pages, elements, links and chunks.

Knows nothing of where they are stored or how they are found. Boxes are in PDF points, origin top left,
``(x0, y0, x1, y1)``, on the page as displayed (rotation applied). Pages count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Box = tuple[float, float, float, float]


class ElementType(StrEnum):
    TEXT = "text"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    FIGURE = "figure"
    CAPTION = "caption"
    FOOTNOTE = "footnote"
    HEADER = "header"
    FOOTER = "footer"
    PAGE = "page"  # a whole page as a picture: no element is one, a chunk may be


AROUND = frozenset({ElementType.HEADER, ElementType.FOOTER})
"""What runs along the edges of pages, around their text."""


class LinkType(StrEnum):
    CAPTION_OF = "caption-of"
    MENTION_OF = "mention-of"
    CONTINUES = "continues"
    UNDER_HEADING = "under-heading"


class State(StrEnum):
    """Where a document stands; each step from one to the next commits as a whole."""

    QUEUED = "queued"  # its bytes are in the library
    PARSED = "parsed"  # pages, elements, links, pictures and chunks are in the catalogue
    READY = "ready"  # every chunk has its vector
    FAILED = "failed"  # `error` says why; ingesting it again retries


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `width` and `height` in points as displayed."""

    number: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Span:
    """A table cell that covers `rows` x `columns` grid places, from (`row`, `column`) on, counted from 0."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Table:
    """The grid of a table element.

    `rows` are strings, of equal length; a place that a span covers is "" but for its first. `cells` has the box of
    each place in the same shape, in points, None where nothing was drawn. The first `header_rows` rows are its header.
    """

    rows: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[Box | None, ...], ...]
    spans: tuple[Span, ...] = ()
    header_rows: int = 1


@dataclass(frozen=True, slots=True)
class Element:
    """A box on a page.

    `id` is unique within a library and the same each time that the same bytes are read. `level` is 1 to 6 for a
    heading, 0 for others. `image` names a figure's PNG in the library's `images` folder.
    """

    id: str
    type: ElementType
    page: int
    bbox: Box
    text: str
    level: int = 0
    table: Table | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """`source` (an element id) stands in relation `type` to `target`; `confidence` in [0, 1]."""

    source: str
    target: str
    type: LinkType
    confidence: float


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A whole PDF as read: elements in reading order."""

    pages: tuple[Page, ...]
    elements: tuple[Element, ...]
    links: tuple[Link, ...]
    title: str = ""
    warnings: tuple[str, ...] = ()
    pictures: dict[str, bytes] = field(default_factory=dict)  # Element.image -> PNG bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded: one or more elements of one type, as text or (`picture`) as what they look like.

    `context` is what a reader would know on arriving at it (document title, headings), `text` is what it says.
    `id` is None until the catalogue gives it one. `element_ids` is in reading order, its first names the place. The
    text of a picture is what stands under it.
    """

    type: ElementType
    page: int
    context: str
    text: str
    element_ids: tuple[str, ...]
    id: int | None = None
    picture: bool = False

    @property
    def indexed_text(self) -> str:
        return f"{self.context}\n{self.text}" if self.context else self.text

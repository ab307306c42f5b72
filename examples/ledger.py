"""What the words of the sample reports stand for: a report, its questions, and the ledger of what has been drawn.

Pages count from 1. Boxes are PDF points (1/72 inch) from the top left corner of the page, (x0, y0, x1, y1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Box = tuple[float, float, float, float]


@dataclass
class Ledger:
    """What has been drawn, with pages from 1 and boxes from the page's top left corner."""

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    headings: list[dict[str, Any]] = field(default_factory=list)
    mentions: list[dict[str, Any]] = field(default_factory=list)
    page_mentions: list[dict[str, Any]] = field(default_factory=list)
    paragraphs: list[dict[str, Any]] = field(default_factory=list)
    footnotes: list[dict[str, Any]] = field(default_factory=list)
    vectors: list[tuple[int, Box, bytes]] = field(default_factory=list)
    pages: int = 1

    def page_of(self, label: str) -> int:
        """The first page that shows a table or a figure; 1 while nothing is drawn yet."""
        pages = {label: table["boxes"][0]["page"] for label, table in self.tables.items()}
        pages |= {figure["label"]: figure["page"] for figure in self.figures}
        return int(pages.get(label, 1))


@dataclass(frozen=True)
class Question:
    """A question with its answer and where the answer stands.

    `where` is a passage of the running text (kind `text`), a table's label and the first cell of the row (kind
    `table`), or a figure's label and the words inside it that hold the answer (kind `figure`).
    """

    question: str
    answer: str
    kind: Literal["text", "table", "figure"]
    where: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One sample document before it is set; `notes` are the footnotes of a page, by page from 1."""

    name: str
    title: str
    subtitle: str
    source: str
    accent: str
    story: list[Any]
    questions: list[Question]
    notes: dict[int, list[str]] = field(default_factory=dict)

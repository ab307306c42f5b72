"""Flowables that write what they draw into the truth: running text, headings, charts, tables with their captions.

A part of a paragraph or table that goes on in the next column or page is an element of its own, and continues the part
before it. Lengths are PDF points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from PIL import Image, ImageDraw
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Paragraph, Table

from .truth import Box, Key, Truth

GAP = 5.0  # between a caption and what it names


def truth_of(flowable: Flowable) -> Truth:
    """The truth of the document that is being drawn."""
    truth: Truth = flowable.canv._doctemplate.truth
    return truth


def placed(flowable: Flowable, x0: float, y0: float, x1: float, y1: float) -> tuple[int, Box]:
    """Page and box of a rectangle given in the coordinates in which the flowable is being drawn, y upwards."""
    left, bottom = flowable.canv.absolutePosition(x0, y0)
    height = flowable.canv._pagesize[1]
    return flowable.canv.getPageNumber(), (left, height - bottom - (y1 - y0), left + x1 - x0, height - bottom)


@dataclass
class Passage:
    """A text before it is broken over columns: its type, its bookmark, what its words name, and its parts' ids."""

    kind: str
    mentions: tuple[tuple[str, tuple[Key, ...]], ...] = ()
    key: Key | None = None
    level: int = 0
    notes: tuple[Any, ...] = ()
    parts: list[str] = field(default_factory=list)


class Words(Paragraph):  # type: ignore[misc]
    """A text of any kind."""

    passage: Passage

    @classmethod
    def of(cls, text: str, look: ParagraphStyle, passage: Passage) -> Words:
        words = cls(text, look)
        words.passage = passage
        return words

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        parts = super().split(available_width, available_height)
        for part in parts:
            part.passage = self.passage
        return list(parts)

    def draw(self) -> None:
        super().draw()
        block, look, passage, truth = self.blPara, self.style, self.passage, truth_of(self)
        if block.kind == 0:
            lines = [(extra, " ".join(words)) for extra, words in block.lines]
        else:
            lines = [(line.extraSpace, " ".join(w.text.strip() for w in line.words)) for line in block.lines]
        spare = max(0.0, min(extra for extra, _ in lines))
        left = look.leftIndent + (spare / 2 if look.alignment == TA_CENTER else 0)
        right = self.width - look.rightIndent - (spare / 2 if look.alignment == TA_CENTER else spare)
        page, box = placed(self, left, 0, right, self.height)
        text = " ".join(" ".join(words for _, words in lines).split())
        more = {"level": passage.level} if passage.kind == "heading" else {}
        under = passage.kind != "footnote"
        name = truth.add(passage.kind, page, box, text, under=under, **more)
        if passage.parts:
            truth.link(name, passage.parts[-1], "continues")
        elif passage.key:
            truth.keys[passage.key] = name
        passage.parts.append(name)
        truth.mentions += [(name, key) for words, keys in passage.mentions if words in text for key in keys]
        truth.notes += [note for mark, note in passage.notes if mark in text and note not in truth.noted]
        truth.noted += truth.notes


class Drawing(Flowable):  # type: ignore[misc]
    """A chart: bars, lines, dots or a pie drawn as vectors, or a picture of pixels."""

    def __init__(self, width: float, height: float, seed: int, labels: Sequence[str]) -> None:
        super().__init__()
        self.width, self.height, self.seed, self.labels = width, height, seed, labels

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = min(self.width, available_width)
        return self.width, self.height

    def draw(self) -> None:
        draw = Random(self.seed)  # noqa: S311 - not for secrets
        kind = draw.choice(("bars", "lines", "dots", "pixels"))
        page, box = placed(self, 0, 0, self.width, self.height)
        self.part = truth_of(self).add("figure", page, box, "")
        if kind == "pixels":
            self.canv.drawImage(ImageReader(self._pixels(draw)), 0, 0, self.width, self.height)
            return
        canvas, width, height = self.canv, self.width, self.height
        canvas.setLineWidth(0.7)
        canvas.setStrokeColor(HexColor("#59636b"))
        canvas.rect(0, 0, width, height)
        canvas.line(26, 20, width - 8, 20)
        canvas.line(26, 20, 26, height - 8)
        canvas.setFont("Helvetica", 6.5)
        canvas.setFillColor(HexColor("#30363b"))
        for tick in range(5):
            y = 20 + tick * (height - 36) / 4
            canvas.drawRightString(22, y - 2, str(tick * 25))
        count = min(6, len(self.labels))
        step = (width - 40) / count
        points = [(30 + (n + 0.5) * step, 24 + draw.random() * (height - 44)) for n in range(count)]
        for n, (x, _) in enumerate(points):
            canvas.drawCentredString(x, 10, self.labels[n][: int(step / 4)])
        canvas.setFillColor(HexColor(draw.choice(("#1f5f8b", "#8a3b2c", "#3a6b45"))))
        if kind == "bars":
            for x, y in points:
                canvas.rect(x - step / 3, 20, step * 2 / 3, y - 20, stroke=0, fill=1)
        elif kind == "lines":
            canvas.setLineWidth(1.4)
            for _ in range(2):
                heights = [24 + draw.random() * (height - 44) for _ in points]
                for (xa, _), (xb, _), ya, yb in zip(points, points[1:], heights, heights[1:], strict=False):
                    canvas.line(xa, ya, xb, yb)
        else:
            for _ in range(40):
                canvas.circle(
                    30 + draw.random() * (width - 44), 26 + draw.random() * (height - 46), 2.2, stroke=0, fill=1
                )

    def _pixels(self, draw: Random) -> Image.Image:
        picture = Image.new("RGB", (int(self.width * 2), int(self.height * 2)), (205, 221, 233))
        pen = ImageDraw.Draw(picture)
        for _ in range(24):
            x, y, r = draw.randrange(picture.width), draw.randrange(picture.height), draw.randrange(10, 60)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=tuple(draw.randrange(60, 230) for _ in range(3)))
        return picture


class Grid(Table):  # type: ignore[misc]
    """A table's grid; `heads` header rows, drawn by a further part only where it repeats them."""

    heads: int
    first: bool = True
    repeats: bool = True

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        share = min(1.0, available_width / sum(self._argW))  # a frame beside a sidebar is narrower
        self._argW = self._colWidths = [width * share for width in self._argW]
        wrapped: tuple[float, float] = super().wrap(available_width, available_height)
        return wrapped

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        parts = super().split(available_width, available_height)
        for n, part in enumerate(parts):
            part.heads, part.repeats, part.first = self.heads, self.repeats, self.first and n == 0
        return list(parts)

    @property
    def header_rows(self) -> int:
        return self.heads if self.first or self.repeats else 0

    def draw(self) -> None:
        super().draw()
        page, box = placed(self, 0, 0, self._width, self._height)
        rows = [[str(cell) for cell in row] for row in self._cellvalues]
        text = "\n".join(" | ".join(row) for row in rows)
        self.part = truth_of(self).add("table", page, box, text, rows=rows, header_rows=self.header_rows)


class Exhibit(Flowable):  # type: ignore[misc]
    """A chart or a table with the caption and the note that it may have; a table splits where the frame ends."""

    def __init__(
        self,
        body: Drawing | Grid,
        key: Key,
        *,
        caption: Words | None,
        above: bool,
        note: Paragraph | None = None,
        again: str = "",
    ) -> None:
        """`again` is what the caption of a further part says, "" for none."""
        super().__init__()
        self.body, self.key, self.caption, self.above, self.note, self.again = body, key, caption, above, note, again
        self.before: list[str] = []
        self.spaceBefore, self.spaceAfter = 8, 12

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        self.body_width, self.body_height = self.body.wrapOn(self.canv, available_width, available_height)
        parts = [p for p in (self.caption, self.note) if p]
        self.height = self.body_height + sum(p.wrapOn(self.canv, self.width, 1000)[1] + GAP for p in parts)
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        self.wrap(available_width, available_height)
        if not isinstance(self.body, Grid):
            return []
        room = available_height - (self.height - self.body_height)
        parts = self.body.split(available_width, room)
        if len(parts) < 2 or parts[0]._nrows < self.body.heads + 2:
            return []
        again = None
        if self.caption and self.again and self.above:
            again = Words.of(self.again, self.caption.style, Passage("caption"))
        closing = self.caption if self.caption and not self.above else None
        first = Exhibit(parts[0], self.key, caption=self.caption if self.above else None, above=True)
        last = Exhibit(
            parts[1], self.key, caption=again or closing, above=again is not None, note=self.note, again=self.again
        )
        first.before, last.before = self.before, self.before
        return [first, last]

    def draw(self) -> None:
        truth, top = truth_of(self), self.height

        def place(part: Flowable, height: float, x: float = 0) -> None:
            nonlocal top
            top -= height
            part.drawOn(self.canv, x, top)
            top -= GAP

        if self.caption and self.above:
            place(self.caption, self.caption.height)
        place(self.body, self.body_height, (self.width - self.body_width) / 2 if isinstance(self.body, Drawing) else 0)
        if self.caption and not self.above:
            place(self.caption, self.caption.height)
        if self.caption:
            truth.link(self.caption.passage.parts[-1], self.body.part, "caption-of")
        if self.before:
            truth.link(self.body.part, self.before[-1], "continues")
        else:
            truth.keys[self.key] = self.body.part
        self.before.append(self.body.part)
        if self.note:  # where the figures come from: no element of the truth, as it stands under nothing
            place(self.note, self.note.height)


class Beside(Flowable):  # type: ignore[misc]
    """Two exhibits side by side, tops aligned."""

    gutter = 18.0

    def __init__(self, left: Exhibit, right: Exhibit) -> None:
        super().__init__()
        self.pair = (left, right)
        self.spaceBefore, self.spaceAfter = 8, 12

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        half = (available_width - self.gutter) / 2
        self.height = max(part.wrapOn(self.canv, half, available_height)[1] for part in self.pair)
        return self.width, self.height

    def draw(self) -> None:
        for n, part in enumerate(self.pair):
            part.drawOn(self.canv, n * (self.width + self.gutter) / 2, self.height - part.height)

"""Flowables that write what they draw into the truth: texts of all kinds, and charts.

A part of a paragraph that goes on in the next column or page is an element of its own, and continues the part before
it. Lengths are PDF points.
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
from reportlab.platypus import Flowable, Paragraph

from .truth import Box, Key, Truth


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

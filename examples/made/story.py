"""A made report as flowables: its plan set in type.

Lengths are PDF points (1/72 inch).
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, FrameBreak, NextPageTemplate, PageBreak, Paragraph, TableStyle

from .drawing import Drawing, Passage, Words
from .exhibits import Beside, Exhibit, Grid
from .looks import Look
from .plan import Head, Item, Para, Planner, Thing


class Author:
    """Writes one report in a look; all choices come from `random`."""

    def __init__(self, domain: str, look: Look, random: Random) -> None:
        self.look, self.random = look, random
        self.planner = Planner(domain, look, random)
        self.domain, self.writer = self.planner.domain, self.planner.writer

    def story(self) -> list[Flowable]:
        """The whole report as flowables."""
        return self._set(self.planner.made())

    def aside(self) -> list[Flowable]:
        """What stands in the sidebar."""
        texts = [self.writer.paragraph(2), self.writer.paragraph(2)]
        return [self._heading(Head("In brief", 3)), *(self._text(Para(text), self.look.size - 0.8) for text in texts)]

    def _set(self, plan: list[Item]) -> list[Flowable]:
        look = self.look
        story: list[Flowable] = [
            self._heading(Head(self.domain.title, 1)),
            self._text(Para(self.writer.paragraph(2)), look.size + 1),
            *([FrameBreak()] if look.columns > 1 else []),
        ]
        numbers = [0, 0, 0]
        items = iter(plan)
        for item in items:
            if isinstance(item, Head):
                story.append(self._heading(item, self._number(item, numbers)))
            elif isinstance(item, Para):
                story.append(self._text(item))
            elif item.shape == "pair":
                story += self._pair(item, next(items))
            elif item.shape == "wide":
                story += [
                    NextPageTemplate("wide"),
                    PageBreak(),
                    self._exhibit(item),
                    NextPageTemplate("inner"),
                    PageBreak(),
                ]
            else:
                story.append(self._exhibit(item))
        return story

    def _number(self, head: Head, numbers: list[int]) -> str:
        if not self.look.numbered or head.key or head.level < 2:
            return ""
        level = head.level - 2
        numbers[level] += 1
        numbers[level + 1 :] = [0] * (2 - level)
        return ".".join(map(str, numbers[: level + 1])) + " "

    def _heading(self, head: Head, number: str = "") -> Words:
        look = self.look
        size = look.size * (2.2 if head.level == 1 else look.heads[head.level - 2])
        text = number + (head.text.upper() if head.level == 2 and look.heads[0] < 1.4 else head.text)
        style = ParagraphStyle(
            f"h{head.level}",
            fontName=look.head_face,
            fontSize=size,
            leading=size * 1.2,
            spaceBefore=size * 0.9,
            spaceAfter=size * 0.4,
            keepWithNext=1,
        )
        return Words.of(text, style, Passage("heading", key=head.key, level=head.level))

    def _text(self, para: Para, size: float = 0) -> Words:
        look, size = self.look, size or self.look.size
        style = ParagraphStyle(
            "body",
            fontName=look.face,
            fontSize=size,
            leading=size * 1.3,
            spaceAfter=1 if look.indent else size * 0.7,
            firstLineIndent=14 if look.indent and para.kind == "text" else 0,
            leftIndent=12 if para.kind == "list" else 0,
            bulletIndent=2,
            alignment=TA_JUSTIFY if look.indent else TA_LEFT,
            allowWidows=0,
            allowOrphans=0,
        )
        text = " ".join(para.sentences)
        if para.kind == "list":
            text = f"<bullet>&bull;</bullet>{text}"
        notes = tuple((mark, self._note(number, note)) for mark, number, note in para.notes)
        passage = Passage(para.kind, tuple(para.mentions), notes=notes)
        return Words.of(text, style, passage)

    def _note(self, number: str, text: str) -> Words:
        look = ParagraphStyle("note", fontName=self.look.face, fontSize=7, leading=8.6)
        return Words.of(f"{number} {text}", look, Passage("footnote", key=("note", number)))

    def _caption(self, thing: Thing) -> tuple[Words | None, str]:
        """The caption, and what that of a further part says."""
        look = self.look
        if not thing.captioned:
            return None, ""
        size = look.size - 1
        style = ParagraphStyle(
            "caption",
            fontName=look.face,
            fontSize=size,
            leading=size * 1.25,
            alignment=TA_CENTER if look.centred else TA_LEFT,
        )
        text = f"<b>{thing.label}{look.after_label}</b>{self.writer.caption()}."
        again = f"<b>{thing.label}</b> {look.continued}" if look.continued else ""
        return Words.of(text, style, Passage("caption")), again

    def _exhibit(self, thing: Thing, share: float = 1.0) -> Exhibit:
        draw, look = self.random, self.look
        caption, again = self._caption(thing)
        column = (look.paper[0] - 108 - 18 * (look.columns - 1)) / look.columns * share
        if thing.kind == "figure":
            body: Drawing | Grid = Drawing(
                column * draw.choice((1.0, 0.85)), draw.choice((110, 140)), draw.randrange(10**6), self.domain.rows
            )
            return Exhibit(body, thing.key, caption=caption, above=look.above[1])
        wide = thing.shape == "wide"
        columns = {1: 6, 2: 4, 3: 3}[look.columns] if not wide else 7
        count = {"small": draw.randint(5, 8), "long": draw.randint(30, 44), "wide": draw.randint(34, 46)}[thing.shape]
        rows = self.writer.rows(count, columns, draw.random() < 0.5)
        heads = 2 if wide or draw.random() < 0.2 else 1
        if heads == 2:
            half = (columns - 1) // 2
            rows.insert(0, ["", "First half", *[""] * (half - 1), "Second half", *[""] * (columns - 2 - half)])
        note = None
        if thing.shape == "small" and draw.random() < 0.4:
            style = ParagraphStyle("source", fontName=look.face, fontSize=6.8, leading=8.4)
            note = Paragraph("Source: records of the department; figures are rounded.", style)
        return Exhibit(
            self._grid(rows, look.paper[1] - 108 if wide else column, heads),
            thing.key,
            caption=caption,
            above=look.above[0] or thing.shape != "small",
            note=note,
            again=again,
        )

    def _grid(self, rows: list[list[str]], width: float, heads: int) -> Grid:
        look, columns = self.look, len(rows[0])
        size = look.size - 1.2
        label = min(0.34, 90 / width)
        widths = [width * label] + [width * (1 - label) / (columns - 1)] * (columns - 1)
        grid = Grid(rows, colWidths=widths, repeatRows=heads if look.repeat else 0, hAlign="LEFT")
        grid.heads, grid.repeats = heads, look.repeat
        line, tint = HexColor("#7d868d"), HexColor("#e8ecef")
        commands = [
            ("FONT", (0, 0), (-1, -1), look.face, size, size * 1.2),
            ("FONT", (0, 0), (-1, heads - 1), look.head_face, size, size * 1.2),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
        starts = [*(c for c, value in enumerate(rows[0]) if value), columns] if heads == 2 else []
        for start, stop in pairwise(starts):
            commands += [("SPAN", (start, 0), (stop - 1, 0)), ("ALIGN", (start, 0), (stop - 1, 0), "CENTER")]
        commands += {
            "ruled": [
                ("LINEABOVE", (0, 0), (-1, 0), 1, line),
                ("LINEBELOW", (0, heads - 1), (-1, heads - 1), 0.5, line),
                ("LINEBELOW", (0, -1), (-1, -1), 1, line),
            ],
            "grid": [("GRID", (0, 0), (-1, -1), 0.5, line)],
            "plain": [],
            "zebra": [("ROWBACKGROUNDS", (0, 0), (-1, -1), (HexColor("#ffffff"), tint))],
        }[look.rules]
        grid.setStyle(TableStyle(commands))
        return grid

    def _pair(self, left: Thing, right: Item) -> list[Flowable]:
        if not isinstance(right, Thing):
            raise TypeError("a pair is two things")
        if self.look.columns == 3:  # too narrow for two beside each other
            return [self._exhibit(left), self._exhibit(right)]
        return [Beside(self._exhibit(left, 0.46), self._exhibit(right, 0.46))]

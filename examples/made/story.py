"""The contents of a made report: sections, paragraphs and exhibits, and the sentences that name them.

A plan is made first (headings, paragraphs, exhibits in their order), then sentences that name exhibits, pages, notes
and appendices are put into its paragraphs, then it becomes flowables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, FrameBreak, NextPageTemplate, PageBreak, Paragraph, TableStyle
from reportlab.platypus.doctemplate import ActionFlowable

from .drawing import Beside, Drawing, Exhibit, Grid, Passage, Words
from .looks import Look
from .truth import Key
from .words import DOMAINS, Writer

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


@dataclass
class Head:
    text: str
    level: int
    key: Key | None = None


@dataclass
class Para:
    sentences: list[str]
    kind: str = "text"
    mentions: list[tuple[str, tuple[Key, ...]]] = field(default_factory=list)
    notes: list[tuple[str, Words]] = field(default_factory=list)
    key: Key | None = None


@dataclass
class Thing:
    """A table or figure of the plan; `shape` is "small", "long", "wide", "pair" (the next one stands beside it)."""

    kind: str
    shape: str = "small"
    captioned: bool = True
    label: str = ""
    spoken: str = ""
    key: Key = ("object", "")


class Author:
    """Writes one report in a look; all choices come from `random`."""

    def __init__(self, domain: str, look: Look, random: Random) -> None:
        self.look, self.random = look, random
        self.domain = DOMAINS[domain]
        self.writer = Writer(self.domain, random)
        self.plan: list[Head | Para | Thing] = []
        self.noted = 0

    def story(self) -> list[Flowable]:
        """The whole report as flowables."""
        self._plan()
        self._label()
        self._mention()
        return self._set()

    def aside(self) -> list[Flowable]:
        """What stands in the sidebar."""
        texts = [self.writer.paragraph(2), self.writer.paragraph(2)]
        return [self._heading(Head("In brief", 3)), *(self._text(Para(text), self.look.size - 0.8) for text in texts)]

    # The plan

    def _plan(self) -> None:
        draw, look = self.random, self.look
        things = [
            Thing("table"),
            Thing("table", "long"),
            Thing("figure"),
            Thing("figure", "pair"),
            Thing("table", captioned=False),
            Thing(draw.choice(("figure", "table"))),
        ]
        draw.shuffle(things)
        sections = draw.sample(self.domain.sections, 3)
        places = sorted(draw.randrange(6) for _ in things)
        for s, title in enumerate(sections):
            self.plan.append(Head(title, 2))
            self.plan.append(Para(self.writer.paragraph(draw.randint(3, 5))))
            for u in range(2):
                measure = draw.choice(self.domain.measures)
                self.plan.append(Head(f"{measure.capitalize()} in {draw.choice(self.domain.places)}", 3))
                if u and draw.random() < 0.5:
                    self.plan.append(Head(f"Change since {draw.randint(1999, 2020)}", 4))
                for place, thing in zip(places, things, strict=True):
                    if place == 2 * s + u:
                        self.plan.append(Para(self.writer.paragraph(draw.randint(3, 6))))
                        self.plan.append(thing)
                        if thing.shape == "pair":
                            self.plan.append(Thing("figure"))
                self.plan.append(Para(self.writer.paragraph(draw.randint(3, 7))))
                if draw.random() < 0.3:
                    self.plan += [Para([self.writer.sentence()], "list") for _ in range(3)]
        if look.wide != "none":
            self.plan.append(Thing("table", "wide"))
        for letter in "AB"[: draw.randint(1, 2)]:
            name = f"Appendix {letter}"
            self.plan.append(Head(f"{name}{draw.choice((': ', '. '))}{draw.choice(sections)}", 2, ("heading", name)))
            self.plan.append(Para(self.writer.paragraph(4)))
        if not look.footnotes:
            self.plan.append(Head("Notes to the report", 2))
            for n in (1, 2, 3):
                self.plan.append(
                    Head(f"Note {n}. {draw.choice(self.domain.measures).capitalize()}", 3, ("note", str(n)))
                )
                self.plan.append(Para(self.writer.paragraph(3)))

    def _label(self) -> None:
        look, section = self.look, 0
        counts: dict[str, int] = {}
        for item in self.plan:
            if isinstance(item, Head) and item.level == 2:
                section += 1
                if look.numbers == "dotted":
                    counts = {}
            if isinstance(item, Thing):
                item.key = ("object", f"{len(counts)}-{id(item)}")
                if not item.captioned:
                    continue
                word = look.labels[item.kind == "figure"]
                counts[word] = counts.get(word, 0) + 1
                number = str(counts[word])
                if look.numbers == "dotted":
                    number = f"{section}.{number}"
                if look.numbers == "roman":
                    number = _ROMAN[counts[word] - 1]
                item.label = f"{word} {number}"
                item.spoken = f"{look.short if item.kind == 'figure' else word.capitalize()} {number}"

    def _mention(self) -> None:
        draw, wording = self.random, self.look.wording
        paragraphs = [p for p in self.plan if isinstance(p, Para) and p.kind == "text"]
        things = [t for t in self.plan if isinstance(t, Thing)]
        before: dict[Key, Para] = {}
        last = paragraphs[0]
        for item in self.plan:
            if isinstance(item, Para):
                last = item
            if isinstance(item, Thing):
                before[item.key] = last
        for thing in things:
            if thing.captioned:
                self._say(before[thing.key], draw.choice(wording.named), thing.spoken, (thing.key,))
                if draw.random() < 0.6:
                    self._say(draw.choice(paragraphs), draw.choice(wording.named), thing.spoken, (thing.key,))
            else:
                sentence = draw.choice(wording.near).format(below="table below", kind="table")
                words = "table below" if "table below" in sentence else "following table"
                self._say(before[thing.key], sentence, words, (thing.key,), last=True)
        for kind in ("table", "figure"):
            same = [t for t in things if t.kind == kind and t.captioned]
            word = self.look.labels[kind == "figure"].capitalize().rstrip(".")
            if len(same) > 1:
                numbers = [t.label.split()[-1] for t in same[:2]]
                words = f"{word}s {numbers[0]} and {numbers[1]}"
                self._say(draw.choice(paragraphs), draw.choice(wording.named), words, tuple(t.key for t in same[:2]))
        for page in draw.sample(range(1, 5), 2):
            if page + self.look.offset > 0:
                words = f"page {page + self.look.offset}"
                sentence = draw.choice(wording.page).replace("{n}", str(page + self.look.offset))
                self._say(draw.choice(paragraphs), sentence, words, (("page", str(page)),))
        for head in [h for h in self.plan if isinstance(h, Head) and h.key]:
            words = " ".join(head.text.split()[:2]).rstrip(".:")
            self._say(draw.choice(paragraphs[:-2]), draw.choice(wording.named), words, (head.key,) if head.key else ())
        self._say(draw.choice(paragraphs), draw.choice(wording.elsewhere), "", ())
        if self.look.footnotes:
            for n in (1, 2, 3):
                self._note(draw.choice(paragraphs[2:]), str(n))
            self._say(draw.choice(paragraphs), draw.choice(wording.named), "note 2", (("note", "2"),))

    def _say(self, para: Para, sentence: str, words: str, keys: tuple[Key, ...], last: bool = False) -> None:
        sentence = sentence.format(it=words)
        sentence = sentence[0].upper() + sentence[1:]
        words = words if words in sentence else words[:1].upper() + words[1:]
        para.sentences.insert(len(para.sentences) if last else self.random.randrange(len(para.sentences) + 1), sentence)
        if keys:
            para.mentions.append((words, keys))

    def _note(self, para: Para, number: str) -> None:
        at = self.random.randrange(len(para.sentences))
        mark = " ".join(para.sentences[at].split()[-3:])
        para.sentences[at] += f"<super>{number}</super>"
        look = ParagraphStyle("note", fontName=self.look.face, fontSize=7, leading=8.6)
        note = Words.of(f"{number} {self.writer.sentence()}", look, Passage("footnote", key=("note", number)))
        para.notes.append((mark, note))

    # From the plan to flowables

    def _set(self) -> list[Flowable]:
        look = self.look
        story: list[Flowable] = [
            self._heading(Head(self.domain.title, 1)),
            self._text(Para(self.writer.paragraph(2)), look.size + 1),
            *([FrameBreak()] if look.columns > 1 else []),
        ]
        numbers = [0, 0, 0]
        items = iter(self.plan)
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
        passage = Passage(para.kind, tuple(para.mentions), para.key, notes=tuple(para.notes))
        return Words.of(text, style, passage)

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

    def _pair(self, left: Thing, right: Head | Para | Thing) -> list[Flowable | ActionFlowable]:
        if not isinstance(right, Thing):
            raise TypeError("a pair is two things")
        if self.look.columns == 3:  # too narrow for two beside each other
            return [self._exhibit(left), self._exhibit(right)]
        return [Beside(self._exhibit(left, 0.46), self._exhibit(right, 0.46))]

"""Type, colours, and flowables that write down in the ledger what they draw and where, while they draw it.

The ledger is therefore the truth about the finished pages and not a second account of them. Knows nothing of the data.
Lengths are PDF points (1/72 inch).
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
from ledger import Box, Ledger
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

Look = Literal["ruled", "grid", "plain"]

PAGE_WIDTH, PAGE_HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 58.0, 58.0, 74.0, 64.0
WIDTH = PAGE_WIDTH - LEFT - RIGHT
GUTTER = 22.0
COLUMN = (WIDTH - GUTTER) / 2
MENTION = re.compile(r"\b(Table|Figure) (\d+)")
PAGE_MENTION = re.compile(r"\bpage (\d+)")

INK, GREY, HAIR, TINT = HexColor("#22262b"), HexColor("#667078"), HexColor("#b9c0c6"), HexColor("#eef1f4")

# matplotlib brings these faces along, so they are the same on every machine.
for name, file in {
    "Serif": "STIXGeneral",
    "Serif-Bold": "STIXGeneralBol",
    "Serif-Italic": "STIXGeneralItalic",
    "Serif-BoldItalic": "STIXGeneralBolIta",
}.items():
    pdfmetrics.registerFont(TTFont(name, str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{file}.ttf"))))
pdfmetrics.registerFontFamily(
    "Serif", normal="Serif", bold="Serif-Bold", italic="Serif-Italic", boldItalic="Serif-BoldItalic"
)


def style(name: str, font: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    """A paragraph style; `size` and `leading` in points."""
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=leading, allowWidows=0, allowOrphans=0, **{"textColor": INK, **more}
    )


BODY = style("body", "Serif", 10, 13.2, spaceAfter=6.5)
TITLE = style("title", "Serif-Bold", 25, 29, spaceAfter=4)
SUBTITLE = style("subtitle", "Serif-Italic", 13, 17, textColor=GREY, spaceAfter=14)
LEAD = style("lead", "Serif", 11.3, 15.6, spaceAfter=14)
CAPTION = style("caption", "Helvetica", 8, 10.6)
NOTE = style("note", "Helvetica", 6.8, 9, textColor=GREY)
FOOTNOTE = style("footnote", "Serif", 8, 10)


def placed(flowable: Flowable, width: float, height: float, x: float = 0, y: float = 0) -> tuple[int, Box]:
    """Page and box of a rectangle given in the coordinates in which the flowable is being drawn."""
    left, bottom = flowable.canv.absolutePosition(x, y)
    top = PAGE_HEIGHT - bottom - height
    box = (round(left, 2), round(top, 2), round(left + width, 2), round(top + height, 2))
    return flowable.canv.getPageNumber(), box


def ledger_of(flowable: Flowable) -> Ledger:
    """The ledger of the document that is being drawn."""
    ledger: Ledger = flowable.canv._doctemplate.ledger
    return ledger


def drawn_text(paragraph: Paragraph) -> str:
    """The text of the lines that a paragraph has been broken into; `getPlainText` is empty for one half of a split."""
    block = paragraph.blPara
    if block.kind == 0:
        return " ".join(" ".join(words) for _, words in block.lines)
    return " ".join("".join(word.text for word in line.words).strip() for line in block.lines)


class Para(Paragraph):  # type: ignore[misc]
    """Running text, which may mention tables, figures and pages."""

    def draw(self) -> None:
        super().draw()
        ledger, text = ledger_of(self), drawn_text(self)
        page, box = placed(self, self.width, self.height)
        ledger.paragraphs.append({"page": page, "text": text, "bbox": box})
        ledger.mentions += [{"page": page, "label": " ".join(found)} for found in MENTION.findall(text)]
        ledger.page_mentions += [{"page": page, "to": int(found)} for found in PAGE_MENTION.findall(text)]


class Heading(Paragraph):  # type: ignore[misc]
    """A numbered heading, `2` or `2.1`, which also goes into the outline of the PDF."""

    def __init__(self, text: str, accent: str) -> None:
        self.words = text
        number, _, title = text.partition(" ")
        self.level = number.count(".") + 1
        size = {1: 13.5, 2: 10.5}[self.level]
        look = style(f"h{self.level}", "Helvetica-Bold", size, size * 1.25, spaceAfter=4, spaceBefore=8)
        super().__init__(f'<font color="{accent}">{number}</font>&nbsp;&nbsp;{title}', look)

    def draw(self) -> None:
        super().draw()
        page, box = placed(self, self.width, self.height)
        ledger_of(self).headings.append({"page": page, "level": self.level, "text": self.words, "bbox": box})
        self.canv.bookmarkPage(self.words)
        self.canv.addOutlineEntry(self.words, self.words, level=self.level - 1)


class Chart(Flowable):  # type: ignore[misc]
    """A drawing with its caption below or above.

    `page` is a PDF of one page. With `raster` given (a PNG of the same drawing) that is embedded; otherwise the page
    is placed as vectors once the document stands, because reportlab cannot import pages.
    """

    gap = 5.0

    def __init__(
        self,
        label: str,
        caption: str,
        page: bytes,
        size: tuple[float, float],
        *,
        raster: bytes = b"",
        above: bool = False,
    ) -> None:
        super().__init__()
        self.label, self.page, self.size, self.raster, self.above = label, page, size, raster, above
        self.words = f"{label}. {caption}"
        self.caption = Paragraph(f"<b>{label}.</b> {caption}", CAPTION)
        self.spaceBefore, self.spaceAfter = 6, 14

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = self.size[0]
        self.caption_height = self.caption.wrapOn(self.canv, self.width, 1000)[1]
        self.height = self.size[1] + self.gap + self.caption_height
        return self.width, self.height

    def draw(self) -> None:
        width, height = self.size
        bottom = 0.0 if self.above else self.caption_height + self.gap
        self.caption.drawOn(self.canv, 0, height + self.gap if self.above else 0)
        page, box = placed(self, width, height, 0, bottom)
        ledger = ledger_of(self)
        if self.raster:
            self.canv.drawImage(ImageReader(io.BytesIO(self.raster)), 0, bottom, width, height)
        else:
            ledger.vectors.append((page, box, self.page))
        kind = "raster" if self.raster else "vector"
        ledger.figures.append({"label": self.label, "caption": self.words, "page": page, "bbox": box, "kind": kind})


class Side(Flowable):  # type: ignore[misc]
    """Two charts beside each other, tops aligned."""

    def __init__(self, left: Chart, right: Chart) -> None:
        super().__init__()
        self.charts = (left, right)
        self.spaceBefore, self.spaceAfter = 6, 14

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        self.height = max(chart.wrapOn(self.canv, COLUMN, available_height)[1] for chart in self.charts)
        return self.width, self.height

    def draw(self) -> None:
        for chart, x in zip(self.charts, (0.0, COLUMN + GUTTER), strict=True):
            chart.drawOn(self.canv, x, self.height - chart.height)


@dataclass(frozen=True)
class Data:
    """The content of a table: `rows` start with the `heads` header rows. A header cell may span (row, from, to)."""

    label: str
    caption: str
    rows: list[list[str]]
    heads: int = 1
    spans: tuple[tuple[int, int, int], ...] = ()
    note: str = ""
    texts: tuple[int, ...] = (0,)


def table_style(data: Data, look: Look, size: float, pad: float, accent: str) -> TableStyle:
    """Rules and alignment: `ruled` has three horizontal rules, `grid` a line around every cell, `plain` none."""
    last = data.heads - 1
    commands: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, last), "Helvetica-Bold", size, size * 1.2),
        ("FONT", (0, data.heads), (-1, -1), "Helvetica", size, size * 1.2),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("ALIGN", (0, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, last), "BOTTOM"),
        ("VALIGN", (0, data.heads), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), pad),
        ("BOTTOMPADDING", (0, 0), (-1, -1), pad),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    commands += [("ALIGN", (column, 0), (column, -1), "LEFT") for column in data.texts]
    for row, start, stop in data.spans:
        commands += [("SPAN", (start, row), (stop, row)), ("ALIGN", (start, row), (stop, row), "CENTER")]
        if look == "ruled":
            commands.append(("LINEBELOW", (start, row), (stop, row), 0.4, HAIR))
    if look == "ruled":
        commands += [
            ("LINEABOVE", (0, 0), (-1, 0), 1.0, HexColor(accent)),
            ("LINEBELOW", (0, last), (-1, last), 0.5, INK),
            ("LINEBELOW", (0, -1), (-1, -1), 1.0, HexColor(accent)),
            ("LINEBELOW", (0, "splitlast"), (-1, "splitlast"), 0.5, HAIR),
        ]
    if look == "grid":
        commands += [
            ("GRID", (0, 0), (-1, -1), 0.5, HAIR),
            ("BACKGROUND", (0, 0), (-1, last), TINT),
            ("LINEABOVE", (0, 0), (-1, 0), 1.0, HexColor(accent)),
        ]
    if look == "plain":
        commands += [("LEFTPADDING", (0, 0), (0, -1), 0), ("RIGHTPADDING", (-1, 0), (-1, -1), 0)]
    return TableStyle(commands)


class Captioned(Flowable):  # type: ignore[misc]
    """A table under its caption. Split over pages, it repeats its header and says that it continues."""

    gap = 5.0

    def __init__(self, data: Data, grid: Table, first: int = 0) -> None:
        super().__init__()
        self.data, self.grid, self.first = data, grid, first
        label = data.label if first == 0 else f"{data.label} (continued)"
        self.caption = Paragraph(f"<b>{label}.</b> {data.caption}", CAPTION)
        self.last = first + grid._nrows - data.heads == len(data.rows) - data.heads
        self.note = Paragraph(data.note, NOTE) if data.note and self.last else None
        self.spaceBefore, self.spaceAfter = 6, 14

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.grid_height = self.grid.wrapOn(self.canv, available_width, available_height)
        self.caption_height = self.caption.wrapOn(self.canv, self.width, 1000)[1]
        self.note_height = self.note.wrapOn(self.canv, self.width, 1000)[1] + 3 if self.note else 0.0
        self.height = self.caption_height + self.gap + self.grid_height + self.note_height
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        self.wrap(available_width, available_height)
        room = available_height - self.caption_height - self.gap
        parts = self.grid.split(available_width, room)
        if len(parts) < 2 or parts[0]._nrows < self.data.heads + 5:
            return []
        drawn = parts[0]._nrows - self.data.heads
        return [Captioned(self.data, parts[0], self.first), Captioned(self.data, parts[1], self.first + drawn)]

    def draw(self) -> None:
        self.caption.drawOn(self.canv, 0, self.height - self.caption_height)
        self.grid.drawOn(self.canv, 0, self.note_height)
        if self.note:
            self.note.drawOn(self.canv, 0, 0)
        page, box = placed(self, self.width, self.grid_height, 0, self.note_height)
        entry = ledger_of(self).tables.setdefault(
            self.data.label,
            {
                "label": self.data.label,
                "caption": f"{self.data.label}. {self.data.caption}",
                "rows": [[cell.replace("\n", " ") for cell in row] for row in self.data.rows],
                "boxes": [],
            },
        )
        start = self.first + self.data.heads
        stop = start + self.grid._nrows - self.data.heads
        entry["boxes"].append({"page": page, "bbox": box, "rows": [start, stop]})


def table(
    data: Data, shares: Sequence[float], width: float, *, look: Look, accent: str, size: float = 7.8, pad: float = 2.5
) -> Captioned:
    """A captioned table.

    `width` in points, `shares` the columns' relative widths, `size` of the type and `pad` above and below it in points.
    """
    widths = [width * share / sum(shares) for share in shares]
    grid = Table(data.rows, colWidths=widths, repeatRows=data.heads, hAlign="LEFT")
    grid.setStyle(table_style(data, look, size, pad, accent))
    return Captioned(data, grid)


class Columns(Flowable):  # type: ignore[misc]
    """Content in two columns of equal height, continued on the next page where it does not fit."""

    def __init__(self, content: list[Flowable]) -> None:
        super().__init__()
        self.content = content
        self.spaceAfter = 16

    def fill(self, content: list[Flowable], height: float) -> tuple[list[tuple[Flowable, float]], list[Flowable]]:
        """One column: what is placed, each with the depth of its lower edge, and what is left over."""
        queue, depth = list(content), 0.0
        out: list[tuple[Flowable, float]] = []
        while queue:
            item = queue[0]
            above = item.getSpaceBefore() if out else 0.0
            room = height - depth - above
            tall = item.wrapOn(self.canv, COLUMN, max(room, 0.1))[1]
            # A heading at the foot of a column would be cut off from its text.
            needed = tall + 46 if isinstance(item, Heading) else tall
            if needed > room + 0.01:
                parts = item.splitOn(self.canv, COLUMN, room) if room > 20 and not isinstance(item, Heading) else []
                if len(parts) < 2:
                    break
                queue[:1] = parts
                continue
            depth += above + tall
            out.append((item, depth))
            depth += item.getSpaceAfter()
            queue.pop(0)
        return out, queue

    def lay(self, height: float) -> list[Flowable]:
        """Fill both columns; what is left over."""
        left, rest = self.fill(self.content, height)
        right, rest = self.fill(rest, height)
        self.columns = (left, right)
        self.height = max((column[-1][1] for column in self.columns if column), default=0.0)
        return rest

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        if self.lay(available_height):
            return self.width, available_height + 1
        low, high = 0.0, available_height
        while high - low > 1:
            middle = (low + high) / 2
            low, high = (middle, high) if self.lay(middle) else (low, middle)
        self.lay(high)
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        if available_height < 110:
            return []
        rest = self.lay(available_height)
        here = [item for column in self.columns for item, _ in column]
        return [Columns(here), Columns(rest)] if here and rest else []

    def draw(self) -> None:
        for column, x in zip(self.columns, (0.0, COLUMN + GUTTER), strict=True):
            for item, depth in column:
                item.drawOn(self.canv, x, self.height - depth)


def title_block(report_title: str, subtitle: str, lead: str, number: int, accent: str) -> list[Flowable]:
    """The opening of a report over the whole width of the page."""
    series = style("series", "Helvetica-Bold", 8, 10, textColor=HexColor(accent), spaceAfter=9)
    opening = TableStyle([("LINEABOVE", (0, 0), (-1, 0), 0.8, HexColor(accent)), ("TOPPADDING", (0, 0), (-1, -1), 7)])
    opening.add("LEFTPADDING", (0, 0), (-1, -1), 0)
    opening.add("RIGHTPADDING", (0, 0), (-1, -1), 0)
    return [
        Paragraph(f"OCTAVO SAMPLE STATISTICS &nbsp;&#183;&nbsp; No. {number}", series),
        Paragraph(report_title, TITLE),
        Paragraph(subtitle, SUBTITLE),
        Table([[Para(lead, LEAD)]], colWidths=[WIDTH], style=opening),
        Spacer(1, 4),
    ]


def body(text: str) -> Para:
    """A paragraph of running text."""
    return Para(" ".join(text.split()), BODY)


def spelled(number: int) -> str:
    """A count as running text has it: in words up to twelve."""
    words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[number] if 0 <= number < len(words) else f"{number:,}"

"""Sets a made report on pages: columns, sidebars, footnotes, running headers and footers, wide and turned pages."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pymupdf
from reportlab.lib.colors import HexColor
from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageTemplate

from .drawing import Words
from .looks import Look
from .story import Author
from .truth import Truth

MARGIN, TOP, FOOT, NOTES, GUTTER, OPENING = 54.0, 66.0, 56.0, 44.0, 18.0, 130.0


class Setting(BaseDocTemplate):  # type: ignore[misc]
    """One report on its way to paper, with its truth."""

    def __init__(self, target: io.BytesIO, title: str, look: Look, aside: list[Words]) -> None:
        super().__init__(target, pagesize=look.paper, title=title, invariant=1)
        self.truth, self.look, self.title_words, self.aside = Truth(), look, title, aside
        self.turns: dict[int, int] = {}
        self.sideways: dict[int, float] = {}  # pages that are displayed sideways, and how wide they were drawn
        self.bottom = FOOT + (NOTES if look.footnotes else 0)
        width, height = look.paper
        body = height - TOP - self.bottom
        columns = self._columns(width, body)
        opening = [Frame(MARGIN, height - TOP - OPENING, width - 2 * MARGIN, OPENING, 0, 0, 0, 0)]
        first = [*opening, *self._columns(width, body - OPENING)] if look.columns > 1 else columns
        templates = [("first", first, look.paper), ("inner", columns, look.paper)]
        side = (height, width)
        wide = Frame(MARGIN, self.bottom, height - 2 * MARGIN, width - TOP - self.bottom, 0, 0, 0, 0)
        templates.append(("wide", [wide], side))
        templates.append(("aside", self._beside(width, body), look.paper))
        self.addPageTemplates(
            [
                PageTemplate(name, frames, onPage=self._furniture, onPageEnd=self._notes, pagesize=size)
                for name, frames, size in templates
            ]
        )

    def _columns(self, width: float, height: float) -> list[Frame]:
        count = self.look.columns
        broad = (width - 2 * MARGIN - GUTTER * (count - 1)) / count
        return [Frame(MARGIN + n * (broad + GUTTER), self.bottom, broad, height, 0, 0, 0, 0) for n in range(count)]

    def _beside(self, width: float, height: float) -> list[Frame]:
        """Frames that leave the sidebar its place: at the right of one column, at the foot of the last of several."""
        if self.look.columns == 1:
            self.box = (width - MARGIN - 130, self.bottom + height - 300, 130.0, 300.0)
            return [Frame(MARGIN, self.bottom, width - 2 * MARGIN - 130 - GUTTER, height, 0, 0, 0, 0)]
        *frames, last = self._columns(width, height)
        self.box = (last._x1, self.bottom, last._width, 250.0)
        return [*frames, Frame(last._x1, self.bottom + 264, last._width, height - 264, 0, 0, 0, 0)]

    def _furniture(self, canvas: Any, _: BaseDocTemplate) -> None:
        page, look = canvas.getPageNumber(), self.look
        width, height = canvas._pagesize
        wide = width > height
        if wide:
            self.turns[page] = 90 if look.wide in ("rotated", "sideways") else 0
        else:
            self.turns[page] = look.turned if page % 2 == 0 else 0
        if wide and look.wide == "sideways":
            self.sideways[page] = width
        canvas._doctemplate = self
        canvas.setFillColor(HexColor("#555d63"))
        canvas.setFont("Helvetica", 7.5)
        if page > 1:
            canvas.drawString(MARGIN, height - 40, self.title_words)
            self.truth.add("header", page, (MARGIN, 33, MARGIN + 200, 42), self.title_words, under=False)
        if page + look.offset > 0:
            number = str(page + look.offset)
            canvas.drawCentredString(width / 2, 30, number)
            self.truth.add(
                "footer", page, (width / 2 - 6, height - 37, width / 2 + 6, height - 28), number, under=False
            )
        if self.pageTemplate.id == "aside":
            self._draw_aside(canvas)

    def _draw_aside(self, canvas: Any) -> None:
        x, y, width, height = self.box
        canvas.setFillColor(HexColor("#e9eef2"))
        canvas.rect(x, y, width, height, stroke=0, fill=1)
        before, self.truth.headings = self.truth.headings, []
        start, top = len(self.truth.elements), y + height - 8
        for part in self.aside:
            tall = part.wrapOn(canvas, width - 16, height)[1]
            if top - tall < y + 4:
                break
            part.drawOn(canvas, x + 8, top - tall)
            top -= tall + 6
        for element in self.truth.elements[start:]:
            element["aside"] = True
        self.truth.headings = before

    def _notes(self, canvas: Any, _: BaseDocTemplate) -> None:
        canvas._doctemplate = self  # the builder takes it off before a page ends
        notes, self.truth.notes = self.truth.notes, []
        if not notes:
            return
        canvas.setStrokeColor(HexColor("#7d868d"))
        canvas.line(MARGIN, self.bottom - 8, MARGIN + 90, self.bottom - 8)
        top = self.bottom - 12
        for note in notes:
            top -= note.wrapOn(canvas, canvas._pagesize[0] - 2 * MARGIN, 100)[1]
            note.drawOn(canvas, MARGIN, top)
            top -= 2


def make(domain: str, look: Look, random: Random) -> tuple[bytes, dict[str, Any]]:
    """A report as PDF bytes, and the truth about it: `pages`, `elements`, `links`."""
    author, target = Author(domain, look, random), io.BytesIO()
    story = author.story()
    setting = Setting(target, author.domain.title, look, author.aside() if look.aside else [])
    after = ["aside", "*", "inner"] if look.aside else ["inner"]
    setting.build([NextPageTemplate(after), *story])
    with pymupdf.open(stream=target.getvalue()) as document:
        for page, turn in setting.turns.items():
            if turn:
                turned(document, document[page - 1], turn, rotate=page not in setting.sideways)
        pdf = document.tobytes(garbage=3, deflate=True, no_new_id=True)
        for element in setting.truth.elements:
            if width := setting.sideways.get(element["page"]):
                x0, y0, x1, y1 = element["bbox"]
                element["bbox"] = [round(edge, 1) for edge in (y0, width - x1, y1, width - x0)]
        return bytes(pdf), {"pages": document.page_count, **setting.truth.as_json()}


def turned(document: pymupdf.Document, page: pymupdf.Page, turn: int, rotate: bool) -> None:
    """Turn what the page draws; with `rotate` a /Rotate of `turn` (90 or 270) displays it as before."""
    width, height = page.rect.width, page.rect.height
    matrix = f"0 1 -1 0 {height} 0" if turn == 90 else f"0 -1 1 0 0 {width}"
    page.clean_contents()
    [xref] = page.get_contents()
    document.update_stream(xref, f"q {matrix} cm ".encode() + document.xref_stream(xref) + b" Q")
    page.set_mediabox(pymupdf.Rect(0, 0, height, width))
    if rotate:
        page.set_rotation(turn)

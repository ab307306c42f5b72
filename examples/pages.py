"""Sets a report on pages: running headers and footers, footnotes, page numbers in the text, vector drawings.

Lengths are PDF points (1/72 inch).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pymupdf
from flowables import BOTTOM, FOOTNOTE, GREY, HAIR, LEFT, PAGE_HEIGHT, PAGE_WIDTH, RIGHT, TOP, WIDTH
from ledger import Box, Ledger, Report
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph


class Template(BaseDocTemplate):  # type: ignore[misc]
    """One report on its way to paper, with its ledger."""

    def __init__(self, target: io.BytesIO, report: Report, pages: int) -> None:
        super().__init__(
            target, pagesize=A4, title=report.title, author="Octavo samples", subject=report.subtitle, invariant=1
        )
        self.ledger, self.report, self.pages = Ledger(), report, pages
        # One template a page, since a page with footnotes has less room for text.
        for page in range(1, 13):
            notes = [Paragraph(text, FOOTNOTE) for text in report.notes.get(page, [])]
            depth = sum(note.wrap(WIDTH, 1000)[1] + 2 for note in notes)
            bottom = BOTTOM + (depth + 14 if notes else 0)
            top = TOP - 16 if page == 1 else TOP
            frame = Frame(LEFT, bottom, WIDTH, PAGE_HEIGHT - top - bottom, 0, 0, 0, 0)
            self.addPageTemplates(
                PageTemplate(
                    f"page{page}", [frame], onPage=self.furniture(notes), autoNextPageTemplate=f"page{page + 1}"
                )
            )

    def furniture(self, notes: list[Paragraph]) -> Callable[[Any, BaseDocTemplate], None]:
        """Running header, running footer and footnotes of a page."""

        def draw(canvas: Any, _: BaseDocTemplate) -> None:
            page, accent = canvas.getPageNumber(), HexColor(self.report.accent)
            self.ledger.pages = page
            canvas.setFont("Helvetica", 7.5)
            canvas.setFillColor(GREY)
            if page > 1:
                canvas.drawString(LEFT, PAGE_HEIGHT - 46, "Octavo Sample Statistics")
                canvas.drawRightString(PAGE_WIDTH - RIGHT, PAGE_HEIGHT - 46, self.report.title)
                rule(canvas, PAGE_HEIGHT - 53, HAIR, 0.5)
            else:
                canvas.setFillColor(accent)
                canvas.rect(0, PAGE_HEIGHT - 9, PAGE_WIDTH, 9, stroke=0, fill=1)
            rule(canvas, 46, HAIR, 0.5)
            canvas.setFillColor(GREY)
            canvas.drawString(LEFT, 34, f"Source: {self.report.source}")
            canvas.drawRightString(PAGE_WIDTH - RIGHT, 34, f"Page {page} of {self.pages}")
            y = BOTTOM
            for note in reversed(notes):
                note.drawOn(canvas, LEFT, y)
                top = PAGE_HEIGHT - y - note.height
                box = tuple(round(edge, 2) for edge in (LEFT, top, LEFT + WIDTH, top + note.height))
                self.ledger.footnotes.insert(0, {"page": page, "text": note.getPlainText(), "bbox": box})
                y += note.height + 2
            if notes:
                rule(canvas, y + 4, GREY, 0.5, LEFT + 90)

        return draw


def rule(canvas: Any, y: float, color: Color, width: float, stop: float = PAGE_WIDTH - RIGHT) -> None:
    """A horizontal rule from the left margin, `y` points above the page's lower edge."""
    canvas.setStrokeColor(color)
    canvas.setLineWidth(width)
    canvas.line(LEFT, y, stop, y)


def set_report(make: Callable[[Ledger], Report]) -> tuple[Report, bytes, Ledger]:
    """Set a report until the page numbers that it mentions are right: its parts, the PDF and the ledger."""
    known = Ledger()
    for _ in range(4):
        report, target = make(known), io.BytesIO()
        template = Template(target, report, known.pages)
        template.build(report.story)
        settled = template.ledger == known
        known = template.ledger
        if settled:
            return report, with_vectors(target.getvalue(), known.vectors), known
    raise RuntimeError(f"{report.name}: the pages do not settle; shorten the text around a page reference")


def with_vectors(pdf: bytes, vectors: list[tuple[int, Box, bytes]]) -> bytes:
    """The PDF with every vector drawing placed in its box."""
    with pymupdf.open(stream=pdf) as document:
        for page, box, drawing in vectors:
            with pymupdf.open(stream=drawing) as source:
                document[page - 1].show_pdf_page(pymupdf.Rect(box), source)
        return bytes(document.tobytes(garbage=3, deflate=True, no_new_id=True))

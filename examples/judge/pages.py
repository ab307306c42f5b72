"""Pages with tables of known truth among text, lists, charts and forms.

    python examples/judge/pages.py FOLDER [--pages 300] [--seed 0]

Writes NAME.pdf and NAME.json: for each page the true tables as {"rows", "box"}, boxes in points from the top left.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

import matplotlib
from content import PLACES, make, phrase, sentence
from drawing import FACES, Drawn, look, wrap
from reportlab.lib.pagesizes import A4, letter
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# matplotlib brings these faces along, so they are the same on every machine.
FILES = {"Serif": "STIXGeneral", "Serif-Bold": "STIXGeneralBol", "Sans": "DejaVuSans", "Sans-Bold": "DejaVuSans-Bold"}
for name, file in FILES.items():
    pdfmetrics.registerFont(TTFont(name, Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{file}.ttf"))


class Page:
    """One page being filled from the top; `y` is how far down it is full, in points from the top."""

    def __init__(self, canvas: Canvas, chance: Random) -> None:
        self.canvas, self.chance = canvas, chance
        self.wide, self.high = chance.choice([A4, letter])
        if chance.random() < 0.15:
            self.wide, self.high = self.high, self.wide
        canvas.setPageSize((self.wide, self.high))
        self.left, self.right = chance.uniform(40, 80), self.wide - chance.uniform(40, 80)
        self.y = chance.uniform(40, 70)
        self.face, self.size = chance.randrange(len(FACES)), chance.uniform(9, 11.5)
        self.tables: list[dict[str, Any]] = []

    def text(
        self, text: str, bold: bool = False, indent: float = 0, width: float | None = None, size: float | None = None
    ) -> None:
        font, size = FACES[self.face][bold], size or self.size
        self.canvas.setFont(font, size)
        for line in wrap(text, font, size, (width or self.right - self.left) - indent):
            if self.y + size > self.high - 40:
                return
            self.canvas.drawString(self.left + indent, self.high - self.y - size, line)
            self.y += size * 1.2

    def paragraph(self) -> None:
        self.text(". ".join(sentence(self.chance) for _ in range(self.chance.randint(2, 9))) + ".")
        self.y += self.size * 0.8

    def bullets(self) -> None:
        for n in range(self.chance.randint(3, 7)):
            mark = self.chance.choice(["•", f"{n + 1}.", f"({'abcdefgh'[n]})"])
            self.canvas.setFont(FACES[self.face][0], self.size)
            if self.y + self.size < self.high - 40:
                self.canvas.drawString(self.left + 10, self.high - self.y - self.size, mark)
            self.text(sentence(self.chance), indent=30)
        self.y += self.size

    def contents(self) -> None:
        """A table of contents, which is none of the tables."""
        for n in range(self.chance.randint(5, 14)):
            if self.y + self.size > self.high - 40:
                return
            title, font = f"{n + 1}. {phrase(self.chance, 2, 5)}", FACES[self.face][0]
            dots = int(
                (self.right - self.left - 30 - stringWidth(title, font, self.size)) / stringWidth(".", font, self.size)
            )
            self.canvas.setFont(font, self.size)
            self.canvas.drawString(self.left, self.high - self.y - self.size, title + " " + "." * max(3, dots - 2))
            self.canvas.drawRightString(self.right, self.high - self.y - self.size, str(3 * n + 5))
            self.y += self.size * 1.4
        self.y += self.size

    def terms(self) -> None:
        """Short forms and what they mean, as notes under a table have them: no table."""
        font, size, reach = FACES[self.face][0], self.size - 1.5, self.chance.uniform(30, 70)
        for n in range(self.chance.randint(2, 7)):
            if self.y + size > self.high - 40:
                return
            self.canvas.setFont(font, size)
            opening = self.chance.choice(["Source:", "Note:", "Other sources:"]) if n == 0 else ""
            term = "".join(self.chance.choice("ABCDEFGIMNOPRST") for _ in range(self.chance.randint(2, 5)))
            self.canvas.drawString(self.left, self.high - self.y - size, opening)
            self.canvas.drawString(self.left + 60, self.high - self.y - size, term)
            self.canvas.drawString(self.left + 60 + reach, self.high - self.y - size, phrase(self.chance, 1, 4))
            self.y += size * 1.2
        self.y += self.size

    def columns(self) -> None:
        """Running text in two columns."""
        top, left, right, deepest = self.y, self.left, self.right, self.y
        middle = (left + right) / 2
        for self.left, self.right in ((left, middle - 10), (middle + 10, right)):
            self.y = top
            for _ in range(2):
                self.paragraph()
            deepest = max(deepest, self.y)
        self.left, self.right, self.y = left, right, deepest

    def chart(self) -> None:
        """Bars, upright or stacked sideways with their values inside, or lines, in a frame or on an axis: no table."""
        high, wide, n = self.chance.uniform(90, 160), self.chance.uniform(200, 400), self.chance.randint(3, 8)
        if self.y + high + 50 > self.high - 40:
            return
        x, base, canvas = self.left + 40, self.high - self.y - high, self.canvas
        canvas.setFont(FACES[self.face][0], self.chance.uniform(6, 9))
        canvas.setLineWidth(0.5)
        sideways, steps = self.chance.random() < 0.4, self.chance.randint(4, 10)
        if self.chance.random() < 0.6:
            canvas.rect(x, base, wide, high)
        for k in range(steps + 1):
            if sideways:
                canvas.line(x + k * wide / steps, base, x + k * wide / steps, base + high)
                canvas.drawCentredString(x + k * wide / steps, base - 10, f"{100 * k // steps}%")
            else:
                canvas.line(x, base + k * high / steps, x + wide, base + k * high / steps)
                canvas.drawRightString(x - 4, base + k * high / steps - 3, f"{k * 250:,}")
        kind = self.chance.choice([self._stacked] if sideways else [self._bars, self._bars, self._lines])
        kind(x, base, wide, high, n)
        self.y += high + 14
        if self.chance.random() < 0.5:
            for k in range(3):
                canvas.rect(x + 90 * k, self.high - self.y - 9, 5, 5, fill=1)
                canvas.drawString(x + 8 + 90 * k, self.high - self.y - 9, self.chance.choice(PLACES)[:14])
            self.y += 14
        self.y += self.size

    def _bars(self, x: float, base: float, wide: float, high: float, n: int) -> None:
        named = self.chance.random() < 0.5
        for k in range(n):
            at, tall = x + 5 + k * wide / n, self.chance.uniform(0.1, 0.9) * high
            self.canvas.setFillGray(0.6)
            self.canvas.rect(at, base, wide / n * 0.6, tall, fill=1)
            self.canvas.setFillGray(0)
            self.canvas.drawString(at, base - 10, self.chance.choice(PLACES)[:10])
            if named:
                self.canvas.drawString(at, base + tall + 2, str(self.chance.randint(1, 999)))

    def _stacked(self, x: float, base: float, wide: float, high: float, n: int) -> None:
        for k in range(n):
            y, at = base + (k + 0.2) * high / n, x
            self.canvas.drawRightString(x - 4, y + 2, str(1990 + k))
            for share in (0.3, 0.5, 0.2):
                part = share * wide * self.chance.uniform(0.8, 1)
                self.canvas.setFillGray(self.chance.uniform(0.6, 0.95))
                self.canvas.rect(at, y, part, 0.6 * high / n, fill=1)
                self.canvas.setFillGray(0)
                self.canvas.drawCentredString(at + part / 2, y + 2, f"{100 * part / wide:.1f}")
                at += part

    def _lines(self, x: float, base: float, wide: float, high: float, n: int) -> None:
        for _ in range(self.chance.randint(1, 3)):
            heights = [base + self.chance.random() * high for _ in range(n + 1)]
            for k in range(n):
                self.canvas.line(x + k * wide / n, heights[k], x + (k + 1) * wide / n, heights[k + 1])
        for k in range(n + 1):
            self.canvas.drawCentredString(x + k * wide / n, base - 10, str(2000 + k))

    def notice(self) -> None:
        """Text in a box, which is no table."""
        top, left, right = self.y, self.left, self.right
        self.left, self.right, self.y = left + 8, right - 8, top + 6
        self.text(phrase(self.chance, 2, 4), bold=True)
        self.paragraph()
        if self.chance.random() < 0.5:
            self.bullets()
        self.left, self.right = left, right
        self.canvas.rect(left, self.high - self.y, right - left, self.y - top)
        self.y += self.size

    def table(self, left: float | None = None, most: float | None = None) -> bool:
        """A table where it fits; whether one did."""
        most = most or self.right - self.left
        for _ in range(20):
            content, how = make(self.chance), look(self.chance)
            drawn = Drawn(content, how, self.chance, most)
            if drawn.width <= most and self.y + drawn.height + 30 < self.high - 40:
                break
        else:
            return False
        x = left if left is not None else self.left + self.chance.choice([0, 0, (most - drawn.width) / 2])
        above = self.chance.random() < 0.7
        caption = (
            f"Table {self.chance.randint(1, 20)}{self.chance.choice(['.', ':', ' -', ''])} {phrase(self.chance, 3, 6)}"
        )
        if above:
            self.text(caption, bold=self.chance.random() < 0.5, width=most)
            self.y += self.chance.uniform(1, 10)
        drawn.draw(self.canvas, x, self.high - self.y)
        box = (x, self.y, x + drawn.width, self.y + drawn.height)
        rows = [[text.replace("^", "") for text in row] for row in content.rows]
        self.tables.append({"rows": rows, "box": box})
        self.y += drawn.height + self.chance.uniform(2, 8)
        if self.chance.random() < 0.4:
            opening = self.chance.choice(["Source:", "Note:", "*", "1", "(D)", "a"])
            note = f"{opening} {sentence(self.chance)}."
            self.text(note, size=max(6, self.size - 2), width=most)
        if not above and self.chance.random() < 0.5:
            self.text(caption, width=most)
        self.y += self.size * self.chance.uniform(1, 2.5)
        return True

    def beside(self) -> None:
        """Two tables side by side."""
        top, deepest, half = self.y, self.y, (self.right - self.left) / 2 - 12
        for left in (self.left, self.left + half + 24):
            self.y = top
            keep, self.left = self.left, left
            self.table(left, half)
            self.left = keep
            deepest = max(deepest, self.y)
        self.y = deepest


def page(canvas: Canvas, chance: Random) -> list[dict[str, Any]]:
    """Draws a page and gives its tables."""
    made = Page(canvas, chance)
    parts = [Page.paragraph, Page.bullets, Page.columns, Page.contents, Page.chart, Page.notice, Page.terms]
    fill = chance.choice([0.0, 0.3, 0.6])
    for _ in range(8):
        if made.y > made.high - 120:
            break
        if chance.random() < fill:
            chance.choice(parts)(made)
        elif chance.random() < 0.06:
            made.beside()
        elif not made.table():
            made.paragraph()
    canvas.showPage()
    return made.tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, options.pages, 50):
        name = f"tables-{options.seed}-{first}"
        chance = Random(f"{options.seed} {first}")  # noqa: S311
        canvas = Canvas(str(options.folder / f"{name}.pdf"), invariant=1)
        tables = [page(canvas, chance) for _ in range(min(50, options.pages - first))]
        canvas.save()
        (options.folder / f"{name}.json").write_text(json.dumps(tables))


if __name__ == "__main__":
    main()

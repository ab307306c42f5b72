"""Draws a table of known content by one of many looks. Lengths are PDF points from the page's lower left corner."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from content import NUMERIC, Content
from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth

FACES = [
    ("Helvetica", "Helvetica-Bold"),
    ("Times-Roman", "Times-Bold"),
    ("Courier", "Courier-Bold"),
    ("Serif", "Serif-Bold"),
    ("Sans", "Sans-Bold"),
]


@dataclass(slots=True)
class Look:
    """How a table is drawn; `rules` is one of "grid", "rows", "book", "columns", "outline", "none"."""

    face: int
    size: float
    leading: float
    pad: float
    gap: float
    rules: str
    middle: bool  # the body's cells stand in the middle of their row's height
    bottom: bool  # so do values beside a label of several lines, at its last
    head: str  # how header cells align across
    head_down: str  # and down
    values: str  # how values align across
    bold_head: bool
    head_fill: bool
    stripes: str  # over a whole row, or over each of its cells, or ""
    leaders: bool
    under_spans: bool
    widest: float  # of a column before its text wraps, in type sizes
    justify: bool
    line: float
    centred_groups: bool
    every: int  # so many rows of body are followed by some space; 0: none are
    apart: bool  # the dollar sign stands at the left of its column


def look(chance: Random) -> Look:
    size, face = chance.uniform(6, 11), chance.choice([0, 0, 1, 1, 2, 3, 4])
    rules = chance.choice(["grid", "grid", "rows", "book", "book", "columns", "outline", "none", "none"])
    stripes = chance.choice(["row", "cell"]) if chance.random() < 0.2 else ""
    pads = [0.5, 1, 3, 6, 12] if stripes else [0, 0.5, 1, 2, 3, 5] if rules != "none" else [0, 0, 0.5, 1, 2, 4]
    return Look(
        face=face,
        size=size,
        leading=size * chance.uniform(1.05, 1.3),
        pad=chance.choice(pads),
        gap=max(size * chance.choice([0.5, 0.8, 1, 1.5, 2, 3]), 1.8 * stringWidth(" ", FACES[face][0], size)),
        rules=rules,
        middle=chance.random() < (0.5 if stripes else 0.25),
        bottom=chance.random() < 0.3,
        head=chance.choice(["left", "centre", "centre", "right"]),
        head_down=chance.choice(["top", "middle", "bottom", "bottom"]),
        values=chance.choice(["right", "right", "centre", "left"]),
        bold_head=chance.random() < 0.6,
        head_fill=chance.random() < 0.25,
        stripes=stripes,
        leaders=rules in ("book", "none", "columns") and chance.random() < 0.3,
        under_spans=chance.random() < 0.7,
        widest=chance.choice([6, 8, 10, 14, 20, 30]),
        justify=chance.random() < 0.05,
        line=chance.choice([0.3, 0.5, 1.0]),
        centred_groups=chance.random() < 0.3,
        every=chance.choice([0, 0, 0, 0, 3, 5]),
        apart=chance.random() < 0.5,
    )


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and stringWidth(longer, font, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Drawn:
    """A table measured and ready to be drawn at a place; `width` and `height` are known before."""

    def __init__(self, content: Content, look: Look, chance: Random, most: float) -> None:
        self.content, self.look, self.chance = content, look, chance
        rows, self.columns = content.rows, len(content.columns)
        self.hidden = content.covered()
        widths = []
        for c in range(self.columns):
            natural = [
                stringWidth(row[c], self._font(r, c), look.size)
                for r, row in enumerate(rows)
                if content.span(r, c)[1] == 1 and r not in content.groups
            ]
            words = [
                stringWidth(w, self._font(r, c), look.size)
                for r, row in enumerate(rows)
                if content.span(r, c)[1] == 1
                for w in row[c].split()
            ]
            limit = look.widest * look.size * (1.6 if c == 0 else 1)
            widths.append(
                max([min(max(natural, default=0), limit), *words, look.size]) + 1 + (look.size if c == 0 else 0)
            )
        for r, c, _, m in content.spans:
            words = max((stringWidth(w, self._font(r, c), look.size) for w in rows[r][c].split()), default=0)
            short = words - sum(widths[c : c + m]) - look.gap * (m - 1)
            for k in range(c, c + m):
                widths[k] += max(0, short + 1) / m
        spare = most - sum(widths) - look.gap * self.columns
        if spare > 0 and chance.random() < 0.4:
            extra = chance.uniform(0, spare) / self.columns
            widths = [w + min(extra, 4 * look.size) for w in widths]
        self.xs = [0.0]
        for w in widths:
            self.xs.append(self.xs[-1] + w + look.gap)
        self.lines = {
            (r, c): wrap(row[c], self._font(r, c), look.size, self._inner(r, c))
            for r, row in enumerate(rows)
            for c in range(self.columns)
            if row[c] and (r, c) not in self.hidden
        }
        depth = [
            max((len(ls) for (i, c), ls in self.lines.items() if i == r and content.span(r, c)[0] == 1), default=1)
            for r in range(len(rows))
        ]
        for r, c, n, _ in content.spans:
            if n > 1:
                depth[r + n - 1] += max(0, len(self.lines.get((r, c), [])) - sum(depth[r : r + n]))
        self.ys = [0.0]
        for r, d in enumerate(depth):
            self.ys.append(self.ys[-1] + (d - 1) * look.leading + look.size * 1.15 + 2 * look.pad)
            if (
                look.every
                and look.rules != "grid"
                and r >= content.header
                and (r - content.header + 1) % look.every == 0
            ):
                self.ys[-1] += 0.6 * look.size
        self.width, self.height = self.xs[-1], self.ys[-1]

    def _font(self, row: int, column: int) -> str:
        bold = (row < self.content.header and self.look.bold_head) or row in self.content.groups | self.content.totals
        return FACES[self.look.face][bold]

    def _inner(self, row: int, column: int) -> float:
        reach = self.columns if row in self.content.groups else column + self.content.span(row, column)[1]
        indent = self.look.size * self.content.indents.get(row, 0) if column == 0 else 0
        return self.xs[reach] - self.xs[column] - self.look.gap - indent + 0.5

    def draw(self, canvas: Any, left: float, top: float) -> None:
        self._fills(canvas, left, top)
        for (row, column), lines in self.lines.items():
            self._cell(canvas, left, top, row, column, lines)
        canvas.setLineWidth(self.look.line)
        for x0, y0, x1, y1 in self._rules():
            canvas.line(left + x0, top - y0, left + x1, top - y1)

    def _fills(self, canvas: Any, left: float, top: float) -> None:
        head = self.ys[self.content.header]
        canvas.setFillColor(Color(0.85, 0.87, 0.9))
        if self.look.head_fill and head:
            canvas.rect(left, top - head, self.width, head, stroke=0, fill=1)
        ends = {"row": [0.0, self.width], "cell": self.xs, "": []}[self.look.stripes]
        for r in range(self.content.header + 1, len(self.content.rows), 2):
            for x0, x1 in pairwise(ends):
                canvas.rect(left + x0, top - self.ys[r + 1], x1 - x0, self.ys[r + 1] - self.ys[r], stroke=0, fill=1)
        canvas.setFillColor(Color(0, 0, 0))
        for r in range(self.content.header, len(self.content.rows)):
            for c, one in enumerate(self.content.columns):
                if one.kind == "picture":
                    self._bars(canvas, left + self.xs[c], top - self.ys[r + 1], self.ys[r + 1] - self.ys[r])

    def _bars(self, canvas: Any, x: float, y: float, high: float) -> None:
        """Three bars in a row of the table, as a trend is drawn."""
        for n in range(3):
            canvas.rect(x + 2 + 5 * n, y + 1, 4, self.chance.uniform(0.2, 0.8) * high, stroke=0, fill=1)

    def _cell(self, canvas: Any, left: float, top: float, row: int, column: int, lines: list[str]) -> None:
        look, content = self.look, self.content
        down, across = content.span(row, column)
        font = self._font(row, column)
        x0, x1 = self.xs[column] + look.gap / 2, self.xs[column + across] - look.gap / 2
        if column == 0:
            x0 += look.size * content.indents.get(row, 0)
        if row in content.groups and look.centred_groups:
            x0, x1, how, where = look.gap / 2, self.width - look.gap / 2, "centre", "top"
        elif row < content.header:
            how = "centre" if across > 1 and look.head != "left" else "left" if column == 0 else look.head
            where = look.head_down
        else:
            numeric = content.columns[column].kind in NUMERIC
            how = look.values if numeric and column else "left"
            where = "middle" if look.middle else "bottom" if look.bottom and numeric and column else "top"
        room = self.ys[row + down] - self.ys[row] - 2 * look.pad - ((len(lines) - 1) * look.leading + look.size * 1.15)
        y = top - self.ys[row] - look.pad - look.size * 0.9 - {"top": 0, "middle": room / 2, "bottom": room}[where]
        canvas.setFont(font, look.size)
        for n, line in enumerate(lines):
            wide = stringWidth(line, font, look.size)
            if look.justify and n < len(lines) - 1 and line.count(" "):
                step = (x1 - x0 - wide) / line.count(" ")
                at = x0
                for word in line.split():
                    canvas.drawString(left + at, y, word)
                    at += stringWidth(word + " ", font, look.size) + step
            else:
                at = {"left": x0, "right": x1 - wide, "centre": (x0 + x1 - wide) / 2}[how]
                self._line(canvas, left + at, y, line, left + x0)
            last = n == len(lines) - 1
            if look.leaders and last and column == 0 and row >= content.header and row not in content.groups:
                dots = int((x1 - x0 - wide) / stringWidth(".", font, look.size)) - 2
                if dots > 2:
                    canvas.drawString(left + x0 + wide + look.size * 0.2, y, "." * dots)
            y -= look.leading

    def _line(self, canvas: Any, x: float, y: float, line: str, edge: float) -> None:
        """A line of a cell at `x`; its dollar sign may stand at the column's `edge`, what follows "^" is raised."""
        font, size = canvas._fontname, canvas._fontsize
        if line.startswith("$ ") and self.look.apart:
            canvas.drawString(edge, y, "$")
            canvas.drawRightString(x + stringWidth(line, font, size), y, line[2:])
            return
        line, _, raised = line.partition("^")
        canvas.drawString(x, y, line)
        if raised:
            canvas.setFont(font, 0.6 * size)
            canvas.drawString(x + stringWidth(line, font, size), y + 0.4 * size, raised)
            canvas.setFont(font, size)

    def _rules(self) -> list[tuple[float, float, float, float]]:
        content, look, xs, ys = self.content, self.look, self.xs, self.ys
        head, rows, width, height = content.header, len(content.rows), self.width, self.height
        found: list[tuple[float, float, float, float]] = []
        inside = {(r + i, c + j): (i, j) for r, c, n, m in content.spans for i in range(n) for j in range(m)}
        for group in content.groups:
            inside |= {(group, c): (0, c) for c in range(1, self.columns)}
        if look.rules in ("grid", "rows"):
            for r in range(rows + 1):
                for c in range(self.columns):
                    if inside.get((r, c), (0, 0))[0] == 0 or r == rows:
                        found.append((xs[c], ys[r], xs[c + 1], ys[r]))
        if look.rules in ("grid", "columns"):
            for c in range(self.columns + 1):
                for r in range(rows):
                    if (inside.get((r, c), (0, 0))[1] == 0 or c == self.columns) and (
                        look.rules == "grid" or 0 < c < self.columns
                    ):
                        found.append((xs[c], ys[r], xs[c], ys[r + 1]))
        if look.rules in ("book", "outline", "columns"):
            found += [(0, 0, width, 0), (0, height, width, height), *([(0, ys[head], width, ys[head])] if head else [])]
            found += [(0, ys[r], width, ys[r]) for r in content.totals]
        if look.rules == "outline":
            found += [(0, 0, 0, height), (width, 0, width, height)]
        if look.under_spans and look.rules in ("book", "none", "outline"):
            inset = look.gap / 2
            found += [
                (xs[c] + inset, ys[r + 1], xs[c + m] - inset, ys[r + 1])
                for r, c, _, m in content.spans
                if r < head and m > 1
            ]
        return found

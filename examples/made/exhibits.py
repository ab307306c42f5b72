"""Tables and charts with their captions and notes, written into the truth as they are drawn.

A part of a table that goes on in the next column or page is an element of its own, and continues the part before it.
Lengths are PDF points.
"""

from __future__ import annotations

from reportlab.platypus import Flowable, Paragraph, Table

from .drawing import Drawing, Passage, Words, placed, truth_of
from .truth import Key

GAP = 5.0  # between a caption and what it names


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

"""What could answer a question: sentences, lists and figures of the evidence, as candidates. Cells are in `cells`.

Knows nothing of the question; how well a candidate fits is judged in `extractive`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isclose

from octavo.generation.periods import Period, find
from octavo.ingest.geometry import union
from octavo.ingest.model import Box, Element, ElementType
from octavo.ingest.text import CAPTION
from octavo.retrieval.model import Hit


class Kind(StrEnum):
    SENTENCE = "sentence"
    CELL = "cell"
    FIGURE = "figure"
    EXTREME = "extreme"  # the cell that is the largest or smallest of several


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that could be the answer.

    `text` is how it would read as an answer. `own` is what it says by itself, `near` what stands around it and gives it
    meaning (headings, caption, neighbours). `value` is the part whose form must fit the kind of answer wanted. `label`
    names a cell's row, `group` the rows that it stands among, and `header` its column; they are "" for prose. `row` and
    `column` are its place in the grid, -1 for prose. `columns` are the periods of all of a table's
    columns, of which `period` is this cell's.
    """

    kind: Kind
    hit: Hit
    element: Element
    bbox: Box
    text: str
    own: str
    near: str
    value: str
    period: Period
    label: str = ""
    header: str = ""
    group: str = ""
    row: int = -1
    column: int = -1
    columns: tuple[Period, ...] = ()

    @property
    def is_cell(self) -> bool:
        return self.row >= 0


_PROSE = {ElementType.TEXT, ElementType.LIST, ElementType.FOOTNOTE, ElementType.CAPTION}
_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[A-Z0-9(\"“•])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|Nos|vs|Inc|Corp|Co|Ltd|Fig|Sec|Dept|approx|al)\.|\b[ap]\.m\.)$"
)
_ANAPHORA = re.compile(
    r"^(?:This|That|These|Those|It|They|He|She|Its|Their|Such|However|Therefore|Additionally|In addition|As a result)\b"
)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_TICKS = 4
_LIST_RUN = 12  # items; a longer list is a table of contents


def heading(hit: Hit) -> str:
    """The nearest headings above a hit, without the document's title."""
    return " › ".join(hit.chunk.context.split(" › ")[1:][-2:])


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; an abbreviation's full stop ends none."""
    found: list[str] = []
    joined = ""
    for part in _END.split(text):
        joined = f"{joined} {part}".strip()
        if not _ABBREVIATION.search(joined):
            found.append(joined)
            joined = ""
    return [*found, joined] if joined else found


def prose(hit: Hit) -> Iterator[Candidate]:
    """The sentences of a hit's paragraphs and list items, and each list as a whole with the line that leads to it.

    A sentence that opens by pointing back ("This was due to ...") carries the one before it. What stands beside a table
    or figure names it, and is told with it.
    """
    if hit.elements and hit.elements[0].type in (ElementType.TABLE, ElementType.FIGURE):
        return
    elements = [element for element in hit.elements if element.type in _PROSE and element.text]
    above = heading(hit)
    for element in elements:
        parts = sentences(element.text)
        for n, sentence in enumerate(parts):
            if sentence.endswith(":"):  # what it leads to is a list, told below, or a table
                continue
            pointing = n > 0 and _ANAPHORA.match(sentence)
            text = f"{parts[n - 1]} {sentence}" if pointing else sentence
            around = " ".join(filter(None, [above, *parts[max(0, n - 1) : n], *parts[n + 1 : n + 2]]))
            yield Candidate(Kind.SENTENCE, hit, element, element.bbox, text, sentence, around, sentence, find(sentence))
    yield from _lists(hit, elements, above)


def figures(hit: Hit) -> Iterator[Candidate]:
    """A hit's figures: the words inside, read under the caption."""
    captions = [element.text for element in hit.elements if element.type is ElementType.CAPTION]
    for element in hit.elements:
        if element.type is not ElementType.FIGURE or not (element.text or captions):
            continue
        caption = " ".join(captions)
        named = CAPTION.match(caption)
        said = caption[named.end() :] if named else caption
        name = named[0] if named else f"The figure on page {element.page}"
        shown = without_ticks(element.text)
        text = f'{name} shows: "{shown}"' if shown else f"{name} is captioned:"
        if caption:
            text += f" ({caption.rstrip('.')}.)"
        own = " ".join(filter(None, [caption, element.text]))
        yield Candidate(
            Kind.FIGURE, hit, element, element.bbox, text, own, heading(hit), element.text or said, find(own)
        )


def without_ticks(text: str) -> str:
    """A figure's words without the ticks of its axes: `_TICKS` or more numbers in a row at equal steps."""
    kept: list[str] = []
    run: list[tuple[str, float]] = []

    def close() -> None:
        if len(run) < _TICKS:
            kept.extend(word for word, _ in run)
        run.clear()

    for word in text.split():
        value = float(word.replace(",", "")) if _NUMBER.fullmatch(word) else None
        if value is not None and len(run) > 1 and not isclose(value - run[-1][1], run[1][1] - run[0][1]):
            close()
        if value is None:
            close()
            kept.append(word)
        else:
            run.append((word, value))
    close()
    return " ".join(kept)


def _lists(hit: Hit, elements: Sequence[Element], above: str) -> Iterator[Candidate]:
    run: list[Element] = []
    for n, element in enumerate([*elements, None]):
        if element is not None and element.type is ElementType.LIST:
            run.append(element)
            continue
        before = elements[n - len(run) - 1] if n > len(run) else None
        lead = [before] if before is not None and before.text.rstrip().endswith(":") else []
        if run and len(run) + len(lead) > 1 and len(run) <= _LIST_RUN:
            whole = [*lead, *run]
            here = [e for e in whole if e.page == whole[0].page]
            text = " ".join(e.text for e in whole)
            own = sentences(lead[0].text)[-1] if lead else above
            bbox = union(e.bbox for e in here)
            yield Candidate(Kind.SENTENCE, hit, whole[0], bbox, text, own, above, text, find(own))
        run = []

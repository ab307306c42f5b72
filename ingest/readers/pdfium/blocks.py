"""Paragraphs, headings, list items, captions and notes among the words of a block, by how they are set.

Knows nothing of layout models, nor of what stands beside the block.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_high

from octavo.ingest.geometry import horizontal_overlap, union
from octavo.ingest.model import AROUND, Box, ElementType
from octavo.ingest.sheet import Word
from octavo.ingest.text import opens_caption

_LARGER, _SMALLER = 1.12, 0.92  # times the size of running text
_HEADING, _CAPTION = 160, 400  # characters, at most
_GAP = 0.9  # of a line's height; more between two lines parts paragraphs
_LEADING = 0.6  # in sizes; more between two lines of large or bold type makes two headings
_INDENT = 2.0  # in sizes; lines of a paragraph begin no farther apart
_MARGIN = 0.07  # of the page's height, above and below its text
_BULLET = re.compile(r"^[•●▪■◦‣⁃–—*·o➢✓-]$|^[•●▪■➢]")
_NUMBER = re.compile(r"^\(?(\d{1,2}|[a-z]|[ivx]+)[.)]$")
_NOTE = re.compile(r"^(\d{1,3}|[*†‡§]+)(\s|[A-Z“\"(]|$)")


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one drawn line that are in one block, from the left."""

    words: tuple[Word, ...]
    bbox: Box
    size: float
    bold: bool

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Body:
    """The running text of a page, against which other text is large, bold or small; `height` is the page's."""

    size: float
    bold: bool
    height: float


def make_line(words: Sequence[Word]) -> Line:
    letters = sum(len(word.text) for word in words)
    bold = sum(len(word.text) for word in words if word.bold)
    box = union(word.bbox for word in words)
    return Line(tuple(words), box, median_high(word.size for word in words), bold > 0.8 * letters)


def body_of(words: Sequence[Word], height: float) -> Body:
    """The size in which most letters of a page are set, and whether most are bold."""
    sizes: Counter[float] = Counter()
    for word in words:
        sizes[round(word.size * 2) / 2] += len(word.text)
    bold = sum(len(word.text) for word in words if word.bold)
    return Body(max(sizes, key=lambda size: sizes[size], default=0.0), 2 * bold > sizes.total(), height)


def parts(lines: Sequence[Line], body: Body, apart: bool) -> Iterator[list[Line]]:
    """Paragraphs, headings and items of a block; with `apart` its lines are of one only where they stand together."""
    numbered = any(_NUMBER.match(line.words[0].text) for line in lines[:1])
    found: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.bbox[1], line.bbox[0])):
        first = line.words[0].text
        opens_item = bool(_BULLET.match(first)) or (numbered and bool(_NUMBER.match(first)))
        above = next((part for part in reversed(found) if not apart or _follows(part, line)), None)
        if above is None or opens_item or _parted(above[-1], line, body):
            found.append([line])
        else:
            above.append(line)
    yield from found


def type_of(part: Sequence[Line], kind: ElementType, body: Body) -> ElementType:
    """What a part of a block is that was seen as `kind`."""
    text, box = " ".join(line.text for line in part), union(line.bbox for line in part)
    if opens_caption(text) and len(text) < _CAPTION:
        return ElementType.CAPTION
    above = box[1] + box[3] < body.height
    if kind in AROUND:
        return ElementType.HEADER if above else ElementType.FOOTER
    if len(part) == 1 and not _MARGIN < (box[3] if above else box[1]) / body.height < 1 - _MARGIN:
        return ElementType.HEADER if above else ElementType.FOOTER
    first = part[0].words[0].text
    if _BULLET.match(first) or (kind is ElementType.TEXT and _NUMBER.match(first)):
        return ElementType.LIST
    large = all(_stands_out(line, body) for line in part)
    if len(text) <= _HEADING and any(map(str.isalpha, text)) and (kind is ElementType.HEADING or large):
        return ElementType.HEADING
    if part[0].size < _SMALLER * body.size and not above and _NOTE.match(text):
        return ElementType.FOOTNOTE
    short = len(text) <= _HEADING or part[0].size < _SMALLER * body.size
    return ElementType.CAPTION if kind is ElementType.CAPTION and short else ElementType.TEXT


def goes_on(block: Sequence[Line], line: Line) -> bool:
    """Whether `line` is set as the last of a block and right under it: a paragraph's end that nothing saw."""
    last = max(block, key=lambda line: line.bbox[3])
    return (
        -0.5 * line.size < line.bbox[1] - last.bbox[3] < _LEADING * line.size
        and abs(line.size - last.size) < 0.05 * line.size
        and line.bold == last.bold
        and line.bbox[0] - _INDENT * line.size < last.bbox[0] < line.bbox[0] + _INDENT * line.size
    )


def _follows(part: Sequence[Line], line: Line) -> bool:
    """Whether `line` stands right under a part, or beside its last line."""
    gap = line.bbox[1] - part[-1].bbox[3]
    return (
        gap < _GAP * (line.bbox[3] - line.bbox[1])
        and horizontal_overlap(union(p.bbox for p in part), line.bbox) > 0.3
        and max(line.size, part[-1].size) < 1.3 * min(line.size, part[-1].size)
    )


def _parted(above: Line, line: Line, body: Body) -> bool:
    """Whether the two are set in other types, or each is a heading of its own, or the second opens a caption."""
    if opens_caption(line.text) and above.text.endswith((".", ":", ";", ")")):
        return True
    if not (_stands_out(above, body) and _stands_out(line, body)):
        return _stands_out(above, body) != _stands_out(line, body) or not _same_size(above, line)
    beside = line.bbox[1] < above.bbox[3] - 0.5 * line.size
    alike = above.bold == line.bold and _same_size(above, line)
    return not beside and (not alike or line.bbox[1] - above.bbox[3] > _LEADING * line.size)


def _same_size(a: Line, b: Line) -> bool:
    return max(a.size, b.size) < _LARGER * min(a.size, b.size)


def _stands_out(line: Line, body: Body) -> bool:
    return line.size > _LARGER * body.size or (line.bold and not body.bold)

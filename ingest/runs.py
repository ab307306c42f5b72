"""Words of a box as lines of text and their runs. Knows nothing of what they are of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from octavo.ingest.geometry import contains, middle
from octavo.ingest.model import Box
from octavo.ingest.sheet import Word

_LEVEL = 1.5  # points: lines that differ less stand on one height


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand beside each other, from left to right; `top` and `bottom` of most of them, in points."""

    words: tuple[Word, ...]
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def inside(words: Iterable[Word], box: Box) -> list[Word]:
    """Words whose centre lies in `box`."""
    return [word for word in words if contains(box, middle(word.bbox))]


def rows_of_words(words: Iterable[Word]) -> list[Line]:
    """Lines from top to bottom: a word joins the line with which it shares most of the lesser height.

    They run over all columns, whatever was drawn together (`octavo.ingest.lines` keeps to that). A raised or lowered
    figure is smaller than its line and joins it.
    """
    found: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (-round(w.size), w.bbox[1])):
        best, most = None, 0.6
        for line in found:
            share = _shared(word.bbox, line[0].bbox)
            if share > most:
                best, most = line, share
        if best is None:
            found.append([word])
        else:
            best.append(word)
    made = [_line(line) for line in found]
    return sorted(made, key=lambda line: line.middle)


def _line(words: Sequence[Word]) -> Line:
    return Line(
        tuple(sorted(words, key=lambda w: w.bbox[0])),
        median(w.bbox[1] for w in words),
        median(w.bbox[3] for w in words),
    )


def _shared(a: Box, b: Box) -> float:
    """Overlap on the y axis as a share of the lesser height."""
    return (min(a[3], b[3]) - max(a[1], b[1])) / max(1e-6, min(a[3] - a[1], b[3] - b[1]))


def runs(line: Line, gap: float) -> list[list[Word]]:
    """The line's words parted where the space between two is wider than `gap` points."""
    parts: list[list[Word]] = []
    right = 0.0
    for word in line.words:
        if parts and word.bbox[0] - right <= gap:
            parts[-1].append(word)
        else:
            parts.append([word])
        right = max(right, word.bbox[2]) if parts[-1][0] is not word else word.bbox[2]
    return parts


def reach(line: Line, after: Line) -> float:
    """How far to the right, in points, a line would end with the first word of the line `after` it as well."""
    word = after.words[0].bbox
    return line.words[-1].bbox[2] + word[2] - word[0]


def level(lines: Sequence[Line], others: Sequence[Line]) -> float:
    """Share of the lines that stand on the height of one of the others."""
    heights = sorted(other.middle for other in others)
    near = (bisect_right(heights, line.middle + _LEVEL) - bisect_left(heights, line.middle - _LEVEL) for line in lines)
    return sum(map(bool, near)) / len(lines)


def strips(words: Sequence[Word]) -> Iterator[float]:
    """Middles of upright strips, at least two type sizes wide, in which no word stands."""
    reach, least = float("inf"), 2 * type_size(words)
    for word in sorted(words, key=lambda w: w.bbox[0]):
        if word.bbox[0] - reach > least:
            yield (word.bbox[0] + reach) / 2
        reach = word.bbox[2] if reach == float("inf") else max(reach, word.bbox[2])


def word_space(found: Iterable[Line]) -> float:
    """The usual space between two words of one run: the median of the narrower half, in points; 3 where none shows."""
    gaps = sorted(b.bbox[0] - a.bbox[2] for line in found for a, b in pairwise(line.words) if b.bbox[0] > a.bbox[2])
    return gaps[len(gaps) // 4] if gaps else 3.0


def type_size(words: Sequence[Word]) -> float:
    """Median type size of `words`, in points; 10 of none."""
    return median(w.size for w in words) if words else 10.0

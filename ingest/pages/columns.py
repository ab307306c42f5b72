"""A region's words as the columns that it was drawn in. Knows nothing of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean

from octavo.ingest.lines import drawn_lines
from octavo.ingest.sheet import Word
from octavo.ingest.tables.lines import strips

_LEVEL = 1.5  # points: lines that differ less stand on one height
_PROSE = 25  # letters of a usual line: less is a label or a mark


def columns(words: Sequence[Word]) -> Iterator[list[Word]]:
    """From the left, the words that a bare strip parts from others; all of them where none does.

    What stands level with a label on its left, line for line, is read on from it: no column of its own.
    """
    for x in strips(words):
        left, right = [w for w in words if w.bbox[2] < x], [w for w in words if w.bbox[0] > x]
        sides = drawn_lines(left), drawn_lines(right)
        if min(map(len, sides)) > 1 and _beside(*sides):
            yield left
            yield from columns(right)
            return
    yield list(words)


def _beside(left: Sequence[Sequence[Word]], right: Sequence[Sequence[Word]]) -> bool:
    """Whether lines stand next to each other in two columns of prose, or in two that keep to heights of their own."""
    heights = [line[0].bbox[3] for line in left]
    tops = [line[0].bbox[3] for line in right]
    level = sum(any(abs(y - other) < _LEVEL for other in heights) for y in tops)
    letters = mean(sum(len(word.text) for word in line) for line in left)
    within = min(heights) - 1 < max(tops) and min(tops) < max(heights) + 1
    return within and (letters > _PROSE or (level < 0.5 * len(right) and letters > 8))

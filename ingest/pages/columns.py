"""A region's words as the columns that it was drawn in. Knows nothing of tables."""

from __future__ import annotations

from collections.abc import Sequence

from octavo.ingest.runs import Line, level, rows_of_words, strips
from octavo.ingest.sheet import Word

_BESIDE = 0.5  # share of the lines of a column: as many level with lines on its right are labels of these
_RUN_ON = 0.2  # share of the lines on either side that open as sentences go on


def columns(words: Sequence[Word]) -> list[list[Word]]:
    """From the left, the words that a bare strip parts from others; all of them where none does.

    What stands level with a label on its left is read on from it: no column of its own.
    """
    found, rest = [], list(words)
    for x in strips(words):
        left, right = [w for w in rest if w.bbox[2] < x], [w for w in rest if w.bbox[0] > x]
        if _part(rows_of_words(left), rows_of_words(right)):
            found.append(left)
            rest = right
    return [*found, rest]


def _part(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether lines stand beside each other in two columns that are read one after the other."""
    if min(len(left), len(right)) < 2 or left[0].top > right[-1].bottom or right[0].top > left[-1].bottom:
        return False
    return level(left, right) < _BESIDE or min(_runs_on(left), _runs_on(right)) > _RUN_ON


def _runs_on(lines: Sequence[Line]) -> float:
    """Share of the lines after the first that open with a word in small letters."""
    openings = [line.words[0].text for line in lines[1:]]
    small = [len(text) > 1 and text.rstrip(",.;:").isalpha() and text[0].islower() for text in openings]
    return sum(small) / len(small)

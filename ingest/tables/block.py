"""The words of a region, with what many readings of it ask of the same words worked out once.

Knows nothing of rows and columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.geometry import union
from octavo.ingest.model import Box
from octavo.ingest.runs import Line, rows_of_words, runs, type_size, word_space
from octavo.ingest.sheet import Word
from octavo.ingest.tables.values import is_value
from octavo.ingest.text import join_lines


@dataclass(frozen=True, slots=True)
class Piece:
    """The words of one cell by their `numbers`, and what the judge asks of them.

    `values` counts the lines that are each a value. `doubled`: two of its words are values. `torn`: its words stand far
    apart in a line.
    """

    numbers: tuple[int, ...]
    words: tuple[Word, ...]
    lines: tuple[Line, ...]
    text: str
    box: Box
    values: int
    doubled: bool
    torn: bool


_LEADER = re.compile(r"(\s?[.·…_]){4,}\s*$")
"""The dots that lead from a label to its value."""


class Block:
    """At least one word. `x` and `y` are their middles, `size` and `space` the usual of their type, in points.

    `line_of` has the line of each word, `runs` the words, by number, with no more than a space between them, line by
    line, and `run_ends` the left and right end of each run.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = tuple(words)
        boxes = np.array([word.bbox for word in words])
        self.x, self.y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        self.left, self.right = boxes[:, 0], boxes[:, 2]
        self.lines: list[Line] = rows_of_words(words)
        self.size = type_size(words)
        self.space = min(word_space(self.lines), 0.35 * self.size)
        index = {id(word): n for n, line in enumerate(self.lines) for word in line.words}
        self.line_of: NDArray[np.intp] = np.array([index[id(word)] for word in self.words])
        number = {id(word): n for n, word in enumerate(self.words)}
        parts = [run for line in self.lines for run in runs(line, 1.4 * self.space)]
        self.runs = [tuple(number[id(word)] for word in part) for part in parts]
        self.run_ends = np.array([(part[0].bbox[0], max(word.bbox[2] for word in part)) for part in parts])
        self._pieces: dict[tuple[int, ...], Piece] = {}

    @property
    def box(self) -> Box:
        return union(word.bbox for word in self.words)

    def piece(self, numbers: tuple[int, ...]) -> Piece:
        """The piece of the words with these numbers."""
        if numbers not in self._pieces:
            self._pieces[numbers] = self._piece(numbers)
        return self._pieces[numbers]

    def _piece(self, numbers: tuple[int, ...]) -> Piece:
        words = tuple(self.words[n] for n in numbers)
        found = rows_of_words(words)
        texts = [_LEADER.sub("", " ".join(word.text for word in line.words)) for line in found]
        text = join_lines(texts, heal=False)
        doubled = sum(map(is_value, text.split())) > 1
        torn = any(len(runs(line, 2.5 * self.space)) > 1 for line in found)
        box = union(word.bbox for word in words)
        return Piece(numbers, words, tuple(found), text, box, sum(map(is_value, texts)), doubled, torn)

"""Columns and rows as the words alone show them: by white space, baselines, and what wraps.

Knows nothing of rules, of layout models, or of which proposal is right: each function gives one way of seeing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.runs import Line, runs
from octavo.ingest.sheet import Word
from octavo.ingest.tables.block import Block
from octavo.ingest.tables.lattice import Axis, Edges
from octavo.ingest.tables.values import is_value


def column_proposals(block: Block, left: float, right: float) -> Iterator[Edges]:
    """Columns between the gaps that all lines leave, that nearly all do, and that the fullest lines do."""
    for gap in (1.4, 2.2, 4.0):
        parted = [runs(line, gap * block.space) for line in block.lines]
        most = max((len(parts) for parts in parted), default=0)
        full = [parts for parts in parted if len(parts) > most / 2]
        fullest = [parts for parts in parted if len(parts) > 0.8 * most]
        for chosen, spare in (
            (parted, 0),
            (parted, len(parted) // 10),
            (full, 0),
            (full, len(full) // 10),
            (fullest, 0),
        ):
            yield _white(chosen, spare, left, right)


def _white(lines: Sequence[Sequence[Sequence[Word]]], spare: int, left: float, right: float) -> Edges:
    """Edges in the middle of each stretch that at most `spare` of the lines' runs cover, between covered ones."""
    width = max(1, int(right - left) + 1)
    cover = np.zeros(width + 1, dtype=int)
    for parts in lines:
        for part in parts:
            start = max(0, int(part[0].bbox[0] - left + 0.7))
            end = min(width, int(part[-1].bbox[2] - left + 0.3))
            cover[start : max(start + 1, end)] += 1
    filled = np.flatnonzero(cover > spare)
    if not len(filled):
        return left, right
    jumps = np.flatnonzero(np.diff(filled) > 1)
    inner = [left + (filled[j] + 1 + filled[j + 1]) / 2 for j in jumps]
    return (left, *map(float, inner), right)


def row_proposals(block: Block, columns: NDArray[np.intp], top: float, bottom: float) -> Iterator[Axis]:
    """Rows as runs of lines: each its own, those that wrap joined to the one above, or to the one below, or by gap.

    `columns` has the column of each word. Above the first value rows may also be one, or part below each line with a
    title over several columns.
    """
    lines = block.lines
    filled: list[set[int]] = [set() for _ in lines]
    valued: list[set[int]] = [set() for _ in lines]
    titled = [False] * len(lines)  # words run over several columns
    for run in block.runs:
        line, reach = int(block.line_of[run[0]]), set(columns[list(run)].tolist())
        texts = [block.words[n].text for n in run]
        filled[line] |= reach
        if is_value(" ".join(texts)) or all(map(is_value, texts)):
            valued[line] |= reach - {0}
        else:
            titled[line] |= len(reach) > 1
    body = next((n for n, found in enumerate(valued) if found), len(lines))
    starts = {tuple(rule(lines, filled)) for rule in _ROW_RULES}
    starts |= {tuple(_around(lines, filled, key)) for key in {0, _key(filled), _key(valued)}}
    for opened in list(starts):
        starts.add(tuple(i in (0, body) or (start and i > body) for i, start in enumerate(opened)))
        starts.add(tuple(i in (0, body) or (start if i > body else titled[i - 1]) for i, start in enumerate(opened)))
    for opened in starts:
        rows = np.cumsum(opened) - 1
        yield Axis(_edges(lines, opened, top, bottom), rows[block.line_of])


def _edges(lines: Sequence[Line], opened: Sequence[bool], top: float, bottom: float) -> Edges:
    pairs = zip(pairwise(lines), opened[1:], strict=True)
    return (top, *((above.bottom + below.top) / 2 for (above, below), start in pairs if start), bottom)


def _each(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
    """Each line is a row, but for lines that overlap the one above."""
    return [True, *(b.top > a.middle and b.middle > a.bottom - 0.2 * (a.bottom - a.top) for a, b in pairwise(lines))]


def _labelled(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
    """A line with nothing in the first column goes on from the one above."""
    return [True, *(0 in columns for columns in filled[1:])]


def _wrapped(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
    """A line goes on from the one above when it fills only some of its columns and not the most filled one."""
    key = _key(filled)
    return [True, *(key in below or not below < above for above, below in pairwise(filled))]


def _closing(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
    """A line that fills only the first column is the beginning of the next."""
    return [True, *(above != {0} or below == {0} for above, below in pairwise(filled))]


def _continued(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
    """A line that fills only the first column ends the one above."""
    return [True, *(below != {0} for below in filled[1:])]


def _around(lines: Sequence[Line], filled: Sequence[set[int]], key: int) -> list[bool]:
    """Lines go with the nearest of those that fill the column `key`."""
    anchors = [n for n, columns in enumerate(filled) if key in columns]
    at = [min(anchors, key=lambda n: abs(lines[n].middle - line.middle), default=0) for line in lines]
    return [True, *(a != b for a, b in pairwise(at))]


def _near(share: float) -> Callable[[Sequence[Line], Sequence[set[int]]], list[bool]]:
    """Lines that stand closer together than `share` of the way from the least to the widest usual pitch are one row."""

    def rule(lines: Sequence[Line], filled: Sequence[set[int]]) -> list[bool]:
        pitches = [b.middle - a.middle for a, b in pairwise(lines)]
        if not pitches:
            return [True]
        low, high = np.quantile(pitches, 0.1), np.quantile(pitches, 0.9)
        edge = low + share * (high - low) if high > 1.15 * low else 0.0
        return [True, *(pitch > edge for pitch in pitches)]

    return rule


def _key(filled: Sequence[set[int]]) -> int:
    """The column that most lines fill beyond the first, else the first."""
    counts: dict[int, int] = {}
    for columns in filled:
        for column in columns - {0}:
            counts[column] = counts.get(column, 0) + 1
    return max(counts, key=lambda c: (counts[c], -c), default=0)


_ROW_RULES: tuple[Callable[[Sequence[Line], Sequence[set[int]]], list[bool]], ...] = (
    _each,
    _labelled,
    _wrapped,
    _closing,
    _continued,
    _near(0.35),
    _near(0.7),
)

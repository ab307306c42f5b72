"""Columns and rows as the words alone show them: by white space, baselines, and what wraps.

Knows nothing of rules, of layout models, or of which proposal is right: each function gives one way of seeing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from octavo.ingest.tables.lines import Line, runs, type_size
from octavo.ingest.tables.values import is_value

Edges = tuple[float, ...]


def column_proposals(lines: Sequence[Line], left: float, right: float) -> Iterator[Edges]:
    """Columns between the gaps that all lines leave, that nearly all do, and that the fullest lines do."""
    size = type_size([word for line in lines for word in line.words])
    for gap in (0.45, 0.9, 1.5):
        parted = [runs(line, gap * size) for line in lines]
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


def _white(lines: Sequence[Sequence[Sequence[object]]], spare: int, left: float, right: float) -> Edges:
    """Edges in the middle of each stretch that at most `spare` of the lines' runs cover, between covered ones."""
    width = max(1, int(right - left) + 1)
    cover = np.zeros(width + 1, dtype=int)
    for parts in lines:
        for part in parts:
            start = max(0, int(part[0].bbox[0] - left + 0.7))  # type: ignore[attr-defined]
            end = min(width, int(part[-1].bbox[2] - left + 0.3))  # type: ignore[attr-defined]
            cover[start : max(start + 1, end)] += 1
    filled = np.flatnonzero(cover > spare)
    if not len(filled):
        return left, right
    jumps = np.flatnonzero(np.diff(filled) > 1)
    inner = [left + (filled[j] + 1 + filled[j + 1]) / 2 for j in jumps]
    return (left, *map(float, inner), right)


def row_proposals(lines: Sequence[Line], xs: Sequence[float], top: float, bottom: float) -> Iterator[Edges]:
    """Rows as runs of lines: each its own, those that wrap joined to the one above, or to the one below, or by gap."""
    if not lines:
        return
    filled = [_filled(line, xs) for line in lines]
    starts = {tuple(rule(lines, filled)) for rule in _ROW_RULES}
    body = _first_value(lines, xs)
    for opened in list(starts):
        starts.add(tuple(i == 0 or (start and i >= body) for i, start in enumerate(opened)))
    for opened in starts:
        yield _edges(lines, opened, top, bottom)


def _filled(line: Line, xs: Sequence[float]) -> set[int]:
    return {int(np.searchsorted(xs, (w.bbox[0] + w.bbox[2]) / 2)) - 1 for w in line.words}


def _first_value(lines: Sequence[Line], xs: Sequence[float]) -> int:
    """The first line with a value beyond its first column; the number of lines when there is none."""
    for i, line in enumerate(lines):
        if any(is_value(w.text) and (w.bbox[0] + w.bbox[2]) / 2 > xs[1] for w in line.words):
            return i
    return len(lines)


def _edges(lines: Sequence[Line], opened: Sequence[bool], top: float, bottom: float) -> Edges:
    inner = [
        (max(w.bbox[3] for w in above.words) + min(w.bbox[1] for w in below.words)) / 2
        for (above, below), start in zip(pairwise(lines), opened[1:], strict=True)
        if start
    ]
    return (top, *sorted(inner), bottom)


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


def typical_pitch(lines: Sequence[Line]) -> float:
    """The median distance between neighbouring lines, in points."""
    return median([b.middle - a.middle for a, b in pairwise(lines)] or [12.0])

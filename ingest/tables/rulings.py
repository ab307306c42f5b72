"""Where the rules inside a box lie: on which edges, how much of an edge they cover. Knows nothing of words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from octavo.ingest.model import Box

_NEAR = 2.5  # points: rules that lie closer than this are drawn on one edge


class Rulings:
    """The rules in (and within 3 points of) a box; `down` and `across` hold (position, start, end), in points."""

    def __init__(self, rules: Iterable[Box], box: Box) -> None:
        x0, y0, x1, y1 = box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3
        self.across: list[tuple[float, float, float]] = []
        self.down: list[tuple[float, float, float]] = []
        self._seen: dict[tuple[bool, float, float, float], float] = {}
        for a0, b0, a1, b1 in rules:
            if a1 < x0 or a0 > x1 or b1 < y0 or b0 > y1:
                continue
            if a1 - a0 >= b1 - b0:
                self.across.append(((b0 + b1) / 2, max(a0, x0), min(a1, x1)))
            else:
                self.down.append(((a0 + a1) / 2, max(b0, y0), min(b1, y1)))
        self.across.sort()
        self.down.sort()
        self._rows, self._columns = _edges(self.across), _edges(self.down)

    def rows(self, least: float) -> list[float]:
        """Heights at which rules of at least `least` points in all lie."""
        return [at for at, length in self._rows if length >= least]

    def columns(self, least: float) -> list[float]:
        return [at for at, length in self._columns if length >= least]

    def beside(self, x: float, top: float, bottom: float) -> float:
        """Share of the stretch from `top` to `bottom` at `x` along which a rule runs."""
        return self._along(True, x, top, bottom)

    def under(self, y: float, left: float, right: float) -> float:
        """Share of the stretch from `left` to `right` at `y` along which a rule runs."""
        return self._along(False, y, left, right)

    def _along(self, down: bool, at: float, start: float, end: float) -> float:
        key = down, at, start, end
        if key not in self._seen:
            self._seen[key] = _along(self.down if down else self.across, at, start, end)
        return self._seen[key]


def _edges(rules: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Where rules lie, those of one edge together, and how long they are in all."""
    groups: list[list[tuple[float, float, float]]] = []
    for rule in sorted(rules):
        if groups and rule[0] - groups[-1][-1][0] <= _NEAR:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return [
        (sum(rule[0] for rule in group) / len(group), _length([(start, end) for _, start, end in group]))
        for group in groups
    ]


def _along(rules: Sequence[tuple[float, float, float]], at: float, start: float, end: float) -> float:
    near = rules[bisect_left(rules, (at - _NEAR,)) : bisect_right(rules, (at + _NEAR, float("inf")))]
    pieces = [(max(a, start), min(b, end)) for _, a, b in near if a < end and b > start]
    return _length(pieces) / (end - start) if end > start else 0.0


def _length(pieces: Iterable[tuple[float, float]]) -> float:
    """Length of the union of `pieces`."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(pieces):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total

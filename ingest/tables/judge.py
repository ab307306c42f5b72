"""How like the truth a reading of a table is, told by boosted trees that `examples/judge/fit.py` fits to made tables.

Knows nothing of pages or of what its features mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of all trees in a row; `roots` says where each tree begins. A leaf is its own child on both sides."""

    names: tuple[str, ...]
    base: float
    roots: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    below: NDArray[np.intp]
    above: NDArray[np.intp]
    value: NDArray[np.float64]


def likeness(readings: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """For each reading, by its features, the likeness to expect: 1 is the same as the truth, 0 has nothing of it."""
    forest = _forest()
    seen = np.array([[reading[name] for name in forest.names] for reading in readings])
    at = np.tile(forest.roots, (len(seen), 1))
    row = np.arange(len(seen))[:, None]
    while True:
        after = np.where(seen[row, forest.feature[at]] <= forest.threshold[at], forest.below[at], forest.above[at])
        if (after == at).all():
            return np.asarray(forest.base + forest.value[at].sum(axis=1))
        at = after


@cache
def _forest() -> Forest:
    """The trees of `judge.json`: a node is [feature, threshold, left, right], a leaf its value."""
    read = json.loads(files(__package__).joinpath("judge.json").read_text())
    roots: list[int] = []
    nodes: list[tuple[float, ...]] = []
    for tree in read["trees"]:
        first = len(nodes)
        roots.append(first)
        for node in tree:
            split = isinstance(node, list)
            here = len(nodes)
            nodes.append((node[0], node[1], first + node[2], first + node[3], 0) if split else (0, 0, here, here, node))
    table = np.array(nodes)
    feature, below, above = (table[:, n].astype(np.intp) for n in (0, 2, 3))
    return Forest(
        tuple(read["features"]), read["base"], np.array(roots), feature, table[:, 1], below, above, table[:, 4]
    )

"""How like the truth a reading of a table is, told by boosted trees that `examples/judge/fit.py` fits to made tables.

Knows nothing of pages or of what its features mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray


def likeness(readings: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """For each reading, by its features, the likeness to expect: 1 is the same as the truth, 0 has nothing of it."""
    model = _model()
    seen = [[reading[name] for name in model["features"]] for reading in readings]
    return np.array([model["base"] + sum(_value(tree, row) for tree in model["trees"]) for row in seen])


def _value(tree: Sequence[Any], row: Sequence[float]) -> float:
    """The leaf that `row` falls to: a node is [feature, threshold, left, right], a leaf its value."""
    node = tree[0]
    while isinstance(node, list):
        feature, threshold, left, right = node
        node = tree[left if row[feature] <= threshold else right]
    return float(node)


@cache
def _model() -> dict[str, Any]:
    return json.loads(files(__package__).joinpath("judge.json").read_text())  # type: ignore[no-any-return]

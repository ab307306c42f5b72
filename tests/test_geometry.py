"""How boxes lie to each other."""

from __future__ import annotations

import pytest

from octavo.ingest.geometry import iou
from octavo.ingest.model import Box


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0),
        ((0, 0, 2, 2), (5, 5, 6, 6), 0),
        ((1, 1, 1, 1), (1, 1, 1, 1), 0),
    ],
)
def test_intersection_over_union(a: Box, b: Box, share: float) -> None:
    assert iou(a, b) == iou(b, a) == pytest.approx(share)

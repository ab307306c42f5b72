"""Which reading of a region is right. Knows nothing of pages."""

from __future__ import annotations

from collections.abc import Mapping


def likeness(seen: Mapping[str, float]) -> float:
    """How like the truth a reading is, by what is seen of it."""
    return (
        2.0 * seen["kept column rules"]
        + 1.5 * seen["kept row rules"]
        + 1.0 * seen["pure"]
        + 1.0 * seen["filled"]
        + 1.0 * seen["rows agree"]
        + 1.0 * seen["columns agree"]
        + 0.3 * min(1.5, seen["least column gap"])
        + 0.5 * seen["order of gaps"]
        - 2.0 * seen["crossed"]
        - 1.5 * seen["gaps inside"]
        - 3.0 * seen["two values"]
        - 3.0 * seen["stacked"]
        - 1.0 * seen["lower case"]
        - 0.5 * seen["lone rows"]
        - 1.0 * seen["sparse columns"]
        - 1.0 * seen["body spans"]
    )

"""How large a figure is drawn for those who look at it."""

from __future__ import annotations

from octavo.ingest.model import Box

_DPI = 150.0
_MOST_DPI = 300.0
_SMALL = 1000.0  # pixels on the longer side; figures that would have fewer are drawn larger
_LARGE = 2000.0  # no figure has more


def resolution(box: Box) -> float:
    """Dots per inch: 150, up to 300 for a small figure, and never more than 2,000 pixels on the longer side."""
    inches = max(box[2] - box[0], box[3] - box[1]) / 72
    return min(max(_DPI, _SMALL / inches), _MOST_DPI, _LARGE / inches)

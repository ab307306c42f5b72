"""What each type of element is drawn in, on pages and in the chat."""

from __future__ import annotations

from octavo.ingest.model import ElementType
from octavo.ingest.render import Colour

_COLOURS: dict[ElementType, Colour] = {
    ElementType.TEXT: (0.16, 0.36, 0.75),
    ElementType.LIST: (0.16, 0.36, 0.75),
    ElementType.HEADING: (0.10, 0.55, 0.45),
    ElementType.TABLE: (0.80, 0.25, 0.15),
    ElementType.FIGURE: (0.55, 0.20, 0.65),
    ElementType.CAPTION: (0.85, 0.55, 0.05),
}


def colour(kind: ElementType) -> Colour:
    """What an element of `kind` is drawn in, on pages and in the chat."""
    return _COLOURS.get(kind, (0.45, 0.45, 0.45))

"""Figures: where they are on a page, and how large to draw them."""

from octavo.ingest.figures.find import find_figures
from octavo.ingest.figures.picture import resolution

__all__ = ["find_figures", "resolution"]

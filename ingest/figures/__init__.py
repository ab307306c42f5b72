"""Figures: where they are on a page, how large to draw them, and what they say."""

from octavo.ingest.figures.find import find_figures
from octavo.ingest.figures.inside import is_blank, read_inside
from octavo.ingest.figures.picture import resolution

__all__ = ["find_figures", "is_blank", "read_inside", "resolution"]

"""Finding evidence: embedders, stores, the four ways of searching, domains, and choosing."""

from octavo.retrieval.selection import select_gap, select_ratio

__all__ = ["select_gap", "select_ratio"]

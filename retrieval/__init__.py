"""Finding evidence: embedders, stores, the four ways of searching, domains, and choosing."""

from typing import TYPE_CHECKING, Any

from octavo.retrieval.selection import select_gap, select_ratio

if TYPE_CHECKING:
    from octavo.retrieval.store import FaissStore

__all__ = ["FaissStore", "select_gap", "select_ratio"]


def __getattr__(name: str) -> Any:
    """FaissStore when it is asked for: FAISS may be absent, and the rest does without."""
    if name != "FaissStore":
        raise AttributeError(name)
    from octavo.retrieval.store import FaissStore

    return FaissStore

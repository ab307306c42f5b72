"""Octavo: questions over PDFs, answered from their text, tables and figures, with the boxes they came from.

from octavo import Library
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from octavo.library import Library
    from octavo.settings import Settings

__all__ = ["Library", "Settings"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: processes that only read PDFs import octavo.ingest and should not pay for torch.
    if name == "Library":
        from octavo.library import Library

        return Library
    if name == "Settings":
        from octavo.settings import Settings

        return Settings
    raise AttributeError(name)

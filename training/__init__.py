"""Losses, trainers and preference data. The names below are imported when first used: torch takes seconds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from octavo.training.losses import MWLoss
    from octavo.training.roc import auc

__all__ = ["MWLoss", "auc"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module("octavo.training.roc" if name == "auc" else "octavo.training.losses"), name)
    globals()[name] = value
    return value

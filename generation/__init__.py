"""Answers, and the models that write them. The names below are imported when first used: torch takes seconds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from octavo.generation.pruning import prune_visual_tokens, pruned_inputs
    from octavo.generation.quantization.quantize import quantize

__all__ = ["prune_visual_tokens", "pruned_inputs", "quantize"]

_MODULES = {
    "prune_visual_tokens": "octavo.generation.pruning",
    "pruned_inputs": "octavo.generation.pruning",
    "quantize": "octavo.generation.quantization.quantize",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value

"""Array programs, each with a plain form in `reference` that it is checked against. They know nothing of documents.

The names below are imported when first used: torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from octavo.kernels.mann_whitney import mw_loss
    from octavo.kernels.max_min import max_min_select
    from octavo.kernels.w4 import PackedW4, dequantize_w4, pack_w4, unpack_w4
    from octavo.kernels.w4_cpu import CpuW4, for_cpu
    from octavo.kernels.w4a16 import w4a16_linear

__all__ = [
    "CpuW4",
    "PackedW4",
    "dequantize_w4",
    "for_cpu",
    "max_min_select",
    "mw_loss",
    "pack_w4",
    "unpack_w4",
    "w4a16_linear",
]

_MODULES = {
    "mw_loss": "mann_whitney",
    "max_min_select": "max_min",
    "w4a16_linear": "w4a16",
    "CpuW4": "w4_cpu",
    "for_cpu": "w4_cpu",
} | dict.fromkeys(["PackedW4", "dequantize_w4", "pack_w4", "unpack_w4"], "w4")


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"octavo.kernels.{_MODULES[name]}"), name)
    globals()[name] = value
    return value

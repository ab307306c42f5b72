"""The processor that tensors live on, by one name for every part, and what it can. Knows nothing of what runs there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_NAMES = re.compile(r"auto|cpu|cuda(:\d+)?")


class DeviceError(RuntimeError):
    """The device asked for is not on this machine."""


def resolve_device(name: str = "auto") -> torch.device:
    """The device of a name: `auto` (the first GPU, else the CPU), `cpu`, `cuda` or `cuda:N` (always with its number).

    Raises DeviceError where there is no such GPU, or no such name.
    """
    import torch  # here, as it takes seconds and few commands need it

    if not _NAMES.fullmatch(name):
        raise DeviceError(f"no device {name!r}: take auto, cpu, cuda or cuda:N")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not gpus):
        return torch.device("cpu")
    number = int(name.partition(":")[2] or 0)
    if number >= gpus:
        built = "" if torch.version.cuda else f", and torch {torch.__version__} is built without CUDA"
        raise DeviceError(f"no GPU for device {name!r}: torch sees {gpus} here{built}; take auto or cpu")
    return torch.device("cuda", number)


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())

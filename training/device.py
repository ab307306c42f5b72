"""The device that a model is trained on. Knows nothing of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octavo.kernels.device import DeviceError, resolve_device

if TYPE_CHECKING:
    import torch


def training_device(name: str = "auto") -> torch.device:
    """As `resolve_device`, for transformers' `Trainer`, which takes every GPU that it sees.

    A batch spread over several would have other negatives. Raises DeviceError where it sees more than one.
    """
    import torch

    device = resolve_device(name)
    if device.type == "cuda" and (gpus := torch.cuda.device_count()) > 1:
        raise DeviceError(f"training runs on one GPU and sees {gpus}: CUDA_VISIBLE_DEVICES=0 shows it the first alone")
    return device

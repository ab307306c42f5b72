"""A linear with weights of 4 bits and activations of 16 or more, on CPUs and GPUs. Knows nothing of models."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from octavo.kernels import w4_cpu
from octavo.kernels.w4 import PackedW4, dequantize_w4
from octavo.kernels.w4_cpu import CpuW4


def w4a16_linear(x: Tensor, packed: PackedW4 | CpuW4) -> Tensor:
    """``x @ W.T`` for the weights W (out, in) of `packed`, each (code - zero) * scale. The bias is the caller's.

    On a GPU a Triton kernel unpacks the weights as it multiplies. For a CPU call `for_cpu` once and pass what it gives:
    few rows of bfloat16 then go to torch's int4 operator, others to weights dequantized block by block, while a
    `PackedW4` is dequantized whole at every call. Weights are rounded to x's dtype, in the operator their scales too.

    Args:
        x: (..., in), of any floating dtype and strides.
        packed: On x's device.

    Returns:
        (..., out), of x's dtype.

    Raises:
        ValueError: for an x that is not floating, does not end in `in`, or asks for a gradient, which is not defined.
    """
    if not x.is_floating_point() or x.ndim == 0 or x.shape[-1] != packed.in_features:
        raise ValueError(f"x must be floating and (..., {packed.in_features}), not {x.dtype} {tuple(x.shape)}")
    if x.requires_grad and torch.is_grad_enabled():
        raise ValueError("w4a16_linear has no gradient: call it under torch.no_grad()")
    rows = x.reshape(-1, packed.in_features)
    return _rows(rows, packed).view(*x.shape[:-1], packed.out_features)


def _rows(x: Tensor, packed: PackedW4 | CpuW4) -> Tensor:
    if isinstance(packed, CpuW4):
        return w4_cpu.linear(x, packed)
    if x.is_cuda:
        from octavo.kernels import w4_triton  # here, as Triton comes with torch's CUDA builds alone

        if w4_triton.takes(x, packed):
            return w4_triton.linear(x, packed)
    return linear(x, dequantize_w4(packed, x.dtype))

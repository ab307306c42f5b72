"""The W4A16 linear on a GPU: weights are unpacked in registers, tile by tile. Knows nothing of models.

The only module here that imports Triton, which comes with torch's CUDA builds. With TRITON_INTERPRET=1, set before
this module is imported, the kernel runs on a CPU, slowly.
"""
# ruff: noqa: ANN001, ANN201 (Triton reads annotations as code)

from __future__ import annotations

from math import gcd

import torch
import triton
import triton.language as tl
from torch import Tensor

from octavo.kernels.w4 import PackedW4


def takes(x: Tensor, packed: PackedW4) -> bool:
    """Whether `linear` can: the tensor cores want at least 16 inputs at a time, which must share their scales."""
    return x.dtype in (torch.float16, torch.bfloat16, torch.float32) and packed.group % 16 == 0


def linear(x: Tensor, packed: PackedW4) -> Tensor:
    """(rows, in) to (rows, out). Weights are rounded to x's dtype, sums are in float32."""
    tensors = [tensor.contiguous() for tensor in (x, packed.qweight, packed.qzeros, packed.scales)]
    rows, outputs = len(x), packed.out_features
    y = x.new_empty(rows, outputs)
    tile = {"ROWS": 16, "OUTPUTS": 32} if rows <= 16 else {"ROWS": 64, "OUTPUTS": 64}
    grid = triton.cdiv(rows, tile["ROWS"]), triton.cdiv(outputs, tile["OUTPUTS"])
    with torch.cuda.device_of(x):  # type: ignore[no-untyped-call]
        kernel[grid](*tensors, y, rows, packed.in_features, outputs, packed.group, **tile, INPUTS=gcd(packed.group, 64))
    return y


@triton.jit  # type: ignore[untyped-decorator]
def kernel(  # type: ignore[no-untyped-def]
    x,
    qweight,
    qzeros,
    scales,
    y,
    rows,
    inputs,
    outputs,
    group,
    ROWS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    INPUTS: tl.constexpr,
):
    """One tile of y, (ROWS, OUTPUTS), summed over steps of INPUTS, a divisor of the group."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    output = tl.program_id(1) * OUTPUTS + tl.arange(0, OUTPUTS)[None, :]
    word, words = tl.program_id(1) * (OUTPUTS // 8) + tl.arange(0, OUTPUTS // 8)[None, :], outputs // 8
    shift = (output % 2 * 4 + output % 8 // 2) * 4  # the nibbles of a word are outputs 0 2 4 6 1 3 5 7
    step = tl.arange(0, INPUTS)
    total = tl.full((ROWS, OUTPUTS), 0.0, tl.float32)
    for first in range(0, inputs, INPUTS):
        at = first // group
        a = tl.load(x + row * inputs + first + step[None, :], mask=row < rows, other=0.0)
        codes = tl.load(qweight + (first + step[:, None]) * words + word, mask=word < words, other=0)
        zeros = tl.load(qzeros + at * words + word, mask=word < words, other=0)
        for _ in tl.static_range(3):  # every word eight times, once for each of its outputs
            codes, zeros = tl.interleave(codes, codes), tl.interleave(zeros, zeros)
        scale = tl.load(scales + at * outputs + output, mask=output < outputs, other=0.0).to(tl.float32)
        weight = ((codes >> shift & 15) - (zeros >> shift & 15)).to(tl.float32) * scale
        total = tl.dot(a, weight.to(a.dtype), total, input_precision="ieee")
    tl.store(y + row * outputs + output, total.to(y.dtype.element_ty), mask=(row < rows) & (output < outputs))

"""The W4A16 linear on a CPU: torch's int4 operator for few rows, a dequantized block for many. Knows nothing of models.

The operator is fast in bfloat16 alone, and while the rows are few (decoding); its time grows with them, while a block
of weights is dequantized once for all rows (prefill). Each has a layout of its own, derived once by `for_cpu`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from octavo.kernels.w4 import PackedW4, unpack_w4

_FEW = 64
"""Rows up to which the operator wins (docs/kernels.md)."""

_BLOCK = 2**20
"""Weights dequantized at a time: 4 MiB in float32."""


@dataclass(frozen=True, eq=False)
class CpuW4:
    """What `for_cpu` derives from a `PackedW4`: one byte for each weight, and its scales.

    Attributes:
        pairs: uint8 (in, out / 2), the code of output j in the low nibble, that of output j + out / 2 in the high one.
        scales, offsets: float32 (in / group, out); a weight is code * scale + offset, exactly, offset = -zero * scale.
        tiles: Codes in the layout of torch's int4 operator; None where it does not take the shape.
        scales_zeros: bfloat16 (in / group, out, 2); the operator's weight is (code - 8) * scale + zero.
    """

    pairs: Tensor
    scales: Tensor
    offsets: Tensor
    tiles: Tensor | None
    scales_zeros: Tensor | None

    @property
    def in_features(self) -> int:
        return self.pairs.shape[0]

    @property
    def out_features(self) -> int:
        return self.scales.shape[1]

    @property
    def group(self) -> int:
        return self.in_features // self.scales.shape[0]


def for_cpu(packed: PackedW4) -> CpuW4:
    """The form of a linear that `w4a16_linear` is fast with on a CPU."""
    codes, zeros = unpack_w4(packed)
    low, high = codes.chunk(2, dim=1)
    scales = packed.scales.float()
    tiles = scales_zeros = None
    if packed.group in (32, 64, 128, 256) and packed.out_features % 16 == 0:
        tiles = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes.T.int().contiguous(), 1)
        scales_zeros = torch.stack([scales, (8 - zeros.float()) * scales], -1).bfloat16()
    return CpuW4(low | high << 4, scales, -(zeros * scales), tiles, scales_zeros)


def linear(x: Tensor, packed: CpuW4) -> Tensor:
    """(rows, in), of any floating dtype, to (rows, out)."""
    if packed.tiles is not None and x.dtype == torch.bfloat16 and len(x) <= _FEW:
        operator = torch.ops.aten._weight_int4pack_mm_for_cpu
        few: Tensor = operator(x.contiguous(), packed.tiles, packed.group, packed.scales_zeros)
        return few
    half = packed.out_features // 2
    width = max(1, _BLOCK // packed.in_features)
    y = x.new_empty(len(x), packed.out_features)
    for start in range(0, half, width):
        pairs = packed.pairs[:, start : start + width]
        for first, codes in ((start, pairs & 15), (half + start, pairs >> 4)):
            outputs = slice(first, first + codes.shape[1])
            weights = _weights(codes, packed.scales[:, outputs], packed.offsets[:, outputs])
            torch.mm(x, weights.to(x.dtype), out=y[:, outputs])
    return y


def _weights(codes: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
    """code * scale + offset (in, outputs), in float32, where both products and the sum are exact."""
    grouped = codes.float().view(len(scales), -1, codes.shape[1])
    return torch.addcmul(offsets[:, None], grouped, scales[:, None], out=grouped).flatten(0, 1)

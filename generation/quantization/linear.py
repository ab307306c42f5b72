"""A linear layer with weights of 3 or 4 bits, stored as a checkpoint has them. Knows nothing of how they were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from octavo.generation.quantization.grid import Grid
from octavo.generation.quantization.planes import pack_planes, unpack_planes
from octavo.kernels import CpuW4, PackedW4, dequantize_w4, for_cpu, pack_w4, w4a16_linear

OUTPUTS = {3: 32, 4: 8}  # that are stored together, by bits; a linear has a multiple of them


class QuantizedLinear(nn.Module):
    """y = x W^T + b for W (out, in) on a grid of `bits` bits by groups of `group` input channels.

    `qweight` int32 (in, out * bits / 32) and `qzeros` int32 (in / group, out * bits / 32), with 4 bits in AWQ's GEMM
    layout (`octavo.kernels.w4`), with 3 in ours (`planes`); `scales` float16 (in / group, out). A change of the model's
    dtype leaves them as they are. The weights of both run as 4 bits, by `octavo.kernels.w4a16_linear`.
    """

    qweight: Tensor
    qzeros: Tensor
    scales: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bits: int,
        group: int,
        bias: bool = False,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features, self.bits, self.group = in_features, out_features, bits, group
        words, groups = out_features * bits // 32, in_features // group
        self.register_buffer("qweight", torch.zeros(in_features, words, dtype=torch.int32, device=device))
        self.register_buffer("qzeros", torch.zeros(groups, words, dtype=torch.int32, device=device))
        self.register_buffer("scales", torch.zeros(groups, out_features, dtype=torch.float16, device=device))
        empty = torch.zeros(out_features, device=device, dtype=dtype) if bias else None
        self.bias = None if empty is None else nn.Parameter(empty, requires_grad=False)
        self._ready: PackedW4 | CpuW4 | None = None

    @classmethod
    def of(cls, linear: nn.Linear, grid: Grid, bits: int, group: int) -> Self:
        """The layer that has `grid` in place of the weights of `linear`, and its bias."""
        made = cls(linear.in_features, linear.out_features, bits, group, device=linear.weight.device)
        made.scales = grid.scales.T.contiguous()
        if bits == 4:
            packed = pack_w4(grid.codes.T, grid.zeros.T, made.scales)
            made.qweight, made.qzeros = packed.qweight, packed.qzeros
        else:
            made.qweight, made.qzeros = pack_planes(grid.codes.T), pack_planes(grid.zeros.T)
        if linear.bias is not None:
            made.bias = nn.Parameter(linear.bias.data, requires_grad=False)
        return made

    def dequantize(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """The weights (out, in)."""
        return dequantize_w4(self._packed(), dtype)

    def forward(self, x: Tensor) -> Tensor:
        if self._ready is None:
            packed = self._packed()
            self._ready = packed if self.qweight.is_cuda else for_cpu(packed)
        y = w4a16_linear(x, self._ready)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bits={self.bits}, group={self.group}"

    def _packed(self) -> PackedW4:
        if self.bits == 4:
            return PackedW4(self.qweight, self.qzeros, self.scales)
        return pack_w4(unpack_planes(self.qweight), unpack_planes(self.qzeros), self.scales)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        scales = self.scales
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.scales.dtype != scales.dtype:
            self.scales = scales.to(self.scales.device)
        self._ready = None
        return self

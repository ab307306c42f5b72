"""The arithmetic of rounding weights to a few bits. Knows nothing of models, nor of how the integers are stored.

Asymmetric, by groups of neighbouring input channels of one output channel: w ~ (code - zero) * scale, with code and
zero integers of `bits` bits and scale a float16. Zero lies on every grid.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_LEAST_SCALE = 1e-5  # of a group of zeros


class Grid(NamedTuple):
    """A rounded matrix (out, in): `codes` uint8 (out, in), `scales` float16 and `zeros` uint8 (out, in / group)."""

    codes: Tensor
    scales: Tensor
    zeros: Tensor

    def dequantize(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """(code - zero) * scale (out, in): exact in float32, rounded once in a narrower dtype."""
        groups = self.codes.float().view(*self.scales.shape, -1)
        weight = (groups - self.zeros.float()[..., None]) * self.scales.float()[..., None]
        return weight.view(self.codes.shape).to(dtype)


def fit(weight: Tensor, bits: int, group: int, limits: Tensor | None = None) -> Grid:
    """Rounds `weight` (out, in) to the nearest points of each group's grid, which spans its least to greatest weight.

    `limits` (out, in / group) cuts the weights to [-limit, limit] first.
    """
    groups = weight.float().view(len(weight), -1, group)
    if limits is not None:
        groups = groups.clamp(-limits[..., None], limits[..., None])
    most = 2**bits - 1
    low, high = groups.amin(-1).clamp(max=0), groups.amax(-1).clamp(min=0)
    scales = ((high - low) / most).clamp(min=_LEAST_SCALE).half()
    step = scales.float()
    zeros = (-low / step).round().clamp(0, most)
    codes = (groups / step[..., None]).round().add_(zeros[..., None]).clamp_(0, most)
    return Grid(codes.view(weight.shape).to(torch.uint8), scales, zeros.to(torch.uint8))


def rounded(weight: Tensor, bits: int, group: int, limits: Tensor | None = None) -> Tensor:
    """`weight` (out, in) after a round trip through `fit`, in its own dtype."""
    return fit(weight, bits, group, limits).dequantize(weight.dtype)

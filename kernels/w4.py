"""Linear weights of 4 bits with a scale and a zero point for each group, in AWQ's GEMM layout. Knows nothing of models.

A weight is (code - zero) * scale, codes and zeros integers 0 to 15. Eight neighbouring outputs share an int32; its
nibbles, from the lowest on, belong to outputs 0 2 4 6 1 3 5 7 of the eight. transformers and vLLM read this layout.

    J. Lin et al.: AWQ: Activation-aware Weight Quantization for On-Device LLM Compression and Acceleration.
    MLSys 2024. arXiv:2306.00978.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
_WHERE = sorted(range(8), key=ORDER.__getitem__)  # the nibble of each output


@dataclass(frozen=True, eq=False)
class PackedW4:
    """The three tensors of a linear, all on one device.

    Attributes:
        qweight: Codes, int32 (in, out / 8).
        qzeros: Zero points, int32 (in / group, out / 8).
        scales: float16 (in / group, out).

    Raises:
        ValueError: for other dtypes, and shapes that do not agree.
    """

    qweight: Tensor
    qzeros: Tensor
    scales: Tensor

    def __post_init__(self) -> None:
        dtypes = self.qweight.dtype, self.qzeros.dtype, self.scales.dtype
        if dtypes != (torch.int32, torch.int32, torch.float16):
            raise ValueError(f"qweight and qzeros must be int32 and scales float16, not {dtypes}")
        shapes = tuple(self.qweight.shape), tuple(self.qzeros.shape), tuple(self.scales.shape)
        if not all(len(shape) == 2 and all(shape) for shape in shapes):
            raise ValueError(f"qweight, qzeros and scales must be 2-D and not empty, not {shapes}")
        (inputs, words), (groups, zeros), (rows, outputs) = shapes
        if not (words == zeros and outputs == 8 * words and groups == rows and inputs % groups == 0):
            raise ValueError(f"qweight, qzeros and scales do not belong together: {shapes}")

    @property
    def in_features(self) -> int:
        return self.qweight.shape[0]

    @property
    def out_features(self) -> int:
        return self.scales.shape[1]

    @property
    def group(self) -> int:
        """Neighbouring inputs that share a scale and a zero point."""
        return self.in_features // self.scales.shape[0]


def pack_w4(codes: Tensor, zeros: Tensor, scales: Tensor) -> PackedW4:
    """Packs what a quantizer found for a linear.

    Args:
        codes: (in, out), integers 0 to 15 of any integer dtype; the transpose of how `torch.nn.Linear` has weights.
        zeros: (in / group, out), integers 0 to 15.
        scales: (in / group, out), floating; rounded to float16.

    Raises:
        ValueError: for integers outside 0 to 15, outputs that are not a multiple of 8, and shapes that do not agree.
    """
    return PackedW4(_words(codes, "codes"), _words(zeros, "zeros"), scales.to(torch.float16).contiguous())


def unpack_w4(packed: PackedW4) -> tuple[Tensor, Tensor]:
    """The codes (in, out) and zeros (in / group, out), uint8, that `pack_w4` was given."""
    return nibbles(packed.qweight), nibbles(packed.qzeros)


def dequantize_w4(packed: PackedW4, dtype: torch.dtype = torch.float32) -> Tensor:
    """The weights (out, in) as `torch.nn.functional.linear` takes them: exact in float32, rounded once below it."""
    codes, zeros = unpack_w4(packed)
    grouped = codes.float().view(len(zeros), -1, packed.out_features)
    weights = grouped.sub_(zeros[:, None]).mul_(packed.scales[:, None])  # 5 bits by 11: exact
    return weights.flatten(0, 1).to(dtype).T.contiguous()


def nibbles(words: Tensor) -> Tensor:
    """int32 (rows, words) to uint8 (rows, 8 * words), outputs in their order."""
    pairs = words.clone(memory_format=torch.contiguous_format).view(torch.uint8)  # contiguous() keeps odd strides of 1s
    return torch.stack([pairs & 15, pairs >> 4], -1).view(*words.shape, 8)[..., _WHERE].flatten(1)


def _words(values: Tensor, name: str) -> Tensor:
    if values.ndim != 2 or not values.numel() or values.shape[1] % 8:
        raise ValueError(f"{name} must be (rows, outputs), outputs a multiple of 8, not {tuple(values.shape)}")
    if values.dtype.is_floating_point or values.min() < 0 or values.max() > 15:
        raise ValueError(f"{name} must be integers from 0 to 15")
    nibble = values.to(torch.uint8).reshape(len(values), -1, 8)[..., ORDER]
    pairs = nibble[..., 0::2] | nibble[..., 1::2] << 4
    return pairs.contiguous().view(torch.int32).squeeze(-1)

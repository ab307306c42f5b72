"""Integers of 3 bits in 32-bit words, our own layout. Knows nothing of scales.

Three words hold 32 neighbouring outputs: word p has bit p of them all, that of output j in its bit j. So nothing
straddles a word, and the codes of a weight lie 3 bits apiece.
"""

from __future__ import annotations

import torch
from torch import Tensor

BITS = 3
OUTPUTS = 32  # that three words hold


def pack_planes(values: Tensor) -> Tensor:
    """Integers 0 to 7 (rows, outputs) as int32 (rows, 3 * outputs / 32)."""
    wide = values.to(torch.int64).reshape(len(values), -1, 1, OUTPUTS)
    bits = (wide >> _counting(BITS, values)[:, None]) & 1
    words = (bits << _counting(OUTPUTS, values)).sum(-1)
    return words.flatten(1).to(torch.int32)  # wraps: bit 31 becomes the sign


def unpack_planes(words: Tensor) -> Tensor:
    """The integers uint8 (rows, outputs) that `pack_planes` put into `words`."""
    bits = (words.view(len(words), -1, BITS, 1) >> _counting(OUTPUTS, words)) & 1
    return (bits << _counting(BITS, words)[:, None]).sum(2).flatten(1).to(torch.uint8)


def _counting(count: int, like: Tensor) -> Tensor:
    return torch.arange(count, device=like.device)

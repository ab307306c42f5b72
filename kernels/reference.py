"""What the kernels compute, as their formulas read: plain torch, of any speed and memory.

In the inputs' own dtype, so that float64 inputs give what the fast forms are checked against.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from octavo.kernels.w4 import PackedW4, unpack_w4


def mw_loss(positive: Tensor, negative: Tensor, temperature: float = 1.0) -> Tensor:
    """See `octavo.kernels.mw_loss`; here all (P, N) pairs are held, and autograd does the rest."""
    return -logsigmoid((positive[:, None] - negative) / temperature).mean()


def max_min_select(features: Tensor, keep: int) -> Tensor:
    """See `octavo.kernels.max_min_select`; here all (n, n) distances are held, and no two are taken for equal."""
    rows = features / features.abs().amax(1, keepdim=True).clamp(min=torch.finfo(features.dtype).tiny)
    lengths = rows.norm(dim=1, keepdim=True)
    unit = rows / lengths.where(lengths > 0, 1)
    distances = (1 - unit @ unit.T).fill_diagonal_(torch.inf)
    picks = [int(distances.amin(1).argmax())]
    while len(picks) < keep:
        least = distances[:, picks].amin(1)
        least[picks] = -torch.inf
        picks.append(int(least.argmax()))
    return torch.tensor(picks)


def w4a16_linear(x: Tensor, packed: PackedW4) -> Tensor:
    """See `octavo.kernels.w4a16_linear`; here the weights (in, out) are held in x's dtype."""
    codes, zeros = (integers.to(x.dtype) for integers in unpack_w4(packed))
    zeros, scales = (rows.repeat_interleave(packed.group, 0) for rows in (zeros, packed.scales.to(x.dtype)))
    return x @ ((codes - zeros) * scales)

"""Which of many vectors are most unlike each other, greedily. Knows nothing of pictures or models."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import threshold

_HELD = 2048
"""Vectors up to which the cosines of all with all are held: 16 MiB in float32."""

_ROWS = 512
"""Vectors of one block when nearest neighbours are sought: 1 MiB of cosines in float32."""

_AHEAD = 32
"""Vectors whose cosines with all others are computed in one pass over them."""


def max_min_select(features: Tensor, keep: int) -> Tensor:
    """Picks `keep` vectors, each as far as can be from the nearest one picked before it.

    The greedy answer to the max-min diversity problem, as DivPrune has it (Algorithm 1): first the vector whose nearest
    neighbour is farthest, then always the one whose least distance to those picked is greatest. The distance is
    1 - cosine, hence 1 between a vector of zeros and any other; the lowest index wins a tie. Distances are computed in
    float32, or in float64 for float64 features; one below 16 units of its rounding (1.9e-6 in float32) counts as 0, so
    that vectors which cannot be told apart tie.

    Up to `_HELD` vectors the cosines of all with all are held. Of more, time is O(n^2 d / 2) for the first pick and
    O(n d keep) for the rest, memory a copy of the features and O(n): where a pick needs the cosines of one vector with
    all, those of the vectors now farthest, mostly the next picks, are computed in the same pass.

    Args:
        features: (n, d), of any floating dtype, strides and magnitudes.
        keep: 1 to n.

    Returns:
        Indices, int64 (keep,), in the order of picking, on the device of the features.

    Raises:
        ValueError: for features that are none, not 2-D, not floating or not finite, and a `keep` out of range.

    References:
        - S. R. Alvar et al.: DivPrune: Diversity-based Visual Token Pruning for Large Multimodal Models. CVPR 2025.
          arXiv:2503.02175.
    """
    if features.ndim != 2 or not features.numel() or not features.is_floating_point():
        raise ValueError(f"features must be floating, (n, d) and not empty: {features.dtype} {tuple(features.shape)}")
    if not 1 <= keep <= len(features):
        raise ValueError(f"keep must be from 1 to {len(features)}, the number of features, not {keep}")
    unit = _unit(features.detach())
    cosines: dict[int, Tensor] = {}
    if len(unit) <= _HELD:
        every = (unit @ unit.T).fill_diagonal_(-torch.inf)
        nearest, cosines = every.amax(1), dict(enumerate(every.unbind()))
    else:
        nearest = _nearest(unit)
    picks = [int(_distances(nearest).argmax())]  # the first of equals
    least = unit.new_full((len(unit),), torch.inf)
    while len(picks) < keep:
        last = picks[-1]
        if last not in cosines:
            ahead = torch.cat([torch.tensor([last], device=unit.device), least.topk(min(_AHEAD, len(least))).indices])
            cosines = dict(zip(ahead.tolist(), unit[ahead] @ unit.T, strict=True))
        torch.minimum(least, _distances(cosines[last]), out=least)
        least[last] = -torch.inf
        picks.append(int(least.argmax()))
    return torch.tensor(picks, device=features.device)


def _unit(features: Tensor) -> Tensor:
    """Rows of length 1, or 0. Divided by their greatest entry first, lest a square overflow or vanish."""
    unit = features.to(torch.promote_types(features.dtype, torch.float32), copy=True)
    greatest = torch.maximum(unit.amax(1, keepdim=True), -unit.amin(1, keepdim=True))
    if not greatest.isfinite().all():
        raise ValueError("features must be finite")
    unit /= greatest.where(greatest > 0, 1)
    unit /= torch.linalg.vector_norm(unit, dim=1, keepdim=True).clamp(min=1)
    return unit


def _nearest(unit: Tensor) -> Tensor:
    """The greatest cosine of each row with another, (n,); each pair of blocks is seen once."""
    blocks = torch.split(unit, _ROWS)
    nearest = [block.new_full((len(block),), -torch.inf) for block in blocks]
    for i, block in enumerate(blocks):
        for j, other in enumerate(blocks[i:], i):
            cosines = block @ other.T
            if i == j:
                cosines.fill_diagonal_(-torch.inf)
            nearest[i] = torch.maximum(nearest[i], cosines.amax(1))
            nearest[j] = torch.maximum(nearest[j], cosines.amax(0))
    return torch.cat(nearest)


def _distances(cosines: Tensor) -> Tensor:
    return threshold(1 - cosines, 16 * torch.finfo(cosines.dtype).eps, 0.0)

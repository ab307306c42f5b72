"""AWQ's two searches, for the scales of input channels and for clipping, under one loss that is a parameter.

Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", MLSys 2024
(arXiv:2306.00978). Knows nothing of architectures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from octavo.generation.quantization.capture import first
from octavo.generation.quantization.grid import rounded

GRID = 20  # exponents alpha = 0, 1/20, ..., 19/20
_SHRINKS = 10  # clipping limits of 1, 0.95, ..., 0.55 times the group's greatest weight
_CLIP_TOKENS = 512  # that clipping is judged by
_LEAST_MEAN = 1e-4


class Call(NamedTuple):
    """An input (batch, tokens, in) of a block, what else it is called with, and the weight of each token's error.

    `weights` (batch, tokens), float32, is 0 for a token that does not count.
    """

    x: Tensor
    kwargs: Mapping[str, Any]
    weights: Tensor


class Loss(NamedTuple):
    """Sum over tokens of weight * |difference| ** power.

    Power 2 with weights of 1 is AWQ's; power 1 with weights of 1 for language and of r for vision tokens is MBQ's. Both
    divide by numbers that are the same for every candidate, and so choose nothing.
    """

    power: Literal[1, 2]

    def total(self, difference: Tensor, weights: Tensor) -> Tensor:
        """The sum (...) for differences (..., tokens, out)."""
        error = difference.float().abs()
        return ((error if self.power == 1 else error.square()).sum(-1) * weights).sum(-1)


def sampled(calls: Sequence[Call]) -> tuple[Tensor, Tensor]:
    """Of the inputs that count _CLIP_TOKENS, evenly spaced (tokens, in), and their weights (tokens,)."""
    weights = torch.cat([call.weights.flatten() for call in calls])
    counting = weights.nonzero().flatten()
    chosen = torch.zeros_like(weights, dtype=torch.bool)
    chosen[counting[:: max(1, len(counting) // _CLIP_TOKENS)][:_CLIP_TOKENS]] = True
    parts = torch.split(chosen, [call.weights.numel() for call in calls])
    return torch.cat([call.x.flatten(0, 1)[part] for call, part in zip(calls, parts, strict=True)]), weights[chosen]


def candidates(calls: Sequence[Call]) -> list[Tensor]:
    """Scales (in,) for each alpha: mean |x| of each channel to its power, normalised by sqrt(max * min)."""
    total = sum(call.x[call.weights > 0].float().abs().sum(0) for call in calls)
    mean = torch.as_tensor(total) / sum(int((call.weights > 0).sum()) for call in calls)
    scales = [mean.pow(point / GRID).clamp(min=_LEAST_MEAN) for point in range(GRID)]
    return [s / (s.max() * s.min()).sqrt() for s in scales]


def search_scales(
    block: Callable[..., Any], linears: Sequence[nn.Linear], calls: Sequence[Call], bits: int, group: int, loss: Loss
) -> Tensor:
    """The scales (in,) of the input channels of `linears` with which rounding their weights changes `block` least.

    Each candidate s is tried as round(W * s) / s in the weights' place; these are left as they were.
    """
    before = [linear.weight.data for linear in linears]
    outputs = [first(block(call.x, **call.kwargs)) for call in calls]
    found: list[tuple[float, Tensor]] = []
    try:
        for scales in candidates(calls):
            for linear, weight in zip(linears, before, strict=True):
                folded = (weight * scales).to(weight.dtype)  # as `families.fold` has it
                linear.weight.data = (rounded(folded, bits, group) / scales).to(weight.dtype)
            changed = (first(block(call.x, **call.kwargs)) for call in calls)
            errors = (
                loss.total(y - output, call.weights).sum()
                for y, output, call in zip(changed, outputs, calls, strict=True)
            )
            found.append((float(torch.stack(list(errors)).double().sum()), scales))
    finally:
        for linear, weight in zip(linears, before, strict=True):
            linear.weight.data = weight
    return min(found, key=lambda pair: pair[0])[1]


def search_limits(weight: Tensor, x: Tensor, token_weights: Tensor, bits: int, group: int, loss: Loss) -> Tensor:
    """The limit (out, in / group) to clip each group of `weight` (out, in) at, by its share of the output's error.

    That is over inputs `x` (tokens, in) of `token_weights` (tokens,), as `sampled` gives them.
    """
    inputs = x.float().view(len(x), -1, group).transpose(0, 1)  # (groups, tokens, group)
    weight = weight.float()
    peaks = weight.view(len(weight), -1, group).abs().amax(-1)
    best, least = peaks, torch.full_like(peaks, torch.inf)
    for step in range(_SHRINKS):
        limits = peaks * (1 - step / GRID)
        change = (rounded(weight, bits, group, limits) - weight).view(*peaks.shape, group).transpose(0, 1)
        # One group at a time, and as (out, tokens, 1), so that every output channel has its own sum.
        errors = torch.stack(
            [loss.total((c @ i.T)[..., None], token_weights) for c, i in zip(change, inputs, strict=True)], dim=1
        )
        better = errors < least
        best, least = torch.where(better, limits, best), torch.where(better, errors, least)
    return best

"""The Mann-Whitney loss over scores, in one pass of bounded memory. Knows nothing of models or texts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

_ROWS, _COLUMNS = 256, 512
"""Pairs of one block: its three temporaries, of half a MiB each in float32, stay in a core's cache."""


def mw_loss(positive: Tensor, negative: Tensor, temperature: float = 1.0) -> Tensor:
    r"""The mean over all pairs of a positive and a negative score of ``softplus(-(s - t) / temperature)``.

    .. math:: L = \frac{1}{PN} \sum_{i=1}^{P} \sum_{j=1}^{N} \log\left(1 + e^{-(s_i - t_j) / \tau}\right)

    That is binary cross entropy with label 1 on each score difference. Counting the pairs in order, [s > t] in place
    of the softplus, gives the Mann-Whitney U statistic, and divided by P N the area under the ROC curve (AUC). As
    softplus(-d / tau) / ln 2 >= [d <= 0] for every tau > 0, the loss bounds the area over the curve::

        L / ln 2 >= 1 - AUC        (here ties count as errors, so the more with ties counted half)

    At tau = 1 this is the paper's bound on the scores as they stand. Another temperature bounds the same area, since
    AUC does not change when all scores are divided by tau: L(s, t; tau) = L(s / tau, t / tau; 1). As tau goes to 0
    the bound on separated scores goes to 0, and that on a pair out of order grows as (t - s) / (tau ln 2).

    The pairs are gone through in blocks: time is O(P N), memory O(P + N) and one block. The loss and both gradients
    come from the same pass; where no input needs a gradient, none is computed. Sums are in float32, or float64 if an
    input is double. A second derivative is not defined.

    Args:
        positive: Scores of right (query, document) pairs, shape (P,), of any floating dtype and device.
        negative: Scores of wrong pairs, shape (N,), on the same device.
        temperature: What a difference is divided by; above 0.

    Returns:
        The loss, a scalar of the inputs' promoted dtype.

    Raises:
        ValueError: for scores that are none, not 1-D or not of a floating dtype, and a temperature that is not above 0.

    References:
        - N. Sheikholeslami et al. (ServiceNow): Optimizing What Matters: AUC-Driven Learning for Robust Neural
          Retrieval. 2025. arXiv:2510.00137.
        - H. B. Mann, D. R. Whitney: On a test of whether one of two random variables is stochastically larger than the
          other. Annals of Mathematical Statistics 18, 1947.
    """
    for name, scores in (("positive", positive), ("negative", negative)):
        if scores.ndim != 1 or not scores.numel():
            raise ValueError(f"{name} scores must be a 1-D tensor that is not empty, not {tuple(scores.shape)}")
        if not scores.is_floating_point():
            raise ValueError(f"{name} scores must be of a floating dtype, not {scores.dtype}")
    if not temperature > 0:
        raise ValueError(f"the temperature must be above 0, not {temperature}")
    loss: Tensor = _MannWhitney.apply(positive, negative, temperature)  # type: ignore[no-untyped-call]
    return loss


class _MannWhitney(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, positive: Tensor, negative: Tensor, temperature: float) -> Tensor:
        promoted = torch.promote_types(positive.dtype, negative.dtype)
        exact = torch.promote_types(promoted, torch.float32)
        s, t = positive.detach().to(exact) / temperature, negative.detach().to(exact) / temperature
        wanted = any(ctx.needs_input_grad)
        total = s.new_zeros(())
        of_s, of_t = (torch.zeros_like(s), torch.zeros_like(t)) if wanted else (None, None)
        for i in range(0, len(s), _ROWS):
            for j in range(0, len(t), _COLUMNS):
                behind = t[j : j + _COLUMNS] - s[i : i + _ROWS, None]  # -(s - t) / tau
                total -= logsigmoid(-behind).sum()  # torch's softplus is the identity from 20 on: off by 2e-9 there
                if of_s is not None and of_t is not None:
                    pull = behind.sigmoid_()  # minus the derivative by s, and the one by t
                    of_s[i : i + _ROWS] -= pull.sum(1)
                    of_t[j : j + _COLUMNS] += pull.sum(0)
        pairs = len(s) * len(t)
        if of_s is not None and of_t is not None:
            ctx.save_for_backward(of_s / (pairs * temperature), of_t / (pairs * temperature))
            ctx.dtypes = positive.dtype, negative.dtype
        return (total / pairs).to(promoted)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        of_s, of_t = ctx.saved_tensors
        in_s, in_t, _ = ctx.needs_input_grad
        return (
            (of_s * upstream).to(ctx.dtypes[0]) if in_s else None,
            (of_t * upstream).to(ctx.dtypes[1]) if in_t else None,
            None,
        )

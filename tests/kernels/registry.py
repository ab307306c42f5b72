"""The kernels that the harness runs: of each its fast form, its reference, and what goes in. A new one is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import torch
from torch import Generator, Tensor

from octavo import kernels
from octavo.kernels import reference

Inputs = dict[str, Tensor]
Outputs = tuple[Tensor, ...]
Draw = Callable[..., Tensor]  # of a shape: values of the distribution under test

HALF, SINGLE, DOUBLE = (torch.float16, torch.bfloat16), torch.float32, torch.float64
ALL = (*HALF, SINGLE, DOUBLE)
TOLERANCE = {torch.bfloat16: 2e-2, torch.float16: 2e-3, torch.float32: 1e-5, torch.float64: 1e-12}


@dataclass(frozen=True)
class Kernel:
    """One fast form.

    Attributes:
        make: Inputs for a shape.
        drawn: Those that are of the distribution and the dtype under test.
        fast, plain: The fast form and its reference, from the inputs to what they give.
        shapes: The first is the smallest.
        scales: What the errors of each output are relative to, from the float64 inputs and outputs.
        like: Dtypes of the outputs, from that under test.
        judge: In place of a comparison with the reference: from the float64 inputs and the outputs, how far these are
            from right, beside the tolerance of the dtype.
    """

    make: Callable[[tuple[int, ...], Draw, Generator], Inputs]
    drawn: tuple[str, ...]
    fast: Callable[[Inputs], Outputs]
    plain: Callable[[Inputs], Outputs]
    shapes: tuple[tuple[int, ...], ...]
    scales: Callable[[Inputs, Outputs], Outputs] = lambda inputs, outputs: tuple(x.abs() for x in outputs)
    like: Callable[[torch.dtype], tuple[torch.dtype, ...]] = lambda dtype: (dtype,)
    judge: Callable[[Inputs, Outputs], float] | None = None
    dtypes: tuple[torch.dtype, ...] = ALL
    devices: tuple[str, ...] = ("cpu", "cuda")


def with_gradients(loss: Callable[..., Tensor], upstream: float = 3.0) -> Callable[[Inputs], Outputs]:
    """The value of a function, and the gradients by all that goes in."""

    def run(inputs: Inputs) -> Outputs:
        leaves = {name: tensor.detach().requires_grad_() for name, tensor in inputs.items()}
        value = loss(**leaves)
        return value.detach(), *torch.autograd.grad(upstream * value, list(leaves.values()))

    return run


def scores(shape: tuple[int, ...], draw: Draw, generator: Generator) -> Inputs:
    return {"positive": draw(shape[0]), "negative": draw(shape[1])}


def loss_scales(inputs: Inputs, outputs: Outputs) -> Outputs:
    """Of a value itself, of gradients also the share of one score: what is far below it may vanish in 16 bits."""
    value, *gradients = outputs
    return value.abs(), *(gradient.abs() + 1 / len(gradient) for gradient in gradients)


def vectors(shape: tuple[int, ...], draw: Draw, generator: Generator) -> Inputs:
    return {"features": draw(*shape[:2])}


def shortfall(inputs: Inputs, outputs: Outputs) -> float:
    """By how much a pick is nearer to those before it than another would have been, at most. In float64."""
    features, picks = inputs["features"].cpu(), outputs[0].tolist()
    rows = features / features.abs().amax(1, keepdim=True).clamp(min=1e-300)
    unit = rows / rows.norm(dim=1, keepdim=True).clamp(min=1)
    distances = 1 - unit @ unit.T
    assert len(set(picks)) == len(picks)
    nearest = distances.clone().fill_diagonal_(torch.inf).amin(1)
    short = [nearest.max() - nearest[picks[0]]]
    least = torch.full_like(nearest, torch.inf)
    for last, pick in pairwise(picks):
        least = torch.minimum(least, distances[last])
        least[last] = -torch.inf
        short.append(least.max() - least[pick])
    return float(torch.stack(short).max()) if len(features) > 1 else 0.0


def linear(shape: tuple[int, ...], draw: Draw, generator: Generator) -> Inputs:
    rows, inputs, outputs, group = shape
    groups = inputs // group
    return {
        "x": draw(rows, inputs),
        "qweight": torch.randint(-(2**31), 2**31, (inputs, outputs // 8), generator=generator).int(),
        "qzeros": torch.randint(-(2**31), 2**31, (groups, outputs // 8), generator=generator).int(),
        "scales": (torch.rand(groups, outputs, generator=generator) + 0.1).half() / 16,
    }


def packed(inputs: Mapping[str, Tensor]) -> kernels.PackedW4:
    return kernels.PackedW4(inputs["qweight"], inputs["qzeros"], inputs["scales"])


def linear_scales(inputs: Inputs, outputs: Outputs) -> Outputs:
    """|x| |W|: what rounding errors of a sum are relative to."""
    weight = kernels.dequantize_w4(packed(inputs), torch.float64)
    return (inputs["x"].abs() @ weight.abs().T,)


def interpreted(inputs: Inputs) -> Outputs:
    from octavo.kernels import w4_triton

    return (w4_triton.linear(inputs["x"], packed(inputs)),)


def half_of(inputs: Inputs) -> Outputs:
    return (kernels.max_min_select(inputs["features"], (len(inputs["features"]) + 1) // 2),)


def half_in_blocks(inputs: Inputs) -> Outputs:
    """As with more vectors than the cosines are held of."""
    with patch("octavo.kernels.max_min._HELD", 0):
        return half_of(inputs)


_SELECTION: dict[str, Any] = {
    "make": vectors,
    "drawn": ("features",),
    "plain": lambda inputs: (reference.max_min_select(inputs["features"], (len(inputs["features"]) + 1) // 2),),
    "like": lambda dtype: (torch.int64,),
    "judge": shortfall,
}
_LINEAR: dict[str, Any] = {
    "make": linear,
    "drawn": ("x",),
    "plain": lambda inputs: (reference.w4a16_linear(inputs["x"], packed(inputs)),),
    "scales": linear_scales,
}
# rows, inputs, outputs, group; 65 rows no longer go to torch's operator, which does not take 40 outputs or groups of 48
_SHAPES = ((2, 64, 16, 32), (1, 128, 64, 64), (5, 256, 96, 128), (65, 128, 208, 32), (3, 96, 40, 48), (17, 64, 8, 64))

KERNELS = {
    "mw_loss": Kernel(
        make=scores,
        drawn=("positive", "negative"),
        fast=with_gradients(kernels.mw_loss),
        plain=with_gradients(reference.mw_loss),
        shapes=((3, 4), (1, 1), (64, 130), (2, 2049), (513, 2)),  # the last two go over a block's edge
        scales=loss_scales,
        like=lambda dtype: (dtype, dtype, dtype),
    ),
    "mw_loss, cold": Kernel(
        make=scores,
        drawn=("positive", "negative"),
        fast=with_gradients(lambda **scores: kernels.mw_loss(**scores, temperature=0.05)),
        plain=with_gradients(lambda **scores: reference.mw_loss(**scores, temperature=0.05)),
        shapes=((3, 4), (64, 130)),
        scales=loss_scales,
        like=lambda dtype: (dtype, dtype, dtype),
    ),
    "max_min_select": Kernel(fast=half_of, shapes=((12, 5), (1, 3), (2, 1), (90, 33)), **_SELECTION),
    "max_min_select, in blocks": Kernel(
        fast=half_in_blocks,
        shapes=((12, 5), (1, 3), (2, 1), (90, 33), (530, 7)),  # the last goes over a block's edge
        **_SELECTION,
    ),
    "w4a16_linear": Kernel(
        fast=lambda inputs: (kernels.w4a16_linear(inputs["x"], packed(inputs)),), shapes=_SHAPES, **_LINEAR
    ),
    "w4a16_linear, for_cpu": Kernel(
        fast=lambda inputs: (kernels.w4a16_linear(inputs["x"], kernels.for_cpu(packed(inputs))),),
        shapes=_SHAPES,
        devices=("cpu",),
        **_LINEAR,
    ),
    "w4a16_linear, Triton": Kernel(
        fast=interpreted,
        shapes=((2, 64, 16, 32), (17, 128, 72, 64), (1, 96, 40, 48)),
        dtypes=(*HALF, SINGLE),
        devices=("cpu",),  # in the interpreter; on a GPU "w4a16_linear" is this kernel
        **_LINEAR,
    ),
}

"""Quantizes a model layer by layer: RTN, AWQ or MBQ. Knows nothing of files, nor of where the batches come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from octavo.generation.quantization import families
from octavo.generation.quantization.capture import Sample, enter, first, recorded
from octavo.generation.quantization.families import Decoder, Group, Method, QuantizationError
from octavo.generation.quantization.grid import fit
from octavo.generation.quantization.linear import OUTPUTS, QuantizedLinear
from octavo.generation.quantization.search import Call, Loss, sampled, search_limits, search_scales
from octavo.generation.quantization.sensitivity import Sensitivities
from octavo.generation.quantization.tokens import tokens

LOSSES: Mapping[Method, Loss] = {"awq": Loss(power=2), "mbq": Loss(power=1)}


class Plan(NamedTuple):
    """What is rounded, and how."""

    decoder: Decoder
    bits: int
    group: int


def quantize(
    model: PreTrainedModel,
    method: Method,
    bits: int,
    group: int,
    batches: Iterable[Mapping[str, Tensor]] = (),
    *,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> PreTrainedModel:
    """Rounds the weights of the decoder's linears to `bits` bits, in place.

    Embeddings, head, norms, and all that stands in front of the decoder of a model that sees, stay as they are, but for
    the scales that AWQ and MBQ fold into the norms. Memory beside the model: what goes into a layer and into its
    blocks, for all batches, and what one block gives; for MBQ also the activations of all layers for one batch, since
    it runs the whole model backwards.

    Args:
        model: A transformers model of a type in `families.DECODERS` or `families.VISION`, of any floating dtype.
        method: "rtn": to the nearest, without batches. "awq": with AWQ's scales and clipping, by the squared error
            (Lin et al., MLSys 2024). "mbq": the same by the absolute error, in which the errors of vision tokens count
            r times those of the answer's (Li et al., CVPR 2025).
        bits: 3 or 4.
        group: Neighbouring input channels that share a scale and a zero point; divides every linear's input width.
        batches: What the model is called with: `input_ids` (batch, tokens) and what else its processor gives, and for
            "mbq" `labels` too, -100 at each token that is not the answer. With labels the errors of vision and answer
            tokens count, without those of all tokens.
        on_progress: Told how many steps are done of how many, a step being a batch or a layer.

    Returns:
        The model, with a `QuantizedLinear` in each such linear's place, in evaluation mode, and not trainable any more.

    Raises:
        QuantizationError: The model's type is not known, the group or the bits do not fit it, it is quantized already,
            the method lacks its batches, or the device has too little memory; the model is then of no more use.
    """
    plan = check(model, method, bits, group)
    model.requires_grad_(False).train(False)
    given = [] if method == "rtn" else list(batches)
    if method != "rtn" and not given:
        raise QuantizationError(f"{method} chooses its scales by calibration data: give it some")
    try:
        _run(model, method, plan, given, on_progress)
    except torch.OutOfMemoryError as error:
        told = f"no memory left on {model.device}: a smaller model, fewer or shorter batches, or another OCTAVO_DEVICE"
        raise QuantizationError(told) from error
    return model


def _run(
    model: PreTrainedModel,
    method: Method,
    plan: Plan,
    given: list[Mapping[str, Tensor]],
    on_progress: Callable[[int, int], None],
) -> None:
    layers = families.layers(model)
    steps = len(given) + len(layers)
    samples, sensitivities = [], Sensitivities(model, layers)
    for index, batch in enumerate(given):
        inputs = {name: value.to(model.device) for name, value in batch.items()}
        if method == "mbq":
            sensitivities.add(inputs)
        samples.append(Sample(*enter(model, layers, inputs), tokens(model, inputs)))
        on_progress(index + 1, steps)
    ratios = sensitivities.ratios() if method == "mbq" else [None] * len(layers)
    for index, layer in enumerate(layers):
        if method == "rtn":
            round_layer(layer, plan, {})
        else:
            calibrate_layer(layer, index, samples, plan, LOSSES[method], ratios[index])
        on_progress(len(given) + index + 1, steps)


def check(model: PreTrainedModel, method: Method, bits: int, group: int) -> Plan:
    """What is to be done with the model. Raises QuantizationError where that cannot be."""
    if method not in get_args(Method) or bits not in OUTPUTS or group < 1:
        raise QuantizationError(f"no quantization by {method!r} to {bits} bits: rtn, awq or mbq, to 3 or 4 bits")
    kind = families.decoder(model)
    if method == "mbq" and not families.sees(model):
        raise QuantizationError(
            f"mbq weighs vision against language, and a {model.config.model_type} sees nothing: use awq"
        )
    first_layer = families.layers(model)[0]
    for name in (name for group_ in kind.groups for name in group_.linears):
        linear = first_layer.get_submodule(name)
        if not isinstance(linear, nn.Linear):
            raise QuantizationError("the model is quantized already: start from its full weights")
        if linear.in_features % group:
            raise QuantizationError(f"groups of {group} do not divide {name}'s input width of {linear.in_features}")
        if linear.out_features % OUTPUTS[bits]:
            told = f"{name}'s {linear.out_features} outputs are no multiple of {OUTPUTS[bits]}"
            raise QuantizationError(f"{told}, which {bits} bits are stored by")
    return Plan(kind, bits, group)


def round_layer(layer: nn.Module, plan: Plan, limits: Mapping[str, Tensor]) -> None:
    """Puts a QuantizedLinear in each linear's place, its weights clipped at the linear's `limits` if there are any."""
    for name in (name for members in plan.decoder.groups for name in members.linears):
        linear = layer.get_submodule(name)
        assert isinstance(linear, nn.Linear)  # noqa: S101 - `check` saw to it
        grid = fit(linear.weight, plan.bits, plan.group, limits.get(name))
        layer.set_submodule(name, QuantizedLinear.of(linear, grid, plan.bits, plan.group))


@torch.no_grad()
def calibrate_layer(
    layer: nn.Module, index: int, samples: list[Sample], plan: Plan, loss: Loss, ratios: Mapping[str, float] | None
) -> None:
    """Sends the samples through the layer, number `index`, and quantizes it by what its blocks were given and gave.

    What goes on to the next layer is the full weights' output, as in AWQ. `ratios` are r of the layer's blocks; without
    them all tokens that count do so alike.
    """
    blocks = {members.block: layer.get_submodule(members.block) for members in plan.decoder.groups}
    with recorded(blocks) as inputs:
        for sample in samples:
            sample.hidden = first(layer(sample.hidden, **sample.kwargs[index]))
    scaled: list[tuple[Group, Tensor, Tensor]] = []
    for members in plan.decoder.groups:
        ratio = None if ratios is None else ratios[members.part]
        weights = [_weights(sample, ratio) for sample in samples]
        calls = [Call(x, kwargs, w) for (x, kwargs), w in zip(inputs.pop(members.block), weights, strict=True)]
        scales = _scale(layer, members, calls, plan, loss)
        x, token_weights = sampled(calls)
        scaled.append((members, (x / scales).to(x.dtype), token_weights))
    limits: dict[str, Tensor] = {}
    for members, x, token_weights in scaled:  # after all folding, which changes the weights that are clipped
        for name in set(members.linears) - families.UNCLIPPED:
            weight = layer.get_submodule(name).get_parameter("weight")
            limits[name] = search_limits(weight, x, token_weights, plan.bits, plan.group, loss)
    round_layer(layer, plan, limits)


def _scale(layer: nn.Module, members: Group, calls: list[Call], plan: Plan, loss: Loss) -> Tensor:
    """Folds the best scales (in,) of a group of linears into the layer; of 1 where they cannot be folded."""
    before = layer.get_submodule(members.before)
    linears = [linear for name in members.linears if isinstance(linear := layer.get_submodule(name), nn.Linear)]
    if not families.foldable(before, linears):
        return torch.ones(linears[0].in_features, device=linears[0].weight.device)
    scales = search_scales(layer.get_submodule(members.block), linears, calls, plan.bits, plan.group, loss)
    families.fold(before, linears, scales, plan.decoder.norm_offset)
    return scales


def _weights(sample: Sample, ratio: float | None) -> Tensor:
    """What each token's error counts (batch, tokens): 1 if it counts; with a `ratio` vision's is that."""
    if ratio is None:
        return sample.tokens.counted.float()
    return sample.tokens.answer.float() + ratio * sample.tokens.vision

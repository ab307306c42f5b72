"""MBQ: ratios from gradients, and a loss that weighs vision against language."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from octavo.generation import quantize
from octavo.generation.quantization import families
from octavo.generation.quantization.capture import Sample, enter
from octavo.generation.quantization.families import QuantizationError
from octavo.generation.quantization.quantize import LOSSES, calibrate_layer, check
from octavo.generation.quantization.search import Call, Loss, candidates, search_scales
from octavo.generation.quantization.sensitivity import Sensitivities
from octavo.generation.quantization.tokens import tokens
from tests.quantization.models import IMAGE, seeing_batch, seeing_model, text_batches

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

VLMS = ["llava", "qwen2_5_vl"]
ABSOLUTE = Loss(1)


def gradients(model: Any, batch: dict[str, Tensor]) -> dict[str, list[Tensor]]:
    """By autograd: the derivative of the language loss by each block's output, (batch, tokens, width)."""
    outputs: dict[str, list[Tensor]] = {"self_attn": [], "mlp": []}
    handles = [
        layer.get_submodule(block).register_forward_hook(
            lambda _, __, out, kept=kept: kept.append(out[0] if isinstance(out, tuple) else out)
        )
        for layer in families.layers(model)
        for block, kept in outputs.items()
    ]
    loss = model(**batch).loss
    for handle in handles:
        handle.remove()
    return {block: list(torch.autograd.grad(loss, kept, retain_graph=True)) for block, kept in outputs.items()}


@pytest.mark.parametrize("family", VLMS)
def test_the_sensitivities_are_the_mean_absolute_gradients_that_autograd_gives(family: str) -> None:
    model, batches = seeing_model(family), [seeing_batch(family, seed, prompt=seed) for seed in (0, 3)]
    by_hand = [gradients(model, batch) for batch in batches]
    model.requires_grad_(False)
    found = Sensitivities(model, families.layers(model))
    for batch in batches:
        found.add(batch)
    ratios = found.ratios()
    for block in ("self_attn", "mlp"):
        expected = []
        for layer in range(2):
            vision, answer = [], []
            for batch, given in zip(batches, by_hand, strict=True):
                rows = zip(
                    batch["input_ids"][0].tolist(), batch["labels"][0].tolist(), given[block][layer][0], strict=True
                )
                for token, label, gradient in rows:
                    if token == IMAGE:
                        vision.append(gradient.abs().mean())
                    elif label != -100:
                        answer.append(gradient.abs().mean())
            pair = torch.stack((torch.stack(vision).mean(), torch.stack(answer).mean())).double()
            torch.testing.assert_close(found.means()[block][layer], pair, rtol=1e-4, atol=1e-12)
            expected.append(float(pair[0] / pair[1]))
        raised = [layer[block] for layer in ratios]
        assert raised == pytest.approx([max(r, median(expected)) for r in expected], rel=1e-4)
        assert min(expected) < min(raised)  # two layers: the smaller is raised to the median


def prepared(model: Any, batches: list[dict[str, Tensor]]) -> list[Sample]:
    model.requires_grad_(False)
    return [Sample(*enter(model, families.layers(model), batch), tokens(model, batch)) for batch in batches]


def first_layer(family: str, ratios: dict[str, float]) -> dict[str, Tensor]:
    """The first layer's weights after calibration by two batches."""
    model = seeing_model(family)
    samples = prepared(model, [seeing_batch(family, seed) for seed in (4, 5)])
    layer = families.layers(model)[0]
    calibrate_layer(layer, 0, samples, check(model, "mbq", 3, 32), ABSOLUTE, ratios)
    return dict(layer.state_dict())


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("family", VLMS)
def test_with_ratio_one_for_every_layer_it_is_awq_under_the_absolute_error(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [seeing_batch(family, seed, prompt=5) for seed in (0, 1)]

    def quantized(method: Any) -> dict[str, Tensor]:
        return dict(quantize(seeing_model(family), method, 3, 32, batches).state_dict())

    squared, own = quantized("awq"), quantized("mbq")
    monkeypatch.setattr(Sensitivities, "ratios", lambda _: [dict.fromkeys(families.BLOCKS, 1.0)] * 2)
    monkeypatch.setitem(LOSSES, "awq", ABSOLUTE)
    ones = quantized("mbq")
    assert same(ones, quantized("awq"))
    assert not same(ones, squared)
    assert not same(ones, own)


@pytest.mark.parametrize("family", VLMS)
@pytest.mark.parametrize("block", ["self_attn", "mlp"])
def test_a_planted_ratio_moves_its_own_blocks_scales(family: str, block: str) -> None:
    ones = {"self_attn": 1.0, "mlp": 1.0}
    language, vision = (first_layer(family, ones | {block: ratio}) for ratio in (1e-4, 1e4))
    changed = {name.split(".")[0] for name, value in language.items() if not torch.equal(value, vision[name])}
    norm = {"self_attn": "input_layernorm", "mlp": "post_attention_layernorm"}[block]
    assert changed == {block, norm}  # the norm has the scales' inverse in it


def test_the_ratio_decides_between_what_vision_and_what_language_would_choose() -> None:
    """Tokens of two kinds with their large channels in different places."""
    draw = torch.Generator().manual_seed(0)
    linear = nn.Linear(64, 32, bias=False).requires_grad_(False)
    linear.weight.data = torch.randn(32, 64, generator=draw)
    linear.weight.data[:, :32] *= torch.linspace(0.2, 6, 32)
    x = torch.randn(1, 200, 64, generator=draw)
    x[:, :100, 3] *= 60  # vision
    vision = torch.arange(200)[None] < 100

    def errors(chosen: Tensor, scales: Tensor) -> float:
        from octavo.generation.quantization.grid import rounded

        difference = x @ (rounded(linear.weight * scales, 3, 32) / scales - linear.weight).T
        return float(difference[chosen].abs().double().sum())

    tried = candidates([Call(x, {}, torch.ones(1, 200))])
    wish = {kind: min(tried, key=lambda s, c=chosen: errors(c, s)) for kind, chosen in (("v", vision), ("l", ~vision))}
    assert not torch.equal(wish["v"], wish["l"])
    for ratio, kind in ((1e-6, "l"), (1e6, "v")):
        weights = (~vision).float() + ratio * vision
        assert torch.equal(search_scales(linear, [linear], [Call(x, {}, weights)], 3, 32, ABSOLUTE), wish[kind])


@pytest.mark.parametrize("family", [*VLMS, "gemma3"])
def test_a_model_that_sees_is_quantized_by_its_own_ratios(family: str) -> None:
    batches = [seeing_batch(family, seed, prompt=2) for seed in (0, 1)]
    whole = quantize(seeing_model(family), "mbq", 3, 32, batches)
    model = seeing_model(family)
    samples, found = prepared(model, batches), Sensitivities(model, families.layers(model))
    for batch in batches:
        found.add(batch)
    for index, layer in enumerate(families.layers(model)):
        plan = check(seeing_model(family), "mbq", 3, 32)
        calibrate_layer(layer, index, samples, plan, ABSOLUTE, found.ratios()[index])
    assert same(dict(whole.state_dict()), dict(model.state_dict()))


def test_batches_without_pictures_or_without_labels_are_refused() -> None:
    unlabelled = {name: value for name, value in seeing_batch("llava").items() if name != "labels"}
    for batch in (unlabelled, text_batches(1)[0]):
        with pytest.raises(QuantizationError, match="each batch needs pictures and labels"):
            quantize(seeing_model("llava"), "mbq", 4, 64, [batch])


def test_answers_without_a_gradient_are_refused() -> None:
    model = seeing_model("llava")
    model.lm_head.weight.data.zero_()
    with pytest.raises(QuantizationError, match="MBQ finds no gradient at the answers"):
        quantize(model, "mbq", 4, 64, [seeing_batch("llava")])

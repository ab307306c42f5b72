"""AWQ: scales that fold away, and a search that finds the least error."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from octavo.generation import quantize
from octavo.generation.quantization import families
from octavo.generation.quantization.families import VISION, QuantizationError
from octavo.generation.quantization.grid import rounded
from octavo.generation.quantization.linear import QuantizedLinear
from octavo.generation.quantization.search import Call, Loss, sampled, search_limits, search_scales
from tests.quantization.models import TEXT, logits, seeing_batch, seeing_model, text_batches, text_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SQUARED = Loss(2)


def model_and_batch(family: str) -> tuple[Any, dict[str, Tensor]]:
    if family in VISION:
        return seeing_model(family), seeing_batch(family, prompt=3)
    return text_model(family), text_batches(1)[0]


@pytest.mark.parametrize("family", [*TEXT, *sorted(VISION)])
def test_folding_leaves_what_the_model_computes(family: str) -> None:
    model, batch = model_and_batch(family)
    before = logits(model, batch)
    draw = torch.Generator().manual_seed(1)
    for layer in families.layers(model):
        for group in families.decoder(model).groups:
            linears = [layer.get_submodule(name) for name in group.linears]
            weights = [linear.weight.clone() for linear in linears]
            scales = torch.rand(linears[0].in_features, generator=draw) * 4 + 0.25
            families.fold(layer.get_submodule(group.before), linears, scales, families.decoder(model).norm_offset)
            assert all(
                torch.allclose(linear.weight, weight * scales) for linear, weight in zip(linears, weights, strict=True)
            )
    torch.testing.assert_close(logits(model, batch), before, rtol=2e-4, atol=2e-4)


def test_o_is_not_scaled_where_one_channel_of_v_feeds_several_of_it() -> None:
    layer = families.layers(text_model("llama", num_key_value_heads=2))[0]
    assert not families.foldable(layer.self_attn.v_proj, [layer.self_attn.o_proj])
    assert families.foldable(layer.input_layernorm, [layer.self_attn.q_proj])


def test_folding_rounds_a_norms_weight_once() -> None:
    model = text_model("gemma3_text").bfloat16()
    layer = families.layers(model)[0]
    norm, scales = layer.input_layernorm, torch.tensor([0.5, 1, 2, 4]).repeat(16)  # which divide exactly
    expected = ((norm.weight.double() + 1) / scales.double() - 1).bfloat16()
    families.fold(norm, [layer.self_attn.q_proj], scales, families.decoder(model).norm_offset)
    assert torch.equal(norm.weight, expected)


def salient(tokens: int = 256) -> tuple[nn.Linear, Tensor]:
    """A linear of 64 inputs, four of which are forty times as large as the others."""
    draw = torch.Generator().manual_seed(0)
    linear = nn.Linear(64, 32, bias=False)
    linear.weight.data = torch.randn(32, 64, generator=draw)
    x = torch.randn(1, tokens, 64, generator=draw)
    x[..., [3, 17, 30, 51]] *= 40
    return linear.requires_grad_(False), x


def call(x: Tensor, weights: Tensor | None = None) -> Call:
    return Call(x, {}, torch.ones(x.shape[:2]) if weights is None else weights)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("bits", [3, 4])
def test_the_scales_are_those_of_least_error_among_twenty_powers_of_the_mean_input(bits: int, power: Any) -> None:
    linear, x = salient()
    original, errors, tried = linear.weight.clone(), [], []
    for point in range(20):
        s = x.abs().mean((0, 1)) ** (point / 20)
        s = s / (s.max() * s.min()) ** 0.5
        changed = x @ (rounded(original * s, bits, 32) / s).T
        errors.append((changed - x @ original.T).abs().double().pow(power).sum())
        tried.append(s)
    best = int(torch.stack(errors).argmin())
    found = search_scales(linear, [linear], [call(x)], bits, 32, Loss(power))
    torch.testing.assert_close(found, tried[best])
    assert best > 0
    assert torch.equal(linear.weight, original)


def test_what_is_folded_is_what_was_tried() -> None:
    linear, x = salient()
    linear, x = linear.bfloat16(), x.bfloat16()
    tried: list[Tensor] = []

    def block(x: Tensor) -> Tensor:
        tried.append(linear.weight.clone())
        return linear(x)

    scales = search_scales(block, [linear], [call(x)], 4, 32, SQUARED)
    families.fold(nn.RMSNorm(64, dtype=torch.bfloat16), [linear], scales, 0.0)
    chosen = (rounded(linear.weight, 4, 32) / scales).bfloat16()
    assert any(torch.equal(chosen, weight) for weight in tried)


def test_limits_are_judged_by_inputs_from_all_over_the_calls() -> None:
    draw = torch.Generator().manual_seed(0)
    calls = [call(torch.randn(2, 450, 8, generator=draw), torch.randint(0, 3, (2, 450), generator=draw)) for _ in "abc"]
    x, weights = (torch.cat(parts).flatten(0, 1) for parts in zip(*((c.x, c.weights) for c in calls), strict=True))
    chosen = torch.nonzero(weights).flatten()[::3][:512]
    found = sampled(calls)
    assert torch.equal(found[0], x[chosen])
    assert torch.equal(found[1], weights[chosen])


@pytest.mark.parametrize("bits", [3, 4])
def test_planted_salient_channels_cost_awq_less_than_plain_rounding(bits: int) -> None:
    linear, x = salient()
    s = search_scales(linear, [linear], [call(x)], bits, 32, SQUARED)
    y = linear(x)
    awq = x @ (rounded(linear.weight * s, bits, 32) / s).T
    rtn = x @ rounded(linear.weight, bits, 32).T
    assert (awq - y).square().mean() < 0.3 * (rtn - y).square().mean()


def test_limits_are_those_of_least_error_of_each_group() -> None:
    linear, x = salient(512)
    found = search_limits(linear.weight, *sampled([call(x)]), 3, 32, SQUARED)
    peaks = linear.weight.unflatten(1, (2, 32)).abs().amax(-1)
    for group in range(2):
        part = slice(32 * group, 32 * group + 32)
        weight, inputs = linear.weight[:, part], x[0, :, part]
        limits = [peaks[:, group : group + 1] * (1 - step / 20) for step in range(10)]
        changed = torch.stack([rounded(weight, 3, 32, limit) for limit in limits])
        errors = ((changed - weight) @ inputs.T).double().square().sum(-1)
        torch.testing.assert_close(found[:, group], torch.cat(limits, 1)[torch.arange(32), errors.argmin(0)])
    assert (found < peaks).any()


@torch.no_grad()
def test_tokens_of_no_weight_do_not_count() -> None:
    linear, x = salient(520)
    weights = torch.ones(1, 520)
    weights[:, 512:] = 0
    noisy = x.clone()
    noisy[:, 512:] = 1e4
    for search in (
        lambda c: search_scales(linear, [linear], [c], 4, 32, SQUARED),
        lambda c: search_limits(linear.weight, *sampled([c]), 4, 32, SQUARED),
    ):
        torch.testing.assert_close(search(call(noisy, weights)), search(call(x[:, :512])))


@pytest.mark.parametrize("family", ["gemma3_text", "llama", "qwen3", *sorted(VISION)])
def test_awq_leaves_the_model_nearer_to_what_it_was_than_plain_rounding(family: str) -> None:
    errors = {}
    for method in ("rtn", "awq"):
        model, batch = model_and_batch(family)
        before = logits(model, batch)
        assert quantize(model, method, 3, 32, [batch]) is model
        errors[method] = float((logits(model, batch) - before).square().mean())
    assert 0 < errors["awq"] < errors["rtn"]


@pytest.mark.parametrize("family", ["llama", "llava", "qwen2_5_vl"])
def test_the_linears_of_the_decoder_and_no_others_are_quantized(family: str) -> None:
    model, _ = model_and_batch(family)
    decoder = "model.language_model.layers." if family in VISION else "model.layers."
    linears = {name for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    quantize(model, "rtn", 4, 64)
    replaced = {name for name, module in model.named_modules() if isinstance(module, QuantizedLinear)}
    assert replaced == {name for name in linears if name.startswith(decoder)}
    assert len(replaced) == 14


def test_rounding_to_nearest_is_the_grid_of_each_weight() -> None:
    model = text_model("qwen3")
    before = {name: p.clone() for name, p in model.named_parameters()}
    quantize(model, "rtn", 4, 64)
    for name, module in model.named_modules():
        if isinstance(module, QuantizedLinear):
            assert torch.equal(module.dequantize(), rounded(before.pop(f"{name}.weight"), 4, 64))
    after = dict(model.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_progress_counts_batches_and_layers() -> None:
    seen: list[tuple[int, int]] = []
    quantize(text_model("llama"), "awq", 4, 64, text_batches(3), on_progress=lambda *step: seen.append(step))
    assert seen == [(step, 5) for step in range(1, 6)]


def test_a_device_without_memory_is_one_line() -> None:
    def full(done: int, of: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    with pytest.raises(QuantizationError, match=r"^no memory left on cpu: a smaller model, "):
        quantize(text_model("llama"), "awq", 4, 64, text_batches(1), on_progress=full)


@pytest.mark.parametrize(
    ("changes", "arguments", "line"),
    [
        ({}, ("awq", 4, 48), "groups of 48 do not divide self_attn.q_proj's input width of 64"),
        ({}, ("awq", 4, 64), "awq chooses its scales by calibration data: give it some"),
        ({}, ("mbq", 4, 64), "mbq weighs vision against language, and a llama sees nothing: use awq"),
        ({}, ("awq", 5, 64), "no quantization by 'awq' to 5 bits: rtn, awq or mbq, to 3 or 4 bits"),
        ({}, ("gptq", 4, 64), "no quantization by 'gptq' to 4 bits: rtn, awq or mbq, to 3 or 4 bits"),
        (
            {"num_key_value_heads": 1},
            ("rtn", 3, 64),
            "self_attn.k_proj's 16 outputs are no multiple of 32, which 3 bits are stored by",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_changed(
    changes: dict[str, Any], arguments: tuple[Any, ...], line: str
) -> None:
    model = text_model("llama", **changes)
    before = {name: p.clone() for name, p in model.named_parameters()}
    with pytest.raises(QuantizationError, match=f"^{line}$"):
        quantize(model, *arguments)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_an_architecture_that_is_not_known_is_refused_with_those_that_are() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    model: Any = GPT2LMHeadModel(
        GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=50, bos_token_id=0, eos_token_id=0)
    )
    with pytest.raises(
        QuantizationError, match="type 'gpt2': known are gemma, gemma2, gemma3, gemma3_text, llama, llava"
    ):
        quantize(model, "rtn", 4, 64)


def test_a_quantized_model_is_not_quantized_again() -> None:
    model = quantize(text_model("llama"), "rtn", 4, 64)
    with pytest.raises(QuantizationError, match="quantized already"):
        quantize(model, "rtn", 4, 64)

"""Rounding to a grid, and how its integers are stored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from octavo.generation.quantization.grid import fit, rounded
from octavo.generation.quantization.linear import QuantizedLinear
from octavo.generation.quantization.planes import pack_planes, unpack_planes

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def weights(outputs: int = 32, inputs: int = 128, seed: int = 0) -> torch.Tensor:
    return torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bits", [3, 4])
def test_each_weight_becomes_the_nearest_point_of_its_groups_grid(bits: int) -> None:
    weight = weights(8, 128)
    grid = fit(weight, bits, 32)
    for row in range(8):
        for group in range(4):
            part = slice(32 * group, 32 * group + 32)
            scale, zero = float(grid.scales[row, group]), int(grid.zeros[row, group])
            points = (np.arange(2**bits) - zero) * scale
            nearest = points[np.abs(weight[row, part, None].numpy() - points).argmin(1)]
            np.testing.assert_allclose(grid.dequantize()[row, part].numpy(), nearest, rtol=1e-6)


@pytest.mark.parametrize("bits", [3, 4])
def test_the_grid_spans_the_groups_weights(bits: int) -> None:
    weight = weights()
    grid = fit(weight, bits, 64)
    step = grid.scales.float().repeat_interleave(64, 1)
    assert ((grid.dequantize() - weight).abs() <= step * 1.01).all()  # half a step, but a step at a rounded zero's end
    assert grid.codes.max() == 2**bits - 1


def test_zero_stays_zero_also_among_weights_of_one_sign() -> None:
    weight = weights().abs() + 1
    weight[:, 5] = 0
    assert (rounded(weight, 4, 64)[:, 5] == 0).all()
    assert (rounded(torch.zeros(8, 64), 4, 64) == 0).all()


def test_limits_cut_the_weights_before_the_grid_is_laid() -> None:
    weight = weights()
    limits = weight.unflatten(1, (2, 64)).abs().amax(-1) / 2
    clipped = weight.clamp(-limits.repeat_interleave(64, 1), limits.repeat_interleave(64, 1))
    assert torch.equal(rounded(weight, 4, 64, limits), rounded(clipped, 4, 64))


def test_four_bits_are_stored_as_awqs_gemm_layout_says() -> None:
    """A reader written from the specification: nibble j of a word belongs to output 0 2 4 6 1 3 5 7 of its eight."""
    grid = fit(weights(), 4, 64)
    layer = QuantizedLinear.of(torch.nn.Linear(128, 32, bias=False), grid, 4, 64)
    assert (layer.qweight.shape, layer.qzeros.shape, layer.scales.shape) == ((128, 4), (2, 4), (2, 32))
    assert (layer.qweight.dtype, layer.qzeros.dtype, layer.scales.dtype) == (torch.int32, torch.int32, torch.float16)
    for packed, values in ((layer.qweight, grid.codes.T), (layer.qzeros, grid.zeros.T)):
        words = packed.numpy().view(np.uint32)
        for word in range(4):
            for nibble, output in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
                read = words[:, word] >> np.uint32(4 * nibble) & np.uint32(15)
                assert read.tolist() == values[:, 8 * word + output].tolist()
    codes, zeros, scales = grid.codes.float().numpy(), grid.zeros.float().numpy(), layer.scales.float().numpy()
    by_hand = (codes - zeros.repeat(64, 1)) * scales.T.repeat(64, 1)
    assert np.array_equal(layer.dequantize().numpy(), by_hand)


def test_three_bits_are_stored_as_three_planes_of_32_outputs() -> None:
    values = torch.randint(0, 8, (6, 64), generator=torch.Generator().manual_seed(0))
    words = pack_planes(values)
    assert (words.shape, words.dtype) == ((6, 6), torch.int32)
    read = words.numpy().view(np.uint32)
    for output in range(64):
        planes = [read[:, 3 * (output // 32) + p] >> np.uint32(output % 32) & np.uint32(1) for p in range(3)]
        assert (planes[0] + 2 * planes[1] + 4 * planes[2]).tolist() == values[:, output].tolist()
    assert torch.equal(unpack_planes(words), values.to(torch.uint8))


@pytest.mark.parametrize("bits", [3, 4])
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_a_quantized_linear_multiplies_by_the_dequantized_weights(bits: int, bias: bool) -> None:
    linear = torch.nn.Linear(128, 32, bias=bias)
    layer = QuantizedLinear.of(linear, fit(linear.weight, bits, 64), bits, 64)
    x = torch.randn(2, 5, 128, generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.linear(x, layer.dequantize(), linear.bias)
    torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-5)


def test_a_change_of_dtype_leaves_the_quantized_weights_as_they_are() -> None:
    linear = torch.nn.Linear(128, 32)
    layer = QuantizedLinear.of(linear, fit(linear.weight, 4, 64), 4, 64)
    before = layer.dequantize()
    changed = layer.to(torch.bfloat16)
    assert changed.bias is not None
    assert changed.bias.dtype == torch.bfloat16
    assert torch.equal(changed.dequantize(), before)

"""Weights of 4 bits: AWQ's layout read nibble by nibble in numpy, and `w4a16_linear` at the edges of its forms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from octavo.kernels import PackedW4, dequantize_w4, for_cpu, pack_w4, unpack_w4, w4_cpu, w4a16_linear


def integers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 16, shape, generator=torch.Generator().manual_seed(seed))


def made(inputs: int, outputs: int, group: int) -> PackedW4:
    scales = torch.rand(inputs // group, outputs, generator=torch.Generator().manual_seed(2)) / 8 + 0.01
    return pack_w4(integers(inputs, outputs), integers(inputs // group, outputs, seed=1), scales)


def read(words: Tensor) -> np.ndarray:
    """The nibbles of int32 (rows, words), from the lowest, are outputs 0 2 4 6 1 3 5 7 of eight."""
    values = words.numpy().view(np.uint32)
    rows, columns = values.shape
    found = np.empty((rows, 8 * columns), dtype=np.int64)
    for nibble, output in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
        found[:, output::8] = values >> (4 * nibble) & 0xF
    return found


def test_codes_and_zeros_lie_in_awqs_order() -> None:
    packed = made(64, 40, 32)
    assert (packed.in_features, packed.out_features, packed.group) == (64, 40, 32)
    assert packed.qweight.shape == (64, 5)
    assert packed.qzeros.shape == (2, 5)
    np.testing.assert_array_equal(read(packed.qweight), integers(64, 40).numpy())
    np.testing.assert_array_equal(read(packed.qzeros), integers(2, 40, seed=1).numpy())


def test_a_word_by_hand() -> None:
    packed = pack_w4(torch.tensor([[0, 1, 2, 3, 4, 5, 6, 15]]), torch.zeros(1, 8, dtype=torch.uint8), torch.ones(1, 8))
    assert packed.qweight.view(torch.uint32).item() == 0xF5316420


def test_unpacking_gives_back_what_was_packed() -> None:
    codes, zeros = unpack_w4(made(96, 24, 48))
    assert torch.equal(codes, integers(96, 24).byte())
    assert torch.equal(zeros, integers(2, 24, seed=1).byte())


def test_a_weight_is_code_less_zero_times_scale() -> None:
    packed = made(64, 40, 32)
    zeros, scales = (np.repeat(x, 32, axis=0) for x in (read(packed.qzeros), packed.scales.double().numpy()))
    expected = ((read(packed.qweight) - zeros) * scales).T
    assert dequantize_w4(packed).dtype == torch.float32
    np.testing.assert_array_equal(dequantize_w4(packed).double().numpy(), expected)
    assert torch.equal(dequantize_w4(packed, torch.bfloat16), torch.tensor(expected).bfloat16())


@pytest.mark.parametrize("outputs", [8, 40, 2064])
def test_blocks_have_exactly_the_weights(outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(w4_cpu, "_BLOCK", 64 * 100)  # 100 outputs at a time
    packed = made(64, outputs, 32)
    assert torch.equal(w4a16_linear(torch.eye(64), for_cpu(packed)), dequantize_w4(packed).T)


def test_torchs_operator_takes_few_rows_of_bfloat16() -> None:
    ready = for_cpu(made(128, 64, 64))
    assert isinstance(ready.tiles, Tensor)
    broken = w4_cpu.CpuW4(
        ready.pairs.new_zeros(ready.pairs.shape), ready.scales, ready.offsets, ready.tiles, ready.scales_zeros
    )
    few, many = torch.ones(64, 128).bfloat16(), torch.ones(65, 128).bfloat16()
    assert torch.equal(w4a16_linear(few, ready), w4a16_linear(few, broken))
    assert not torch.equal(w4a16_linear(many, ready), w4a16_linear(many, broken))


@pytest.mark.parametrize("seed", range(3))
def test_torchs_operator_is_as_exact_as_a_bfloat16_linear(seed: int) -> None:
    packed = made(1024, 256, 128)
    x = torch.randn(16, 1024, generator=torch.Generator().manual_seed(seed)).bfloat16()
    exact = x.double() @ dequantize_w4(packed, torch.float64).T

    def error(y: Tensor) -> float:
        return float((y.double() - exact).norm())

    dense = torch.nn.functional.linear(x, dequantize_w4(packed, torch.bfloat16))
    assert 0 < error(w4a16_linear(x, for_cpu(packed))) < 1.1 * error(dense)


def test_any_leading_dimensions() -> None:
    packed, x = made(64, 24, 32), torch.randn(2, 3, 5, 64)
    for form in (packed, for_cpu(packed)):
        assert w4a16_linear(x, form).shape == (2, 3, 5, 24)
        torch.testing.assert_close(w4a16_linear(x, form), x @ dequantize_w4(packed).T)
        assert w4a16_linear(x[0, 0, 0], form).shape == (24,)
        assert w4a16_linear(x[:, :0], form).shape == (2, 0, 5, 24)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.ones(3, 63), r"x must be floating and \(..., 64\), not torch.float32 \(3, 63\)"),
        (torch.ones(3, 64, dtype=torch.int32), "x must be floating"),
        (torch.tensor(1.0), "x must be floating"),
        (torch.ones(3, 64, requires_grad=True), "no gradient: call it under torch.no_grad"),
    ],
)
def test_what_cannot_be_multiplied_is_refused(x: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        w4a16_linear(x, made(64, 24, 32))


@pytest.mark.parametrize(
    ("codes", "zeros", "scales", "words"),
    [
        (integers(64, 20), integers(2, 20), torch.ones(2, 20), "outputs a multiple of 8, not .64, 20."),
        (integers(64, 24) + 1, integers(2, 24), torch.ones(2, 24), "codes must be integers from 0 to 15"),
        (integers(64, 24), integers(2, 24) - 1, torch.ones(2, 24), "zeros must be integers from 0 to 15"),
        (integers(64, 24).float(), integers(2, 24), torch.ones(2, 24), "codes must be integers from 0 to 15"),
        (integers(64, 24), integers(3, 24), torch.ones(3, 24), "do not belong together"),
        (integers(64, 24), integers(2, 24), torch.ones(4, 24), "do not belong together"),
    ],
)
def test_what_cannot_be_packed_is_refused(codes: Tensor, zeros: Tensor, scales: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pack_w4(codes, zeros, scales)


def test_tensors_of_other_dtypes_are_refused() -> None:
    packed = made(64, 24, 32)
    with pytest.raises(ValueError, match="must be int32 and scales float16"):
        PackedW4(packed.qweight, packed.qzeros, packed.scales.float())


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from octavo.kernels import w4_triton
constants = {"ROWS": 16, "OUTPUTS": 32, "INPUTS": 64}
pointers = {"x": "*bf16", "qweight": "*i32", "qzeros": "*i32", "scales": "*fp16", "y": "*bf16"}
numbers = dict.fromkeys(["rows", "inputs", "outputs", "group"], "i32")
signature = pointers | numbers | dict.fromkeys(constants, "constexpr")
source = triton.compiler.ASTSource(w4_triton.kernel, signature, constants)
for architecture in (80, 90):
    print("mma" in triton.compile(source, target=GPUTarget("cuda", architecture, 32)).asm["ptx"])
"""


@pytest.mark.slow
def test_the_triton_kernel_compiles_for_gpus_that_are_not_here(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    environment = os.environ | {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", COMPILED], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr

"""Every kernel of the registry against its reference in float64, and against the ways in which a fast form cheats."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from itertools import product

import pytest
import torch
from torch import Tensor

from tests.kernels.registry import KERNELS, TOLERANCE, Inputs, Kernel, Outputs

pytestmark = pytest.mark.slow

DISTRIBUTIONS: dict[str, Callable[[tuple[int, ...], torch.dtype, torch.Generator], Tensor]] = {
    "normal": lambda shape, dtype, g: torch.randn(shape, generator=g).double(),
    "uniform": lambda shape, dtype, g: torch.rand(shape, generator=g).double(),
    "heavy tails": lambda shape, dtype, g: torch.zeros(shape).double().cauchy_(generator=g).clamp(-1e3, 1e3),
    "constant": lambda shape, dtype, g: torch.full(shape, 0.3, dtype=torch.float64),
    "zeros": lambda shape, dtype, g: torch.zeros(shape, dtype=torch.float64),
    "ties": lambda shape, dtype, g: torch.randint(-1, 2, shape, generator=g).double(),
    "tiny": lambda shape, dtype, g: torch.randn(shape, generator=g).double() * math.sqrt(torch.finfo(dtype).tiny),
    "huge": lambda shape, dtype, g: torch.randn(shape, generator=g).double() * math.sqrt(torch.finfo(dtype).max) / 64,
}

LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda x: x.mT.contiguous().mT if x.ndim > 1 else x,
    "sliced": lambda x: torch.cat([x + 1, x], dim=-1)[..., x.shape[-1] :],
    "every second": lambda x: torch.stack([x, x + 1], dim=-1)[..., 0],
    "expanded": lambda x: x[:1].expand_as(x),
}


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest, device: str) -> Kernel:
    kernel = KERNELS[request.param]
    if device not in kernel.devices:
        pytest.skip(f"not a kernel of {device}")
    if "Triton" in request.param:
        pytest.importorskip("triton")
        if os.environ.get("TRITON_INTERPRET") != "1":
            pytest.skip("the GPU itself runs this kernel")
        request.getfixturevalue("bfloat16_in_the_interpreter")
    return kernel


@pytest.fixture
def bfloat16_in_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton's interpreter keeps bfloat16 as 16 bits of an integer, and `tl.dot` there multiplies these integers."""
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle, tl

    dot = InterpreterBuilder.create_dot

    def widened(handle: TensorHandle) -> TensorHandle:
        if handle.dtype != tl.bfloat16:
            return handle
        return TensorHandle((handle.data.astype("uint32") << 16).view("float32"), tl.float32)

    monkeypatch.setattr(
        InterpreterBuilder, "create_dot", lambda self, a, b, *rest: dot(self, widened(a), widened(b), *rest)
    )


def drawn(
    kernel: Kernel, shape: tuple[int, ...], dtype: torch.dtype, device: str, distribution: str = "normal", seed: int = 0
) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    inputs = kernel.make(shape, lambda *size: DISTRIBUTIONS[distribution](size, dtype, generator), generator)
    return {name: x.to(device, dtype if name in kernel.drawn else x.dtype) for name, x in inputs.items()}


def assert_right(kernel: Kernel, inputs: Inputs, outputs: Outputs, dtype: torch.dtype) -> None:
    exact = {name: x.double() if name in kernel.drawn else x for name, x in inputs.items()}
    tolerance = TOLERANCE[dtype]
    expected = kernel.plain(exact)
    device = next(iter(inputs.values())).device
    assert [x.dtype for x in outputs] == list(kernel.like(dtype))
    assert [x.shape for x in outputs] == [x.shape for x in expected]
    assert all(x.device == device for x in outputs)
    if kernel.judge:
        assert kernel.judge(exact, outputs) <= tolerance
        return
    for got, right, scale in zip(outputs, expected, kernel.scales(exact, expected), strict=True):
        assert got.isfinite().all()
        assert ((got.double() - right).abs() <= tolerance * scale).all()


def same(ours: Outputs, theirs: Outputs) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_it_is_right_on_every_shape(kernel: Kernel, dtype: torch.dtype, distribution: str, device: str) -> None:
    if dtype not in kernel.dtypes:
        pytest.skip(f"not for {dtype}")
    for shape in kernel.shapes:
        inputs = drawn(kernel, shape, dtype, device, distribution)
        assert_right(kernel, inputs, kernel.fast(inputs), dtype)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_strides_make_no_difference(kernel: Kernel, dtype: torch.dtype, layout: str, device: str) -> None:
    if dtype not in kernel.dtypes:
        pytest.skip(f"not for {dtype}")
    inputs = drawn(kernel, kernel.shapes[-1], dtype, device)
    strided = {name: LAYOUTS[layout](x) for name, x in inputs.items()}
    assert_right(kernel, strided, kernel.fast(strided), dtype)


def changes(x: Tensor) -> Iterator[Tensor]:
    """The same with one number changed, or one nibble where numbers are packed, at a time."""
    for index in product(*map(range, x.shape)):
        for nibble in range(1 if x.is_floating_point() else 8):
            changed = x.clone()
            changed[index] = x[index] + 1 if x.is_floating_point() else x[index] ^ (1 << 4 * nibble)
            yield changed


def test_any_number_of_any_input_matters(kernel: Kernel, device: str) -> None:
    if kernel.judge:
        pytest.skip("a choice need not change with every number")
    inputs = drawn(kernel, kernel.shapes[0], torch.float32, device)
    before = kernel.fast(inputs)
    for name, x in inputs.items():
        every = list(changes(x))
        for index in torch.randperm(len(every), generator=torch.Generator().manual_seed(0))[:40].tolist():
            assert not same(before, kernel.fast(inputs | {name: every[index]})), name


def test_another_draw_of_any_input_gives_another_result(kernel: Kernel, device: str) -> None:
    inputs, others = (drawn(kernel, kernel.shapes[0], torch.float32, device, seed=seed) for seed in (0, 1))
    before = kernel.fast(inputs)
    for name, other in others.items():
        assert not same(before, kernel.fast(inputs | {name: other})), name


def test_nothing_is_kept_from_one_run_to_the_next(kernel: Kernel, device: str) -> None:
    inputs, others = (drawn(kernel, kernel.shapes[0], torch.float32, device, seed=seed) for seed in (0, 1))
    before = {name: x.clone() for name, x in inputs.items()}
    first = kernel.fast(inputs)
    kept = tuple(x.clone() for x in first)
    for name, x in inputs.items():
        x.copy_(others[name])  # in the same memory
    second = kernel.fast(inputs)
    assert_right(kernel, inputs, second, torch.float32)
    assert not same(first, second)
    assert same(first, kept)  # no result lies in memory that a later run writes
    for name, x in inputs.items():
        x.copy_(before[name])
    assert same(kernel.fast(inputs), kept)


def test_the_inputs_stay_as_they_are(kernel: Kernel, device: str) -> None:
    for dtype in kernel.dtypes:
        inputs = drawn(kernel, kernel.shapes[-1], dtype, device)
        before = {name: (x.clone(), x._version) for name, x in inputs.items()}
        outputs = kernel.fast(inputs)
        for name, x in inputs.items():
            assert torch.equal(x, before[name][0])
            assert x._version == before[name][1]
            assert x.untyped_storage().data_ptr() not in [y.untyped_storage().data_ptr() for y in outputs]


def test_runs_are_equal_to_the_bit(kernel: Kernel, device: str) -> None:
    for dtype, shape in product(kernel.dtypes, kernel.shapes):
        inputs = drawn(kernel, shape, dtype, device)
        assert same(kernel.fast(inputs), kernel.fast({name: x.clone() for name, x in inputs.items()}))

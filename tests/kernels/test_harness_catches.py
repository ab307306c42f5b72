"""The harness itself: kernels that cheat do not pass it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from octavo.kernels import w4a16_linear
from tests.kernels import test_harness as harness
from tests.kernels.registry import KERNELS, Inputs, Outputs, packed

pytestmark = pytest.mark.slow

HONEST = KERNELS["w4a16_linear"]


def by_address(kept: dict[tuple[int, ...], Outputs]) -> Callable[[Inputs], Outputs]:
    """Remembers results by where the inputs lie."""

    def run(inputs: Inputs) -> Outputs:
        key = tuple(x.data_ptr() for x in inputs.values())
        return kept.setdefault(key, HONEST.fast(inputs))

    return run


def in_one_buffer(buffer: list[torch.Tensor]) -> Callable[[Inputs], Outputs]:
    """Writes every result of a shape into the same memory."""

    def run(inputs: Inputs) -> Outputs:
        (y,) = HONEST.fast(inputs)
        if not buffer or buffer[0].shape != y.shape:
            buffer[:] = [torch.empty_like(y)]
        return (buffer[0].copy_(y),)

    return run


def without_zeros(inputs: Inputs) -> Outputs:
    return (w4a16_linear(inputs["x"], packed(inputs | {"qzeros": torch.zeros_like(inputs["qzeros"])})),)


def with_the_first_scales_alone(inputs: Inputs) -> Outputs:
    scales = inputs["scales"][:1].expand_as(inputs["scales"]).contiguous()
    return (w4a16_linear(inputs["x"], packed(inputs | {"scales": scales})),)


def in_half_precision(inputs: Inputs) -> Outputs:
    x = inputs["x"]
    return (w4a16_linear(x.half(), packed(inputs)).to(x.dtype),)


def in_place(inputs: Inputs) -> Outputs:
    results = HONEST.fast(inputs)
    inputs["x"].mul_(1)
    return results


def by_address_of_a_contiguous_x(inputs: Inputs) -> Outputs:
    x = inputs["x"]
    flat = torch.as_strided(x, x.shape, (x.shape[1], 1)) if x.stride() != (0, 1) else x
    return (w4a16_linear(flat, packed(inputs)),)


Test = Callable[..., Any]


@pytest.mark.parametrize(
    ("cheat", "test"),
    [
        (by_address({}), harness.test_nothing_is_kept_from_one_run_to_the_next),
        (in_one_buffer([]), harness.test_nothing_is_kept_from_one_run_to_the_next),
        (without_zeros, harness.test_any_number_of_any_input_matters),
        (without_zeros, harness.test_another_draw_of_any_input_gives_another_result),
        (with_the_first_scales_alone, harness.test_any_number_of_any_input_matters),
        (in_place, harness.test_the_inputs_stay_as_they_are),
    ],
)
def test_a_cheat_fails(cheat: Callable[[Inputs], Outputs], test: Test) -> None:
    test(HONEST, "cpu")
    with pytest.raises(AssertionError):
        test(replace(HONEST, fast=cheat), "cpu")


@pytest.mark.parametrize("cheat", [without_zeros, with_the_first_scales_alone, in_half_precision])
def test_a_wrong_result_fails(cheat: Callable[[Inputs], Outputs]) -> None:
    with pytest.raises(AssertionError):
        harness.test_it_is_right_on_every_shape(replace(HONEST, fast=cheat), torch.float32, "normal", "cpu")


def test_strides_taken_for_granted_fail() -> None:
    with pytest.raises(AssertionError):
        harness.test_strides_make_no_difference(
            replace(HONEST, fast=by_address_of_a_contiguous_x), torch.float32, "transposed", "cpu"
        )


def test_a_pick_that_is_not_the_farthest_fails() -> None:
    honest = KERNELS["max_min_select"]

    def in_order(inputs: Inputs) -> Outputs:
        return (torch.arange((len(inputs["features"]) + 1) // 2),)

    with pytest.raises(AssertionError):
        harness.test_it_is_right_on_every_shape(replace(honest, fast=in_order), torch.float32, "normal", "cpu")

"""`octavo.kernels.max_min_select` against a plain numpy search, and where the formula leaves a choice."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from octavo.kernels import max_min_select


@pytest.fixture(autouse=True, params=[2048, 0], ids=["held", "in blocks"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways, whatever the number of vectors."""
    monkeypatch.setattr("octavo.kernels.max_min._HELD", request.param)


def searched(features: Tensor, keep: int) -> list[int]:
    """Algorithm 1 of DivPrune by scipy's cosine distances, in float64."""
    from scipy.spatial.distance import cdist

    distances = cdist(features.double().numpy(), features.double().numpy(), "cosine")
    np.fill_diagonal(distances, np.inf)
    picks = [int(distances.min(1).argmax())]
    while len(picks) < keep:
        left = [i for i in range(len(distances)) if i not in picks]
        picks.append(max(left, key=lambda i: distances[i, picks].min()))
    return picks


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "d", "keep"), [(2, 3, 2), (40, 8, 40), (120, 64, 30), (600, 16, 60)])
def test_the_picks_and_their_order_are_those_of_a_plain_search(n: int, d: int, keep: int, seed: int) -> None:
    features = normal(n, d, seed=seed)
    assert max_min_select(features, keep).tolist() == searched(features, keep)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_16_and_64_bits_are_taken_as_they_are(dtype: torch.dtype) -> None:
    features = normal(150, 24).to(dtype)
    assert max_min_select(features, 40).tolist() == searched(features, 40)


def test_the_first_pick_is_the_vector_whose_nearest_neighbour_is_farthest() -> None:
    degrees = torch.tensor([0.0, 10.0, 50.0, 95.0, 101.0]).deg2rad()  # nearest at 10, 10, 40, 6, 6
    assert max_min_select(torch.stack([degrees.cos(), degrees.sin()], 1), 3).tolist() == [2, 4, 0]


def test_length_makes_no_difference() -> None:
    features = normal(80, 12)
    lengths = 10 ** (torch.rand(80, 1, generator=torch.Generator().manual_seed(1)) * 60 - 30)
    assert torch.equal(max_min_select(features * lengths, 30), max_min_select(features, 30))


def test_a_vector_of_zeros_is_at_distance_1_from_all_others() -> None:
    features = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    assert max_min_select(features, 5).tolist() == [2, 0, 3, 4, 1]


@pytest.mark.slow
def test_equal_vectors_go_in_their_order() -> None:
    assert max_min_select(torch.full((700, 33), 0.3), 700).tolist() == list(range(700))


@pytest.mark.parametrize("d", [3, 100, 1024])
@pytest.mark.slow
def test_of_copies_the_first_is_taken_and_the_rest_come_last_in_order(d: int) -> None:
    few = normal(7, d)
    picks = max_min_select(few.repeat(90, 1), 630).tolist()
    assert sorted(picks[:7]) == list(range(7))
    assert picks[7:] == list(range(7, 630))


def test_a_vector_far_from_all_is_picked_first() -> None:
    features = normal(30, 64) * 0.05 + 1
    for index in range(30):
        assert max_min_select(features.index_fill(0, torch.tensor(index), -1), 1).tolist() == [index]


@pytest.mark.parametrize(
    ("features", "keep", "words"),
    [
        (torch.ones(3), 1, "features must be floating"),
        (torch.ones(0, 4), 1, "features must be floating, .* not empty"),
        (torch.ones(3, 2, dtype=torch.int64), 1, "features must be floating"),
        (torch.ones(3, 2), 0, "keep must be from 1 to 3, the number of features, not 0"),
        (torch.ones(3, 2), 4, "keep must be from 1 to 3, the number of features, not 4"),
        (torch.tensor([[1.0, math.nan], [1.0, 2.0]]), 1, "features must be finite"),
        (torch.tensor([[1.0, 2.0], [-math.inf, 2.0]]), 1, "features must be finite"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(features: Tensor, keep: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        max_min_select(features, keep)

"""`octavo.kernels.mw_loss` against the expression it stands for, and `MWLoss` against its formula."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize, softplus

from octavo.kernels import mw_loss
from octavo.training import MWLoss, auc

SHAPES = [(1, 1), (3, 1), (1, 7), (64, 130), (513, 2049)]  # the last goes over a block's edge both ways


def naive(positive: Tensor, negative: Tensor, temperature: float = 1.0) -> Tensor:
    return -logsigmoid((positive[:, None] - negative) / temperature).mean()


def scores(count: int, dtype: torch.dtype, seed: int) -> Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("temperature", [1.0, 0.05])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-12), (torch.float32, 2e-5), (torch.bfloat16, 2e-2), (torch.float16, 3e-3)],
    ids=str,
)
def test_value_and_gradients_are_those_of_the_expression(
    shape: tuple[int, int], temperature: float, dtype: torch.dtype, tolerance: float
) -> None:
    ours = [scores(n, dtype, seed).requires_grad_() for seed, n in enumerate(shape)]
    theirs = [x.detach().double().requires_grad_() for x in ours]
    loss, expected = mw_loss(*ours, temperature), naive(*theirs, temperature)
    loss.backward()
    expected.backward()
    assert (loss.dtype, loss.shape) == (dtype, ())
    torch.testing.assert_close(loss.double(), expected, rtol=tolerance, atol=1e-7)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        assert mine.grad.dtype == dtype
        torch.testing.assert_close(mine.grad.double(), other.grad, rtol=tolerance, atol=tolerance / sum(shape))


def test_gradients_agree_with_finite_differences() -> None:
    inputs = (scores(5, torch.float64, 0).requires_grad_(), scores(9, torch.float64, 1).requires_grad_())
    assert torch.autograd.gradcheck(lambda s, t: mw_loss(s, t, 0.3), inputs)


def test_mixed_dtypes_give_the_promoted_one() -> None:
    positive, negative = scores(4, torch.float16, 0).requires_grad_(), scores(4, torch.float64, 1)
    loss = mw_loss(positive, negative)
    loss.backward()
    assert loss.dtype == torch.float64
    assert positive.grad is not None
    assert positive.grad.dtype == torch.float16


def test_the_upstream_gradient_counts() -> None:
    positive, negative = scores(4, torch.float64, 0).requires_grad_(), scores(6, torch.float64, 1)
    (3 * mw_loss(positive, negative)).backward()
    expected = torch.autograd.grad(3 * naive(positive, negative), positive)[0]
    torch.testing.assert_close(positive.grad, expected)


def test_a_gradient_is_kept_only_for_the_input_that_needs_it() -> None:
    positive, negative = scores(4, torch.float32, 0), scores(6, torch.float32, 1).requires_grad_()
    mw_loss(positive, negative).backward()
    assert positive.grad is None
    assert negative.grad is not None
    assert not mw_loss(positive, negative.detach()).requires_grad


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_extreme_scores_give_no_infinity_and_no_nan(dtype: torch.dtype) -> None:
    positive = torch.tensor([-1e4, 0.0, 1e4], dtype=dtype, requires_grad=True)
    negative = torch.tensor([1e4, -1e4], dtype=dtype, requires_grad=True)
    loss = mw_loss(positive, negative)
    loss.backward()
    assert loss.item() == pytest.approx(naive(positive.double(), negative.double()).item(), rel=1e-2)
    for x in (positive, negative):
        assert x.grad is not None
        assert x.grad.isfinite().all()


def test_all_scores_equal_cost_ln_2() -> None:
    assert mw_loss(torch.full((40,), 0.3), torch.full((900,), 0.3)).item() == pytest.approx(math.log(2), rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("temperature", [1.0, 0.2, 5.0])
def test_the_loss_over_ln_2_bounds_the_area_over_the_curve(seed: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    positive = torch.tensor(rng.normal(rng.uniform(-1, 3), 1, 50).round(1))  # rounded, for ties
    negative = torch.tensor(rng.normal(0, rng.uniform(0.5, 2), 200).round(1))
    over = 1 - auc(positive, negative)
    assert mw_loss(positive, negative, temperature).item() / math.log(2) >= over
    scaled = mw_loss(positive / temperature, negative / temperature)
    assert mw_loss(positive, negative, temperature).item() == pytest.approx(scaled.item(), rel=1e-12)


@pytest.mark.parametrize(
    ("positive", "negative", "temperature", "words"),
    [
        (torch.zeros(0), torch.zeros(3), 1.0, "positive scores must be a 1-D tensor that is not empty"),
        (torch.zeros(3), torch.zeros(0), 1.0, "negative scores must be a 1-D tensor that is not empty"),
        (torch.zeros(2, 2), torch.zeros(3), 1.0, r"not empty, not \(2, 2\)"),
        (torch.zeros(3), torch.tensor(1.0), 1.0, r"not empty, not \(\)"),
        (torch.zeros(3, dtype=torch.int64), torch.zeros(3), 1.0, "floating dtype, not torch.int64"),
        (torch.zeros(3), torch.zeros(3), 0.0, "temperature must be above 0, not 0.0"),
        (torch.zeros(3), torch.zeros(3), -1.0, "temperature must be above 0"),
        (torch.zeros(3), torch.zeros(3), math.nan, "temperature must be above 0"),
    ],
)
def test_what_has_no_pairs_or_no_sense_is_refused(
    positive: Tensor, negative: Tensor, temperature: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        mw_loss(positive, negative, temperature)


PEAK = """
import resource, torch
from octavo.kernels import mw_loss
torch.set_num_threads(1)
def peak(count):
    s, t = torch.randn(count, requires_grad=True), torch.randn(count, requires_grad=True)
    mw_loss(s, t).backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = peak(3000)
print(peak(12000) - small)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pairs() -> None:
    printed = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True).stdout
    grown = int(printed) * 1024
    assert grown < 32 * 2**20  # 144 million pairs against 9 million: one float32 for each would be 540 MB more


class Embedding(torch.nn.Module):
    """Stands in for a sentence-transformers model: looks a row up."""

    def __init__(self, rows: int, dimensions: int = 8) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(0)))

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": self.table[features["rows"]]}


def columns(rows: int, count: int) -> list[dict[str, Tensor]]:
    return [{"rows": torch.arange(rows) + rows * column} for column in range(count)]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_positive_meets_the_negatives_of_all_queries(count: int) -> None:
    rows = 5
    model: Any = Embedding(rows * count)
    anchors, *documents = normalize(model.table, dim=1).split(rows)
    cosines = 20.0 * anchors @ torch.cat(documents).T
    pairs = [
        softplus(cosines[i, j] - cosines[p, p])
        for p in range(rows)
        for i in range(rows)
        for j in range(rows * (count - 1))
        if i != j
    ]
    assert len(pairs) == rows * rows * (rows * (count - 1) - 1)
    loss = MWLoss(model)(columns(rows, count))
    torch.testing.assert_close(loss, torch.stack(pairs).mean())


def test_a_step_of_training_lowers_the_loss() -> None:
    model: Any = Embedding(24)
    loss = MWLoss(model, scale=20.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    before = loss(columns(8, 3))
    before.backward()
    optimizer.step()
    assert loss(columns(8, 3)).item() < before.item()


def test_one_row_without_a_negative_costs_nothing() -> None:
    model: Any = Embedding(2)
    loss = MWLoss(model)(columns(1, 2))
    loss.backward()
    assert loss.item() == 0.0
    assert model.table.grad.abs().sum() == 0.0


def test_the_loss_tells_its_settings() -> None:
    model: Any = Embedding(2)
    assert MWLoss(model, scale=50.0).get_config_dict() == {"scale": 50.0, "similarity_fct": "cos_sim"}
    assert MWLoss(model).temperature == pytest.approx(0.05)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_that_is_not_above_0_is_refused(scale: float) -> None:
    model: Any = Embedding(2)
    with pytest.raises(ValueError, match="scale must be above 0"):
        MWLoss(model, scale=scale)


def test_one_column_alone_is_refused() -> None:
    model: Any = Embedding(2)
    with pytest.raises(ValueError, match=r"\(anchor, positive\) columns"):
        MWLoss(model)(columns(2, 1))

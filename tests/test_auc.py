"""`octavo.training.auc` against scikit-learn and a count of all pairs."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from octavo.training import auc


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("decimals", [0, 1, 12], ids=["many ties", "some ties", "no ties"])
def test_it_counts_pairs_in_order_and_ties_half(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    positive, negative = rng.normal(0.5, 1, 37).round(decimals), rng.normal(0, 1, 90).round(decimals)
    counted = sum((s > t) + 0.5 * (s == t) for s in positive for t in negative) / (37 * 90)
    assert auc(positive, negative) == pytest.approx(counted, abs=1e-15)
    labels = [1] * 37 + [0] * 90
    assert auc(positive, negative) == pytest.approx(roc_auc_score(labels, np.append(positive, negative)), abs=1e-12)


@pytest.mark.parametrize(
    ("positive", "negative", "area"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1], 0.5), ([1, math.inf], [-math.inf, 1], 0.875)],
)
def test_ends_and_ties_are_exact(positive: list[float], negative: list[float], area: float) -> None:
    assert auc(positive, negative) == area


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_tensors_of_any_dtype_are_taken(dtype: torch.dtype) -> None:
    positive = torch.tensor([0.5, 2.0], dtype=dtype, requires_grad=True)
    assert auc(positive, torch.tensor([0.5, 1.0], dtype=dtype)) == 0.625


def test_a_hundred_thousand_scores_are_compared_exactly() -> None:
    below, above = np.arange(100_000), np.arange(100_000) + 0.5
    assert auc(above, below) == (100_000 + 1) / (2 * 100_000)


@pytest.mark.parametrize(
    ("positive", "negative", "words"),
    [
        ([], [1.0], "there are no positive scores"),
        ([1.0], [], "there are no negative scores"),
        ([1.0, math.nan], [1.0], "1 of the positive scores are not a number"),
        ([1.0], torch.tensor([math.nan]), "1 of the negative scores are not a number"),
    ],
)
def test_one_class_or_no_number_is_refused(positive: list[float], negative: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        auc(positive, negative)


def test_importing_training_imports_neither_torch_nor_transformers() -> None:
    code = "import sys, octavo.training as t; t.auc([1], [0]); print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"

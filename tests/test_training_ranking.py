"""Figures of a ranking and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from octavo.training import auc
from octavo.training.ranking import Ranking, _drawn_auc, compare, figures


def ranking(seed: int, questions: int = 12, reports: int = 15, better: float = 1.0) -> Ranking:
    rng = np.random.default_rng(seed)
    right = np.zeros((questions, reports), bool)
    right[np.arange(questions), rng.integers(0, reports, questions)] = True
    right[0, :3] = True
    return Ranking((rng.normal(0, 1, right.shape) + better * right).round(1), right)


def test_figures_of_a_small_ranking_are_those_worked_out_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.4]])
    right = np.array([[False, True, False], [True, False, False]])
    found = figures(Ranking(scores, right))
    assert found["auc"] == 3 / 8  # .5 is above .1 and .4, .2 is above .1: three of eight pairs
    assert found["mrr"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert found["ndcg@10"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(4)) / 2)
    assert found["recall@10"] == 1.0


def test_recall_counts_the_first_ten_only() -> None:
    scores = np.arange(20.0)[::-1][None]
    right = np.isin(np.arange(20), [0, 9, 10, 19])[None]
    assert figures(Ranking(scores, right))["recall@10"] == 0.5


def test_the_auc_of_a_draw_is_that_of_the_drawn_questions() -> None:
    one = ranking(0)
    drawn = np.random.default_rng(1).integers(0, 12, (5, 12))
    weights = np.stack([np.bincount(row, minlength=12) for row in drawn]).astype(float)
    expected = [auc(one.scores[row][one.right[row]], one.scores[row][~one.right[row]]) for row in drawn]
    np.testing.assert_allclose(_drawn_auc(one, weights), expected, rtol=1e-12)


def test_a_ranking_against_itself_differs_by_nothing() -> None:
    for figure in compare(ranking(0), ranking(0), seed=0, draws=50).values():
        assert (figure.difference.value, figure.difference.low, figure.difference.high) == (0, 0, 0)


def test_a_paired_interval_is_narrower_than_those_of_its_two_sides() -> None:
    before = ranking(0)
    after = Ranking(before.scores + 0.2 * before.right, before.right)
    figure = compare(before, after, seed=0, draws=500)["auc"]
    assert figure.difference.low > 0
    assert figure.difference.high - figure.difference.low < figure.before.high - figure.before.low


def test_intervals_follow_from_the_seed() -> None:
    sides = ranking(0), ranking(0, better=2.0)
    assert compare(*sides, seed=3, draws=50) == compare(*sides, seed=3, draws=50)
    assert compare(*sides, seed=3, draws=50) != compare(*sides, seed=4, draws=50)

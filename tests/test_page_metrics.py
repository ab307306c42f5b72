"""Page metrics: worked out by hand, and against their definition on many random rankings."""

from __future__ import annotations

import math
import random

import pytest

from octavo.evaluation import page_metrics
from octavo.evaluation.metrics import distinct_pages, recall_curve

A, B, C, D, X = ("a.pdf", 1), ("a.pdf", 2), ("a.pdf", 3), ("b.pdf", 1), ("x.pdf", 9)


def test_each_metric_is_what_the_definition_says() -> None:
    # Gains 1, 0, 1: DCG 1 + 1/log2(4) = 1.5. Ideal of three pages: 1 + 1/log2(3) + 1/log2(4) = 2.130930.
    scores = page_metrics([[A], [X], [A, B]], {A, B, C})
    assert scores == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "ndcg": 1.5 / 2.1309297536, "mrr": 1.0})


def test_unidoc_ndcg_does_not_punish_what_was_missed() -> None:
    # The gains 1, 0, 1 sorted are 1, 1, 0: the ideal is 1 + 1/log2(3) = 1.630930, whatever C would have added.
    assert page_metrics([[A], [X], [A, B]], {A, B, C}, mode="unidoc")["ndcg"] == pytest.approx(1.5 / 1.6309297536)


def test_unidoc_ndcg_is_1_when_the_only_page_found_of_many_comes_first() -> None:
    assert page_metrics([[A], [X]], {A, B, C, D}, mode="unidoc")["ndcg"] == 1.0


def test_the_modes_differ_in_ndcg_alone() -> None:
    standard, unidoc = (page_metrics([[X], [A]], {A, B}, mode=mode) for mode in ("standard", "unidoc"))
    assert {key for key in standard if standard[key] != unidoc[key]} == {"ndcg"}


def test_a_page_found_again_gains_nothing_but_counts_for_precision() -> None:
    once, again = page_metrics([[A], [X]], {A}), page_metrics([[A], [A]], {A})
    assert (once["ndcg"], again["ndcg"]) == (1.0, 1.0)
    assert (once["precision"], again["precision"]) == (0.5, 1.0)


def test_an_item_over_two_new_pages_gains_once_but_counts_both_for_recall() -> None:
    scores = page_metrics([[A, B]], {A, B})
    assert scores["recall"] == 1.0
    assert scores["ndcg"] == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_the_ideal_has_no_more_gains_than_k() -> None:
    assert page_metrics([[A], [B]], {A, B, C, D}, k=2)["ndcg"] == 1.0


def test_what_comes_after_k_does_not_count() -> None:
    assert page_metrics([[X], [X], [A]], {A}, k=2) == {"precision": 0.0, "recall": 0.0, "ndcg": 0.0, "mrr": 0.0}


def test_precision_is_of_the_items_there_are() -> None:
    assert page_metrics([[A], [X]], {A}, k=10)["precision"] == 0.5


def test_the_reciprocal_rank_is_of_the_first_item_on_evidence() -> None:
    assert page_metrics([[X], [X], [B], [A]], {A, B})["mrr"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("mode", ["standard", "unidoc"])
@pytest.mark.parametrize("retrieved", [[], [[X]], [[]]], ids=["nothing", "a wrong page", "an item without pages"])
def test_what_finds_nothing_scores_0(retrieved: list[list[tuple[str, int]]], mode: str) -> None:
    assert set(page_metrics(retrieved, {A}, mode=mode).values()) == {0.0}


def test_the_same_page_of_another_document_is_another_page() -> None:
    assert page_metrics([[("b.pdf", 1)]], {("a.pdf", 1)})["recall"] == 0.0


@pytest.mark.parametrize(
    ("evidence", "k", "mode", "words"),
    [
        (set(), 10, "standard", "without evidence"),
        ({A}, 0, "standard", "k is 0"),
        ({A}, 10, "strict", "no mode 'strict'"),
    ],
)
def test_what_cannot_be_measured_is_refused(evidence: set[tuple[str, int]], k: int, mode: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        page_metrics([[A]], evidence, k, mode)


@pytest.mark.parametrize("mode", ["standard", "unidoc"])
def test_random_rankings_score_as_the_formula_says(mode: str) -> None:
    draw = random.Random(7)  # noqa: S311 - test data, no secret
    pages = [(name, number) for name in ("a.pdf", "b.pdf") for number in range(1, 7)]
    for _ in range(300):
        evidence = set(draw.sample(pages, draw.randint(1, 5)))
        retrieved = [draw.sample(pages, draw.randint(1, 3)) for _ in range(draw.randint(1, 15))]
        k = draw.randint(1, 12)
        assert page_metrics(retrieved, evidence, k, mode)["ndcg"] == pytest.approx(
            by_hand(retrieved, evidence, k, mode)
        )


def by_hand(retrieved: list[list[tuple[str, int]]], evidence: set[tuple[str, int]], k: int, mode: str) -> float:
    """nDCG from its formula, without the library that the code uses."""
    left, gains = set(evidence), []
    for item in retrieved[:k]:
        gains.append(1 if left & set(item) else 0)
        left -= set(item)
    ideal = [1] * min(k, len(evidence)) if mode == "standard" else sorted(gains, reverse=True)
    best = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(ideal, 1))
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1)) / best if best else 0.0


def test_the_recall_curve_ends_flat_when_fewer_than_k_were_retrieved() -> None:
    assert recall_curve([[X], [A], [A, B]], {A, B}, 5) == [0.0, 0.5, 1.0, 1.0, 1.0]


def test_distinct_pages_stand_where_their_first_item_stood() -> None:
    assert distinct_pages([[B], [A, B], [A], [C]]) == [[B], [A], [C]]

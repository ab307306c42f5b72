"""The adaptive rules of MMed-RAG, on scores worked out by hand."""

from __future__ import annotations

import math

import pytest

from octavo.ingest.model import Chunk, ElementType
from octavo.retrieval import select_gap, select_ratio
from octavo.retrieval.model import Hit, Rule
from octavo.retrieval.selection import choose


def hits(scores: list[float]) -> list[Hit]:
    return [Hit(Chunk(ElementType.TEXT, 1, "", "", (), n), "a.pdf", "", (), score) for n, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "gamma", "kept"),
    [
        ([0.9, 0.8, 0.3, 0.29], 0.5, 2),  # log(.8 / .3) = .98
        ([0.9, 0.8, 0.3, 0.29], 0.1, 1),  # log(.9 / .8) = .118
        ([0.9, 0.8, 0.3, 0.29], 1.0, 4),
        ([math.e, 1.0], 1.0, 2),  # exactly gamma is no jump
        ([0.5, 0.0, 0.0], 9.0, 1),  # nothing's logarithm
        ([0.5, -0.1], 9.0, 1),
        ([0.7], 0.0, 1),
        ([-0.1, -0.2], 1.0, 0),
        ([], 0.5, 0),
    ],
)
def test_the_gap_rule_stops_before_the_first_jump(scores: list[float], gamma: float, kept: int) -> None:
    assert select_gap(scores, gamma) == kept


@pytest.mark.parametrize(
    ("scores", "threshold", "limit", "kept"),
    [
        ([0.9, 0.6, 0.45, 0.3], 2.0, 10, 2),  # .9 / .45 = 2 is not below 2
        ([0.9, 0.6, 0.45, 0.3], 2.1, 10, 3),
        ([0.9, 0.6, 0.45, 0.3], 9.0, 3, 3),
        ([0.9, 0.6], 9.0, 0, 0),
        ([0.9, 0.0], 1e9, 5, 1),
        ([], 2.0, 5, 0),
    ],
)
def test_the_ratio_rule_keeps_what_is_near_the_best(
    scores: list[float], threshold: float, limit: int, kept: int
) -> None:
    assert select_ratio(scores, threshold, limit) == kept


@pytest.mark.parametrize(
    "call", [lambda: select_gap([0.1, 0.2], 1), lambda: select_ratio([0.1, 0.2], 2, 5), lambda: select_gap([1.0], -1)]
)
def test_rising_scores_and_a_negative_gamma_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"descending|negative"):
        call()  # type: ignore[operator]


def test_each_dropped_hit_has_the_reason_of_its_rule() -> None:
    gap = choose(hits([0.9, 0.8, 0.3]), Rule.GAP, gamma=0.5, threshold=2, limit=10)
    assert [hit.score for hit in gap.kept] == [0.9, 0.8]
    assert [reason for _, reason in gap.dropped] == [
        "after the gap below hit 2: 0.8000 to 0.3000, log ratio 0.98 over gamma 0.5"
    ]
    assert gap.notes == ("2 of 3 hits kept by the gap rule, gamma 0.5",)

    ratio = choose(hits([0.9, 0.8, 0.7, 0.3]), Rule.RATIO, gamma=0.5, threshold=2, limit=2)
    assert [reason for _, reason in ratio.dropped] == [
        "beyond the 2 that are kept at most",
        "the best is 3.00 times this score; below 2 is kept",
    ]


def test_the_rule_all_keeps_all_and_says_nothing() -> None:
    chosen = choose(hits([0.9, 0.1]), Rule.ALL, gamma=0.5, threshold=2, limit=1)
    assert (len(chosen.kept), chosen.dropped, chosen.notes) == (2, (), ())

"""Exact match, containment and numeric match of answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from octavo.evaluation.matching import contains, exact_match, is_numeric, numeric_match


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("The Las Vegas resorts [1]", "Las Vegas resorts.", True),
        ("AN  ANSWER", "answer", True),
        ("Las Vegas", "Las Vegas resorts", False),
        ("$1,577.00", "$1577.00", True),
    ],
)
def test_exact_match_ignores_case_articles_punctuation_and_marks(answer: str, reference: str, same: bool) -> None:
    assert exact_match(answer, reference) is same


@pytest.mark.parametrize(
    ("answer", "reference", "held"),
    [
        ("It was the Corporate & Investment Bank. [2]", "corporate & investment bank", True),
        ("It rose by 4160", "416", False),
        ("Anything", "", False),
    ],
)
def test_containment_is_of_whole_words(answer: str, reference: str, held: bool) -> None:
    assert contains(answer, reference) is held


@pytest.mark.parametrize(
    ("answer", "reference", "question", "match"),
    [
        ("$1,577 million [1]", "$1577.00", "What is capex (in USD millions)?", True),
        ("1,577", "$1577.00", "What is capex (in USD millions)?", True),
        ("$1.58 billion", "$1577.00", "Answer in USD millions.", True),
        ("$1.60 billion", "$1577.00", "Answer in USD millions.", False),
        ("$1,577 thousand", "$1577.00", "Answer in USD millions.", False),
        ("US$2.018bn", "$2,018mn", "", True),
        ("$1561M", "$1.56 billion", "", True),
        ("0.654", "65.4%", "", True),
        ("65.4 per cent of it", "65.4%", "", True),
        ("65.4 (in units of percents)", "65.4%", "", True),
        ("(473)", "-$473", "", True),
        ("$ (473)", "-473", "", True),
        ("Purchases of equipment: (1,577)", "$1577.00", "in USD millions", True),
        ("473", "-473", "", False),
        ("-473", "473", "", False),
        ("It was 0.664 in 2022 [3]", "0.66", "", True),
        ("0.67", "0.66", "", False),
        ("2010", "2022", "", False),
        ("in 2018-2022", "2022", "", True),
        ("FY2018, Form 10K [10]", "10", "", False),
        ("nothing", "10", "", False),
        ("3.50 (Fair, 25 per cent)", "3.50 visits.", "", True),
    ],
)
def test_a_number_matches_to_one_percent_once_scaled(answer: str, reference: str, question: str, match: bool) -> None:
    assert numeric_match(answer, reference, question) is match


@pytest.mark.parametrize(
    ("reference", "numeric"),
    [
        ("$1577.00", True),
        ("about 9.7 per cent of the labour force.", True),
        ("The consumer segment shrunk by 0.9% organically.", False),
        ("87% of the total restructuring liability is related Employee liabilities.", False),
        ("1957, with a sunspot number of 190.2.", False),
        ("Trillium, Array, and Therachon", False),
    ],
)
def test_only_a_reference_that_is_a_number_is_matched_as_one(reference: str, numeric: bool) -> None:
    assert is_numeric(reference) is numeric
    assert (numeric_match("87% and 0.9% and 1957", reference) is None) is not numeric


def test_the_numeric_questions_of_financebench_are_those_with_bare_figures(data: Path) -> None:
    lines = [json.loads(line) for line in (data / "financebench" / "questions.jsonl").open()]
    numeric = [line for line in lines if is_numeric(line["answer"])]
    assert len(numeric) == 20
    assert {len(line["answer"].split()) for line in numeric} == {1}
    assert {line["answer"] for line in lines if line["question_type"] == "metrics-generated"} <= {
        line["answer"] for line in numeric
    }
    assert all(numeric_match(line["answer"], line["answer"], line["question"]) for line in numeric)

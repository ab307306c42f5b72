"""What counts as a right answer, a right citation, and how sure a share of them is."""

import json

import pytest

from octavo.evaluation.answers import KnownAnswer, is_right, read_questions, report, score, wilson


@pytest.mark.parametrize(
    ("text", "spelling", "right"),
    [
        ("Sales were $416 million.", "416", True),
        ("It rose by 416, then fell.", "416", True),
        ("Sales were $2,416 million", "416", False),
        ("code 4168", "416", False),
        ("a rate of 416.5", "416", False),
        ("3.416 kg", "416", False),
        ("page416", "416", True),
        ("The SNOW\n covered   runway", "snow covered", True),
        ("U.S.C", "U.S.C", True),
        ("an UXSXC", "U.S.C", False),
    ],
)
def test_a_spelling_is_found_whole_numbers_and_all(text, spelling, right):
    assert is_right(text, [[spelling]]) is right


def test_every_fact_needs_one_of_its_spellings():
    facts = [["82,959", "83.0 billion"], ["2022"]]
    assert is_right("$83.0 billion in 2022", facts)
    assert not is_right("$83.0 billion", facts)


def known(**changes):
    fields = {
        "id": "q-1",
        "question": "How old was the pilot?",
        "facts": (("85",),),
        "evidence": frozenset({("a.pdf", 2), ("a.pdf", 3)}),
        "kind": "table",
        "set": "ntsb",
    }
    return KnownAnswer(**fields | changes)


def test_a_citation_is_right_on_any_page_of_evidence():
    scored = score(known(), "85, Male (Age)", [("b.pdf", 2), ("a.pdf", 3)])
    assert (scored.right, scored.cited, scored.cited_first) == (True, True, False)


def test_an_answer_without_citations_is_not_cited():
    scored = score(known(), "Nothing in the library answers this question.", [])
    assert (scored.right, scored.cited, scored.cited_first) == (False, False, False)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (30, 40, 0.5981, 0.8581), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval(hits, n, low, high):  # as statsmodels' proportion_confint(..., method="wilson") has them
    assert wilson(hits, n) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_report_has_a_line_for_each_set_and_kind_and_for_all():
    scores = [
        score(known(), "85", [("a.pdf", 2)]),
        score(known(id="q-2", set="agency", kind="text"), "no", [("a.pdf", 1)]),
    ]
    lines = report(scores).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "set agency",
        "set ntsb",
        "kind table",
        "kind text",
        "all",
    ]
    assert lines[-1] == "| all | 2 | 1 (50%, 9% to 91%) | 1 (50%, 9% to 91%) | 1 (50%, 9% to 91%) |"


def test_questions_come_from_the_file_or_from_the_row_of_a_csv(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "qna.csv").write_text('\ufeffQuestion,Answer\nfirst,1\n"What  was\nit?",2\n', encoding="utf-8")
    shared = {"facts": [["2"]], "evidence": [{"document": "a.pdf", "page": 4}], "kind": "text", "set": "x"}
    lines = [
        {"id": "x-1", "question": "Who?", **shared},
        {"id": "x-2", "source": {"file": "set/qna.csv", "row": 1}, **shared},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, second = read_questions(path, tmp_path)
    assert first == KnownAnswer("x-1", "Who?", (("2",),), frozenset({("a.pdf", 4)}), "text", "x")
    assert second.question == "What was it?"
    with pytest.raises(ValueError, match="--data"):
        read_questions(path)

"""Running the ways, keeping what was found, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from octavo.evaluation.protocol import Way, pages_of, run, scores
from octavo.evaluation.questions import Question
from octavo.evaluation.results import Outcome, Reply, Results, ResultsError
from octavo.evaluation.statistics import mean_interval, share_interval
from octavo.evaluation.summary import Summary, summarise
from octavo.generation.model import Answer
from octavo.ingest.model import Chunk, Element, ElementType
from octavo.retrieval.model import Hit, Selection

SETTINGS = {"k": 3}
QUESTIONS = [
    Question("q1", "How many?", "2", frozenset({("a.pdf", 1)}), type="count"),
    Question("q2", "Which one?", "The second.", frozenset({("a.pdf", 2), ("b.pdf", 1)}), type="choice"),
]


def hit(document: str, *pages: int) -> Hit:
    elements = tuple(Element(f"e{page}", ElementType.TEXT, page, (0, 0, 1, 1), "text") for page in pages)
    chunk = Chunk(ElementType.TEXT, pages[0], "", "text", tuple(element.id for element in elements))
    return Hit(chunk, document, "0" * 64, elements, 1.0)


def finding(asked: list[str], *hits: Hit) -> Callable[[str], Sequence[Hit]]:
    def search(question: str) -> Sequence[Hit]:
        asked.append(question)
        return hits

    return search


def test_a_hit_covers_the_pages_of_all_its_elements() -> None:
    assert pages_of(hit("a.pdf", 2, 3)) == (("a.pdf", 2), ("a.pdf", 3))


def test_every_question_is_asked_in_every_way_after_one_search_to_warm_up(tmp_path: Path) -> None:
    asked: dict[str, list[str]] = {"text": [], "image": []}
    ways = [Way(name, finding(asked[name], hit("a.pdf", 1))) for name in asked]
    with Results(tmp_path / "results.jsonl", SETTINGS) as results:
        outcomes = run(QUESTIONS, ways, results, k=3)
    assert [(o.question, o.way) for o in outcomes] == [("q1", "text"), ("q1", "image"), ("q2", "text"), ("q2", "image")]
    assert [questions[1:] for questions in asked.values()] == [["How many?", "Which one?"]] * 2


def test_no_more_than_k_items_are_kept(tmp_path: Path) -> None:
    way = Way("text", finding([], *(hit("a.pdf", page) for page in range(1, 9))))
    with Results(tmp_path / "results.jsonl", SETTINGS) as results:
        (outcome, _) = run(QUESTIONS, [way], results, k=3)
    assert outcome.retrieved == ((("a.pdf", 1),), (("a.pdf", 2),), (("a.pdf", 3),))


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def stop_at_the_second(question: str) -> Sequence[Hit]:
        if question == QUESTIONS[1].text:
            raise KeyboardInterrupt
        return [hit("a.pdf", 1)]

    path = tmp_path / "results.jsonl"
    with pytest.raises(KeyboardInterrupt), Results(path, SETTINGS) as results:
        run(QUESTIONS, [Way("text", stop_at_the_second)], results, k=3)
    path.write_bytes(path.read_bytes() + b'{"question": "q2", "wa')  # killed amid a line
    asked: list[str] = []
    told: list[tuple[int, int]] = []
    with Results(path, SETTINGS) as results:
        way = Way("text", finding(asked, hit("b.pdf", 1)))
        outcomes = run(QUESTIONS, [way], results, 3, lambda done, of: told.append((done, of)))
    assert asked[1:] == ["Which one?"]
    assert told == [(1, 2), (2, 2)]
    assert [o.retrieved[0][0] for o in outcomes] == [("a.pdf", 1), ("b.pdf", 1)]
    with Results(path, SETTINGS) as results:
        assert len(results) == 2


def saying(asked: list[list[str]]) -> Callable[[Sequence[str]], Sequence[Answer]]:
    def ask(questions: Sequence[str]) -> Sequence[Answer]:
        asked.append(list(questions))
        return [Answer(f"Of {question}", (), Selection(kept=()), "tiny") for question in questions]

    return ask


MANY = [Question(f"q{n}", f"How many {n}?", "2", frozenset({("a.pdf", 1)}), type="count") for n in range(5)]


def test_questions_are_answered_several_at_once(tmp_path: Path) -> None:
    asked: list[list[str]] = []
    with Results(tmp_path / "results.jsonl", SETTINGS) as results:
        outcomes = run(MANY, [Way("text", finding([]), saying(asked))], results, k=3, together=2)
    assert [len(questions) for questions in asked[1:]] == [2, 2, 1]  # after one to warm up
    assert [o.reply and o.reply.text for o in outcomes] == [f"Of {question.text}" for question in MANY]


def test_a_resumed_run_asks_together_only_what_is_missing(tmp_path: Path) -> None:
    def stop_at_the_fourth(question: str) -> Sequence[Hit]:
        if question == MANY[3].text:
            raise KeyboardInterrupt
        return [hit("a.pdf", 1)]

    path = tmp_path / "results.jsonl"
    with pytest.raises(KeyboardInterrupt), Results(path, SETTINGS) as results:
        run(MANY, [Way("text", stop_at_the_fourth, saying([]))], results, k=3, together=3)
    asked: list[list[str]] = []
    with Results(path, SETTINGS) as results:
        assert len(results) == 3
        outcomes = run(MANY, [Way("text", finding([]), saying(asked))], results, k=3, together=2)
    assert asked[1:] == [["How many 3?"], ["How many 4?"]]  # the second pair holds one that was answered
    assert len(outcomes) == 5


def test_a_way_that_cannot_search_says_so_before_any_question(tmp_path: Path) -> None:
    def broken(question: str) -> Sequence[Hit]:
        raise RuntimeError("no pictures")

    asked: list[str] = []
    with pytest.raises(RuntimeError), Results(tmp_path / "results.jsonl", SETTINGS) as results:
        run(QUESTIONS, [Way("text", finding(asked)), Way("image", broken)], results, k=3)
    assert not set(asked) & {question.text for question in QUESTIONS}


def outcome(question: str, way: str, *pages: tuple[str, int], text: str | None = None) -> Outcome:
    reply = None if text is None else Reply(text, (("a.pdf", 1),), "extractive", (), 0.5)
    return Outcome(question, way, tuple((page,) for page in pages), 0.1, reply)


def test_a_run_with_other_settings_is_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Results(path, {"k": 10}) as results:
        results.add(outcome("q1", "text"), {})
    with pytest.raises(ResultsError) as caught:
        Results(path, {"k": 5})
    assert "(k 10 there, 5 now): name another folder with --out, or begin anew with --fresh" in str(caught.value)
    with Results(path, {"k": 5}, fresh=True) as results:
        assert len(results) == 0


def test_a_file_that_holds_no_results_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"question": 1}\n{"question": 2}\n')
    with pytest.raises(ResultsError, match="holds no results"):
        Results(path, SETTINGS)
    assert path.read_text() == '{"question": 1}\n{"question": 2}\n'


def test_two_evaluations_do_not_write_to_one_file(tmp_path: Path) -> None:
    with (
        Results(tmp_path / "results.jsonl", SETTINGS),
        pytest.raises(ResultsError, match="is being written by another evaluation"),
    ):
        Results(tmp_path / "results.jsonl", SETTINGS)


def test_results_are_lines_with_their_scores_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Results(path, SETTINGS) as results:
        results.add(outcome("q1", "text", ("a.pdf", 1), text="2 [1]"), {"recall": 1.0})
    head, line = map(json.loads, path.read_text().splitlines())
    assert head == {"settings": SETTINGS}
    assert (line["question"], line["way"], line["retrieved"]) == ("q1", "text", [[["a.pdf", 1]]])
    assert (line["reply"]["text"], line["scores"]) == ("2 [1]", {"recall": 1.0})


def test_metrics_that_do_not_apply_to_a_question_are_none() -> None:
    scored = scores(QUESTIONS[1], outcome("q2", "text", ("a.pdf", 2), text="The second [1]."), 3)
    assert {name: scored[name] for name in ("exact", "contains", "numeric", "facts", "cited")} == {
        "exact": 1.0,
        "contains": 1.0,
        "numeric": None,
        "facts": None,
        "cited": 0.0,
    }


def summary(**options: int) -> Summary:
    outcomes = [
        outcome("q1", "text", ("a.pdf", 1), text="2"),
        outcome("q2", "text", ("x.pdf", 1), ("a.pdf", 2), text="The first"),
        outcome("q1", "joint", ("x.pdf", 1), text="3"),
        outcome("q2", "joint", ("a.pdf", 2), ("b.pdf", 1), text="The second"),
    ]
    return summarise("q.jsonl", QUESTIONS, outcomes, 3, **options)


def test_a_summary_has_means_by_way_and_differences_from_the_first() -> None:
    told = summary()
    assert {way: found.metrics["recall"].mean for way, found in told.ways.items()} == {"text": 0.75, "joint": 0.5}
    assert told.ways["joint"].differences["recall"].mean == -0.25
    assert told.ways["text"].differences == {}
    assert told.ways["text"].recall_at == [0.5, 0.75, 0.75]
    assert told.ways["text"].metrics["numeric"].n == 1
    assert told.ways["text"].answer is not None
    assert told.ways["text"].answer.median == 0.5


def test_a_summary_sorts_questions_by_type() -> None:
    groups = {(group.grouping, group.value): group for group in summary().groups}
    assert set(groups) == {("type", "count"), ("type", "choice")}
    assert groups["type", "choice"].ways["joint"]["recall"].mean == 1.0


def test_the_same_seed_gives_the_same_intervals() -> None:
    values = [0.013, 0.517, 0.991, 0.733, 0.219, 0.401, 0.087]
    assert mean_interval(values, 3) == mean_interval(values, 3) != mean_interval(values, 4)


def test_the_bootstrap_interval_is_that_of_the_normal_law_for_many_questions() -> None:
    estimate = mean_interval([0.0, 1.0] * 500)
    assert (estimate.low, estimate.high) == pytest.approx(
        (0.5 - 1.96 * 0.5 / 1000**0.5, 0.5 + 1.96 * 0.5 / 1000**0.5), abs=2e-3
    )


def test_a_share_has_wilsons_interval() -> None:
    estimate = share_interval([1.0] * 5 + [0.0] * 5)
    assert (round(estimate.low, 4), round(estimate.high, 4), estimate.n) == (0.2366, 0.7634, 10)

"""Calibrated selection: the cut and its promise, what is learnt, and how a library keeps and uses it."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.cross_encoders import BaseCrossEncoder

from octavo import Library, Settings, calibrating
from octavo.evaluation.questions import Question, read_questions
from octavo.generation.answerer import NOT_HERE
from octavo.retrieval.calibration import SIGNALS, Calibration, CalibrationError, Searched, calibrate, conformal_cut
from tests.test_cli import printed, run
from tests.test_ingest import write_pdf

QUESTIONS = Path(__file__).parent.parent / "examples" / "questions.jsonl"


@pytest.mark.parametrize(
    ("n", "lose", "place"),
    [(9, 0.1, 1), (18, 0.1, 1), (19, 0.1, 2), (49, 0.1, 5), (3, 0.5, 2), (99, 0.01, 1)],
)
def test_the_cut_is_the_right_place_among_the_best_of_each_question(n: int, lose: float, place: int) -> None:
    best = [value / 100 for value in range(1, n + 1)]
    assert conformal_cut(best[::-1], lose) == best[place - 1]


@pytest.mark.parametrize(("lose", "lost"), [(0.1, 1), (0.2, 2), (0.35, 3)])
def test_of_ten_questions_each_left_out_in_turn_no_more_than_the_promised_share_is_lost(lose: float, lost: int) -> None:
    best = [0.03, 0.4, 0.07, 0.9, 0.5, 0.11, 0.8, 0.6, 0.2, 0.3]
    cuts = [conformal_cut(best[:n] + best[n + 1 :], lose) for n in range(10)]
    assert sum(own < cut for own, cut in zip(best, cuts, strict=True)) == lost


def test_what_the_search_misses_counts_as_lost() -> None:
    best = [-inf, 0.4, 0.3, 0.2, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert conformal_cut(best, 0.2) == 0.2
    with pytest.raises(CalibrationError) as raised:
        conformal_cut(best, 0.1)
    assert str(raised.value) == (
        "it cannot be promised to lose evidence for at most 0.1 of the questions, as the search finds no evidence for "
        "1 of 9 questions that set the cut: 0.2 can be promised"
    )
    assert conformal_cut(best, 0.2) == 0.2  # and it can


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ([0.5] * 5, "5 questions are too few that set the cut: 0.167 can be promised"),
        ([-inf] * 9, "the search finds no evidence for 9 of 9 questions that set the cut: nothing can be promised"),
    ],
)
def test_a_promise_that_cannot_be_made_says_which_can(best: list[float], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        conformal_cut(best, 0.1)


def made(n: int, domain: str = "", shift: float = 0.0) -> list[Searched]:
    """Questions with ten hits, one of them evidence, which a cosine tells that is higher by a half; seeded."""
    generator = np.random.default_rng(n)
    questions = []
    for _ in range(n):
        signals = np.zeros((10, len(SIGNALS)))
        signals[:, 0] = generator.normal(0.3, 0.1, 10) + shift
        evidence = np.arange(10) == generator.integers(10)
        signals[evidence, 0] += 0.5
        questions.append(Searched(signals, evidence, domain))
    return questions


def test_the_signal_that_tells_evidence_makes_it_probable() -> None:
    calibration = calibrate(made(60), lose=0.1, k=10)
    unlike, like = calibration.probabilities(np.asarray([[0.3, 0, 0, 0, 0, 0], [0.8, 0, 0, 0, 0, 0]]))
    assert unlike < 0.02
    assert like > 0.8
    assert calibration.cuts[""].questions == 30


def test_a_domain_with_enough_questions_has_a_cut_of_its_own() -> None:
    calibration = calibrate(made(60, "law") + made(60, "trade", shift=0.2) + made(50), lose=0.1, k=10)
    assert set(calibration.cuts) == {"", "law", "trade"}
    assert calibration.cut("trade")[1].least > calibration.cut("law")[1].least
    assert calibration.cut("physics") == ("", calibration.cuts[""])


@pytest.mark.parametrize("others", [0, 3])
def test_questions_too_few_for_a_cut_of_their_own_are_taken_together(others: int) -> None:
    calibration = calibrate(made(21, "law") + made(20, "trade") + made(others), lose=0.1, k=10)
    assert set(calibration.cuts) == {""}


def test_a_calibration_is_kept_as_json() -> None:
    calibration = calibrate(made(60), lose=0.1, k=10, made_with={"embedder": "a", "documents first": True})
    assert Calibration.model_validate_json(calibration.model_dump_json()) == calibration


def test_questions_without_evidence_found_teach_nothing() -> None:
    nothing = [Searched(np.zeros((3, len(SIGNALS))), np.zeros(3, bool))] * 20
    with pytest.raises(CalibrationError, match="10 questions are too few to learn from"):
        calibrate(nothing, lose=0.1, k=3)


@pytest.fixture
def calibrated(own_library: Any) -> Any:
    own_library.calibrate(read_questions(QUESTIONS), lose=0.2, k=20)
    return own_library


def test_calibrated_hits_are_kept_from_the_cut_on(calibrated: Any) -> None:
    question = "What was the highest yearly sunspot number?"
    calibration = calibrated.calibration()
    hits = calibrated.search(question, k=20)
    likely = calibration.probabilities(calibrated.engine.signals(question, hits))
    expected = [hit.chunk.id for hit, p in zip(hits, likely, strict=True) if p >= calibration.cuts[""].least]
    chosen = calibrated.select(question, rule="calibrated", links=False)
    assert [hit.chunk.id for hit in chosen.kept] == expected
    assert len(chosen.kept) + len(chosen.dropped) == 20  # as many as it was made with, though k is 10
    assert all(hit.why[-1].startswith("evidence: probability 0.") for hit in chosen.kept)
    assert all("; kept from 0." in reason for _, reason in chosen.dropped)
    assert chosen.notes[0].endswith("loses the evidence of at most 20.0% of questions")


def test_where_nothing_is_likely_the_answer_says_so_with_what_is_nearest(calibrated: Any) -> None:
    question = "Which protein does the gene TP53 encode?"
    asked = run("ask", question, "--select", "calibrated", "--library", calibrated.folder)
    lines = asked.stdout.splitlines()
    assert lines[0] == NOT_HERE
    assert sum(line.startswith("  nearest: ") for line in lines) == 3
    answer = printed(run("ask", question, "--select", "calibrated", "--library", calibrated.folder, "--json"))
    assert (answer["answer"], answer["citations"], answer["selection"]["kept"]) == (NOT_HERE, [], [])
    assert len(answer["selection"]["dropped"]) == 20


def test_a_calibration_holds_only_for_what_it_was_made_with(calibrated: Any) -> None:
    with pytest.raises(CalibrationError, match="the way fusion is not calibrated in this library"):
        calibrated.select("sunspots", rule="calibrated", mode="fusion")
    everywhere = Settings(library=calibrated.folder, documents_first=False)
    with (
        Library(settings=everywhere, embedder=calibrated.embedder) as library,
        pytest.raises(CalibrationError, match="was made with documents first True, not False: `octavo calibrate"),
    ):
        library.select("sunspots", rule="calibrated")


@pytest.mark.parametrize("elsewhere", [{"domain": "weighted"}, {"domain": "auto"}, {"domain": "sky"}])
def test_no_promise_is_made_in_a_domain(calibrated: Any, elsewhere: dict[str, str]) -> None:
    with pytest.raises(CalibrationError, match="holds where everything is searched: leave out documents and domain"):
        calibrated.select("sunspots", rule="calibrated", **elsewhere)
    settings = Settings(library=calibrated.folder, **elsewhere)
    with Library(settings=settings, embedder=calibrated.embedder) as library:
        with pytest.raises(CalibrationError, match="holds where everything is searched"):
            library.select("sunspots", rule="calibrated")
        assert library.select("sunspots", rule="calibrated", domain=None).notes


def test_no_promise_is_made_in_some_documents(calibrated: Any) -> None:
    with pytest.raises(CalibrationError, match="holds where everything is searched"):
        calibrated.select("sunspots", ["sunspot-cycles.pdf"], rule="calibrated")


def test_other_domains_need_another_calibration(calibrated: Any) -> None:
    calibrated.set_domain("sky", ["sunspot-cycles.pdf"])
    with pytest.raises(CalibrationError, match="was made with domains None, not sky: `octavo calibrate"):
        calibrated.select("sunspots", rule="calibrated")


class Longest(BaseCrossEncoder):
    """Likes the longest text best."""

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        return [len(text) / 10_000 for _, text in text_pairs]


def test_two_models_of_one_class_of_rerankers_are_told_apart(own_library: Any) -> None:
    with Library(own_library.folder, embedder=own_library.embedder, reranker=Longest("one")) as library:
        library.calibrate(read_questions(QUESTIONS), lose=0.5, k=20)
    library = Library(own_library.folder, embedder=own_library.embedder, reranker=Longest("two"))
    with library, pytest.raises(CalibrationError, match="was made with reranker Longest: one, not Longest: two"):
        library.select("sunspots", rule="calibrated")


def test_one_document_for_another_is_told(calibrated: Any, tmp_path: Path) -> None:
    assert calibrating.told(calibrated) == ["text calibrated by 15 questions to lose 20.0% at most"]
    calibrated.delete("sunspot-cycles.pdf")
    write_pdf(tmp_path / "new.pdf", "The harbour was built of granite.")
    calibrated.ingest([tmp_path / "new.pdf"])
    assert calibrating.told(calibrated) == [
        "text calibrated by 15 questions to lose 20.0% at most, made with other documents (5, now 5) or domains: "
        "calibrate again"
    ]


def test_the_command_tells_its_cut_and_doctor_the_promise(own_library: Any) -> None:
    options = ("--lose", 0.2, "-k", 20, "--library", own_library.folder)
    told = printed(run("calibrate", QUESTIONS, *options, "--json"))
    assert (told["mode"], told["lose"], told["k"], told["questions"]) == ("text", 0.2, 20, 15)
    assert told["cuts"][""]["questions"] == 7
    checks = json.loads(run("doctor", "--library", own_library.folder, "--json").stdout)["checks"]
    library = next(check["detail"] for check in checks if check["name"] == "library")
    assert "; text calibrated by 15 questions to lose 20.0% at most;" in library


def test_a_promise_beyond_the_questions_is_one_line(own_library: Any) -> None:
    result = run("calibrate", QUESTIONS, "--lose", 0.01, "-k", 20, "--library", own_library.folder)
    assert result.exit_code == 1
    assert "7 questions are too few that set the cut: 0.125 can be promised" in result.stderr
    assert own_library.calibration() is None


def test_the_words_of_a_question_weigh_by_their_rarity(library: Any) -> None:
    words = library.index.words
    texts = ["Numbers of zyzzyvas", "a zyzzyva", "numbers", "sea"]  # an insect that no sample tells of
    whole, rare, common, none = words.coverage("zyzzyva number", texts)
    assert (whole, none) == (1.0, 0.0)
    assert rare > common > 0
    assert rare + common == pytest.approx(1)
    assert words.coverage("of the", ["of the"]) == [0.0]


def test_signals_tell_of_each_hit(library: Any) -> None:
    question = Question("1", "What was the highest yearly sunspot number?", "", frozenset({("sunspot-cycles.pdf", 1)}))
    hits = library.search(question.text, k=5)
    signals = library.engine.signals(question.text, hits)
    assert signals.shape == (5, len(SIGNALS))
    _, vectors = library.catalogue.vectors(library.embedder.name, [hit.chunk.id for hit in hits])
    assert signals[:, 0] == pytest.approx(vectors @ np.asarray(library.embedder.embed_query(question.text)), abs=1e-5)
    assert signals[:, 2] == pytest.approx(np.log([1, 2, 3, 4, 5]))
    assert signals[:, 3].tolist() == [hit.score for hit in hits]

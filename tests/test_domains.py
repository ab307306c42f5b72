"""Domains: identified from vectors, found among documents, and used to restrict or weigh a search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from octavo import Library, Settings
from octavo.cli import main
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.library import LibraryError
from octavo.retrieval.domains import (
    DomainError,
    DomainIdentifier,
    default_examples,
    discover,
    read_examples,
    sure,
    valid_name,
)
from octavo.retrieval.engine import weighed


@pytest.fixture(scope="module")
def clouds() -> dict[str, np.ndarray]:
    """Three clouds of unit vectors round axes of their own; the third is twenty times the others."""
    generator = np.random.default_rng(0)
    made = {}
    for axis, (name, size) in enumerate((("aviation", 20), ("finance", 20), ("medicine", 400))):
        points = generator.normal(scale=0.15, size=(size, 8)).astype(np.float32)
        points[:, axis] += 1
        made[name] = points / np.linalg.norm(points, axis=1, keepdims=True)
    return made


def documents(clouds: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Each cloud as the chunks of five documents."""
    return {name: np.array_split(points, 5) for name, points in clouds.items()}


def test_a_vector_is_of_the_domain_that_it_lies_in(clouds: dict[str, np.ndarray]) -> None:
    identifier = DomainIdentifier(documents(clouds))
    for axis, name in enumerate(clouds):
        odds = identifier.probabilities(np.eye(8, dtype=np.float32)[axis])
        assert next(iter(odds)) == name
        assert sum(odds.values()) == pytest.approx(1)


def test_a_large_domain_does_not_draw_what_lies_between(clouds: dict[str, np.ndarray]) -> None:
    odds = DomainIdentifier(documents(clouds)).probabilities(
        np.array([0, 1, 1, 0, 0, 0, 0, 0], np.float32) / np.sqrt(2)
    )
    assert 0.25 < odds["medicine"] < 0.7
    assert 0.25 < odds["finance"] < 0.7


def test_a_document_is_of_the_domain_of_most_of_its_chunks(clouds: dict[str, np.ndarray]) -> None:
    document = np.concatenate([clouds["finance"][:9], clouds["aviation"][:2]])
    odds = DomainIdentifier(documents(clouds)).of_document(document)
    assert next(iter(odds)) == "finance"
    assert odds["finance"] == pytest.approx(9 / 11, abs=0.05)


def test_one_domain_cannot_be_told_apart(clouds: dict[str, np.ndarray]) -> None:
    with pytest.raises(DomainError, match="two domains"):
        DomainIdentifier({"aviation": [clouds["aviation"]]})


def test_probabilities_are_as_high_as_they_are_right() -> None:
    generator = np.random.default_rng(0)
    known = {name: generator.normal(size=(40, 5, 32)) for name in "abcd"}  # 40 documents of 5 chunks
    fresh = {name: generator.normal(size=(500, 32)) for name in "abcd"}
    for axis, name in enumerate("abcd"):
        known[name][:, :, axis] += 1.5
        fresh[name][:, axis] += 1.5
    identifier = DomainIdentifier({name: list(some) for name, some in known.items()})
    odds = [(name, identifier.probabilities(vector)) for name, some in fresh.items() for vector in some]
    right = np.mean([next(iter(some)) == name for name, some in odds])
    assert np.mean([max(some.values()) for _, some in odds]) == pytest.approx(right, abs=0.04)
    assert 0.5 < right < 0.9


@pytest.mark.parametrize(("odds", "domain"), [({"a": 0.8, "b": 0.2}, "a"), ({"b": 0.21, "a": 0.79}, "")])
def test_only_a_probable_domain_is_relied_on(odds: dict[str, float], domain: str) -> None:
    assert sure(odds) == domain


def test_domains_are_found_in_their_number_and_named_by_their_words(clouds: dict[str, np.ndarray]) -> None:
    vectors = np.concatenate([some[:20] for some in clouds.values()])
    texts = ["pilot runway report"] * 20 + ["revenue dividend report"] * 20 + ["patient dose report"] * 20
    names = discover(vectors, texts)
    assert [len(set(names[i : i + 20])) for i in (0, 20, 40)] == [1, 1, 1]
    assert [set(names[i].split("-")) for i in (0, 20, 40)] == [
        {"pilot", "runway"},
        {"revenue", "dividend"},
        {"patient", "dose"},
    ]


def test_too_few_documents_have_no_domains(clouds: dict[str, np.ndarray]) -> None:
    with pytest.raises(DomainError, match="2 documents are too few"):
        discover(clouds["aviation"][:2], ["a", "b"])


@pytest.mark.parametrize(
    ("name", "valid"), [("10-Q filings", True), ("auto", False), ("weighted", False), ("", False), ("a\nb", False)]
)
def test_a_domains_name_is_a_plain_word(name: str, valid: bool) -> None:
    assert valid_name(name) is valid


@pytest.fixture
def domained(own_library: Any) -> Any:
    documents = [info.name for info in own_library.documents()]
    own_library.set_domain(
        "sky", [name for name in documents if name in ("sunspot-cycles.pdf", "pacific-temperatures.pdf")]
    )
    own_library.set_domain(
        "people", [name for name in documents if name not in ("sunspot-cycles.pdf", "pacific-temperatures.pdf")]
    )
    return own_library


def test_a_search_in_a_domain_finds_its_documents_alone(domained: Any) -> None:
    inside = {info.name for info in domained.domains()["people"]}
    found = domained.search("yearly sunspot number", domain="people")
    assert found
    assert {hit.document for hit in found} <= inside
    assert all(hit.why[-1] == "domain: people" for hit in found)


def test_auto_searches_in_the_domain_of_the_question(domained: Any) -> None:
    found = domained.search("In which year did the sunspot cycle peak?", domain="auto")
    assert {hit.document for hit in found} <= {info.name for info in domained.domains()["sky"]}
    assert found[0].why[-1].startswith("domain: sky, probability ")


def test_an_unsure_question_is_searched_for_everywhere(domained: Any) -> None:
    question = "What was the highest number of anything that was counted?"
    assert sure(domained.identify_domain(question)) == ""
    found = domained.search(question, domain="auto")
    assert [hit.chunk.id for hit in found] == [hit.chunk.id for hit in domained.search(question)]
    assert "domain: unsure, " in found[0].why[-1]
    assert found[0].why[-1].endswith("; all are searched")


def test_a_document_without_domain_is_searched_with_any_that_is_identified(domained: Any) -> None:
    domained.set_domain(None, ["pacific-temperatures.pdf"])
    found = domained.search("Sunspots: how warm was the sea, and the sunspot number?", k=40, domain="auto")
    assert found[0].why[-1].startswith("domain: sky, ")
    assert {hit.document for hit in found} == {"sunspot-cycles.pdf", "pacific-temperatures.pdf"}


def test_the_eight_domains_of_unidoc_come_with_examples() -> None:
    examples = read_examples(default_examples())
    assert list(examples) == [
        *("commerce_manufacturing", "construction", "crm", "education"),
        *("energy", "finance", "healthcare", "legal"),
    ]
    assert {len(some) for some in examples.values()} == {6}


def test_documents_are_put_into_domains_by_examples_where_they_surely_fit(own_library: Any) -> None:
    examples = {
        "sky": [
            "Sunspots and the solar cycle.",
            "How long does a cycle of the sun last?",
            "The sun's activity by year.",
        ],
        "sea": ["How warm the sea was, by month.", "Temperatures in the Pacific, El Niño.", "Currents of the ocean."],
        "health": ["Visits to the doctor and health insurance.", "How often do patients see a physician?"],
        "law": ["Crime, courts and contracts.", "Who is liable for the damage?"],
    }
    own_library.use_domains(json.dumps(examples))
    found = {name: [info.name for info in infos] for name, infos in own_library.domains().items()}
    assert found == {
        "": ["american-economy.pdf"],
        "health": ["doctor-visits.pdf"],
        "law": ["states-crime-schooling.pdf"],
        "sea": ["pacific-temperatures.pdf"],
        "sky": ["sunspot-cycles.pdf"],
    }
    assert next(iter(own_library.identify_domain("Is a party liable for breach of its contract?"))) == "law"


def test_found_domains_take_the_place_of_examples(own_library: Any) -> None:
    own_library.use_domains()
    own_library.discover_domains(count=2, replace=True)
    question = "Which clause of the contract is void?"
    assert own_library.identify_domain(question).keys() == own_library.domains().keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no domains by examples"),
        ('{"law": ["Clauses"]}', "fewer than two domains"),
        ('{"law": ["Clauses"], "trade": [" "]}', "'trade' has a bad name or no examples"),
        ('{"law": ["Clauses"], "auto": ["Cars"]}', "'auto' has a bad name or no examples"),
    ],
)
def test_domains_that_are_not_told_by_examples_are_refused(text: str, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        read_examples(text)


def test_weighted_multiplies_each_score_by_its_domains_probability(domained: Any) -> None:
    question = "What was the highest yearly sunspot number?"
    odds = domained.identify_domain(question)
    plain = {hit.chunk.id: hit.score for hit in domained.search(question, k=100)}
    domain = {info.name: name for name, infos in domained.domains().items() for info in infos}
    weighed = domained.search(question, k=5, domain="weighted")
    assert [hit.score for hit in weighed] == sorted((hit.score for hit in weighed), reverse=True)
    for hit in weighed:
        assert hit.score == pytest.approx(plain[hit.chunk.id] * odds[domain[hit.document]])


def test_weighted_lets_a_score_below_0_fall_too(domained: Any) -> None:
    hits = [replace(hit, score=-0.2) for hit in domained.search("sunspot number")]
    weights = domained.engine.domains.where("sunspot number", "weighted").weights
    for before, hit in zip(hits, weighed(hits, weights), strict=True):
        assert hit.score == pytest.approx(before.score / weights[hit.sha256][1])


def test_weighted_keeps_scores_apart_where_a_probability_is_0(domained: Any) -> None:
    hit = domained.search("sunspot number")[0]
    hits = [replace(hit, score=score) for score in (0.2, 0.1, 0.0, -0.1, -0.2)]
    scores = [after.score for after in weighed(hits, {hit.sha256: ("sky", 0.0)})]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 5
    assert np.isfinite(scores).all()


def test_none_searches_all_domains_whatever_the_settings_say(domained: Any) -> None:
    settings = Settings(library=domained.folder, domain="people")
    with Library(settings=settings, embedder=domained.embedder) as library:
        assert "sunspot-cycles.pdf" not in {hit.document for hit in library.search("sunspot number")}
        assert "sunspot-cycles.pdf" in {hit.document for hit in library.search("sunspot number", domain=None)}


def test_a_document_outside_the_domain_leaves_nothing_and_says_so(domained: Any) -> None:
    named = ["--domain", "people", "--document", "sunspot-cycles.pdf", "--library", str(domained.folder)]
    found = CliRunner().invoke(main, ["search", "sunspots", *named])
    assert (found.exit_code, found.stdout) == (0, "")
    assert found.stderr == "nothing: no document is both among those named and in the domain\n"


def test_no_question_is_of_no_domain(domained: Any) -> None:
    with pytest.raises(LibraryError, match="the question is empty"):
        domained.identify_domain(" ")


def test_an_unknown_domain_is_named_with_those_there_are(domained: Any) -> None:
    with pytest.raises(DomainError, match="no domain 'sea' in this library; there is people, sky"):
        domained.search("sunspot", domain="sea")


def test_without_domains_auto_says_how_to_make_them(own_library: Any) -> None:
    with pytest.raises(DomainError, match="octavo domains discover"):
        own_library.search("sunspot", domain="auto")


def test_found_domains_do_not_replace_given_ones_unasked(domained: Any) -> None:
    with pytest.raises(LibraryError, match="--replace"):
        domained.discover_domains()
    domained.discover_domains(count=2, replace=True)
    assert len(domained.domains()) == 2


@pytest.mark.slow
def test_a_document_that_comes_in_is_put_where_it_fits(domained: Any, samples: Path, tmp_path: Path) -> None:
    with pymupdf.open(samples / "sunspot-cycles.pdf") as whole:
        whole.select([0, 1])
        whole.save(tmp_path / "two-pages.pdf")
    domained.ingest([tmp_path / "two-pages.pdf"])
    assert "two-pages.pdf" in {info.name for info in domained.domains()["sky"]}


@pytest.mark.slow
def test_a_document_taken_out_of_its_domain_stays_out(domained: Any, samples: Path, tmp_path: Path) -> None:
    domained.set_domain(None, ["american-economy.pdf"])
    with pymupdf.open(samples / "sunspot-cycles.pdf") as whole:
        whole.select([0])
        whole.save(tmp_path / "one-page.pdf")
    domained.ingest([tmp_path / "one-page.pdf"])
    assert [info.name for info in domained.domains()[""]] == ["american-economy.pdf"]

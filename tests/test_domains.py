"""Domains: identified from vectors, found among documents, and used to restrict or weigh a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octavo import Library, Settings
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.library import LibraryError
from octavo.retrieval.domains import DomainError, DomainIdentifier, discover, valid_name


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


def test_a_vector_is_of_the_domain_that_it_lies_in(clouds: dict[str, np.ndarray]) -> None:
    identifier = DomainIdentifier(clouds)
    for axis, name in enumerate(clouds):
        odds = identifier.probabilities(np.eye(8, dtype=np.float32)[axis])
        assert next(iter(odds)) == name
        assert sum(odds.values()) == pytest.approx(1)


def test_a_large_domain_does_not_draw_what_lies_between(clouds: dict[str, np.ndarray]) -> None:
    odds = DomainIdentifier(clouds).probabilities(np.array([0, 1, 1, 0, 0, 0, 0, 0], np.float32) / np.sqrt(2))
    assert 0.25 < odds["medicine"] < 0.7
    assert 0.25 < odds["finance"] < 0.7


def test_a_document_is_of_the_domain_of_most_of_its_chunks(clouds: dict[str, np.ndarray]) -> None:
    document = np.concatenate([clouds["finance"][:9], clouds["aviation"][:2]])
    assert DomainIdentifier(clouds).of_document(document) == "finance"


def test_one_domain_cannot_be_told_apart(clouds: dict[str, np.ndarray]) -> None:
    with pytest.raises(DomainError, match="two domains"):
        DomainIdentifier({"aviation": clouds["aviation"]})


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
    found = domained.search("What was the highest yearly sunspot number?", domain="auto")
    assert {hit.document for hit in found} <= {info.name for info in domained.domains()["sky"]}
    assert found[0].why[-1].startswith("domain: sky, probability 0.")


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
    odds, domains = domained.identify_domain("sunspot number"), domained.engine.domains()
    for before, hit in zip(hits, domained.engine._weigh("sunspot number", hits, domains), strict=True):
        assert hit.score == pytest.approx(before.score / odds[domains[hit.sha256]])


def test_none_searches_all_domains_whatever_the_settings_say(domained: Any) -> None:
    settings = Settings(library=domained.folder, domain="people")
    with Library(settings=settings, embedder=domained.embedder) as library:
        assert "sunspot-cycles.pdf" not in {hit.document for hit in library.search("sunspot number")}
        assert "sunspot-cycles.pdf" in {hit.document for hit in library.search("sunspot number", domain=None)}


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

"""Domains searched in their own way: an embedder, weights of the lists, and k, kept as data on the domain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from octavo import Library, Settings
from octavo.library import LibraryError
from octavo.retrieval.domains import DomainError
from octavo.retrieval.embedder import ModelMissingError, SentenceEmbedder
from octavo.retrieval.model import Hit
from octavo.retrieval.search import fuse
from octavo.retrieval.tuning import Tuning, Weights, read_tunings, write_tunings
from tests.test_cli import printed, run
from tests.tiny_models import sentence_model

QUESTION = "In which year did the sunspot cycle peak?"
UNSURE = "What was the highest number of anything that was counted?"
SKY = ("sunspot-cycles.pdf", "pacific-temperatures.pdf")


@pytest.fixture
def tuned(own_library: Any) -> Any:
    names = [info.name for info in own_library.documents()]
    own_library.set_domain("sky", SKY)
    own_library.set_domain("people", [name for name in names if name not in SKY])
    return own_library


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A model of 32 dimensions; the library's has 384."""
    return sentence_model(tmp_path / "checkpoint", [QUESTION, "yearly sunspot number"])


def vectors(library: Any, model: str, document: str) -> int:
    return len(library.catalogue.ready_ids(model, False, [library.find(document).sha256]))


def cosines(hits: Sequence[Hit]) -> dict[int | None, float]:
    """Of the hits that were found by meaning, as their reasons have it."""
    told = {hit.chunk.id: re.search(r"cosine (-?[\d.]+)", hit.why[0]) for hit in hits}
    return {key: float(match[1]) for key, match in told.items() if match}


def test_a_ranking_counts_by_its_weight() -> None:
    assert fuse([[1, 2], [2, 3]], [2, 0.5]) == {1: 2 / 61, 2: 2 / 62 + 0.5 / 61, 3: 0.5 / 62}


def test_tunings_are_kept_as_json_without_what_is_as_everywhere() -> None:
    some = {"law": Tuning(weights=Weights(bm25=0.5), k=20), "trade": Tuning()}
    assert write_tunings(some) == '{"law":{"weights":{"bm25":0.5},"k":20}}'
    assert read_tunings(write_tunings(some)) == {"law": some["law"]}
    assert read_tunings(write_tunings({})) == {}


def test_a_sure_domain_is_searched_by_its_own_embedder_an_unsure_one_is_not(tuned: Any, checkpoint: Path) -> None:
    before = [hit.why for hit in tuned.search(UNSURE, domain="auto")]
    tuned.tune_domain("sky", str(checkpoint))
    own = SentenceEmbedder(str(checkpoint))
    found = cosines(tuned.search(QUESTION, k=40, domain="auto"))
    assert found
    kept, known = tuned.catalogue.vectors(own.name, list(found))
    assert kept == list(found)
    assert (known @ own.encode([QUESTION])[0]).tolist() == pytest.approx(list(found.values()), abs=2e-3)
    assert [hit.why for hit in tuned.search(UNSURE, domain="auto")] == before


def test_only_what_the_domain_may_find_is_embedded_also_when_it_changes(tuned: Any, checkpoint: Path) -> None:
    tuned.set_domain(None, ["american-economy.pdf"])
    tuned.tune_domain("sky", str(checkpoint))
    model = SentenceEmbedder(str(checkpoint)).name
    counts = {info.name: (vectors(tuned, model, info.name), info.chunks) for info in tuned.documents()}
    for name in (*SKY, "american-economy.pdf"):  # its own, and the one of no domain
        assert 0 < counts[name][0] == counts[name][1]
    assert [counts[name][0] for name in ("doctor-visits.pdf", "states-crime-schooling.pdf")] == [0, 0]
    tuned.set_domain("sky", ["doctor-visits.pdf"])
    assert vectors(tuned, model, "doctor-visits.pdf") == counts["doctor-visits.pdf"][1]


def test_a_document_of_another_domain_that_the_question_names_is_searched_like_the_rest(
    tuned: Any, checkpoint: Path
) -> None:
    tuned.tune_domain("sky", str(checkpoint))
    tuned.correct_card("doctor-visits.pdf", {"organisation": "Sunspot Observatory"})
    found = tuned.select("How did the sunspot cycle of the Sunspot Observatory peak?", domain="auto")
    assert [looked.document for looked in found.looked] == ["doctor-visits.pdf"]
    assert cosines(found.kept)  # which the domain's embedder has no vectors of


def test_a_list_counts_as_the_domain_says_and_one_of_0_is_not_searched(tuned: Any) -> None:
    def said(mode: str) -> str:
        return "; ".join(why for hit in tuned.search(QUESTION, k=20, mode=mode, domain="sky") for why in hit.why)

    even = tuned.search(QUESTION, domain="sky")
    tuned.tune_domain("sky", weights={"dense": 2, "bm25": 2})
    assert [hit.score for hit in tuned.search(QUESTION, domain="sky")] == [2 * hit.score for hit in even]
    tuned.tune_domain("sky", weights={"dense": 0})
    assert "words: rank 1," in said("text")
    assert "meaning" not in said("text")
    tuned.tune_domain("sky", weights={"dense": 1, "bm25": 0, "image": 0})
    assert "meaning: rank 1," in said("fusion")
    assert not re.search("words|picture", said("fusion"))


def test_as_many_hits_as_the_domain_asks_for_unless_someone_asks_for_others(tuned: Any) -> None:
    tuned.tune_domain("sky", k=3)
    assert len(tuned.search(QUESTION, domain="auto")) == 3
    assert len(tuned.search(QUESTION, domain="sky")) == 3
    assert len(tuned.select(QUESTION, domain="sky", expand=0).kept) == 3
    assert len(tuned.search(QUESTION, k=5, domain="sky")) == 5
    assert len(tuned.search(UNSURE, domain="auto")) == 10
    with Library(settings=Settings(library=tuned.folder, k=7), embedder=tuned.embedder) as library:
        assert len(library.search(QUESTION, domain="sky")) == 7


def test_a_tuning_changes_bit_by_bit_and_is_taken_back_whole(tuned: Any, checkpoint: Path) -> None:
    tuned.tune_domain("sky", k=3)
    tuned.tune_domain("sky", weights={"dense": 2})
    tuned.tune_domain("sky", str(checkpoint))
    (kept,) = (tuned.folder / "models").iterdir()
    assert tuned.tunings() == {"sky": Tuning(embedder=f"models/{kept.name}", weights=Weights(dense=2), k=3)}
    tuned.tune_domain("sky", reset=True)
    assert tuned.tunings() == {}
    assert not list((tuned.folder / "models").iterdir())
    assert vectors(tuned, SentenceEmbedder(str(checkpoint)).name, SKY[0]) == 0


def test_a_deleted_document_leaves_no_vector_in_a_domains_index(tuned: Any, checkpoint: Path) -> None:
    tuned.tune_domain("sky", str(checkpoint))
    own = tuned.index.texts[SentenceEmbedder(str(checkpoint)).name].vectors
    before, gone = len(own), tuned.find(SKY[1]).chunks
    tuned.delete(SKY[1])
    assert len(own) == before - gone > 0


def test_found_domains_are_searched_like_the_rest(tuned: Any) -> None:
    tuned.tune_domain("sky", k=3)
    tuned.discover_domains(count=2, replace=True)
    assert tuned.tunings() == {}


def test_the_command_tunes_and_shows(tuned: Any) -> None:
    folder = tuned.folder
    told = run("domains", "tune", "sky", "-k", 20, "--bm25", 0.5, "--library", folder).stdout.splitlines()
    assert told[0] == "people: 3 documents"
    assert told[4] == "sky: 2 documents (bm25 0.5, k 20)"
    assert printed(run("domains", "--library", folder, "--json"))["tuned"] == {
        "sky": {"embedder": None, "weights": {"dense": 1.0, "bm25": 0.5, "image": 1.0}, "k": 20}
    }


def test_what_cannot_be_is_one_line_and_changes_nothing(tuned: Any, tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="no domain 'sea' in this library; there is people, sky"):
        tuned.tune_domain("sea", k=3)
    with pytest.raises(ModelMissingError, match=str(tmp_path)):
        tuned.tune_domain("sky", str(tmp_path))
    with pytest.raises(LibraryError, match="dense and bm25 cannot both count nothing"):
        tuned.tune_domain("sky", weights={"dense": 0, "bm25": 0})
    result = run("domains", "tune", "sky", "--model", tmp_path, "--library", tuned.folder)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert tuned.tunings() == {}

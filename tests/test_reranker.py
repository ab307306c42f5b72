"""Reranking: candidates ranked anew by a cross-encoder, before domains and documents are weighed and the best kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.cross_encoders import BaseCrossEncoder
from sentence_transformers import CrossEncoder
from torch.nn import Sigmoid

from octavo import Library, Settings
from octavo.retrieval.embedder import ModelMissingError
from octavo.retrieval.reranker import SentenceReranker
from tests.test_cli import printed, run
from tests.tiny_models import cross_encoder

QUESTION = "What was the highest yearly sunspot number?"
TEXTS = ["the highest yearly sunspot number was in 1957", "doctor visits in the insurance experiment", "sea warm"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("reranker"), [QUESTION, *TEXTS])


@pytest.fixture
def everywhere(library: Any) -> Settings:
    return Settings(library=library.folder, documents_first=False)


def test_scores_are_the_models_between_0_and_1(folder: Path) -> None:
    pairs = [(QUESTION, text) for text in TEXTS]
    expected = CrossEncoder(str(folder), device="cpu").predict(pairs, activation_fn=Sigmoid())
    scores = SentenceReranker(str(folder)).score(pairs)
    assert scores == pytest.approx(expected.tolist(), abs=1e-6)
    assert len({round(score, 3) for score in scores}) == 3


def test_what_is_found_is_ranked_by_the_reranker_with_its_former_rank(
    library: Any, everywhere: Settings, folder: Path
) -> None:
    with Library(settings=everywhere, embedder=library.embedder) as plain:
        before = plain.search(QUESTION, k=50)
    settings = everywhere.model_copy(update={"reranker": str(folder)})
    with Library(settings=settings, embedder=library.embedder) as reranked:
        found = reranked.search(QUESTION, k=3)
    scores = SentenceReranker(str(folder)).score([(QUESTION, hit.chunk.indexed_text) for hit in before])
    order = sorted(range(len(before)), key=lambda n: -scores[n])[:3]
    assert [hit.chunk.id for hit in found] == [before[n].chunk.id for n in order]
    assert [hit.why[-1] for hit in found] == [f"reranked: score {scores[n]:.3f}, before rank {n + 1}" for n in order]


class Longest(BaseCrossEncoder):
    """Likes the longest text best."""

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        return [len(text) / 10_000 for _, text in text_pairs]


def test_any_langchain_cross_encoder_reranks_every_way(library: Any, everywhere: Settings) -> None:
    with Library(settings=everywhere, embedder=library.embedder, reranker=Longest()) as reranked:
        for mode in ("text", "image", "fusion", "joint"):
            found = reranked.search(QUESTION, k=10, mode=mode)
            lengths = [len(hit.chunk.indexed_text) for hit in found]
            assert lengths == sorted(lengths, reverse=True)


def test_the_document_that_is_asked_about_is_raised_after_reranking(library: Any) -> None:
    question = "In the RAND Health Insurance Experiment, how many doctor visits did people make?"
    with Library(library.folder, embedder=library.embedder, reranker=Longest()) as reranked:
        hits = reranked.search(question)
    why = [[reason.partition(":")[0] for reason in hit.why][-2:] for hit in hits if hit.document == "doctor-visits.pdf"]
    assert why[0] == ["reranked", "document"]


def test_the_command_line_names_a_reranker(library: Any, folder: Path) -> None:
    options = ("--reranker", folder, "--library", library.folder, "--json")
    hits = printed(run("search", QUESTION, *options))["hits"]
    assert all(any(reason.startswith("reranked: score 0.") for reason in hit["why"]) for hit in hits)


@pytest.mark.parametrize(("outputs", "said"), [(3, "has 3 outputs, not one score"), (None, "no such folder")])
def test_a_model_that_is_no_reranker_is_named(tmp_path: Path, outputs: int | None, said: str) -> None:
    model = str(cross_encoder(tmp_path, TEXTS, outputs)) if outputs else "no/such/reranker"
    with pytest.raises(ModelMissingError, match=said):
        SentenceReranker(model).score([("a", "b")])

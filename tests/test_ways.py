"""The four ways of searching, over the samples' library."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from octavo import Library
from octavo.ingest.model import ElementType
from octavo.ingest.store.catalogue import Catalogue
from octavo.library import LibraryError
from octavo.retrieval.embedder import ModelMissingError, SentenceEmbedder
from octavo.retrieval.model import Mode
from octavo.retrieval.search import RETRIEVERS
from tests.tiny_models import sentence_model

QUESTION = "What was the highest yearly sunspot number?"


def test_each_page_table_and_figure_is_one_picture(library: Any) -> None:
    for info in library.documents():
        parsed = library.parsed(info.sha256)
        hits = library.search("number", k=1000, documents=[info.sha256], mode="image")
        shown = [(hit.chunk.type, hit.elements[0].id) for hit in hits]
        expected = [(e.type, e.id) for e in parsed.elements if e.type in (ElementType.TABLE, ElementType.FIGURE)]
        first = {e.page: e.id for e in reversed(parsed.elements)}
        assert sorted(shown) == sorted([*expected, *((ElementType.PAGE, key) for key in first.values())])


def test_the_text_way_finds_texts_and_the_image_way_pictures(library: Any) -> None:
    assert {hit.chunk.picture for hit in library.search(QUESTION, mode="text")} == {False}
    assert {hit.chunk.picture for hit in library.search(QUESTION, mode="image")} == {True}
    assert {hit.chunk.picture for hit in library.search(QUESTION, k=40, mode="joint")} == {True, False}


def test_a_better_hit_on_the_same_page_halves_the_score_of_a_text(library: Any) -> None:
    hits = library.search(QUESTION, k=1000)
    fused = {
        hit.chunk.id: sum(1 / (60 + int(rank)) for rank in re.findall(r"rank (\d+)", str(hit.why))) for hit in hits
    }
    assert len({(hit.sha256, hit.page) for hit in hits}) < len(hits)
    for hit in hits:
        better = sum((o.sha256, o.page) == (hit.sha256, hit.page) for o in hits if o.score > hit.score)
        assert hit.score == pytest.approx(fused[hit.chunk.id] * 0.5**better)


def test_pictures_are_ranked_by_the_mean_direction_of_their_texts(library: Any) -> None:
    best = library.search(QUESTION, k=1, mode="image")[0]
    ids = library.catalogue.texts_under([best.chunk.id])[best.chunk.id]
    _, under = library.catalogue.vectors(library.embedder.name, ids)
    mean = under.mean(axis=0)
    cosine = float(mean @ np.asarray(library.embedder.embed_query(QUESTION)) / np.linalg.norm(mean))
    assert best.score == pytest.approx(cosine, abs=1e-5)


def test_fusion_ranks_pages_by_their_ranks_among_texts_and_pictures(library: Any) -> None:
    sides = [library.search(QUESTION, k=1000, mode=mode) for mode in ("text", "image")]
    expected: dict[tuple[str, int], float] = {}
    for side in sides:
        for rank, page in enumerate(dict.fromkeys((hit.sha256, hit.page) for hit in side), 1):
            expected[page] = expected.get(page, 0) + 1 / (60 + rank)
    found = library.search(QUESTION, k=1000, mode="fusion")
    assert {(hit.sha256, hit.page): pytest.approx(hit.score) for hit in found} == expected
    assert len(found) == len(expected)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


@pytest.mark.slow
def test_a_fused_page_is_shown_by_what_ranks_highest_of_it(library: Any) -> None:
    ranks = {}
    for mode in ("text", "image"):
        for rank, hit in enumerate(library.search(QUESTION, k=1000, mode=mode)):
            ranks.setdefault((hit.sha256, hit.page), []).append((rank, mode == "image", hit.chunk.id))
    for hit in library.search(QUESTION, k=1000, mode="fusion"):
        assert hit.chunk.id == min(ranks[hit.sha256, hit.page])[2]


def test_for_an_answer_fusion_adds_the_picture_of_each_page(library: Any) -> None:
    kept = library.select(QUESTION, mode="fusion", k=5).kept
    pages = {(hit.sha256, hit.page) for hit in library.search(QUESTION, k=5, mode="fusion")}
    assert pages <= {(hit.sha256, hit.page) for hit in kept if hit.chunk.type is ElementType.PAGE}
    ids = [hit.chunk.id for hit in kept]
    assert len(ids) == len(set(ids))


def test_joint_is_one_ranking_by_cosine(library: Any) -> None:
    found = library.search(QUESTION, k=1000, mode="joint")
    vectors = dict(zip(*library.catalogue.vectors(library.embedder.name, [hit.chunk.id for hit in found]), strict=True))
    query = np.asarray(library.embedder.embed_query(QUESTION), np.float32)
    assert [hit.score for hit in found] == pytest.approx([float(vectors[h.chunk.id] @ query) for h in found], abs=1e-5)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_way_searches_in_the_named_documents_alone(library: Any, mode: Mode) -> None:
    found = library.search(QUESTION, documents=["pacific-temperatures.pdf"], mode=mode)
    assert {hit.document for hit in found} == {"pacific-temperatures.pdf"}


@pytest.mark.parametrize("mode", list(Mode))
def test_fewer_hits_than_one_cannot_be_asked_for(library: Any, mode: Mode) -> None:
    with pytest.raises(ValueError, match="a search gives one hit or more, not -3"):
        library.search(QUESTION, k=-3, mode=mode)


@pytest.mark.parametrize("mode", ["image", "fusion", "joint"])
@pytest.mark.slow
def test_every_way_leads_to_an_answer_with_a_citation(library: Any, mode: str) -> None:
    answer = library.ask(QUESTION, mode=mode)
    assert answer.citations[0].type is not ElementType.PAGE
    assert answer.citations[0].document == "sunspot-cycles.pdf"


def test_a_library_of_an_older_version_gets_its_pictures_from_a_reindexing(own_library: Any) -> None:
    from sqlalchemy import text

    with own_library.catalogue.engine.begin() as connection:
        connection.execute(text("DELETE FROM chunks WHERE picture"))
    with Library(own_library.folder, embedder=own_library.embedder) as library:
        with pytest.raises(LibraryError, match="octavo index"):
            library.search(QUESTION, mode="image")
        library.reindex()
        assert library.search(QUESTION, mode="image")


@pytest.mark.slow
def test_a_new_document_brings_an_older_library_up_to_date(own_library: Any, samples: Path, tmp_path: Path) -> None:
    from sqlalchemy import text

    (tmp_path / "new.pdf").write_bytes((samples / "sunspot-cycles.pdf").read_bytes() + b"%")
    with own_library.catalogue.engine.begin() as connection:
        connection.execute(text("DELETE FROM chunks WHERE picture"))
    with Library(own_library.folder, embedder=own_library.embedder) as library:
        library.ingest([tmp_path / "new.pdf"])
        found = library.search("number", k=1000, mode="image")
        assert {hit.document for hit in found} == {info.name for info in library.documents()}


def test_pictures_that_another_process_embedded_are_seen(own_library: Any) -> None:
    from sqlalchemy import text

    with own_library.catalogue.engine.begin() as connection:
        connection.execute(text("DELETE FROM chunks WHERE picture"))
    with Library(own_library.folder, embedder=own_library.embedder) as served:
        served.search(QUESTION)
        with Library(own_library.folder, embedder=own_library.embedder) as other:
            other.reindex()
        assert served.search(QUESTION, mode="image")


def test_a_deleted_documents_pictures_are_gone(own_library: Any) -> None:
    before = len(own_library.index.pictures)
    own_library.delete("sunspot-cycles.pdf")
    assert len(own_library.index.pictures) < before
    hits = own_library.search(QUESTION, k=1000, mode="image")
    assert {hit.document for hit in hits} == {info.name for info in own_library.documents()}


class RetrieverOfAWay(RetrieversIntegrationTests):
    mode: Mode

    @pytest.fixture(autouse=True)
    def _library(self, library: Any) -> None:
        self.index = library.index

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return RETRIEVERS[self.mode]

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.index}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


class TestPictureRetriever(RetrieverOfAWay):
    mode = Mode.IMAGE


class TestFusionRetriever(RetrieverOfAWay):
    mode = Mode.FUSION


class TestJointRetriever(RetrieverOfAWay):
    mode = Mode.JOINT


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A model of other dimensions than the library's."""
    return sentence_model(tmp_path / "checkpoint", ["yearly sunspot number", QUESTION])


@pytest.fixture
def adopting(own_library: Any) -> Any:
    with Library(own_library.folder) as library:
        yield library


@pytest.mark.slow
def test_a_checkpoint_of_another_dimension_is_refused_and_changes_nothing(adopting: Any, checkpoint: Path) -> None:
    before = [hit.chunk.id for hit in adopting.search(QUESTION)]
    with pytest.raises(LibraryError, match="32 dimensions, this library's have 384"):
        adopting.adopt(str(checkpoint))
    assert [hit.chunk.id for hit in adopting.search(QUESTION)] == before
    assert not (adopting.folder / "models").exists()


def test_an_adopted_checkpoint_is_copied_and_serves_from_then_on(adopting: Any, checkpoint: Path) -> None:
    adopting.adopt(str(checkpoint), rebuild=True)
    (checkpoint / "modules.json").unlink()
    with Library(adopting.folder) as again:
        assert again.index.vectors.vectors.dimensions == 32
        assert again.search(QUESTION)
        assert again.catalogue.dimensions("all-MiniLM-L6-v2") == 0


@pytest.mark.slow
def test_a_library_open_elsewhere_follows_the_new_choice(adopting: Any, checkpoint: Path) -> None:
    with Library(adopting.folder) as other:
        other.search(QUESTION)
        adopting.adopt(str(checkpoint), rebuild=True)
        assert other.search(QUESTION)[0].why
        assert other.embedder.name == adopting.embedder.name


@pytest.mark.slow
def test_embedded_brings_the_first_model_back(adopting: Any, checkpoint: Path) -> None:
    before = [hit.chunk.id for hit in adopting.search(QUESTION)]
    adopting.adopt(str(checkpoint), rebuild=True)
    adopting.adopt("embedded", rebuild=True)
    assert [hit.chunk.id for hit in adopting.search(QUESTION)] == before
    assert not list((adopting.folder / "models").iterdir())


def test_a_library_with_an_embedder_of_its_own_adopts_no_other(own_library: Any, checkpoint: Path) -> None:
    with pytest.raises(LibraryError, match="embedder of its own"):
        own_library.adopt(str(checkpoint), rebuild=True)
    assert own_library.search(QUESTION)


def test_a_checkpoint_among_others_is_a_model_too(adopting: Any, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    moved = checkpoint.rename(tmp_path / "checkpoints" / "checkpoint-15")
    adopting.adopt(str(moved), rebuild=True)
    assert adopting.search(QUESTION)


def test_the_same_weights_with_another_configuration_are_another_space(checkpoint: Path) -> None:
    before = SentenceEmbedder(str(checkpoint)).name
    (pooling,) = checkpoint.glob("*_Pooling/config.json")
    pooling.write_text(pooling.read_text() + " ")
    assert SentenceEmbedder(str(checkpoint)).name != before


def test_a_lost_copy_of_a_model_is_told_and_never_looked_for_elsewhere(adopting: Any, checkpoint: Path) -> None:
    adopting.adopt(str(checkpoint), rebuild=True)
    shutil.rmtree(adopting.folder / "models")
    with pytest.raises(ModelMissingError, match="is gone"):
        Library(adopting.folder)


@pytest.mark.parametrize("wrong", ["nowhere/at/all/model", "empty"])
def test_what_is_no_model_is_refused_in_one_line(adopting: Any, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "empty").mkdir()
    named = str(tmp_path / wrong) if wrong == "empty" else wrong
    with pytest.raises(ModelMissingError) as raised:
        adopting.adopt(named)
    assert "\n" not in str(raised.value)


def test_a_catalogue_of_the_first_version_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, text

    import octavo.ingest.store.catalogue as module

    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO documents (id, sha256, name, size, state, title, warnings, added) "
                "VALUES (1, 'ab', 'a.pdf', 1, 'ready', '', '[]', '2026-01-01 00:00:00')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO chunks (id, document_id, type, page, context, text) VALUES (7, 1, 'text', 1, '', 'words')"
            )
        )
    catalogue = Catalogue(url)
    assert [(info.name, info.chunks, info.domain) for info in catalogue.documents()] == [("a.pdf", 1, None)]
    assert catalogue.texts([7]) == ([7], ["words"])
    assert catalogue.pictureless() == [("a.pdf", "ab")]

"""Searching: two rankings fused, indexes that follow the catalogue."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_tests.integration_tests import RetrieversIntegrationTests
from numpy.typing import NDArray

from octavo import Library
from octavo.library import LibraryError, NoSuchDocumentError
from octavo.retrieval.bm25 import BM25
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.search import HybridRetriever, fuse


def test_fusion_adds_the_reciprocal_ranks() -> None:
    assert fuse([[1, 2], [2, 3]]) == {1: 1 / 61, 2: 1 / 62 + 1 / 61, 3: 1 / 62}


def test_bm25_finds_stems_and_whole_numbers() -> None:
    index = BM25()
    index.build([5, 9], ["Operating expenses were 82,959 in all", "Expenses of 82 and 959 in two parts"])
    assert index.search("expense 82,959", 2)[0][0] == 5
    assert index.search("82,959", 2, among=[9]) == []


def test_bm25_over_texts_without_a_word_finds_nothing(tmp_path: Path) -> None:
    index = BM25()
    index.build([1], ["5"])
    index.save(tmp_path / "bm25")
    again = BM25()
    again.load(tmp_path / "bm25")
    assert again.search("5", 1) == []
    assert again.keys.tolist() == [1]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A BM25 of two texts, saved and sound."""
    index = BM25()
    index.build([5, 9], ["Operating expenses", "Net sales"])
    index.save(tmp_path / "bm25")
    assert words_of(tmp_path / "bm25").search("expenses", 1)[0][0] == 5
    return tmp_path / "bm25"


def words_of(folder: Path) -> BM25:
    index = BM25()
    index.load(folder)
    return index


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("keys.npy", b""),
        ("params.index.json", b""),
        ("indptr.csc.index.npy", b""),
        ("vocab.index.json", b'["expense"]'),
    ],
)
def test_bm25_with_a_damaged_file_is_empty(snapshot: Path, file: str, content: bytes) -> None:
    (snapshot / file).write_bytes(content)
    assert words_of(snapshot).keys.tolist() == []
    assert words_of(snapshot).search("expenses", 1) == []


@pytest.mark.parametrize("lost", ["keys.npy", "params.index.json", "vocab.index.json"])
def test_bm25_without_one_of_its_files_is_empty(snapshot: Path, lost: str) -> None:
    (snapshot / lost).unlink()
    assert words_of(snapshot).keys.tolist() == []


def test_bm25_with_fewer_keys_than_texts_is_empty(snapshot: Path) -> None:
    np.save(snapshot / "keys.npy", np.array([5]))
    assert words_of(snapshot).keys.tolist() == []
    assert words_of(snapshot).search("expenses", 1) == []


def test_bm25_is_on_the_disk_before_it_has_its_name(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = words_of(snapshot)
    names = sorted(path.name for path in snapshot.iterdir())
    shutil.rmtree(snapshot)
    flushed = []
    monkeypatch.setattr("octavo.retrieval.bm25.flush", lambda *paths: flushed.append((snapshot.exists(), paths)))
    index.save(snapshot)
    ((named, (*files, folder)),) = flushed
    assert not named
    assert sorted(path.name for path in files) == names
    assert {path.parent for path in files} == {folder}


def test_coverage_weighs_words_by_how_few_texts_hold_them(tmp_path: Path) -> None:
    index = BM25()
    index.build([1, 2, 3], ["sales of cars", "sales of ships", "sales and more sales"])
    index.save(tmp_path / "bm25")
    in_all, in_one = math.log(1 + 0.5 / 3.5), math.log(1 + 2.5 / 1.5)
    for words in (index, words_of(tmp_path / "bm25")):
        assert words.coverage("sales of ships", ["sales", "ships"]) == pytest.approx(
            [in_all / (in_all + in_one), in_one / (in_all + in_one)]
        )


def test_a_hit_says_why_it_was_found(library: Any) -> None:
    hit = library.search("yearly sunspot number")[0]
    assert hit.document == "sunspot-cycles.pdf"
    assert [reason.split(":")[0] for reason in hit.why] == ["meaning", "words"]


def test_a_search_can_be_kept_to_a_document(library: Any) -> None:
    hits = library.search("temperature", documents=["doctor-visits.pdf"])
    assert {hit.document for hit in hits} == {"doctor-visits.pdf"}


def test_asking_an_empty_library_says_how_to_fill_it(tmp_path: Any) -> None:
    with Library(tmp_path / "new") as library, pytest.raises(LibraryError, match="octavo ingest FOLDER"):
        library.search("anything")


def test_a_document_that_is_not_there_is_named(library: Any) -> None:
    with pytest.raises(NoSuchDocumentError, match=r"'absent\.pdf'"):
        library.search("anything", documents=["absent.pdf"])


@pytest.mark.parametrize("lost", ["vectors-*.faiss", "bm25"])
@pytest.mark.slow
def test_an_index_that_is_lost_is_made_again_on_opening(own_library: Any, lost: str) -> None:
    before = [hit.chunk.id for hit in own_library.search("yearly sunspot number")]
    (path,) = (own_library.folder / "index").glob(lost)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with Library(own_library.folder, embedder=own_library.embedder) as again:
        assert [hit.chunk.id for hit in again.search("yearly sunspot number")] == before


@pytest.mark.parametrize(
    ("lost", "damage"),
    [
        ("vectors-*.faiss", lambda path: path.write_bytes(b"")),
        ("vectors-*.faiss", lambda path: faiss.write_index(faiss.IndexFlatIP(384), str(path))),
        ("bm25/keys.npy", lambda path: path.write_bytes(b"")),
    ],
    ids=["no FAISS", "FAISS without keys", "no BM25"],
)
def test_an_index_that_is_damaged_is_made_again_on_opening(own_library: Any, lost: str, damage: Any) -> None:
    before = [hit.chunk.id for hit in own_library.search("yearly sunspot number")]
    (path,) = (own_library.folder / "index").glob(lost)
    damage(path)
    with Library(own_library.folder, embedder=own_library.embedder) as again:
        assert [hit.chunk.id for hit in again.search("yearly sunspot number")] == before


def test_a_sync_with_nothing_to_do_changes_nothing(own_library: Any) -> None:
    vectors = own_library.index.vectors.vectors
    before = vectors.changes
    assert own_library.index.sync() == (0, 0)
    assert vectors.changes == before


@pytest.mark.parametrize(
    ("write", "refusal"),
    [
        (lambda store, id: store.add_texts(["x"], ids=[id]), "a library takes in PDFs: Library.ingest"),
        (lambda store, id: store.add_texts(["x"]), "a library takes in PDFs: Library.ingest"),
        (lambda store, id: store.delete([id]), "a library deletes PDFs: Library.delete"),
        (lambda store, id: store.delete(), "a library deletes PDFs: Library.delete"),
    ],
    ids=["replace", "add", "delete one", "delete all"],
)
def test_a_librarys_index_refuses_to_be_written_and_stays_as_it_is(own_library: Any, write: Any, refusal: str) -> None:
    store = own_library.index.vectors
    keys = store.vectors.keys()
    before = store.vectors.get(keys)
    with pytest.raises(TypeError, match=refusal):
        write(store, str(keys[0]))
    assert store.vectors.keys().tolist() == keys.tolist()
    assert np.array_equal(store.vectors.get(keys), before)


def test_a_deletion_by_another_process_is_seen_by_the_next_search(own_library: Any) -> None:
    assert "sunspot-cycles.pdf" in {hit.document for hit in own_library.search("sunspot")}
    with Library(own_library.folder, embedder=own_library.embedder) as other:
        other.delete("sunspot-cycles.pdf")
    left = {info.name for info in own_library.documents()}
    assert len(left) == 4
    assert {hit.document for hit in own_library.search("sunspot", k=1000)} == left


class TestLangChainRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _library(self, library: Any) -> None:
        self.index = library.index

    @property
    def retriever_constructor(self) -> type[HybridRetriever]:
        return HybridRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.index}

    @property
    def retriever_query_example(self) -> str:
        return "What was the highest yearly sunspot number?"


class Reversed(SentenceEmbedder):
    """The embedded model under another name, some of its dimensions turned round."""

    name = "reversed"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super().encode(texts)[:, 100::-1]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self.encode([text])[0]]


@pytest.mark.slow
def test_anyones_embeddings_serve_a_library(tmp_path: Path, samples: Path) -> None:
    with Library(tmp_path / "library", embedder=DeterministicFakeEmbedding(size=16)) as library:
        library.ingest([samples / "sunspot-cycles.pdf"])
        assert library.index.vectors.vectors.dimensions == 16
        reasons = [reason for hit in library.search("yearly sunspot number") for reason in hit.why]
        assert {reason.split(":")[0] for reason in reasons} == {"meaning", "words", "page"}


@pytest.mark.slow
def test_another_embedder_asks_for_its_vectors_and_then_finds(own_library: Any) -> None:
    with Library(own_library.folder, embedder=Reversed()) as library:
        with pytest.raises(LibraryError, match="octavo index"):
            library.search("yearly sunspot number")
        assert library.reindex() == sum(d.chunks for d in library.documents())
        assert library.search("yearly sunspot number")[0].document == "sunspot-cycles.pdf"
        assert library.index.vectors.vectors.dimensions == 101


@pytest.mark.slow
def test_each_embedder_has_its_own_snapshot(own_library: Any) -> None:
    with Library(own_library.folder, embedder=Reversed()) as library:
        library.reindex()
    with Library(own_library.folder, embedder=own_library.embedder) as library:
        assert library.search("yearly sunspot number")[0].document == "sunspot-cycles.pdf"
        assert library.index.vectors.vectors.dimensions == 384

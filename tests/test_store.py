"""The FAISS store is a LangChain vector store, and more: snapshots, filters inside the search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, VectorStoreIntegrationTests

from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.store import FaissStore


class TestLangChainStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> VectorStore:
        return FaissStore(self.get_embeddings())


class TestLangChainEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[SentenceEmbedder]:
        return SentenceEmbedder


@pytest.fixture
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def store(vectors: np.ndarray) -> FaissStore:
    store = FaissStore(SentenceEmbedder())
    store.add_vectors(range(100, 150), vectors)
    return store


def test_the_nearest_are_those_of_the_largest_inner_product(store: FaissStore, vectors: np.ndarray) -> None:
    scores = vectors @ vectors[7]
    expected = [100 + int(n) for n in np.argsort(-scores)[:5]]
    assert [key for key, _ in store.nearest(vectors[7].tolist(), 5)] == expected


def test_a_filter_is_applied_inside_the_search(store: FaissStore, vectors: np.ndarray) -> None:
    among = [101, 120, 149]
    found = store.nearest(vectors[7].tolist(), 10, among)
    assert sorted(key for key, _ in found) == among


def test_adding_a_key_again_replaces_its_vector(store: FaissStore, vectors: np.ndarray) -> None:
    store.add_vectors([100], vectors[7:8])
    assert len(store) == 50
    assert {key for key, _ in store.nearest(vectors[7].tolist(), 2)} == {100, 107}


def test_a_snapshot_gives_the_same_answers(store: FaissStore, vectors: np.ndarray, tmp_path: Path) -> None:
    store.save(tmp_path / "vectors.faiss")
    again = FaissStore(SentenceEmbedder())
    again.load(tmp_path / "vectors.faiss")
    assert again.nearest(vectors[3].tolist(), 9) == store.nearest(vectors[3].tolist(), 9)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.faiss"]


def test_a_damaged_snapshot_leaves_the_store_empty(tmp_path: Path) -> None:
    (tmp_path / "vectors.faiss").write_bytes(b"nothing of the kind")
    store = FaissStore(SentenceEmbedder())
    store.load(tmp_path / "vectors.faiss")
    assert len(store) == 0


def test_vectors_of_another_dimension_are_refused(store: FaissStore) -> None:
    with pytest.raises(ValueError, match="vectors of 3 dimensions do not fit an index of 8"):
        store.add_vectors([1], np.ones((1, 3), np.float32))

"""The FAISS store is a LangChain vector store, and more: filters on metadata inside the search, MMR, snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, VectorStoreIntegrationTests

from octavo.retrieval import FaissStore
from octavo.retrieval.embedder import SentenceEmbedder

TEXTS = ["sunspots of 1957", "sunspots of 1958", "doctor visits", "net sales", "net sales rose"]
METADATA = [
    {"kind": "table", "page": 1},
    {"kind": "text", "page": 2},
    {"kind": "text", "page": 1},
    {"kind": "table", "page": 3},
    {"kind": "text", "page": 3},
]


class TestLangChainStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> VectorStore:
        return FaissStore(self.get_embeddings())


class TestLangChainEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[SentenceEmbedder]:
        return SentenceEmbedder


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder()


@pytest.fixture
def store(embedder: SentenceEmbedder) -> FaissStore:
    return FaissStore.from_texts(TEXTS, embedder, METADATA, ids=["a", "b", "c", "d", "e"])


def texts(found: list[Document]) -> list[str]:
    return [document.page_content for document in found]


def test_scores_are_cosines(store: FaissStore) -> None:
    (document, score), *rest = store.similarity_search_with_score("net sales", 2)
    assert (document.id, round(score, 5)) == ("d", 1)
    assert [document.id for document, _ in rest] == ["e"]


def test_a_filter_on_a_field(store: FaissStore) -> None:
    assert texts(store.similarity_search("net sales", filter={"kind": "table"})) == ["net sales", "sunspots of 1957"]


def test_a_filter_on_several_fields_and_values(store: FaissStore) -> None:
    assert texts(store.similarity_search("net sales", filter={"kind": "text", "page": [2, 3]})) == [
        "net sales rose",
        "sunspots of 1958",
    ]


def test_a_filter_by_a_function(store: FaissStore) -> None:
    found = store.similarity_search("net sales", filter=lambda document: "visits" in document.page_content)
    assert texts(found) == ["doctor visits"]


def test_a_filter_that_nothing_passes_finds_nothing(store: FaissStore) -> None:
    assert store.similarity_search("net sales", filter={"absent": 1}) == []


def test_a_filter_sees_what_came_and_went_since_it_was_first_used(store: FaissStore) -> None:
    assert texts(store.similarity_search("sales", filter={"page": 3})) == ["net sales", "net sales rose"]
    store.add_texts(["gross sales"], [{"page": 3}])
    store.delete(["d"])
    assert sorted(texts(store.similarity_search("sales", filter={"page": 3}))) == ["gross sales", "net sales rose"]


async def test_a_filter_in_an_asynchronous_search(store: FaissStore) -> None:
    assert texts(await store.asimilarity_search("net sales", k=1, filter={"page": 1})) == ["doctor visits"]


def test_relevance_lies_between_0_and_1(store: FaissStore) -> None:
    scores = [score for _, score in store.similarity_search_with_relevance_scores("net sales", 5)]
    assert scores == [(1 + cosine) / 2 for _, cosine in store.similarity_search_with_score("net sales", 5)]


def test_marginal_relevance_takes_the_nearest_and_then_what_is_unlike_it(store: FaissStore) -> None:
    near = store.similarity_search("net sales", 2)
    apart = store.max_marginal_relevance_search("net sales", 2, fetch_k=5, lambda_mult=0.1)
    assert texts(near) == ["net sales", "net sales rose"]
    assert texts(apart)[0] == "net sales"
    assert texts(apart)[1] != "net sales rose"
    assert texts(store.max_marginal_relevance_search("net sales", 2, lambda_mult=1)) == texts(near)


async def test_marginal_relevance_with_a_filter_asynchronously(store: FaissStore) -> None:
    found = await store.amax_marginal_relevance_search("net sales", k=3, filter={"kind": "table"})
    assert texts(found) == ["net sales", "sunspots of 1957"]


def test_as_a_retriever_it_takes_langchain_s_ways_of_searching(store: FaissStore) -> None:
    retriever = store.as_retriever(search_type="mmr", search_kwargs={"k": 1, "filter": {"page": 2}})
    assert texts(retriever.invoke("net sales")) == ["sunspots of 1958"]


def test_vectors_of_any_length_are_taken(tmp_path: Path) -> None:
    store = FaissStore.from_texts(["a", "b"], DeterministicFakeEmbedding(size=5))
    assert [round(score, 5) for _, score in store.similarity_search_with_score("b", 1)] == [1]


def test_a_store_of_another_type_of_index(embedder: SentenceEmbedder) -> None:
    assert FaissStore(embedder, index_type="ivf").vectors.index_type == "ivf"
    with pytest.raises(ValueError, match="'hnsw' is not a valid IndexType"):
        FaissStore(embedder, index_type="hnsw")


def test_a_snapshot_is_the_same_store(store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    store.save(tmp_path / "store")
    again = FaissStore.load(tmp_path / "store", embedder)
    assert again.similarity_search_with_score("sales", 5) == store.similarity_search_with_score("sales", 5)
    assert again.get_by_ids(["c", "a"]) == store.get_by_ids(["c", "a"])
    assert texts(again.similarity_search("sales", filter={"page": 1})) == ["doctor visits", "sunspots of 1957"]


def test_an_empty_store_is_kept_too(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    FaissStore(embedder).save(tmp_path)
    assert len(FaissStore.load(tmp_path, embedder)) == 0


def test_a_snapshot_takes_the_place_of_the_one_before(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    store.save(tmp_path)
    store.delete(["a", "b"])
    store.save(tmp_path)
    assert len(FaissStore.load(tmp_path, embedder)) == 3
    assert len(list(tmp_path.iterdir())) == 2  # the snapshot, and the file that names it


def test_a_save_that_fails_leaves_the_snapshot_before(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    store.save(tmp_path)
    store.add_texts(["f"], [{"not JSON": object()}])
    with pytest.raises(TypeError):
        store.save(tmp_path)
    assert len(FaissStore.load(tmp_path, embedder)) == 5


def test_a_snapshot_holds_no_pickle(store: FaissStore, tmp_path: Path) -> None:
    store.save(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["documents.jsonl", "vectors.faiss"]


def test_a_snapshot_that_is_absent_or_damaged_is_an_error(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        FaissStore.load(tmp_path, embedder)
    store.save(tmp_path)
    next(tmp_path.glob("*/vectors.faiss")).write_bytes(b"nothing of the kind")
    with pytest.raises(RuntimeError):
        FaissStore.load(tmp_path, embedder)

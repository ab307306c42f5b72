"""The FAISS store is a LangChain vector store, and more: filters on metadata inside the search, MMR, snapshots."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, VectorStoreIntegrationTests

from octavo.retrieval import FaissStore
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.store import MemoryDocuments

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


def test_a_filter_on_a_field_that_is_a_list(embedder: SentenceEmbedder) -> None:
    tags = [{"tags": ["a", "b"]}, {"tags": ["b"]}, {"tags": []}, {}]
    store = FaissStore.from_texts(["one", "two", "three", "four"], embedder, tags)
    assert set(texts(store.similarity_search("one", 4, {"tags": "b"}))) == {"one", "two"}
    assert set(texts(store.similarity_search("one", 4, {"tags": ["a", "c"]}))) == {"one"}


def test_a_filter_for_none_passes_by_documents_without_the_field(embedder: SentenceEmbedder) -> None:
    store = FaissStore.from_texts(["one", "two"], embedder, [{"year": None}, {}])
    assert texts(store.similarity_search("one", 2, {"year": None})) == ["one"]


@pytest.mark.parametrize("filter", [{"page": {"$gt": 1}}, {"$and": [{"page": 1}]}, "page"])
def test_a_filter_in_another_stores_words_is_refused(store: FaissStore, filter: Any) -> None:
    with pytest.raises(ValueError, match=r"no filter: .* give fields with a value or a list of values, or a function"):
        store.similarity_search("sunspots", 2, filter)


@pytest.mark.parametrize("ids", ["a", [1]])
def test_what_are_no_ids_is_refused(store: FaissStore, ids: Any) -> None:
    for call in (store.delete, store.get_by_ids, lambda ids: store.add_texts(["x"], ids=ids)):
        with pytest.raises(ValueError, match="ids is a list of strings, not"):
            call(ids)
    assert len(store) == 5


def test_a_filter_sees_what_came_and_went_since_it_was_first_used(store: FaissStore) -> None:
    assert texts(store.similarity_search("sales", filter={"page": 3})) == ["net sales", "net sales rose"]
    store.add_texts(["gross sales"], [{"page": 3}])
    store.delete(["d"])
    assert sorted(texts(store.similarity_search("sales", filter={"page": 3}))) == ["gross sales", "net sales rose"]


async def test_a_filter_in_an_asynchronous_search(store: FaissStore) -> None:
    assert texts(await store.asimilarity_search("net sales", k=1, filter={"page": 1})) == ["doctor visits"]


class Spelt(Embeddings):
    """Vectors that are their texts: "[1, 0]"."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [json.loads(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return json.loads(text)


def test_relevance_is_1_in_one_direction_and_0_in_the_opposite_one() -> None:
    store = FaissStore.from_texts(["[1, 0]", "[0, 2]", "[-3, 0]"], Spelt())
    found = store.similarity_search_with_relevance_scores("[1, 0]")
    assert [(document.page_content, relevance) for document, relevance in found] == [
        ("[1, 0]", 1.0),
        ("[0, 2]", 0.5),
        ("[-3, 0]", 0.0),
    ]


def test_relevance_is_at_most_1_where_rounding_makes_a_cosine_more() -> None:
    names = [str(n) for n in range(100)]
    store = FaissStore.from_texts(names, DeterministicFakeEmbedding(size=100))
    assert max(store.similarity_search_with_score(name, 1)[0][1] for name in names) > 1
    assert max(store.similarity_search_with_relevance_scores(name, 1)[0][1] for name in names) == 1


def test_many_questions_in_one_call(store: FaissStore, embedder: SentenceEmbedder) -> None:
    found = store.batch_search_by_vectors(embedder.encode(["net sales", "sunspots of 1957"]), 2)
    assert [[document.id for document, _ in one] for one in found] == [["d", "e"], ["a", "b"]]
    assert [round(one[0][1], 5) for one in found] == [1, 1]


def test_many_questions_under_a_filter(store: FaissStore, embedder: SentenceEmbedder) -> None:
    found = store.batch_search_by_vectors(embedder.encode(["net sales", "sunspots of 1957"]), 2, {"page": 2})
    assert [[document.id for document, _ in one] for one in found] == [["b"], ["b"]]
    assert store.batch_search_by_vectors([], 2) == []


@pytest.mark.parametrize("given", [{"metadatas": [{"page": 1}]}, {"ids": ["x"]}, {"metadatas": []}])
def test_metadata_and_ids_are_one_for_each_text(store: FaissStore, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^\d (metadatas|ids) for 2 texts: give one for each$"):
        store.add_texts(["one", "two"], **given)
    assert len(store) == 5


def test_fewer_than_no_documents_cannot_be_asked_for(store: FaissStore) -> None:
    assert store.similarity_search("net sales", k=0) == []
    with pytest.raises(ValueError, match=r"^k is how many documents to find, 0 or more, not -1$"):
        store.similarity_search("net sales", k=-1)


def test_embeddings_of_another_dimension_are_refused_and_change_nothing(store: FaissStore) -> None:
    store.embedding = Spelt()
    refusal = "vectors of 2 dimensions do not fit a store of 384: use the embeddings that it was filled with"
    with pytest.raises(ValueError, match=refusal):
        store.similarity_search("[1, 0]")
    with pytest.raises(ValueError, match=refusal):
        store.add_texts(["[1, 0]", "[0, 1]"], ids=["a", "new"])
    assert texts(store.get_by_ids(["a", "new"])) == ["sunspots of 1957"]


def test_threads_may_change_search_and_save_it_at_once(tmp_path: Path) -> None:
    embeddings = DeterministicFakeEmbedding(size=8)
    store = FaissStore.from_texts([str(n) for n in range(500)], embeddings, [{"own": -1}] * 500)

    def fill(own: int) -> list[int]:
        found = []
        for n in range(60):
            store.add_texts([f"{own}, {n}"], [{"own": own}], ids=[f"{own}, {n}"])
            if n % 3 == 2:
                store.delete([f"{own}, {n}"])
            found.append(len(store.similarity_search("1", 100, {"own": own})))
        return found

    def look() -> set[int]:
        return {len(store.similarity_search("1", 9, lambda document: document.metadata["own"] < 0)) for _ in range(60)}

    def keep(folder: Path) -> None:
        for _ in range(15):
            store.save(folder)
            FaissStore.load(folder, embeddings)  # which refuses a snapshot whose vectors and documents differ

    with ThreadPoolExecutor() as pool:
        kept = [pool.submit(keep, tmp_path / name) for name in "ab"]
        looked = [pool.submit(look) for _ in range(2)]
        filled = [pool.submit(fill, own) for own in range(3)]
        assert [future.result() for future in filled] == [[n + 1 - (n + 1) // 3 for n in range(60)]] * 3
        assert [future.result() for future in looked] == [{9}] * 2
        assert [future.result() for future in kept] == [None] * 2


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


def test_a_save_leaves_what_others_put_beside_the_snapshot(store: FaissStore, tmp_path: Path) -> None:
    store.save(tmp_path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("Once")
    (tmp_path / "draft.part").write_text("upon")
    store.save(tmp_path)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "Once"
    assert (tmp_path / "draft.part").read_text() == "upon"


@pytest.mark.parametrize("name", ["chapter1.tex", "current"])
def test_a_folder_of_other_files_is_no_place_for_a_snapshot(store: FaissStore, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("..")
    with pytest.raises(FileExistsError, match="holds other files and no snapshot: name a folder for the store alone"):
        store.save(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "..")]


def test_what_a_save_cut_short_has_left_is_swept_by_the_next(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("octavo.retrieval.store.flush", cut)
    with pytest.raises(KeyboardInterrupt):
        store.save(tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2  # a snapshot, and what would have become its name
    store.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert len(FaissStore.load(tmp_path, embedder)) == 5


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files are told by /proc")
def test_a_snapshot_is_on_the_disk_before_it_is_named(
    store: FaissStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []

    def fsync(file: int) -> None:
        if not (tmp_path / "current").exists():
            flushed.append(Path(f"/proc/self/fd/{file}").resolve())

    monkeypatch.setattr(os, "fsync", fsync)
    store.save(tmp_path)
    (saved,) = tmp_path.glob("snapshot-*")
    assert {saved, *saved.iterdir(), tmp_path / f"{saved.name}.part"} <= set(flushed)


def test_a_load_that_a_save_overtakes_takes_the_newer_snapshot(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = MemoryDocuments.load

    def overtaken(folder: Path) -> MemoryDocuments:
        monkeypatch.undo()
        store.delete(["a"])
        store.save(tmp_path)
        return load(folder)

    store.save(tmp_path)
    monkeypatch.setattr(MemoryDocuments, "load", overtaken)
    assert len(FaissStore.load(tmp_path, embedder)) == 4


def test_documents_kept_elsewhere_are_taken_even_while_they_are_none(
    embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    class Sized(MemoryDocuments):
        def __len__(self) -> int:
            return len(self.passing({}))

    FaissStore(embedder).save(tmp_path)
    elsewhere = Sized()
    assert FaissStore.load(tmp_path, embedder, elsewhere).documents is elsewhere


def test_a_snapshot_that_is_absent_is_an_error(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FaissStore.load(tmp_path, embedder)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("vectors.faiss", lambda path: path.write_bytes(b"nothing of the kind")),
        ("vectors.faiss", lambda path: faiss.write_index(faiss.IndexFlatIP(384), str(path))),
        ("vectors.faiss", Path.unlink),
        ("documents.jsonl", Path.unlink),
        ("documents.jsonl", lambda path: path.write_text(path.read_text()[:-9])),
        ("documents.jsonl", lambda path: path.write_text(path.read_text().partition("\n")[0])),
    ],
    ids=["no FAISS", "FAISS without keys", "no vectors", "no documents", "half a line", "one document of five"],
)
def test_a_damaged_snapshot_is_an_error(
    store: FaissStore, embedder: SentenceEmbedder, tmp_path: Path, file: str, damage: Any
) -> None:
    store.save(tmp_path)
    damage(next(tmp_path.glob(f"*/{file}")))
    with pytest.raises(ValueError, match="is damaged, fill a store and save it anew: "):
        FaissStore.load(tmp_path, embedder)

"""Parts given to a library in the place of its own: what a retriever finds is kept to what was asked; names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever
from langchain_openai import OpenAIEmbeddings

from octavo import Library
from octavo.errors import explain
from octavo.library import LibraryError
from octavo.retrieval.embedder import as_embedder
from octavo.retrieval.model import RetrieverError

QUESTION = "What was the highest yearly sunspot number?"


class Fixed(BaseRetriever):
    """Finds the same, whatever it is asked, however much, and wherever."""

    found: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return self.found


@pytest.fixture
def everything(own_library: Any) -> Iterator[Any]:
    """The samples' library, searched by a retriever that finds every text in it."""
    texts = own_library.index.vectors.vectors.keys().tolist()
    found = [Document("", id=str(key), metadata={"score": 1 / n}) for n, key in enumerate(texts, 1)]
    with Library(own_library.folder, embedder=own_library.embedder, retriever=Fixed(found=found)) as library:
        yield library


def test_no_more_hits_are_kept_than_asked_for(everything: Any) -> None:
    first = everything.retriever.found[:3]
    assert [(str(hit.chunk.id), hit.score) for hit in everything.search(QUESTION, k=3)] == [
        (document.id, document.metadata["score"]) for document in first
    ]


def test_hits_in_the_documents_asked_for_alone_are_kept(everything: Any) -> None:
    hits = everything.search(QUESTION, k=3, documents=["sunspot-cycles.pdf"])
    assert [hit.document for hit in hits] == ["sunspot-cycles.pdf"] * 3


def test_hits_in_the_domain_asked_for_alone_are_kept(everything: Any) -> None:
    everything.set_domain("sea", ["pacific-temperatures.pdf"])
    hits = everything.search(QUESTION, k=3, domain="sea")
    assert [hit.document for hit in hits] == ["pacific-temperatures.pdf"] * 3


def test_hits_in_the_document_that_the_question_names_alone_are_kept(everything: Any) -> None:
    everything.correct_card("doctor-visits.pdf", {"organisation": "Granite Works", "period": "FY2019"})
    hits = everything.search("How often did people of Granite Works see a doctor in FY2019?", k=3)
    assert [hit.document for hit in hits] == ["doctor-visits.pdf"] * 3


@pytest.mark.parametrize("id", ["sunspots", None])
def test_what_is_no_chunk_of_the_library_is_one_line(own_library: Any, id: str | None) -> None:
    retriever = Fixed(found=[Document("", id=id)])
    library = Library(own_library.folder, embedder=own_library.embedder, retriever=retriever)
    with library, pytest.raises(RetrieverError) as raised:
        library.search(QUESTION)
    assert explain(raised.value) == (
        f"the retriever gave a document with the id {id!r}: it must be that of one of the library's chunks"
    )


@pytest.mark.parametrize(
    ("dimensions", "name"),
    [
        (None, "OpenAIEmbeddings: text-embedding-3-large"),
        (256, "OpenAIEmbeddings: text-embedding-3-large, 256 dimensions"),
    ],
)
def test_embeddings_go_by_their_class_model_and_dimensions(dimensions: int | None, name: str) -> None:
    given = OpenAIEmbeddings(model="text-embedding-3-large", dimensions=dimensions, api_key="none")
    assert as_embedder(given).name == name


def test_an_embedder_whose_vectors_do_not_fit_those_by_its_name_is_one_line(own_library: Any) -> None:
    with Library(own_library.folder, embedder=DeterministicFakeEmbedding(size=16)) as library:
        library.reindex()
        assert library.search(QUESTION)
    with Library(own_library.folder, embedder=DeterministicFakeEmbedding(size=32)) as library:
        for change in (library.reindex, lambda: library.search(QUESTION)):
            with pytest.raises(LibraryError) as raised:
                change()
            assert explain(raised.value) == (
                "the embedder 'DeterministicFakeEmbedding' gives vectors of 32 dimensions, and those that this library "
                "keeps by its name have 16: open it with the embedder that made them, or with one of another name"
            )

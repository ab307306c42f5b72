"""A LangChain `VectorStore` on FAISS: ids, upsert, delete, metadata filters inside the search, MMR, no pickle.

It holds vectors; the texts are where `documents` keeps them (in memory, or in the catalogue), so that nothing is
kept twice. Scores are cosines.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from numpy.typing import NDArray

from octavo.ingest.directions import unit
from octavo.retrieval.gpu import move
from octavo.retrieval.model import IndexType
from octavo.retrieval.passing import Among
from octavo.retrieval.vectors import Vectors

Filter: TypeAlias = Mapping[str, Any] | Callable[[Document], bool]
"""Which documents may be found: metadata fields with the value each must have, or a list of those it may have; or a
function that says so of a document."""

_CURRENT = "current"  # the file that names the snapshot
_VECTORS, _DOCUMENTS = "vectors.faiss", "documents.jsonl"
_FILTERS = 64  # of which what passes is kept until something changes


class Documents(Protocol):
    """Where a store's texts are. Keys are the 63-bit integers that FAISS knows documents by."""

    def key(self, id: str) -> int: ...

    def get(self, keys: Sequence[int]) -> list[Document]:
        """The documents of `keys`, in that order; those that are gone are left out."""
        ...

    def put(self, documents: Mapping[int, Document]) -> None: ...

    def drop(self, keys: Iterable[int]) -> None: ...

    def passing(self, filter: Filter) -> list[int]:
        """The keys of the documents that pass."""
        ...

    def save(self, folder: Path) -> None:
        """Writes into `folder` what is kept nowhere else."""
        ...


class MemoryDocuments:
    """Documents in a dict, for a store that stands alone. Their metadata must be JSON to be saved."""

    def __init__(self) -> None:
        self._documents: dict[int, Document] = {}

    def key(self, id: str) -> int:
        return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "big") >> 1

    def get(self, keys: Sequence[int]) -> list[Document]:
        return [self._documents[key].model_copy(deep=True) for key in keys if key in self._documents]

    def put(self, documents: Mapping[int, Document]) -> None:
        self._documents.update(documents)

    def drop(self, keys: Iterable[int]) -> None:
        for key in keys:
            self._documents.pop(key, None)

    def passing(self, filter: Filter) -> list[int]:
        passes = filter if callable(filter) else _equal(filter)
        return [key for key, document in self._documents.items() if passes(document)]

    def save(self, folder: Path) -> None:
        with (folder / _DOCUMENTS).open("w") as file:
            for document in self._documents.values():
                file.write(json.dumps([document.id, document.page_content, document.metadata]) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Those saved in `folder`. Raises OSError, ValueError."""
        documents = cls()
        with (folder / _DOCUMENTS).open() as file:
            for id, text, metadata in map(json.loads, file):
                documents._documents[documents.key(id)] = Document(id=id, page_content=text, metadata=metadata)
        return documents


class FaissStore(VectorStore):
    """Vectors in FAISS beside documents held elsewhere. Safe to use from several threads.

    `index_type` is "exact", "ivf", or "auto", which goes by the number of vectors (`Vectors`). Where `device` names
    GPUs, searches without a filter run on a copy of the vectors there; what changes and is saved is here.
    """

    def __init__(
        self,
        embedding: Embeddings,
        documents: Documents | None = None,
        device: str = "auto",
        index_type: IndexType | str = IndexType.AUTO,
    ) -> None:
        self.embedding = embedding
        self.documents = documents if documents is not None else MemoryDocuments()
        self.vectors = Vectors(index_type, partial(move, device=device))
        self._passing: dict[str, tuple[int, Among]] = {}  # by filter, with the `changes` of the vectors then

    @property
    def embeddings(self) -> Embeddings:
        return self.embedding

    def __len__(self) -> int:
        return len(self.vectors)

    def nearest(self, vector: Sequence[float], k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """(key, cosine) of the `k` vectors nearest to a unit `vector`, best first; of keys in `among` only."""
        query = np.asarray([vector], np.float32)
        keys, cosines = self.vectors.search(query, k, None if among is None else Among(among))
        return _pairs(keys[0], cosines[0])

    # Snapshots

    def save(self, folder: str | Path) -> None:
        """Writes a snapshot into `folder`, in the place of the one that is there, whole or not at all.

        One process at a time may save into a folder. Raises OSError, and TypeError for metadata that are not JSON.
        """
        folder = Path(folder)
        fresh = folder / uuid.uuid4().hex
        fresh.mkdir(parents=True)
        self.vectors.save(fresh / _VECTORS)
        self.documents.save(fresh)
        pointer = folder / f"{fresh.name}.part"
        pointer.write_text(fresh.name)
        pointer.replace(folder / _CURRENT)  # from here on it is the snapshot
        for other in folder.iterdir():
            if other.is_dir() and other != fresh:
                shutil.rmtree(other)
            elif other.suffix == ".part":
                other.unlink()

    @classmethod
    def load(
        cls,
        folder: str | Path,
        embedding: Embeddings,
        documents: Documents | None = None,
        device: str = "auto",
        index_type: IndexType | str = IndexType.AUTO,
    ) -> Self:
        """The store that was saved in `folder`; `documents` where they are kept elsewhere.

        Raises FileNotFoundError where there is none, RuntimeError or ValueError where it is damaged.
        """
        saved = Path(folder) / (Path(folder) / _CURRENT).read_text()
        store = cls(embedding, documents or MemoryDocuments.load(saved), device, index_type)
        if (saved / _VECTORS).exists():  # an empty store has none
            store.vectors.load(saved / _VECTORS)
        return store

    # LangChain's interface

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        texts = list(texts)
        if not texts:
            return []
        names = [name or str(uuid.uuid4()) for name in ids or [""] * len(texts)]
        latest = {name: n for n, name in enumerate(names)}  # an id given twice keeps its last text
        keys = {name: self.documents.key(name) for name in latest}
        vectors = self.embedding.embed_documents([texts[n] for n in latest.values()])
        self.vectors.add(keys.values(), unit(np.array(vectors, np.float32)))
        self.documents.put(
            {
                keys[name]: Document(id=name, page_content=texts[n], metadata=dict(metadatas[n]) if metadatas else {})
                for name, n in latest.items()
            }
        )
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        keys = self.vectors.keys().tolist() if ids is None else [self.documents.key(name) for name in ids]
        self.vectors.remove(keys)
        self.documents.drop(keys)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        return self.documents.get([self.documents.key(name) for name in ids])

    def similarity_search_with_score_by_vector(
        self, embedding: Sequence[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` documents nearest to `embedding` with their cosines, best first, of those that pass `filter`."""
        among = None if filter is None else self._among(filter)
        keys, cosines = self.vectors.search(unit(np.array([embedding], np.float32)), k, among)
        found = _pairs(keys[0], cosines[0])
        documents = {self.documents.key(d.id or ""): d for d in self.documents.get([key for key, _ in found])}
        return [(documents[key], cosine) for key, cosine in found if key in documents]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        return [document for document, _ in self.similarity_search_with_score_by_vector(embedding, k, filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` documents nearest to `query` with their cosines, best first, of those that pass `filter`."""
        return self.similarity_search_with_score_by_vector(self.embedding.embed_query(query), k, filter)

    def similarity_search(self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any) -> list[Document]:
        return [document for document, _ in self.similarity_search_with_score(query, k, filter)]

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Of the `fetch_k` nearest the `k` that are near and unlike each other (Carbonell and Goldstein, SIGIR 1998).

        `lambda_mult` from 0, for the most unlike, to 1, for the nearest.
        """
        near = self.similarity_search_by_vector(embedding, fetch_k, filter)
        keys = [self.documents.key(document.id or "") for document in near]
        vectors = [vector.tolist() for vector in self.vectors.get(keys)]
        chosen = maximal_marginal_relevance(np.asarray(embedding), vectors, lambda_mult, k)
        return [near[n] for n in chosen]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        embedding = self.embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, filter)

    def _among(self, filter: Filter) -> Among:
        """What passes `filter`; kept for fields and values, which are asked for again and again."""
        if callable(filter):
            return Among(self.documents.passing(filter))
        name, changes = repr(sorted(filter.items())), self.vectors.changes
        if self._passing.get(name, (-1, None))[0] != changes:
            while len(self._passing) >= _FILTERS:
                self._passing.pop(next(iter(self._passing)), None)
            self._passing[name] = changes, Among(self.documents.passing(filter))
        return self._passing[name][1]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: (1 + cosine) / 2

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store


def _equal(fields: Mapping[str, Any]) -> Callable[[Document], bool]:
    """Whether each of `fields` has its value, or one of those in its list, in a document's metadata."""
    wanted = {name: value if isinstance(value, list | tuple | set) else [value] for name, value in fields.items()}
    return lambda document: all(document.metadata.get(name) in values for name, values in wanted.items())


def _pairs(keys: NDArray[np.int64], cosines: NDArray[np.float32]) -> list[tuple[int, float]]:
    return [(int(key), float(cosine)) for key, cosine in zip(keys, cosines, strict=True) if key >= 0]

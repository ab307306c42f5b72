"""A LangChain `VectorStore` on FAISS: ids, upsert, delete, metadata filters inside the search, MMR, no pickle.

It holds vectors; the texts are where `documents` keeps them (in memory, or in the catalogue), so that nothing is
kept twice. Scores are cosines.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from numpy.typing import NDArray

from octavo.ingest.directions import unit
from octavo.ingest.text import reason_of
from octavo.retrieval.flushing import flush
from octavo.retrieval.gpu import move
from octavo.retrieval.model import IndexType
from octavo.retrieval.passing import Among
from octavo.retrieval.vectors import Vectors

Filter: TypeAlias = Mapping[str, Any] | Callable[[Document], bool]
"""Which documents may be found: metadata fields with the value each must have, or a list of those it may have (of a
field that is a list itself, one in common will do); or a function that says so of a document."""

_CURRENT = "current"  # the file that names the snapshot
_OURS = re.compile(r"snapshot-[0-9a-f]{32}(\.part)?")  # what `save` may remove: all else in a folder is somebody's
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
    """Vectors in FAISS beside documents held elsewhere, which change as one. Safe to use from several threads.

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
        self._passing: dict[str, Among] = {}  # by filter, until something changes
        self._lock = RLock()  # a filter may be a function that asks the store

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

        One store at a time may save into a folder. Raises OSError, FileExistsError for a folder that holds other
        things and no snapshot, and TypeError for metadata that are not JSON.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            before = _snapshot(folder)
            if not before and not all(_OURS.fullmatch(path.name) for path in folder.iterdir()):
                raise FileExistsError(f"{folder} holds other files and no snapshot: name a folder for the store alone")
            _sweep(folder, before)
            fresh = folder / f"snapshot-{uuid.uuid4().hex}"
            fresh.mkdir()
            self.vectors.save(fresh / _VECTORS)
            self.documents.save(fresh)
            pointer = folder / f"{fresh.name}.part"
            pointer.write_text(fresh.name)
            flush(*fresh.iterdir(), fresh, pointer)
            pointer.replace(folder / _CURRENT)  # from here on it is the snapshot
            flush(folder)
            _sweep(folder, fresh.name)

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

        Raises FileNotFoundError where there is none, ValueError where it is damaged.
        """
        store = cls(embedding, documents, device, index_type)
        current = Path(folder) / _CURRENT
        if not current.is_file():
            raise FileNotFoundError(f"no store was saved in {folder}")
        saved = current.with_name(current.read_text())
        try:
            if documents is None:
                store.documents = MemoryDocuments.load(saved)
            if (saved / _VECTORS).exists():  # an empty store has none
                store.vectors.load(saved / _VECTORS)
            if documents is None and sorted(store.vectors.keys()) != sorted(store.documents.passing({})):
                raise ValueError("its vectors and documents differ")
        except Exception as error:  # a damaged file fails in any way
            if current.read_text() != saved.name:  # another was saved while this one was read
                return cls.load(folder, embedding, documents, device, index_type)
            why = reason_of(error)
            raise ValueError(f"the snapshot in {folder} is damaged, fill a store and save it anew: {why}") from error
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
        """Adds `texts`, in the place of those whose `ids` are there already, and returns their ids.

        Raises ValueError where there are not as many `metadatas` or `ids` as texts, or where the embeddings' vectors
        do not fit those of the store.
        """
        texts = list(texts)
        for what, given in (("metadatas", metadatas), ("ids", ids)):
            if given is not None and len(given) != len(texts):
                raise ValueError(f"{len(given)} {what} for {len(texts)} texts: give one for each")
        if not texts:
            return []
        names = _named(
            ids if isinstance(ids, str) else [name or str(uuid.uuid4()) for name in ids or [""] * len(texts)]
        )
        latest = {name: n for n, name in enumerate(names)}  # an id given twice keeps its last text
        keys = {name: self.documents.key(name) for name in latest}
        made = self.embedding.embed_documents([texts[n] for n in latest.values()])
        with self._lock:
            vectors = self._fitting(made)
            self.documents.put(  # first, as not all documents can be changed
                {
                    keys[name]: Document(
                        id=name, page_content=texts[n], metadata=dict(metadatas[n]) if metadatas else {}
                    )
                    for name, n in latest.items()
                }
            )
            self.vectors.add(keys.values(), vectors)
            self._passing.clear()
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        with self._lock:
            keys = self.vectors.keys().tolist() if ids is None else [self.documents.key(name) for name in _named(ids)]
            self.documents.drop(keys)
            self.vectors.remove(keys)
            self._passing.clear()
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        with self._lock:
            return self.documents.get([self.documents.key(name) for name in _named(ids)])

    def batch_search_by_vectors(
        self, embeddings: Sequence[Sequence[float]] | NDArray[np.float32], k: int = 4, filter: Filter | None = None
    ) -> list[list[tuple[Document, float]]]:
        """For each of `embeddings`, shape (n, dimensions), what `similarity_search_with_score_by_vector` gives.

        The index is asked once for all, which takes it less time than one after the other. Raises ValueError as that.
        """
        if k < 0:
            raise ValueError(f"k is how many documents to find, 0 or more, not {k}")
        if not len(embeddings):
            return []
        with self._lock:
            among = None if filter is None else self._among(filter)
            found = zip(*self.vectors.search(self._fitting(embeddings), k, among), strict=True)
            return [self._documents(dict(_pairs(keys, cosines))) for keys, cosines in found]

    def _documents(self, cosines: Mapping[int, float]) -> list[tuple[Document, float]]:
        """The documents of the keys of `cosines`, with these."""
        return [(found, cosines[self.documents.key(found.id or "")]) for found in self.documents.get(list(cosines))]

    def _fitting(self, vectors: Sequence[Sequence[float]] | NDArray[np.float32]) -> NDArray[np.float32]:
        """`vectors` as unit vectors. Raises ValueError where their dimension is not that of the store's."""
        made = unit(np.array(vectors, np.float32))
        if self.vectors.dimensions not in (0, made.shape[1]):
            dimensions = f"vectors of {made.shape[1]} dimensions do not fit a store of {self.vectors.dimensions}"
            raise ValueError(f"{dimensions}: use the embeddings that it was filled with")
        return made

    def similarity_search_with_score_by_vector(
        self, embedding: Sequence[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` documents nearest to `embedding` with their cosines, best first, of those that pass `filter`.

        Raises ValueError for a `k` below 0, and where `embedding` is not of the dimension of the store's vectors.
        """
        return self.batch_search_by_vectors([embedding], k, filter)[0]

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
        with self._lock:
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
        """What passes `filter`; kept for fields and values, which are asked for again and again.

        Raises ValueError for the operators of other stores.
        """
        if callable(filter):
            return Among(self.documents.passing(filter))
        if not isinstance(filter, Mapping) or any(
            name.startswith("$") or isinstance(value, Mapping) for name, value in filter.items()
        ):
            raise ValueError(
                f"no filter: {filter!r}; give fields with a value or a list of values, or a function of a document"
            )
        name = repr(sorted(filter.items()))
        if name not in self._passing:
            if len(self._passing) >= _FILTERS:
                self._passing.pop(next(iter(self._passing)))
            self._passing[name] = Among(self.documents.passing(filter))
        return self._passing[name]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: min(max((1 + cosine) / 2, 0.0), 1.0)  # a rounded cosine may lie beyond 1

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
    wanted = {name: _many(value) for name, value in fields.items()}

    def passes(document: Document) -> bool:
        known = document.metadata
        return all(name in known and any(v in values for v in _many(known[name])) for name, values in wanted.items())

    return passes


def _many(value: Any) -> Collection[Any]:
    return value if isinstance(value, list | tuple | set) else [value]


def _named(ids: Sequence[str]) -> list[str]:
    """`ids`. Raises ValueError for one id in the place of many, or one that is no string."""
    if isinstance(ids, str) or not all(isinstance(name, str) for name in ids):
        raise ValueError(f"ids is a list of strings, not {ids!r}")
    return list(ids)


def _pairs(keys: NDArray[np.int64], cosines: NDArray[np.float32]) -> list[tuple[int, float]]:
    return [(int(key), float(cosine)) for key, cosine in zip(keys, cosines, strict=True) if key >= 0]


def _snapshot(folder: Path) -> str:
    """The name of the snapshot that a store keeps in `folder`; "" where there is none."""
    current = folder / _CURRENT
    name = current.read_text(errors="replace") if current.is_file() else ""
    return name if _OURS.fullmatch(name) else ""


def _sweep(folder: Path, current: str) -> None:
    """Removes all snapshots but the current one: the one before, and what a crash left."""
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name != current:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

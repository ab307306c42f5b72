"""A LangChain `VectorStore` on FAISS: ids, upsert, delete, filters inside the search, no pickle.

It holds vectors; the texts are where `documents` keeps them (in memory, or in the catalogue), so that nothing is
kept twice. Exact inner product of unit vectors, that is cosine similarity; on a GPU where the installed FAISS is built
for one.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import faiss
import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

_MOST_ON_GPU = 2048  # hits of one search that FAISS selects on a GPU
_SCRATCH = 64 * 2**20  # bytes there beside the vectors: enough for one question; by itself FAISS takes 1.5 GiB


class Documents(Protocol):
    """Where a store's texts are. Keys are the 63-bit integers that FAISS knows documents by."""

    def key(self, id: str) -> int: ...

    def get(self, keys: Sequence[int]) -> list[Document]:
        """The documents of `keys`, in that order; those that are gone are left out."""
        ...

    def put(self, documents: Mapping[int, Document]) -> None: ...

    def drop(self, keys: Iterable[int]) -> None: ...


class MemoryDocuments:
    """Documents in a dict, for a store that stands alone."""

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


class FaissStore(VectorStore):
    """Vectors in FAISS beside documents held elsewhere. Safe to use from several threads.

    The index in memory is the one that changes and is saved; where `device` names a GPU that FAISS has, searches run
    on a copy there, made anew after each change. A search among given keys, or for more than 2,048 hits, stays here.
    """

    def __init__(self, embedding: Embeddings, documents: Documents | None = None, device: str = "auto") -> None:
        self.embedding = embedding
        self.documents = documents if documents is not None else MemoryDocuments()
        self.index: faiss.IndexIDMap2 | None = None  # made by the first vectors, which give its dimension
        self._gpu = faiss_gpu(device)
        self._copy: tuple[faiss.StandardGpuResources, faiss.Index] | None = None  # the first must outlive the second
        self._lock = Lock()  # FAISS moves vectors about while it removes some

    @property
    def embeddings(self) -> Embeddings:
        return self.embedding

    def __len__(self) -> int:
        return self.index.ntotal if self.index else 0

    def keys(self) -> NDArray[np.int64]:
        """The keys of all vectors, shape (len(self),), in the order they were added."""
        if self.index is None:
            return np.empty(0, np.int64)
        keys: NDArray[np.int64] = faiss.vector_to_array(self.index.id_map)
        return keys

    def add_vectors(self, keys: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Adds unit vectors, shape (len(keys), dimensions), replacing those of keys already there.

        Raises ValueError when their dimension is not the index's.
        """
        if not len(keys):
            return
        ids = np.asarray(keys, np.int64)
        with self._lock:
            if self.index is None:
                self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
            if vectors.shape[1] != self.index.d:
                raise ValueError(f"vectors of {vectors.shape[1]} dimensions do not fit an index of {self.index.d}")
            self._copy = None
            self.index.remove_ids(ids)
            self.index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)

    def remove_vectors(self, keys: Iterable[int]) -> None:
        if self.index is not None:
            with self._lock:
                self._copy = None
                self.index.remove_ids(np.fromiter(keys, np.int64))

    def clear(self) -> None:
        """Removes all vectors; the next ones may be of another dimension."""
        with self._lock:
            self.index = self._copy = None

    def nearest(self, vector: Sequence[float], k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """(key, cosine) of the `k` vectors nearest to a unit `vector`, best first; of keys in `among` only."""
        if not k:
            return []
        selector = None if among is None else faiss.IDSelectorBatch(np.asarray(among, np.int64))
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        query = np.asarray([vector], np.float32)
        with self._lock:
            index = self.index
            if index is None:
                return []
            most = min(k, index.ntotal)
            if self._gpu is not None and selector is None and most <= _MOST_ON_GPU:
                index = self._on_gpu(index, self._gpu)
            scores, keys = index.search(query, most, params=parameters)
        found = [(int(key), float(score)) for key, score in zip(keys[0], scores[0], strict=True) if key >= 0]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def _on_gpu(self, index: faiss.IndexIDMap2, number: int) -> faiss.Index:
        if self._copy is None:
            resources = faiss.StandardGpuResources()
            resources.setTempMemory(_SCRATCH)
            self._copy = resources, faiss.index_cpu_to_gpu(resources, number, index)
        return self._copy[1]

    def save(self, path: Path) -> None:
        """Writes the vectors to `path`, whole or not at all."""
        if self.index is None:
            path.unlink(missing_ok=True)
            return
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            faiss.write_index(self.index, file.name)
        Path(file.name).replace(path)

    def load(self, path: Path) -> None:
        """Takes the vectors saved at `path`; a file that is absent or damaged leaves the store empty."""
        self.clear()
        if path.is_file():
            with suppress(RuntimeError):  # the index is derived: its owner adds again what is missing
                self.index = faiss.read_index(str(path))

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
        vectors = np.asarray(self.embedding.embed_documents([texts[n] for n in latest.values()]), np.float32)
        faiss.normalize_L2(vectors)
        self.add_vectors(list(keys.values()), vectors)
        self.documents.put(
            {
                keys[name]: Document(id=name, page_content=texts[n], metadata=dict(metadatas[n]) if metadatas else {})
                for name, n in latest.items()
            }
        )
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        keys = self.keys().tolist() if ids is None else [self.documents.key(name) for name in ids]
        self.remove_vectors(keys)
        self.documents.drop(keys)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        return self.documents.get([self.documents.key(name) for name in ids])

    def similarity_search_with_score(
        self, query: str, k: int = 4, *, among: Sequence[int] | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` documents nearest to `query` with their cosine; of the keys in `among` only, if given."""
        vector = np.asarray([self.embedding.embed_query(query)], np.float32)
        faiss.normalize_L2(vector)
        found = self.nearest(vector[0].tolist(), k, among)
        documents = {self.documents.key(d.id or ""): d for d in self.documents.get([key for key, _ in found])}
        return [(documents[key], score) for key, score in found if key in documents]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def _select_relevance_score_fn(self) -> Any:
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
    ) -> FaissStore:
        store = cls(embedding)
        store.add_texts(texts, metadatas, ids=ids)
        return store


def faiss_gpu(device: str = "auto") -> int | None:
    """The number of the GPU that FAISS searches on for `device`; None for the CPU, also where FAISS has no GPU."""
    gpus = faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0
    number = int(device.partition(":")[2] or 0)
    return number if device != "cpu" and number < gpus else None

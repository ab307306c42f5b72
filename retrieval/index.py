"""A library's indexes, derived from its catalogue: FAISS over the vectors, BM25 over the texts.

`sync` makes them say what the catalogue says, whatever happened before; snapshots only spare the work.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from langchain_core.documents import Document

from octavo.ingest.catalogue import Catalogue
from octavo.retrieval.bm25 import BM25
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.store import FaissStore

log = logging.getLogger(__name__)

_ADD_AT_ONCE = 10_000


class CatalogueDocuments:
    """A store's documents read from the catalogue, where they already are; keys are chunk ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def key(self, id: str) -> int:
        return int(id)

    def get(self, keys: Sequence[int]) -> list[Document]:
        return [
            Document(
                id=str(stored.chunk.id),
                page_content=stored.chunk.indexed_text,
                metadata={"document": stored.document, "sha256": stored.sha256, "page": stored.chunk.page},
            )
            for stored in self.catalogue.chunks(keys)
        ]

    def put(self, documents: Mapping[int, Document]) -> None:
        raise TypeError("a library takes in PDFs: Library.ingest")

    def drop(self, keys: Iterable[int]) -> None:
        raise TypeError("a library deletes PDFs: Library.delete")


class Index:
    """Both indexes of a library, kept in `folder`."""

    def __init__(self, folder: Path, catalogue: Catalogue, embedder: Embedder) -> None:
        self.folder, self.catalogue, self.model = folder, catalogue, embedder.name
        self.vectors = FaissStore(embedder, CatalogueDocuments(catalogue))
        space = hashlib.sha256(self.model.encode()).hexdigest()[:12]  # vectors of one model never serve another
        self._vector_file, self._word_folder = folder / f"vectors-{space}.faiss", folder / "bm25"
        self.words = BM25()
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        with self._files():
            self.vectors.load(self._vector_file)
            self.words.load(self._word_folder)
        self.sync()

    @contextmanager
    def _files(self) -> Iterator[None]:
        """Holds the snapshots against other processes that save or load them; sweeps what a killed one left."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for stray in self.folder.glob("*.part"):
                shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
            yield

    def clear(self) -> None:
        """Empties both indexes; `sync` fills them again."""
        with self._lock:
            self.vectors.index = None
            self.words = BM25()

    def sync(self) -> tuple[int, int]:
        """Adds what the catalogue has and the indexes lack, drops what it no longer has; (added, dropped) chunks."""
        with self._lock:
            wanted = self.catalogue.ready_ids(self.model)
            have = set(self.vectors.keys().tolist())
            gone, missing = have.difference(wanted), [key for key in wanted if key not in have]
            self.vectors.remove_vectors(gone)
            for start in range(0, len(missing), _ADD_AT_ONCE):
                self.vectors.add_vectors(*self.catalogue.vectors(self.model, missing[start : start + _ADD_AT_ONCE]))
            if gone or missing:
                with self._files():
                    self.vectors.save(self._vector_file)
            if self.words.keys.tolist() != wanted:
                words = BM25()
                words.build(*self.catalogue.texts(wanted))
                with self._files():
                    words.save(self._word_folder)
                self.words = words
            log.info("index: %d chunks added, %d dropped", len(missing), len(gone))
            return len(missing), len(gone)

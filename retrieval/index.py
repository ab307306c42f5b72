"""A library's indexes, derived from its catalogue: FAISS over the vectors of texts and pictures, BM25 over the texts.

`sync` makes them say what the catalogue says, whatever happened before; snapshots only spare the work.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from langchain_core.documents import Document

from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.bm25 import BM25
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.model import IndexType
from octavo.retrieval.store import FaissStore, Filter
from octavo.retrieval.visual import PictureEmbedder

log = logging.getLogger(__name__)

_ADD_AT_ONCE = 10_000


class CatalogueDocuments:
    """A store's documents read from the catalogue, where they already are; keys are chunk ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def key(self, id: str) -> int:
        return int(id) if id.isdecimal() else -1  # no chunk's

    def get(self, keys: Sequence[int]) -> list[Document]:
        return [
            Document(
                id=str(stored.chunk.id),
                page_content=stored.chunk.indexed_text,
                metadata={"document": stored.document, "sha256": stored.sha256, "page": stored.chunk.page},
            )
            for stored in self.catalogue.chunks(keys, elements=False)
        ]

    def put(self, documents: Mapping[int, Document]) -> None:
        raise TypeError("a library takes in PDFs: Library.ingest")

    def drop(self, keys: Iterable[int]) -> None:
        raise TypeError("a library deletes PDFs: Library.delete")

    def passing(self, filter: Filter) -> list[int]:
        raise TypeError("a library searches in documents: Library.search(..., documents=[...])")

    def save(self, folder: Path) -> None:
        """Nothing: the catalogue keeps them."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One FAISS index: the store, whether it holds pictures or texts, and its snapshot."""

    store: FaissStore
    model: str
    pictures: bool
    file: Path


class Index:
    """All indexes of a library, kept in `folder`.

    `vectors` holds texts as `embedder` sees them, `pictures` pages, tables and figures as `looker` does, `joint` the
    texts in the space of these pictures: `vectors` itself where that is one space, nothing where it has no texts.
    `texts` has both by their embedders' names, and for each of `more` the texts that it has embedded.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        embedder: Embedder,
        looker: PictureEmbedder,
        device: str = "auto",
        index_type: IndexType = IndexType.AUTO,
        more: Iterable[Embedder] = (),
    ) -> None:
        self.folder, self.catalogue = folder, catalogue
        self.device, self.index_type = device, index_type
        space = looker.space or looker.name
        seen = {**{other.name: other for other in more}, space: looker, embedder.name: embedder}
        texts = {name: self._part(other, pictures=False) for name, other in seen.items()}
        pictures = self._part(looker, pictures=True)
        self.texts = {name: part.store for name, part in texts.items()}
        self.vectors, self.pictures, self.joint = self.texts[embedder.name], pictures.store, self.texts[space]
        self._texts, self._parts = texts[embedder.name], [*texts.values(), pictures]
        self._word_folder = folder / "bm25"
        self.words = BM25()
        self.stamp: tuple[int, int] | None = None  # the catalogue's at the last `sync`
        self._lock = threading.Lock()
        try:
            with self._files():
                for stray in set(folder.glob("*.faiss")) - {part.file for part in self._parts}:
                    stray.unlink()  # of another model: what is deleted from now on would stay in it
                self._load()
        except OSError:  # a folder that cannot be written is read as it is
            self._load()
        self.sync()

    def _load(self) -> None:
        for part in self._parts:
            try:
                part.store.vectors.load(part.file)
            except Exception:  # noqa: BLE001 - absent, or damaged in whatever way: `sync` makes it again
                part.store.vectors.clear()
        self.words.load(self._word_folder)

    def _part(self, embedder: Embedder, pictures: bool) -> _Part:
        space = hashlib.sha256(embedder.name.encode()).hexdigest()[:12]  # vectors of one model never serve another
        file = self.folder / f"{'pictures' if pictures else 'vectors'}-{space}.faiss"
        store = FaissStore(embedder, CatalogueDocuments(self.catalogue), self.device, self.index_type)
        return _Part(store, embedder.name, pictures, file)

    @contextmanager
    def _files(self) -> Iterator[None]:
        """Holds the snapshots against other processes that save or load them; sweeps what a killed one left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for stray in self.folder.glob("*.part"):
                shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
            yield

    def _keep(self, save: Callable[[], None]) -> None:
        """Saves a snapshot; where that cannot be, what it holds is derived again at the next opening."""
        try:
            with self._files():
                save()
        except (OSError, RuntimeError) as error:  # FAISS raises the latter
            log.warning("the index in %s cannot be written: %s", self.folder, error)

    def clear(self) -> None:
        """Empties all indexes; `sync` fills them again."""
        with self._lock:
            for part in self._parts:
                part.store.vectors.clear()
            self.words, self.stamp = BM25(), None

    def sync(self) -> tuple[int, int]:
        """Adds what the catalogue has and the indexes lack, drops what it no longer has; (added, dropped) vectors."""
        with self._lock:
            stamp = self.catalogue.stamp()
            ready = {part.file: self.catalogue.ready_ids(part.model, part.pictures) for part in self._parts}
            changes = [self._sync(part, ready[part.file]) for part in self._parts]
            added, dropped = (sum(some) for some in zip(*changes, strict=True))
            wanted = ready[self._texts.file]
            if sorted(self.words.keys.tolist()) != wanted:
                words = BM25()
                words.build(*self.catalogue.texts(wanted))
                self._keep(partial(words.save, self._word_folder))
                self.words = words
            self.stamp = stamp
            log.info("index: %d vectors added, %d dropped", added, dropped)
            return added, dropped

    def _sync(self, part: _Part, wanted: Sequence[int]) -> tuple[int, int]:
        have = set(part.store.vectors.keys().tolist())
        gone, missing = have.difference(wanted), [key for key in wanted if key not in have]
        if gone:  # a change, even of nothing, has filters and copies made anew
            part.store.vectors.remove(gone)
        for start in range(0, len(missing), _ADD_AT_ONCE):
            part.store.vectors.add(*self.catalogue.vectors(part.model, missing[start : start + _ADD_AT_ONCE]))
        if gone or missing:
            self._keep(partial(part.store.vectors.save, part.file))
        return len(missing), len(gone)

"""An open library: its parts, its documents and its conversations, and the lock of whoever changes it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Self, cast
from uuid import uuid4

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from sqlalchemy.exc import DatabaseError

from octavo.contract import redacted
from octavo.generation.answerer import Answerer
from octavo.generation.extractive import ExtractiveReader
from octavo.generators import make_answerer, wrap
from octavo.ingest.embedding import Embedding, Space, chunk_png
from octavo.ingest.model import Box, ElementType, ParsedDocument
from octavo.ingest.reader import PageReader
from octavo.ingest.readers import make_reader
from octavo.ingest.render import Colour, page_png
from octavo.ingest.store.catalogue import Catalogue, DocumentInfo, Message, StoredChunk
from octavo.ingest.store.files import Files, storing
from octavo.ingest.text import printable
from octavo.ingest.workers import Limits
from octavo.kernels.device import resolve_device
from octavo.models import ModelShelf
from octavo.retrieval.embedder import Embedder, SentenceEmbedder, as_embedder
from octavo.retrieval.engine import SearchEngine
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, Mode
from octavo.retrieval.visual import PictureEmbedder, TextUnderPictures, VisualEmbedder
from octavo.settings import EMBEDDED, Generator, Settings

EMBEDDER_CHOICE = "embedder"
_CANDIDATES = 5  # documents of one name that are listed


def limits(settings: Settings) -> Limits:
    """What reading a PDF may cost."""
    s = settings
    return Limits(s.workers, s.max_bytes, s.max_pages, s.page_seconds, s.worker_bytes)


class LibraryError(RuntimeError):
    """Something a user can put right; the message is one line that says what to do."""


class NoSuchDocumentError(LibraryError):
    """A document was named that the library does not hold."""


class OpenLibrary:
    """What `Library` is made of; see there for the arguments."""

    def __init__(
        self,
        folder: str | Path | None = None,
        settings: Settings | None = None,
        *,
        embedder: Embeddings | None = None,
        retriever: BaseRetriever | None = None,
        generator: BaseChatModel | None = None,
    ) -> None:
        settings = settings or Settings()
        if settings.device not in ("auto", "cpu"):  # which are always there; known now, not after an hour of reading
            resolve_device(settings.device)
        self.settings = settings.model_copy(update={"library": Path(folder)}) if folder else settings
        self.folder = self.settings.library
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.files = Files(self.folder)
        except OSError as error:
            raise LibraryError(f"cannot use {self.folder} as a library: {error.strerror}") from error
        url = self.settings.database_url or f"sqlite:///{self.folder.resolve() / 'catalogue.sqlite'}"
        self.catalogue = Catalogue(url, redacted)
        self._match()
        with suppress(DatabaseError):  # one that cannot be written now: the next opening does it
            self.catalogue.add_cards()
        self.models = ModelShelf(self.folder / "models")
        self._given_embedder, self._retriever, self._generator = embedder, retriever, generator
        self._lock = Lock()
        self._open()

    def _match(self) -> None:
        """A folder keeps to its first catalogue: by another one its PDFs would be strays, which ingestion removes."""
        name, own = self.folder / "catalogue.id", self.catalogue.identity
        if not name.exists():
            known, here = {info.sha256 for info in self.documents()}, self.files.kept()
            if self.settings.database_url and known | here and not known & here:
                self.close()
                raise LibraryError(
                    f"{self.folder} has none of the PDFs of the catalogue that DATABASE_URL or OCTAVO_DATABASE_URL "
                    "names: one folder and one catalogue make a library"
                )
            fresh = name.with_suffix(f".{uuid4().hex}.part")  # as a whole, whoever else opens it
            fresh.write_text(own)
            fresh.replace(name)
        elif name.read_text() != own:
            self.close()
            raise LibraryError(f"{self.folder} belongs to another catalogue: look at OCTAVO_DATABASE_URL, DATABASE_URL")

    def _open(self) -> None:
        """Takes up the embedder that the settings or the library name, and all that hangs on it."""
        self._choice = self.catalogue.choice(EMBEDDER_CHOICE)
        named = self.settings.embedder or self.models.resolve(self._choice or EMBEDDED)
        given, device = self._given_embedder, self.settings.device
        self.embedder: Embedder = as_embedder(given) if given else SentenceEmbedder(named, device)
        visual = self.settings.visual_embedder
        self.looker: PictureEmbedder = VisualEmbedder(visual, device) if visual else TextUnderPictures(self.embedder)
        self.engine = SearchEngine(
            self.folder / "index",
            self.catalogue,
            self.embedder,
            self.looker,
            self._retriever,
            device,
            self.settings.documents_first,
        )
        self.reader = ExtractiveReader(self.embedder)
        self._stamp: tuple[int, int] | None = None
        self._answerers: dict[Generator | None, Answerer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.catalogue.close()

    @property
    def index(self) -> Index:
        """FAISS and BM25 over the ready documents, brought up to date with the catalogue when first used."""
        return self.engine.index

    @property
    def retriever(self) -> BaseRetriever:
        """The text way of searching; `engine.retriever` has them all."""
        return self.engine.retriever(Mode.TEXT)

    @cached_property
    def _reader(self) -> PageReader:
        return make_reader(self.settings.reader, self.settings.ocr)

    @property
    def _embedding(self) -> Embedding:
        return self._embedding_by(self.embedder, self.looker)

    def _embedding_by(self, embedder: Embedder, looker: PictureEmbedder) -> Embedding:
        """What embeds texts, and pictures in the same space or in one of their own, which then holds the texts too."""
        spaces = [Space(looker.name, looker.encode, looker.encode_pictures)]
        if looker.name != embedder.name:
            spaces.insert(0, Space(embedder.name, embedder.encode))
        return Embedding(self.catalogue, self.files, spaces)

    def _answerer(self, generator: Generator | None) -> Answerer:
        """What answers: the chat model given to this library unless `generator` names another. Made once."""
        key = generator or (None if self._generator else self.settings.generator)
        with self._lock:
            if key not in self._answerers:
                self._answerers[key] = (
                    make_answerer(self.settings, key, self.reader, self._pictures)
                    if key
                    else wrap(cast(BaseChatModel, self._generator), self.settings, self.reader, self._pictures)
                )
            return self._answerers[key]

    @contextmanager
    def _writing(self, wait: bool = False) -> Iterator[None]:
        """Holds the library for one process that changes it; the lock goes with the process, however that ends."""
        with storing(self.folder):
            file = (self.folder / "lock").open("w")
        with file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LibraryError("the library is being changed by another ingestion: wait until it ends") from None
            yield

    def _follow_choice(self) -> None:
        """Opens anew when another process has chosen another embedder."""
        choice = self.catalogue.choice(EMBEDDER_CHOICE)
        with self._lock:
            if choice != self._choice:
                self._open()

    def _refresh(self) -> None:
        """Sees what was changed here or in another process. Raises LibraryError when there is nothing to search."""
        self._follow_choice()
        stamp = self.catalogue.stamp()
        if not stamp[0]:
            raise LibraryError("the library is empty: add PDFs with `octavo ingest FOLDER`")
        if stamp != self._stamp or not len(self.index.vectors):
            self.index.sync()
            self._stamp = stamp
        if not len(self.index.vectors):
            raise LibraryError(f"no vectors of the embedder {self.embedder.name!r} yet: `octavo index` makes them")

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All documents by name, with their states and numbers."""
        return self.catalogue.documents()

    def find(self, document: str) -> DocumentInfo:
        """The document of that file name (any of its names), or whose SHA-256 begins so (at least 6 digits).

        Raises NoSuchDocumentError, or LibraryError when several go by the name.
        """
        found = self.catalogue.find(document)
        if not found:
            raise NoSuchDocumentError(f"no document {document!r} in this library; `octavo documents` lists them")
        if len(found) > 1:
            them = ", ".join(f"{info.sha256[:12]} ({_told_apart(info)})" for info in found[:_CANDIDATES])
            more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
            raise LibraryError(f"{len(found)} documents go by {document!r}: name one by its SHA-256, {them}{more}")
        return found[0]

    def parsed(self, document: str) -> ParsedDocument:
        """Pages, elements and links of a document. Raises as `find`."""
        return self.catalogue.parsed(self.find(document).sha256)

    def page_picture(self, sha256: str, page: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110) -> bytes:
        """A page (from 1) as PNG bytes with boxes (points) drawn in colours (RGB, 0 to 1). Raises IndexError."""
        return page_png(self.files.pdf(sha256), page, boxes, dpi)

    def _pictures(self, hit: Hit) -> list[bytes]:
        """A picture that was found; else those of a hit's figures and tables, as PNG bytes."""
        stored = StoredChunk(hit.chunk, hit.document, hit.sha256, hit.elements)
        if hit.chunk.picture or hit.chunk.type is ElementType.TABLE:
            return [chunk_png(self.files, stored)]
        return [self.files.image(hit.sha256, element.image).read_bytes() for element in hit.elements if element.image]

    # Conversations

    def conversations(self) -> list[tuple[int, str]]:
        """(id, title) of every conversation, newest first."""
        return self.catalogue.conversations()

    def start_conversation(self, title: str) -> int:
        """A new conversation's id."""
        return self.catalogue.start_conversation(title)

    def delete_conversation(self, conversation: int) -> None:
        self.catalogue.delete_conversation(conversation)

    def messages(self, conversation: int) -> list[Message]:
        """A conversation's messages, oldest first."""
        return self.catalogue.messages(conversation)

    def add_message(self, conversation: int, role: str, text: str, answer: Mapping[str, Any] | None = None) -> None:
        """Keeps a message of `role` "user" or "assistant"; an `answer` as `octavo.contract.answer` gives it."""
        self.catalogue.add_message(conversation, role, text, answer)


def _told_apart(info: DocumentInfo) -> str:
    """What tells a document from another of its name: where it was read from, else how it is called."""
    return printable(info.sources[0] if info.sources else info.title or info.name)

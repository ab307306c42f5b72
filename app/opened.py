"""An open library: a shelf with what reads, embeds, searches and answers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import cast

from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever

from octavo.generation.answerer import Answerer
from octavo.generation.extractive import ExtractiveReader
from octavo.generators import make_answerer, wrap
from octavo.ingest.embedding import Embedding, Space, chunk_png
from octavo.ingest.model import ElementType
from octavo.ingest.reader import PageReader
from octavo.ingest.readers import make_reader
from octavo.ingest.store.catalogue import StoredChunk
from octavo.ingest.workers import Limits
from octavo.kernels.device import resolve_device
from octavo.models import ModelShelf
from octavo.retrieval.embedder import Embedder, SentenceEmbedder, as_embedder
from octavo.retrieval.engine import SearchEngine
from octavo.retrieval.index import Index
from octavo.retrieval.looking import picture_embedder
from octavo.retrieval.model import Hit, Mode
from octavo.retrieval.reranker import SentenceReranker
from octavo.retrieval.tuning import TUNINGS, read_tunings
from octavo.retrieval.visual import PictureEmbedder
from octavo.settings import EMBEDDED, Generator, Settings
from octavo.shelf import LibraryError, Shelf

EMBEDDER_CHOICE = "embedder"


def limits(settings: Settings) -> Limits:
    """What reading a PDF may cost."""
    s = settings
    return Limits(s.workers, s.max_bytes, s.max_pages, s.page_seconds, s.worker_bytes)


class OpenLibrary(Shelf):
    """What `Library` is made of; see there for the arguments."""

    def __init__(
        self,
        folder: str | Path | None = None,
        settings: Settings | None = None,
        *,
        embedder: Embeddings | None = None,
        retriever: BaseRetriever | None = None,
        generator: BaseChatModel | None = None,
        reranker: BaseCrossEncoder | None = None,
    ) -> None:
        settings = settings or Settings()
        if settings.device not in ("auto", "cpu"):  # which are always there; known now, not after an hour of reading
            resolve_device(settings.device)
        super().__init__(folder, settings)
        self.models = ModelShelf(self.folder / "models")
        self._given_embedder, self._retriever, self._generator = embedder, retriever, generator
        self._given_reranker = reranker
        self._lock = Lock()
        self._open()

    def _open(self) -> None:
        """Takes up the embedder that the settings or the library name, and all that hangs on it."""
        self._choice, self._tuned = self._choices()
        tunings = read_tunings(self._tuned)
        named = self.settings.embedder or self.models.resolve(self._choice or EMBEDDED)
        given, device = self._given_embedder, self.settings.device
        self.embedder: Embedder = as_embedder(given) if given else SentenceEmbedder(named, device)
        self.looker = picture_embedder(self.settings.visual_embedder, self.embedder, device)
        reranker = self.settings.reranker
        self.engine = SearchEngine(
            self.folder / "index",
            self.catalogue,
            self.embedder,
            self.looker,
            self._retriever,
            device,
            self.settings.documents_first,
            self.settings.index,
            self._given_reranker or (SentenceReranker(reranker, device) if reranker else None),
            tunings,
            {
                own: SentenceEmbedder(self.models.resolve(own), device)
                for own in {tuning.embedder for tuning in tunings.values()}
                if own
            },
        )
        self.reader = ExtractiveReader(self.embedder)
        self._answerers: dict[Generator | None, Answerer] = {}
        self._width = 0  # of a given embedder's vectors, once known

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
        self._check_width()
        return self._embedding_by(self.embedder, self.looker)

    def _embedding_by(self, embedder: Embedder, looker: PictureEmbedder) -> Embedding:
        """What embeds texts, and pictures in the same space or in one of their own, which then holds the texts too."""
        if looker.name == embedder.name:
            spaces = [Space(looker.name, looker.encode, looker.encode_pictures)]
        else:
            spaces = [Space(embedder.name, embedder.encode), looker.kept]
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

    def _choices(self) -> tuple[str | None, str | None]:
        """The embedder chosen for this library, and how its domains are tuned, as they are kept."""
        return self.catalogue.choice(EMBEDDER_CHOICE), self.catalogue.choice(TUNINGS)

    def _follow_choice(self) -> None:
        """Opens anew when another embedder was chosen, or a domain tuned, here or in another process."""
        choices = self._choices()
        with self._lock:
            if choices != (self._choice, self._tuned):
                self._open()

    def _check_width(self) -> None:
        """Raises LibraryError where a given embedder's vectors are longer or shorter than those kept by its name."""
        kept = self.catalogue.dimensions(self.embedder.name) if self._given_embedder else 0
        if kept and not self._width:
            self._width = len(self.embedder.embed_query("a"))
        if kept and kept != self._width:
            raise LibraryError(
                f"the embedder {self.embedder.name!r} gives vectors of {self._width} dimensions, and those that this "
                f"library keeps by its name have {kept}: open it with the embedder that made them, or with one of "
                "another name"
            )

    def _refresh(self) -> None:
        """Sees what was changed here or in another process. Raises LibraryError when there is nothing to search."""
        self._follow_choice()
        self._check_width()
        stamp = self.catalogue.stamp()
        if not stamp[0]:
            raise LibraryError("the library is empty: add PDFs with `octavo ingest FOLDER`")
        if stamp != self.index.stamp:
            self.index.sync()
        if not len(self.index.vectors):
            raise LibraryError(f"no vectors of the embedder {self.embedder.name!r} yet: `octavo index` makes them")

    def _pictures(self, hit: Hit) -> list[bytes]:
        """A picture that was found; else those of a hit's figures and tables, as PNG bytes."""
        stored = StoredChunk(hit.chunk, hit.document, hit.sha256, hit.elements)
        if hit.chunk.picture or hit.chunk.type is ElementType.TABLE:
            return [chunk_png(self.files, stored)]
        return [self.files.image(hit.sha256, element.image).read_bytes() for element in hit.elements if element.image]

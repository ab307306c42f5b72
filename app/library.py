"""`Library`: one folder of PDFs with all that Octavo knows of them, and the one object that everything else talks to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from time import monotonic

from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever

from octavo.generation.answerer import Answerer
from octavo.generation.model import Answer
from octavo.generators import make_answerer
from octavo.ingest.catalogue import Catalogue, DocumentInfo
from octavo.ingest.files import Files
from octavo.ingest.model import Box, ElementType, ParsedDocument, State
from octavo.ingest.pipeline import Embedding, IngestReport, Progress, Source, discover, ingest
from octavo.ingest.reader import PyMuPDFReader
from octavo.ingest.render import Colour, page_png
from octavo.ingest.workers import Limits
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, Selection
from octavo.retrieval.search import HybridRetriever, follow_links, to_hits
from octavo.settings import Settings

_LINKED = 4  # chunks that links may bring beside the k found
COLOURS: dict[ElementType, Colour] = {
    ElementType.TEXT: (0.16, 0.36, 0.75),
    ElementType.LIST: (0.16, 0.36, 0.75),
    ElementType.HEADING: (0.10, 0.55, 0.45),
    ElementType.TABLE: (0.80, 0.25, 0.15),
    ElementType.FIGURE: (0.55, 0.20, 0.65),
    ElementType.CAPTION: (0.85, 0.55, 0.05),
}
"""What an element of each type is drawn in, on pages and in the chat; others in grey."""


class LibraryError(RuntimeError):
    """Something a user can put right; the message is one line that says what to do."""


class NoSuchDocumentError(LibraryError):
    """A document was named that the library does not hold."""


class Library:
    """A library in a folder, made if it is not there.

        with Library("my-library") as library:
            library.ingest(["reports/"])
            answer = library.ask("What were total net sales in the third quarter?")
            print(answer.text, [(c.document, c.page, c.bbox) for c in answer.citations])

    `settings` default to the environment's; `embedder`, `retriever` and `generator` put any LangChain object in the
    place of the one that the settings name. Opening repairs what a crash left: files of no document go, and the
    indexes follow the catalogue. Safe to use from several threads. Raises LibraryError.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        settings: Settings | None = None,
        *,
        embedder: SentenceEmbedder | None = None,
        retriever: BaseRetriever | None = None,
        generator: BaseChatModel | None = None,
    ) -> None:
        settings = settings or Settings()
        self.settings = settings.model_copy(update={"library": Path(folder)}) if folder else settings
        self.folder = self.settings.library
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.files = Files(self.folder)
        except OSError as error:
            raise LibraryError(f"cannot use {self.folder} as a library: {error.strerror}") from error
        url = self.settings.database_url or f"sqlite:///{self.folder.resolve() / 'catalogue.sqlite'}"
        self.catalogue = Catalogue(url)
        self.embedder = embedder or SentenceEmbedder(self.settings.embedder)
        self._retriever, self._generator = retriever, generator

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.catalogue.close()

    @cached_property
    def index(self) -> Index:
        """FAISS and BM25 over the ready documents, brought up to date with the catalogue when first used."""
        return Index(self.folder / "index", self.catalogue, self.embedder)

    @cached_property
    def retriever(self) -> BaseRetriever:
        return self._retriever or HybridRetriever(index=self.index, k=self.settings.k)

    @cached_property
    def answerer(self) -> Answerer:
        return make_answerer(self.settings, self.embedder, self._generator, self._pictures)

    # Documents

    def ingest(
        self,
        paths: Iterable[str | Path],
        *,
        recursive: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> IngestReport:
        """Takes in the PDFs at `paths`, files or folders; also finishes what an interrupted ingestion left.

        Documents that are already in are not read again; a changed file replaces what stood at its path. A failed
        document is in the report with its error and harms no other; so is each path without a PDF.
        """
        sources, problems = discover([Path(p) for p in paths], recursive)
        report = self.take_in(sources, on_progress)
        report.problems.extend(problems)
        return report

    def upload(
        self, files: Iterable[tuple[str, bytes]], on_progress: Callable[[Progress], None] = lambda _: None
    ) -> IngestReport:
        """Takes in PDFs given as (name, bytes). A name is only ever shown, never used as a path."""
        with tempfile.TemporaryDirectory(prefix="octavo-") as folder:
            sources = []
            for n, (name, data) in enumerate(files):
                path = Path(folder) / f"{n}.pdf"
                path.write_bytes(data)
                sources.append(Source(path, Path(name.replace("\\", "/")).name or f"upload-{n}.pdf", lasting=False))
            return self.take_in(sources, on_progress)

    def take_in(
        self, sources: Sequence[Source], on_progress: Callable[[Progress], None] = lambda _: None
    ) -> IngestReport:
        limits = Limits(
            self.settings.workers,
            self.settings.max_bytes,
            self.settings.max_pages,
            self.settings.page_seconds,
            self.settings.worker_bytes,
        )
        embedding = Embedding(self.embedder.name, self.embedder.encode)
        report = ingest(sources, self.catalogue, self.files, PyMuPDFReader(), limits, embedding, on_progress)
        if len(report.unchanged) < len(report.documents) or report.replaced:
            self.index.sync()
        return report

    def documents(self) -> list[DocumentInfo]:
        """All documents by name, with their states and numbers."""
        return self.catalogue.documents()

    def find(self, document: str) -> DocumentInfo:
        """The document of that file name, or whose SHA-256 begins so (at least 6 digits).

        Raises NoSuchDocumentError, or LibraryError when several go by the name.
        """
        infos = self.catalogue.documents()
        found = [i for i in infos if i.name == document]
        found = found or [i for i in infos if len(document) >= 6 and i.sha256.startswith(document.lower())]
        if not found:
            raise NoSuchDocumentError(f"no document {document!r} in this library; `octavo documents` lists them")
        if len(found) > 1:
            names = ", ".join(i.sha256[:12] for i in found)
            raise LibraryError(f"{len(found)} documents go by {document!r}: name one by its SHA-256 ({names})")
        return found[0]

    def delete(self, document: str) -> DocumentInfo:
        """Deletes a document with its rows, vectors, pictures and file; gives back what it was. Raises as `find`."""
        info = self.find(document)
        self.catalogue.delete(info.sha256)
        self.files.remove(info.sha256)
        self.index.sync()
        return info

    def parsed(self, document: str) -> ParsedDocument:
        """Pages, elements and links of a document. Raises as `find`."""
        return self.catalogue.parsed(self.find(document).sha256)

    def page_picture(self, sha256: str, page: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110) -> bytes:
        """A page (from 1) as PNG bytes with boxes (points) drawn in colours (RGB, 0 to 1). Raises IndexError."""
        return page_png(self.files.pdf(sha256), page, boxes, dpi)

    # Questions

    def search(self, query: str, k: int | None = None, documents: Sequence[str] = ()) -> list[Hit]:
        """The `k` best chunks for `query`, best first; in `documents` (names or hashes) only, if any are given.

        Raises LibraryError for an empty library or query.
        """
        if not query.strip():
            raise LibraryError("the question is empty")
        if not any(info.state is State.READY for info in self.catalogue.documents()):
            raise LibraryError("the library is empty: add PDFs with `octavo ingest FOLDER`")
        among = [self.find(document).sha256 for document in documents] or None
        found = self.retriever.invoke(query, k=k or self.settings.k, documents=among)
        return to_hits(self.catalogue, found)

    def select(self, query: str, documents: Sequence[str] = ()) -> Selection:
        """The evidence for an answer: what a search finds, and what its links bring beside it."""
        hits = self.search(query, documents=documents)
        return Selection((*hits, *follow_links(self.catalogue, hits, _LINKED)))

    def ask(self, question: str, documents: Sequence[str] = ()) -> Answer:
        """An answer with citations. Raises LibraryError."""
        *_, answer = self.stream(question, documents)
        assert isinstance(answer, Answer)  # noqa: S101 - the stream ends with it
        return answer

    def stream(self, question: str, documents: Sequence[str] = ()) -> Iterator[str | Answer]:
        """The answer's text in pieces as it is written, and at the end the Answer, whose text holds. Raises LibraryError."""
        started = monotonic()
        selection = self.select(question, documents)
        yield from self.answerer.stream(question, selection, {"retrieve": monotonic() - started})

    def _pictures(self, hit: Hit) -> list[bytes]:
        """The pictures of a hit's figures, and of the page round its tables, as PNG bytes."""
        pictures = []
        for element in hit.elements:
            if element.image:
                pictures.append(self.files.image(hit.sha256, element.image).read_bytes())
            elif element.type is ElementType.TABLE:
                pictures.append(self.page_picture(hit.sha256, element.page))
        return pictures

    def repair(self) -> None:
        """Removes files of no document and brings the indexes up to date. Not while another process ingests."""
        self.files.remove_strays(info.sha256 for info in self.documents())
        self.index.sync()

    def erase(self) -> None:
        """Deletes the whole library, folder and all."""
        self.close()
        shutil.rmtree(self.folder)

"""`Library`: one folder of PDFs with all that Octavo knows of them; the object that everything else talks to."""

from __future__ import annotations

import fcntl
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import perf_counter
from types import EllipsisType
from typing import Any, TypedDict, Unpack, cast

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever

from octavo.generation.answerer import Answerer, Images
from octavo.generation.extractive import ExtractiveReader
from octavo.generation.local import LocalModelError
from octavo.generation.model import Answer
from octavo.generators import make_answerer, wrap
from octavo.ingest.catalogue import Catalogue, DocumentInfo, Message, StoredChunk
from octavo.ingest.embedding import Embedding, Space, chunk_png
from octavo.ingest.files import Files
from octavo.ingest.model import Box, ElementType, ParsedDocument, State
from octavo.ingest.pictures import make_pictures
from octavo.ingest.pipeline import IngestReport, Progress, Source, discover, ingest
from octavo.ingest.reader import PyMuPDFReader, UnreadableError
from octavo.ingest.render import Colour, page_png
from octavo.ingest.workers import Limits
from octavo.models import ModelShelf
from octavo.retrieval.domains import DomainError, valid_name
from octavo.retrieval.embedder import Embedder, SentenceEmbedder, as_embedder
from octavo.retrieval.engine import SearchEngine
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, Mode, Rule, Selection
from octavo.retrieval.search import bring_pages, follow_links
from octavo.retrieval.selection import choose
from octavo.retrieval.visual import PictureEmbedder, TextUnderPictures, VisualEmbedder
from octavo.settings import EMBEDDED, Generator, Settings

_EMBEDDER = "embedder"  # the name of that choice in the catalogue
_LINKED = 4  # chunks that links may bring beside the k found
_COLOURS: dict[ElementType, Colour] = {
    ElementType.TEXT: (0.16, 0.36, 0.75),
    ElementType.LIST: (0.16, 0.36, 0.75),
    ElementType.HEADING: (0.10, 0.55, 0.45),
    ElementType.TABLE: (0.80, 0.25, 0.15),
    ElementType.FIGURE: (0.55, 0.20, 0.65),
    ElementType.CAPTION: (0.85, 0.55, 0.05),
}


def colour(kind: ElementType) -> Colour:
    """What an element of `kind` is drawn in, on pages and in the chat."""
    return _COLOURS.get(kind, (0.45, 0.45, 0.45))


def limits(settings: Settings) -> Limits:
    """What reading a PDF may cost."""
    s = settings
    return Limits(s.workers, s.max_bytes, s.max_pages, s.page_seconds, s.worker_bytes)


class LibraryError(RuntimeError):
    """Something a user can put right; the message is one line that says what to do."""


class NoSuchDocumentError(LibraryError):
    """A document was named that the library does not hold."""


class How(TypedDict, total=False):
    """How evidence is found and chosen, as the settings of these names say it; what is left out is the settings'."""

    mode: Mode | str
    domain: str | None  # None: all of them, whatever the settings say
    rule: Rule | str
    k: int


class Library:
    """A library in a folder, made if it is not there.

        with Library("my-library") as library:
            library.ingest(["reports/"])
            answer = library.ask("What were total net sales in the third quarter?")
            print(answer.text, [(c.document, c.page, c.bbox) for c in answer.citations])

    `settings` default to the environment's; `embedder`, `retriever` and `generator` put any LangChain object in the
    place of the one that the settings name. Its first search repairs the indexes after the catalogue, its first
    ingestion removes files that a crash left. Safe to use from several threads. Raises LibraryError.
    """

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
        self.settings = settings.model_copy(update={"library": Path(folder)}) if folder else settings
        self.folder = self.settings.library
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.files = Files(self.folder)
        except OSError as error:
            raise LibraryError(f"cannot use {self.folder} as a library: {error.strerror}") from error
        url = self.settings.database_url or f"sqlite:///{self.folder.resolve() / 'catalogue.sqlite'}"
        self.catalogue = Catalogue(url)
        self.models = ModelShelf(self.folder / "models")
        self._given_embedder, self._retriever, self._generator = embedder, retriever, generator
        self._reader = PyMuPDFReader(self.settings.ocr)
        self._lock = Lock()
        self._open()

    def _open(self) -> None:
        """Takes up the embedder that the settings or the library name, and all that hangs on it."""
        self._choice = self.catalogue.choice(_EMBEDDER)
        named = self.settings.embedder or self.models.resolve(self._choice or EMBEDDED)
        given = self._given_embedder
        self.embedder: Embedder = as_embedder(given) if given else SentenceEmbedder(named)
        visual = self.settings.visual_embedder
        self.looker: PictureEmbedder = VisualEmbedder(visual) if visual else TextUnderPictures(self.embedder)
        self.engine = SearchEngine(self.folder / "index", self.catalogue, self.embedder, self.looker, self._retriever)
        self.reader = ExtractiveReader(self.embedder)
        self._stamp: tuple[int, int] | None = None
        self._answerers: dict[Generator | None, Answerer] = {}

    def __enter__(self) -> Library:
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

    @property
    def _images(self) -> Images | None:
        return self._pictures if self.settings.openai_images else None

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
                    make_answerer(self.settings, key, self.reader, self._images)
                    if key
                    else wrap(cast(BaseChatModel, self._generator), self.reader, self._images)
                )
            return self._answerers[key]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Holds the library for one process that changes it; the lock goes with the process, however that ends."""
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LibraryError("the library is being changed by another ingestion: wait until it ends") from None
            yield

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
        """As `ingest`, for sources already found. One ingestion at a time: raises LibraryError when another runs."""
        with self._writing():
            self._follow_choice()
            self._add_pictures()
            self.files.remove_strays(info.sha256 for info in self.documents())
            report = ingest(
                sources, self.catalogue, self.files, self._reader, limits(self.settings), self._embedding, on_progress
            )
            with suppress(UnreadableError):  # of a document of before; `octavo index` tells
                self._fill(self._embedding)
            new = [i.sha256 for i in report.documents if i.state is State.READY and i.sha256 not in report.unchanged]
            with suppress(DomainError):  # which the next question to a domain tells
                self.catalogue.set_domain(self.engine.place(new))
            return report

    def documents(self) -> list[DocumentInfo]:
        """All documents by name, with their states and numbers."""
        return self.catalogue.documents()

    def find(self, document: str) -> DocumentInfo:
        """The document of that file name, or whose SHA-256 begins so (at least 6 digits).

        Raises NoSuchDocumentError, or LibraryError when several go by the name.
        """
        found = self.catalogue.find(document)
        if not found:
            raise NoSuchDocumentError(f"no document {document!r} in this library; `octavo documents` lists them")
        if len(found) > 1:
            names = ", ".join(i.sha256[:12] for i in found)
            raise LibraryError(f"{len(found)} documents go by {document!r}: name one by its SHA-256 ({names})")
        return found[0]

    def delete(self, document: str) -> DocumentInfo:
        """Deletes a document with its rows, vectors, pictures and file; gives back what it was. Raises as `find`."""
        info = self.find(document)
        with self._writing():
            self.catalogue.delete(info.sha256)
            self.files.remove(info.sha256)
        self.index.sync()
        return info

    def reindex(self, rebuild: bool = False, on_progress: Callable[[int, int], None] = lambda done, of: None) -> int:
        """Embeds what has no vector of this library's embedders yet, and brings the indexes in line, or anew.

        `on_progress(done, of)` counts texts and pictures embedded. Gives back the number of text chunks indexed.
        """
        with self._writing():
            self._follow_choice()
            self._add_pictures()
            self._fill(self._embedding, on_progress)
        if rebuild:
            self.index.clear()
        self.index.sync()
        return len(self.index.vectors)

    def adopt(
        self, model: str, rebuild: bool = False, on_progress: Callable[[int, int], None] = lambda done, of: None
    ) -> int:
        """Makes `model` (a folder, a name, or "embedded") this library's embedder from now on, and indexes by it.

        A folder is copied into the library. Until all is embedded anew the library stays as it was. Raises LibraryError
        for a model of another dimension than the library's vectors, unless `rebuild`, and ModelMissingError.
        """
        if self._given_embedder:
            raise LibraryError("this library was opened with an embedder of its own, which would win")
        if self.settings.embedder:
            raise LibraryError(
                f"the setting `embedder` names {self.settings.embedder!r} and would win: unset OCTAVO_EMBEDDER"
            )
        chosen = SentenceEmbedder(model)
        width, now = chosen.dimensions, self.catalogue.dimensions(self.embedder.name)
        if now and width != now and not rebuild:
            raise LibraryError(
                f"{model} gives vectors of {width} dimensions, this library's have {now}: "
                "`octavo index --rebuild --model` changes it over all the same"
            )
        with self._writing():
            visual = self.settings.visual_embedder
            looker = self.looker if visual else TextUnderPictures(chosen)
            embedding = self._embedding_by(chosen, looker)
            self._fill(embedding, on_progress)
            replaced = self.embedder.name
            self.catalogue.choose(_EMBEDDER, self.models.keep(model))
            self._follow_choice()
            if replaced not in {space.model for space in embedding.spaces}:
                self.catalogue.forget_vectors(replaced)
            self.models.keep_only(self._choice)
        self.index.sync()
        return len(self.index.vectors)

    def _add_pictures(self) -> None:
        """Gives the documents that an older version took in their pictures, still without vectors."""
        for name, sha256 in self.catalogue.pictureless():
            self.catalogue.add_chunks(sha256, make_pictures(self.catalogue.parsed(sha256), Path(name).stem))

    def _fill(self, embedding: Embedding, on_progress: Callable[[int, int], None] = lambda done, of: None) -> None:
        missing, done = embedding.missing(), 0
        for made in embedding.fill():
            done += made
            on_progress(done, missing)

    def _follow_choice(self) -> None:
        """Opens anew when another process has chosen another embedder."""
        choice = self.catalogue.choice(_EMBEDDER)
        with self._lock:
            if choice != self._choice:
                self._open()

    # Domains

    def domains(self) -> dict[str, list[DocumentInfo]]:
        """The ready documents of each domain, by name; those of none under ""."""
        found: dict[str, list[DocumentInfo]] = defaultdict(list)
        for info in self.documents():
            if info.state is State.READY:
                found[info.domain or ""].append(info)
        return dict(sorted(found.items()))

    def set_domain(self, domain: str | None, documents: Sequence[str]) -> None:
        """Puts documents (names or hashes) into a domain, or into none. Raises as `find`, and for a bad name."""
        if domain is not None and not valid_name(domain):
            raise LibraryError(f"{domain!r} cannot be a domain's name: up to 60 letters, digits, spaces, - _ and .")
        chosen = [self.find(document).sha256 for document in documents]
        with self._writing():
            self.catalogue.set_domain(dict.fromkeys(chosen, domain))

    def discover_domains(self, count: int | None = None, seed: int = 0, replace: bool = False) -> None:
        """Groups the documents by what they are about, into `count` domains or as many as fit best.

        Domains that are there stand in the way unless `replace`. Raises LibraryError and DomainError.
        """
        if not replace and any(self.domains().keys() - {""}):
            raise LibraryError("this library has domains already: --replace finds new ones in their place")
        with self._writing():
            self._refresh()
            self.catalogue.set_domain(self.engine.discover(count, seed))

    def identify_domain(self, question: str) -> dict[str, float]:
        """Domain -> probability that the question belongs there, the likeliest first. Raises DomainError."""
        return self.engine.identify(question)

    def parsed(self, document: str) -> ParsedDocument:
        """Pages, elements and links of a document. Raises as `find`."""
        return self.catalogue.parsed(self.find(document).sha256)

    def page_picture(self, sha256: str, page: int, boxes: Sequence[tuple[Box, Colour]] = (), dpi: int = 110) -> bytes:
        """A page (from 1) as PNG bytes with boxes (points) drawn in colours (RGB, 0 to 1). Raises IndexError."""
        return page_png(self.files.pdf(sha256), page, boxes, dpi)

    # Questions

    def search(
        self,
        query: str,
        k: int | None = None,
        documents: Sequence[str] = (),
        *,
        mode: Mode | str | None = None,
        domain: str | EllipsisType | None = ...,
    ) -> list[Hit]:
        """The `k` best chunks for `query`, best first; in `documents` (names or hashes) only, if any are given.

        `mode` is one of the four ways; `domain` a domain's name, "auto", "weighted", or None for all; both are the
        settings' by default. Raises LibraryError for an empty library or query, and DomainError.
        """
        if not query.strip():
            raise LibraryError("the question is empty")
        self._refresh()
        way = Mode(mode or self.settings.mode)
        if way is not Mode.TEXT and not (len(self.index.pictures) and len(self.index.joint)):
            raise LibraryError(f"no pictures embedded by {self.looker.name!r} yet: `octavo index` does it")
        among = [self.find(document).sha256 for document in documents] or None
        within = self.settings.domain if isinstance(domain, EllipsisType) else domain
        return self.engine.search(query, way, k or self.settings.k, among, within)

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

    def select(self, query: str, documents: Sequence[str] = (), *, links: bool = True, **how: Unpack[How]) -> Selection:
        """The evidence for an answer: the hits that the rule keeps, and with `links` what these lead to beside it."""
        s, k = self.settings, how.get("k") or self.settings.k
        mode = Mode(how.get("mode") or s.mode)
        hits = self.search(query, k, documents, mode=mode, domain=how.get("domain", ...))
        chosen = choose(hits, Rule(how.get("rule") or s.selection), gamma=s.gamma, threshold=s.ratio, limit=k)
        brought = follow_links(self.catalogue, chosen.kept, _LINKED) if links else []
        if links and mode is Mode.FUSION:  # texts and the pictures of their pages, in one prompt
            brought += bring_pages(self.catalogue, chosen.kept)
        dropped = [pair for pair in chosen.dropped if pair[0].chunk.id not in {hit.chunk.id for hit in brought}]
        return Selection((*chosen.kept, *brought), tuple(dropped), chosen.notes)

    def ask(
        self,
        question: str,
        documents: Sequence[str] = (),
        generator: Generator | None = None,
        **how: Unpack[How],
    ) -> Answer:
        """An answer with citations, by the settings' generator unless another is named. Raises as `search`."""
        *_, answer = self.stream(question, documents, generator, **how)
        assert isinstance(answer, Answer)  # noqa: S101 - the stream ends with it
        return answer

    def stream(
        self,
        question: str,
        documents: Sequence[str] = (),
        generator: Generator | None = None,
        **how: Unpack[How],
    ) -> Iterator[str | Answer]:
        """The answer's text in pieces as it is written, last the Answer, whose text is what holds.

        Closing the iterator stops the model. Raises as `search`.
        """
        started = perf_counter()
        selection = self.select(question, documents, **how)
        retrieval = perf_counter() - started
        try:
            answerer, problem = self._answerer(generator), None
        except LocalModelError as error:
            answerer, problem = self._answerer("extractive"), f"{error}; shown instead: what was found without it"
        for piece in answerer.stream(question, selection):
            if isinstance(piece, Answer):
                notes = (*piece.notes, problem) if problem else piece.notes
                yield replace(piece, notes=notes, timings={"retrieve": retrieval, **piece.timings})
            else:
                yield piece

    def _pictures(self, hit: Hit) -> list[bytes]:
        """A picture that was found; else those of a hit's figures, and of the page round its tables, as PNG bytes."""
        if hit.chunk.picture:
            return [chunk_png(self.files, StoredChunk(hit.chunk, hit.document, hit.sha256, hit.elements))]
        pictures = []
        for element in hit.elements:
            if element.image:
                pictures.append(self.files.image(hit.sha256, element.image).read_bytes())
            elif element.type is ElementType.TABLE:
                pictures.append(self.page_picture(hit.sha256, element.page))
        return pictures

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

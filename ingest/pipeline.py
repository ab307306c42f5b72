"""Ingestion: from paths to documents that are ready to be found.

    discovered -> queued (bytes copied, row entered) -> parsed (read in parallel, stored whole) -> ready (embedded)

Reading runs in worker processes over ranges of pages; embedding runs beside it in a thread, so neither waits for the
other. Each step commits as a whole: after a crash the next run takes up each document at the step it had reached.
Knows no model: the caller hands in an `Embedding`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from octavo.ingest.chunks import make_chunks
from octavo.ingest.embedding import Embedding
from octavo.ingest.model import State
from octavo.ingest.parse import DAMAGED, read, sha256_of
from octavo.ingest.pictures import make_pictures
from octavo.ingest.reader import PageReader, UnreadableError
from octavo.ingest.sources import Source
from octavo.ingest.store.catalogue import Catalogue, DocumentInfo
from octavo.ingest.store.files import Files
from octavo.ingest.text import count, printable, shown
from octavo.ingest.workers import Limits, Workers

log = logging.getLogger(__name__)

_READING = 2 / 3  # of the work on a document, as the progress has it; the rest is embedding
_IN_FLIGHT = 4  # documents being read for each worker; their pages are in memory until they are stored


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingestion is; sizes in bytes. `document` is what was finished last, None at a page's end."""

    documents: int
    done: int
    failed: int
    pages: int
    bytes: int
    bytes_done: int
    seconds: float
    document: DocumentInfo | None = None


@dataclass(slots=True)
class IngestReport:
    """What an ingestion did: every document it was given, in order; which of them were there before."""

    documents: list[DocumentInfo] = field(default_factory=list)
    unchanged: set[str] = field(default_factory=set)
    replaced: list[str] = field(default_factory=list)  # names of documents that a newer file at their place ousted
    removed: list[str] = field(default_factory=list)  # names of documents whose last file is gone from a watched folder
    unnamed: list[tuple[str, str, str]] = field(default_factory=list)  # as `Documents.forget` tells
    problems: list[str] = field(default_factory=list)  # a line for each path without a PDF
    pages: int = 0  # read in this run
    seconds: float = 0.0

    @property
    def failed(self) -> list[DocumentInfo]:
        return [info for info in self.documents if info.state is State.FAILED]


def ingest(
    sources: Sequence[Source],
    catalogue: Catalogue,
    files: Files,
    reader: PageReader,
    limits: Limits,
    embedding: Embedding,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> IngestReport:
    """Takes `sources` in, and whatever an earlier run left unfinished. Failures are in the report, not raised."""
    with Workers(reader, limits) as workers:
        return _Ingestion(catalogue, files, workers, embedding, on_progress).run(sources)


class _Stopped(Exception):
    """The ingestion is being called off; documents stay at the step they had reached."""


class _Ingestion:
    """One run: a thread for each document being read, one for embedding, and the worker processes under them."""

    def __init__(
        self,
        catalogue: Catalogue,
        files: Files,
        workers: Workers,
        embedding: Embedding,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.catalogue, self.files, self.workers = catalogue, files, workers
        self.embedding, self.on_progress = embedding, on_progress
        self.report = IngestReport()
        self.started = monotonic()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.left: dict[str, DocumentInfo] = {}  # unfinished by an earlier run, and not taken in again by this one
        self.copies: dict[str, list[tuple[str, str | None]]] = {}  # of each document taken in: other names, with places
        self.done = self.failed = self.documents = self.bytes = 0
        self.bytes_done = 0.0
        self.bytes_read: dict[str, float] = {}  # of documents that are not done, as far as bytes_done counts them
        self.embedder = ThreadPoolExecutor(1, "embed")

    def run(self, sources: Sequence[Source]) -> IngestReport:
        unfinished = [i for i in self.catalogue.documents() if i.state in (State.QUEUED, State.PARSED)]
        self.left = {i.sha256: i for i in unfinished if self.files.pdf(i.sha256).is_file()}
        self.documents = len(sources) + len(self.left)
        self.bytes = sum(info.size for info in self.left.values()) + sum(_size(source.path) for source in sources)
        readers = ThreadPoolExecutor(_IN_FLIGHT * self.workers.limits.workers, "read")
        try:
            tasks = []
            for source in sources:  # one after the other, so that the first of equal files gives its name
                place = shown(source.path.resolve()) if source.lasting else None
                if info := self._receive(source, place):
                    tasks.append(readers.submit(self._finish, info, {place} if place else set()))
            for sha256 in self.left:
                if info := self.catalogue.document(sha256):  # a source may have taken its place
                    tasks.append(readers.submit(self._finish, info, set(info.sources)))
            finished = [self._settle(task.result().result()) for task in tasks]
        except BaseException:
            self.stopping.set()
            self.workers.stop()
            raise
        finally:
            readers.shutdown(cancel_futures=True)
            self.embedder.shutdown(cancel_futures=True)
        self.report.documents = finished
        self.report.seconds = monotonic() - self.started
        return self.report

    def _settle(self, info: DocumentInfo) -> DocumentInfo:
        """A document with the names of its copies, whose places are now its too."""
        for name, place in self.copies.get(info.sha256, ()):
            self.catalogue.name(info.sha256, name, place)
            if info.state is State.READY and place:
                self._ready(info, {place})
        return self._current(info) if info.sha256 in self.copies else info

    def _receive(self, source: Source, place: str | None) -> DocumentInfo | None:
        """Discovered -> queued. None for bytes that this run holds already under another name.

        What cannot be read is reported as failed, and not entered. Raises StorageError.
        """
        size = _size(source.path)
        try:
            sha256 = sha256_of(source.path)
            if self.catalogue.document(sha256) is None or not self.files.pdf(sha256).is_file():
                self._check_size(size)
                sha256 = self.files.add(source.path)
        except (OSError, UnreadableError) as error:
            why = str(error) if isinstance(error, UnreadableError) else f"cannot be read: {error.strerror}"
            return DocumentInfo(printable(source.name), "", State.FAILED, 0, 0, 0, why, "", size)
        name = printable(source.name)
        copy = sha256 in self.copies
        if copy or sha256 in self.left:  # counted already
            self.left.pop(sha256, None)
            self.documents -= 1
            self._advance(share=size)
        if copy:
            self.copies[sha256].append((name, place))
            return None
        self.copies[sha256] = []
        return self.catalogue.queue(sha256, name, size, place)

    def _check_size(self, size: int) -> None:
        if size > self.workers.limits.max_bytes:
            limit = self.workers.limits.max_bytes / 2**20
            raise UnreadableError(f"{size / 2**20:.0f} MiB, over the limit of {limit:.0f} (OCTAVO_MAX_BYTES raises it)")

    def _finish(self, info: DocumentInfo, places: set[str]) -> Future[DocumentInfo]:
        """Takes a document from the step it is at to ready; the future is done when its vectors are stored."""
        if self.stopping.is_set():
            raise _Stopped
        if info.state is State.FAILED:
            return _done(self._report(info))
        if info.state is State.READY and not self.embedding.missing(info.sha256):
            self.report.unchanged.add(info.sha256)
            return _done(self._report(self._ready(info, places)))
        try:
            if info.state is State.QUEUED:
                self._read(info)
        except UnreadableError as error:
            if self.stopping.is_set():
                raise _Stopped from error
            self.catalogue.fail(info.sha256, str(error))
            self.files.store_pictures(info.sha256, {})
            return _done(self._report(self._current(info)))
        return self.embedder.submit(self._embed, info, places)

    def _read(self, info: DocumentInfo) -> None:
        """Queued -> parsed. Raises UnreadableError when nothing of the document can be had."""
        path, prefix = self.files.pdf(info.sha256), info.sha256[:16]

        def advance(pages: int, of: int) -> None:
            share = pages / of * info.size * _READING
            self.bytes_read[info.sha256] = self.bytes_read.get(info.sha256, 0.0) + share
            self._advance(pages=pages, share=share)

        parsed = read(self.workers, path, prefix, advance)
        chunks = make_chunks(parsed, Path(info.name).stem)
        if not chunks:
            whole = DAMAGED not in parsed.warnings
            why = "nothing to index" if whole else "the file is damaged or cut off, so get a whole copy"
            raise UnreadableError(f"{why}: no page has words, in a text layer or that OCR could read")
        self.files.store_pictures(info.sha256, parsed.pictures)
        self.catalogue.store_parsed(info.sha256, parsed, [*chunks, *make_pictures(parsed, Path(info.name).stem)])

    def _embed(self, info: DocumentInfo, places: set[str]) -> DocumentInfo:
        """Parsed -> ready, or failed where a picture of it cannot be drawn for the model that looks at it."""
        try:
            for _ in self.embedding.fill(info.sha256):
                if self.stopping.is_set():
                    raise _Stopped
        except UnreadableError as error:
            self.catalogue.fail(info.sha256, str(error))
            self.files.store_pictures(info.sha256, {})
            return self._report(self._current(info))
        return self._report(self._ready(info, places))

    def _ready(self, info: DocumentInfo, places: set[str]) -> DocumentInfo:
        """Parsed -> ready; what stood at `places` before goes in the same step."""
        for name, sha256 in self.catalogue.finish(info.sha256, places):
            self.files.remove(sha256)  # a crash before this leaves files of no document: the next run sweeps them
            self.report.replaced.append(name)
        return self._current(info)

    def _current(self, info: DocumentInfo) -> DocumentInfo:
        return self.catalogue.document(info.sha256) or info

    def _report(self, info: DocumentInfo) -> DocumentInfo:
        """Counts a document as done, with those of its bytes that were not counted page by page."""
        log.info("%s: %s, %s", info.name, info.state, info.error or count(info.chunks, "chunk"))
        with self.lock:
            self.done += 1
            self.failed += info.state is State.FAILED
        self._advance(share=info.size - self.bytes_read.pop(info.sha256, 0.0), document=info)
        return info

    def _advance(self, pages: int = 0, share: float = 0.0, document: DocumentInfo | None = None) -> None:
        with self.lock:
            self.report.pages += pages
            self.bytes_done += share
            seconds = monotonic() - self.started
            counts = self.documents, self.done, self.failed, self.report.pages, self.bytes, int(self.bytes_done)
            self.on_progress(Progress(*counts, seconds, document))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _done(info: DocumentInfo) -> Future[DocumentInfo]:
    future: Future[DocumentInfo] = Future()
    future.set_result(info)
    return future

"""Changing what a library holds: taking in, deleting, indexing, another embedder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event

from octavo.domained import DomainedLibrary, OnProgress, quietly
from octavo.ingest.card import FACTS
from octavo.ingest.embedding import Embedding
from octavo.ingest.model import State
from octavo.ingest.periods import find_periods
from octavo.ingest.pictures import make_pictures
from octavo.ingest.pipeline import IngestReport, Progress, ingest
from octavo.ingest.reader import UnreadableError
from octavo.ingest.sources import Source, discover
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.ingest.watch import changes
from octavo.opened import EMBEDDER_CHOICE, limits
from octavo.retrieval.domains import DomainError
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.looking import picture_embedder
from octavo.shelf import LibraryError


@dataclass(frozen=True, slots=True)
class Deleted:
    """What `Holdings.delete` did: the `document` as it was, the `names` that went, and as what it was `kept`, if so."""

    document: DocumentInfo
    names: tuple[str, ...]
    kept: DocumentInfo | None = None


class Holdings(DomainedLibrary):
    """The part of `Library` that changes it; one process at a time does."""

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
        report = self.take_in([source for source in sources if not self._ours(source.path)], on_progress)
        report.problems.extend(problems)
        return report

    def watch(
        self,
        folder: str | Path,
        *,
        recursive: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
        stop: Event | None = None,
    ) -> Iterator[IngestReport]:
        """Keeps the library in step with `folder` until `stop` is set, with a report of each change.

        What is new or changed there is taken in once it has stopped growing, what was moved goes by its new name, and
        what is gone is deleted, also while nobody watched. Waits while another process changes the library. Raises
        FileNotFoundError when the folder itself goes.
        """
        root = Path(folder).resolve()
        known = [place for place in self.catalogue.sources() if _in(root, Path(place), recursive)]
        for fresh, gone in changes(root, known, recursive, stop):
            with self._writing(wait=True):
                report = self._take_in([source for source in fresh if not self._ours(source.path)], on_progress)
                documents, report.unnamed = self.catalogue.forget(gone)
                for name, sha256 in documents:
                    self.files.remove(sha256)
                    report.removed.append(name)
            if report.removed:
                self.index.sync()
            yield report

    def _ours(self, path: Path) -> bool:
        """Whether a PDF is the library's own copy of one."""
        return path.resolve().is_relative_to(self.files.pdfs.resolve())

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
            return self._take_in(sources, on_progress)

    def _take_in(self, sources: Sequence[Source], on_progress: Callable[[Progress], None]) -> IngestReport:
        self._follow_choice()
        self._add_pictures()
        self.files.remove_strays(info.sha256 for info in self.documents())
        report = ingest(
            sources, self.catalogue, self.files, self._reader, limits(self.settings), self._embedding, on_progress
        )
        self.files.remove_strays(info.sha256 for info in self.documents())
        with suppress(UnreadableError):  # of a document of before; `octavo index` tells
            self._fill(self._embedding)
        new = [i.sha256 for i in report.documents if i.state is State.READY and i.sha256 not in report.unchanged]
        with suppress(DomainError):  # which the next question to a domain tells
            self.catalogue.set_domain(self.engine.domains.place(new))
        self._fill_domains()
        if report.replaced:
            self.index.sync()
        return report

    def delete(self, document: str) -> Deleted:
        """Deletes a document with its rows, vectors, pictures and file. Raises as `find`.

        By one of several names it loses that name alone: its SHA-256 deletes it whole.
        """
        with self._writing():
            info = self.find(document)
            if document in info.names and {*info.names} - {document}:
                self.catalogue.unname(info.sha256, document)
                return Deleted(info, (document,), self.catalogue.document(info.sha256))
            self.catalogue.delete(info.sha256)
            self.files.remove(info.sha256)
        self.index.sync()
        return Deleted(info, info.names)

    def reindex(self, rebuild: bool = False, on_progress: OnProgress = quietly) -> int:
        """Embeds what has no vector of this library's embedders yet, and brings the indexes in line, or anew.

        `on_progress(done, of)` counts texts and pictures embedded. Gives back the number of text chunks indexed.
        """
        with self._writing():
            self._follow_choice()
            self._add_pictures()
            spaces = [*self._embedding.spaces, *self._domain_spaces()]
            self._fill(Embedding(self.catalogue, self.files, spaces), on_progress)
        if rebuild:
            self.index.clear()
        self.index.sync()
        return len(self.index.vectors)

    def adopt(self, model: str, rebuild: bool = False, on_progress: OnProgress = quietly) -> int:
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
        chosen = SentenceEmbedder(model, self.settings.device)
        width, now = chosen.dimensions, self.catalogue.dimensions(self.embedder.name)
        if now and width != now and not rebuild:
            raise LibraryError(
                f"{model} gives vectors of {width} dimensions, this library's have {now}: "
                f"`octavo index --rebuild --model {model}` changes it over all the same"
            )
        with self._writing():
            looker = picture_embedder(self.settings.visual_embedder, chosen, self.settings.device)
            embedding = self._embedding_by(chosen, looker)
            self._fill(embedding, on_progress)
            before = self._models()
            self.catalogue.choose(EMBEDDER_CHOICE, self.models.keep(model))
            self._follow_choice()
            self._forget(before)
        self.index.sync()
        return len(self.index.vectors)

    def _add_pictures(self) -> None:
        """Gives the documents that an older version took in their pictures, still without vectors."""
        for name, sha256 in self.catalogue.pictureless():
            self.catalogue.add_chunks(sha256, make_pictures(self.catalogue.parsed(sha256), Path(name).stem))

    # Cards

    def correct_card(self, document: str, facts: Mapping[str, str], anew: bool = False) -> DocumentInfo:
        """Puts facts of a document's card right, for good; `anew` takes earlier corrections back first.

        Gives the document back as it then is. Raises as `find`, and for a fact or a value that cannot be.
        """
        for fact, value in facts.items():
            if fact not in FACTS:
                raise LibraryError(f"a card has no {fact!r}: its facts are {', '.join(FACTS)}")
            if value and fact == "period" and not find_periods(value):
                raise LibraryError(f"no period in {value!r}: write FY2018, Q2 FY2023, or FY2015-FY2019")
            if value and fact == "date" and not _is_day(value):
                raise LibraryError(f"no date: {value!r}; write it as 2018-12-31")
        sha256 = self.find(document).sha256
        with self._writing():
            self.catalogue.correct(sha256, facts, anew)
        return self.find(sha256)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return str(date.fromisoformat(text)) == text
    return False


def _in(folder: Path, path: Path, recursive: bool) -> bool:
    return folder in path.parents if recursive else folder == path.parent

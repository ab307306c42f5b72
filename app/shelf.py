"""A library's catalogue and files: its documents, its conversations, and the lock of whoever changes it.

Knows no model, so that what only lists or reads opens fast.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from sqlalchemy.exc import DatabaseError

from octavo.contract import redacted
from octavo.ingest.model import Box, ParsedDocument
from octavo.ingest.render import Colour, page_png
from octavo.ingest.store.catalogue import Catalogue, DocumentInfo, Message
from octavo.ingest.store.files import Files, storing
from octavo.ingest.text import printable
from octavo.settings import Settings

_CANDIDATES = 5  # documents of one name that are listed


class LibraryError(RuntimeError):
    """Something a user can put right; the message is one line that says what to do."""


class NoSuchDocumentError(LibraryError):
    """A document was named that the library does not hold."""


class Shelf:
    """The part of `Library` that needs no model; see there for the arguments."""

    def __init__(self, folder: str | Path | None = None, settings: Settings | None = None) -> None:
        settings = settings or Settings()
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.catalogue.close()

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

"""What reads PDFs: the interface of a backend, what it gives for each page, and how it says that it cannot.

Knows no PDF library; the backends are in `ingest/readers/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from octavo.ingest.model import Element, Page
from octavo.ingest.sheet import Hidden
from octavo.ingest.traces import Traces


class UnreadableError(ValueError):
    """A file that cannot be read as a PDF; the message says why in words for its owner."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a PDF before its pages are read; `repaired`: it was damaged, and more may have been in it."""

    pages: int
    title: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class PageContent:
    """One page as read: elements in reading order, PNG bytes by `Element.image`.

    `recognised` tells that the words were read by OCR; `hidden` is text that the page does not show; `traces` tell how
    the elements hang together.
    """

    page: Page
    elements: tuple[Element, ...]
    pictures: dict[str, bytes]
    recognised: bool = False
    hidden: tuple[Hidden, ...] = ()
    traces: Traces = field(default_factory=Traces)


class PageReader(Protocol):
    """A backend that reads PDFs. Its methods run in a worker process and must be deterministic."""

    def outline(self, path: Path) -> Outline:
        """Page count and title. Raises UnreadableError."""
        ...

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        """Pages `first` to `last` (from 1, inclusive); element ids begin with `prefix`. Raises UnreadableError.

        `simple`: by the words of the text layer alone, without models and drawings, for pages that fail otherwise. The
        page is rendered all the same, so that hidden text stays out: what hangs or crashes in that fails here too.
        """
        ...


def usable_title(title: str) -> str:
    """A metadata title, "" where it is what an authoring program left there (a file's name, a number)."""
    letters = sum(ch.isalpha() for ch in title)
    file_name = Path(title).suffix.lower() in {".doc", ".docx", ".pdf", ".indd", ".qxd", ".htm"}
    return "" if file_name or letters < max(4, len(title) / 2) else title


def check_is_pdf(path: Path) -> None:
    """Raises UnreadableError for a file that no backend need open: empty, or without a PDF's opening."""
    if not path.stat().st_size:
        raise UnreadableError("the file is empty")
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise UnreadableError("not a PDF: it does not begin with %PDF-")

"""The backends that read PDFs, by the names that the settings give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from octavo.ingest.reader import Outline, PageContent, PageReader


class ReaderMissingError(RuntimeError):
    """A backend was chosen whose packages are not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Backend:
    """How a reader is made (with OCR or without), from which packages, in which extra of Octavo's."""

    make: Callable[[bool], PageReader]
    packages: tuple[str, ...]
    extra: str


def _pymupdf(ocr: bool) -> PageReader:
    from octavo.ingest.readers.mupdf.reader import PyMuPDFReader

    return PyMuPDFReader(ocr)


def _pdfium(ocr: bool) -> PageReader:
    from octavo.ingest.readers.pdfium.reader import PdfiumReader

    return PdfiumReader(ocr)


BACKENDS = {
    "pymupdf": Backend(_pymupdf, ("pymupdf", "pymupdf4llm", "onnx", "cv2"), "embedded"),
    "pdfium": Backend(_pdfium, ("pypdfium2", "rapid_layout"), "permissive"),
}


@cache
def _made(name: str, ocr: bool) -> PageReader:
    return BACKENDS[name].make(ocr)


@dataclass(frozen=True, slots=True)
class LazyReader:
    """A backend that is imported where it reads, in a worker, and not in the process that sends the worker its name."""

    name: str
    ocr: bool

    def outline(self, path: Path) -> Outline:
        return _made(self.name, self.ocr).outline(path)

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        return _made(self.name, self.ocr).read(path, prefix, first, last, simple)


def make_reader(name: str, ocr: bool = True) -> LazyReader:
    """The reader `name`, a key of `BACKENDS`. Raises ReaderMissingError."""
    backend = BACKENDS[name]
    for package in backend.packages:
        if find_spec(package) is None:
            raise ReaderMissingError(
                f"OCTAVO_READER is {name} and {package} is not installed: pip install 'octavo[{backend.extra}]', "
                f"or choose another reader ({', '.join(sorted(set(BACKENDS) - {name}))})"
            )
    return LazyReader(name, ocr)

"""The backends that read PDFs, by the names that the settings give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from octavo.ingest.reader import PageReader


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
    "pymupdf": Backend(_pymupdf, ("pymupdf", "pymupdf4llm"), "embedded"),
    "pdfium": Backend(_pdfium, ("pypdfium2", "rapid_layout"), "permissive"),
}


def make_reader(name: str, ocr: bool = True) -> PageReader:
    """The reader `name`, a key of `BACKENDS`. Raises ReaderMissingError."""
    backend = BACKENDS[name]
    for package in backend.packages:
        if find_spec(package) is None:
            raise ReaderMissingError(
                f"OCTAVO_READER is {name} and {package} is not installed: pip install 'octavo[{backend.extra}]', "
                f"or choose another reader ({', '.join(sorted(set(BACKENDS) - {name}))})"
            )
    return backend.make(ocr)

"""The backends that read PDFs, by the name that the settings give them."""

from octavo.ingest.readers.mupdf import PyMuPDFReader

__all__ = ["PyMuPDFReader"]

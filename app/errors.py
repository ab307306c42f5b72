"""Expected errors of every layer, as one line for the user."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from octavo.generation.local import LocalModelError
from octavo.ingest.catalogue import CatalogueError
from octavo.ingest.reader import UnreadableError
from octavo.library import LibraryError
from octavo.retrieval.embedder import ModelMissingError

_EXPECTED = (LibraryError, CatalogueError, UnreadableError, ModelMissingError, LocalModelError)


def explain(error: Exception) -> str | None:
    """What is wrong and what to do, in one line; None for a fault of ours, which deserves its traceback."""
    if isinstance(error, _EXPECTED):
        return " ".join(str(error).split())
    if isinstance(error, SQLAlchemyError):
        return f"the catalogue failed: {' '.join(str(getattr(error, 'orig', None) or error).split())}"
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return None

"""Expected errors of every layer, as one line for the user."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from octavo.evaluation.questions import QuestionsError
from octavo.evaluation.results import ResultsError
from octavo.generation.quantization.families import QuantizationError
from octavo.generation.weights import LocalModelError
from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers import ReaderMissingError
from octavo.ingest.store.database import CatalogueError
from octavo.ingest.store.files import StorageError
from octavo.kernels.device import DeviceError
from octavo.retrieval.calibration import CalibrationError
from octavo.retrieval.domains import DomainError
from octavo.retrieval.embedder import ModelMissingError
from octavo.retrieval.model import RetrieverError
from octavo.shelf import LibraryError
from octavo.training.data import TrainingDataError
from octavo.training.folder import TrainingFolderError

_EXPECTED = (
    *(LibraryError, CatalogueError, StorageError, UnreadableError, ReaderMissingError),
    *(ModelMissingError, LocalModelError, DomainError, CalibrationError, RetrieverError, DeviceError),
    *(QuestionsError, ResultsError, QuantizationError),
    *(TrainingDataError, TrainingFolderError),
)
_HINTS = {  # to what SQLite says
    "disk is full": ". What is in the library stays; when there is room, the same command goes on",
    "readonly database": ": the library can be read, not changed, until its folder may be written and has room",
}


def explain(error: Exception) -> str | None:
    """What is wrong and what to do, in one line; None for a fault of ours, which deserves its traceback."""
    if isinstance(error, _EXPECTED):
        return " ".join(str(error).split())
    if isinstance(error, SQLAlchemyError):
        why = " ".join(str(getattr(error, "orig", None) or error).split())
        hint = next((hint for words, hint in _HINTS.items() if words in why), "")
        return f"the catalogue failed: {why}{hint}"
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return None

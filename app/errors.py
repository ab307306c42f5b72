"""Expected errors of every layer, as one line for the user."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from octavo.evaluation.questions import QuestionsError
from octavo.evaluation.results import ResultsError
from octavo.generation.quantization.families import QuantizationError
from octavo.generation.weights import LocalModelError
from octavo.ingest.database import CatalogueError
from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers import ReaderMissingError
from octavo.kernels.device import DeviceError
from octavo.library import LibraryError
from octavo.retrieval.domains import DomainError
from octavo.retrieval.embedder import ModelMissingError
from octavo.training.data import TrainingDataError
from octavo.training.folder import TrainingFolderError

_EXPECTED = (
    *(LibraryError, CatalogueError, UnreadableError, ReaderMissingError),
    *(ModelMissingError, LocalModelError, DomainError, DeviceError),
    *(QuestionsError, ResultsError, QuantizationError),
    *(TrainingDataError, TrainingFolderError),
)


def explain(error: Exception) -> str | None:
    """What is wrong and what to do, in one line; None for a fault of ours, which deserves its traceback."""
    if isinstance(error, _EXPECTED):
        return " ".join(str(error).split())
    if isinstance(error, SQLAlchemyError):
        return f"the catalogue failed: {' '.join(str(getattr(error, 'orig', None) or error).split())}"
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return None

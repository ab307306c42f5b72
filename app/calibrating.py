"""What ties a calibration to its library: made from questions, kept in the catalogue, used only as it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.cross_encoders import BaseCrossEncoder

from octavo.evaluation.protocol import pages_of
from octavo.evaluation.questions import Question
from octavo.retrieval.calibration import Calibration, CalibrationError, Made, Searched, calibrate
from octavo.retrieval.embedder import part_name
from octavo.retrieval.model import Hit, Mode

if TYPE_CHECKING:
    from octavo.library import Library

_DOCUMENTS, _DIGEST = "documents", "digest of documents"  # a library may grow; all else must be as it was


def choice(mode: Mode) -> str:
    """The name that the calibration of a way is kept by."""
    return f"calibration of {mode}"


def made_with(library: Library, mode: Mode) -> Made:
    """All that a hit's signals and its cut hang on, beside the question and the documents."""
    settings, pictured = library.settings, mode is not Mode.TEXT
    return {
        "embedder": library.embedder.name,
        "visual embedder": library.looker.name if pictured else None,
        "reranker": _name(library.engine.reranker),
        "documents first": settings.documents_first,
        "domains": ", ".join(library.engine.domains.names()) or None,
    }


def _holds(library: Library) -> Made:
    """How many documents there are, and a digest of which they are, each in which domain."""
    ready = sorted((sha256, domain or "") for sha256, domain in library.catalogue.domains().items())
    return {_DOCUMENTS: len(ready), _DIGEST: hashlib.sha256(repr(ready).encode()).hexdigest()[:12]}


def _name(reranker: BaseCrossEncoder | None) -> str | None:
    return getattr(reranker, "name", part_name(reranker)) if reranker else None


def searched(library: Library, question: Question, hits: Sequence[Hit]) -> Searched:
    """What `hits`, best first, tell of a question with known evidence."""
    evidence = [bool(question.evidence.intersection(pages_of(hit))) for hit in hits]
    domain = library.engine.domains.domain_of(question.text)
    return Searched(library.engine.signals(question.text, hits), np.asarray(evidence, bool), domain)


def make(
    library: Library,
    questions: Sequence[Question],
    lose: float,
    k: int,
    mode: Mode,
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Calibration:
    """Searches for each of `questions` and learns from what is found. Raises CalibrationError."""
    known = []
    for done, question in enumerate(questions, 1):
        known.append(searched(library, question, library.search(question.text, k, mode=mode, domain=None)))
        on_progress(done, len(questions))
    return calibrate(known, lose, k, seed, {**made_with(library, mode), **_holds(library)})


def kept(library: Library, mode: Mode) -> Calibration | None:
    """The library's calibration of a way, whatever it was made with."""
    stored = library.catalogue.choice(choice(mode))
    return Calibration.model_validate_json(stored) if stored else None


def holding(library: Library, mode: Mode) -> Calibration:
    """The calibration of a way that holds for this library as it is set now. Raises CalibrationError."""
    calibration = kept(library, mode)
    again = f"`octavo calibrate QUESTIONS.jsonl --mode {mode}`"
    if calibration is None:
        raise CalibrationError(f"the way {mode} is not calibrated in this library: {again} does it")
    for name, value in made_with(library, mode).items():
        if calibration.made_with.get(name) != value:
            was = calibration.made_with.get(name)
            raise CalibrationError(f"the calibration of {mode} was made with {name} {was}, not {value}: {again}")
    return calibration


def told(library: Library) -> list[str]:
    """A line for each calibration: what it promises, what by, and whether documents or their domains changed since."""
    lines, now = [], _holds(library)
    for mode in Mode:
        if calibration := kept(library, mode):
            was, changed = calibration.made_with, ""
            if was.get(_DIGEST) != now[_DIGEST]:
                counts = f"{was[_DOCUMENTS]}, now {now[_DOCUMENTS]}"
                changed = f", made with other documents ({counts}) or domains: calibrate again"
            promise = f"by {calibration.questions} questions to lose {calibration.lose:.1%} at most"
            lines.append(f"{mode} calibrated {promise}{changed}")
    return lines

"""Whether something looks like the answer that a question wants: a number, a sum of money, a name, a reason.

Knows nothing of where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from octavo.generation.periods import find, undated
from octavo.generation.question import Question, Want, direction

_PLANNED = re.compile(r"\b(?:targets?|goals?|planned|plan|budget(?:ed)?|forecast|projected|estimated?)\b", re.I)
_CHANGE = re.compile(r"\b(?:change|variance|growth|increase|decrease|difference|trend)\b", re.I)
_QUANTITY = re.compile(r"(?<![\w/-])[-−(]?[$€£¥]?\d[\d,.]*(?![\w/]*/)(?!\d)")
_MONEY = re.compile(r"[$€£¥]|\b(?:million|billion|thousand|dollars)\b", re.I)
_PERCENT = re.compile(r"%|\bper ?cent", re.I)
_PERSON = re.compile(r"\b[A-Z][a-z]+\s+(?:[A-Z]\.?\s+)?[A-Z][a-z]+|\b[A-Z]{2,}\b")
_PLACE = re.compile(r"\b(?:in|at|near|from|to|of)\s+[A-Z][a-z]+|\b[A-Z][a-zA-Z. ]+, [A-Z]{2}\b")
_REASON = re.compile(
    r"\b(?:because|due|caused?|result(?:ed|ing|s)?|driven|driver|reflect\w*|attribut\w+|owing|contribut\w+|primarily"
    r"|failure|as (?:customers|we|the)|in order to|factors?|partially offset|led to)\b",
    re.I,
)
_FORMS: Mapping[Want, Callable[[str], bool]] = {
    Want.DATE: lambda text: bool(find(text).years or find(text).days),
    Want.PERSON: lambda text: bool(_PERSON.search(text)),
    Want.PLACE: lambda text: bool(_PLACE.search(text)),
    Want.REASON: lambda text: bool(_REASON.search(text)),
}


def form(question: Question, value: str, about: str, is_cell: bool) -> float:
    """From 1, `value` looks like what `question` wants, to -1, it cannot be it; 0 where the question does not say.

    `about` is all that is said with the value. A sentence about a rise does not tell of a fall. Of the kinds of
    quantity a percentage is the narrowest; how old, long or warm something is has a unit. Yes or no is no number.
    """
    if not is_cell and direction(question.text) * direction(value) < 0:
        return -1.0
    if is_cell and Want.VERDICT in question.wants:
        return -1.0 if _QUANTITY.search(undated(value)) else 1.0
    if Want.PERCENT in question.wants:
        return 1.0 if _PERCENT.search(value) else -0.5
    if Want.MONEY in question.wants and not question.explain:
        if is_cell and _PERCENT.search(value):
            return -1.0
        return 1.0 if _MONEY.search(value) else 0.0
    if Want.NUMBER in question.wants:
        if not _QUANTITY.search(undated(value)):
            return -1.0
        return 0.0 if question.unit and not question.unit.search(f"{about} {value}") else 1.0
    checks = [_FORMS[want](value) for want in question.wants if want in _FORMS]
    return (1.0 if all(checks) else -0.5) if checks else 0.0


def sort_of_column(question: Question, header: str) -> float:
    """1 for a column of changes or targets where these are asked for, -1 where not, or for another where they are.

    Whether a target was met asks for no target.
    """
    if _CHANGE.search(header):
        return 1.0 if question.change else -1.0
    if _PLANNED.search(header):
        asked = _PLANNED.search(question.text)
        return -1.0 if not asked else 0.0 if Want.VERDICT in question.wants else 1.0
    return -1.0 if question.change and not question.both else 0.0


def is_fragment(text: str) -> bool:
    """Whether `text` is a few words that make no sentence, such as a heading."""
    return len(text.split()) < 6 and not text.rstrip().endswith((".", "!", "?"))

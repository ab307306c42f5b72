"""Which of the documents found a question is about: by the names it uses, and by the period it asks for.

Knows nothing of candidates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import JaroWinkler

from octavo.generation.periods import Period, agreement, find
from octavo.generation.question import Question, found
from octavo.generation.words import terms
from octavo.retrieval.model import Hit

UNKNOWN = 0.4
"""What a name counts that no document holds: it may go by another spelling."""
INSIDE = 0.8
"""What a name counts that a document holds in its text; in its title it counts 1."""
ALIKE = 0.8
"""Jaro-Winkler similarity from which a word of a file's name stands for a name: "INTC" for "Intel"."""

_FISCAL = re.compile(r"\bfiscal\b|\bFY", re.I)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands to a question.

    `held` are the question's terms that its name, headings and texts found hold. `names` is how far it falls short of
    holding the question's names, -1 to 0. `period` is 1 if it is of the period asked for, -1 if of another, 0 if that
    cannot be told; `own` says that the very period asked for is the document's own.
    """

    held: frozenset[str]
    names: float
    period: float
    own: bool


def titles(question: Question, hits: Sequence[Hit]) -> frozenset[str]:
    """The names in the question that one of the documents goes by."""
    one_each = {hit.sha256: hit for hit in hits}.values()
    return frozenset(name for name in question.names if any(_goes_by(name, hit) for hit in one_each))


def standings(question: Question, hits: Sequence[Hit]) -> dict[str, Standing]:
    """How each document (SHA-256) of `hits` stands to the question."""
    documents: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        documents[hit.sha256].append(hit)
    told = {
        key: " ".join(f"{hit.document} {hit.chunk.context} {hit.chunk.text}" for hit in some)
        for key, some in documents.items()
    }
    held = {key: found(question, text) for key, text in told.items()}
    first = {key: some[0] for key, some in documents.items()}
    names = _shortfalls(question, first, held)
    periods = _agreements(question, {key: own_period(hit) for key, hit in first.items()}, names)
    return {
        key: Standing(held[key], names[key], periods[key], periods[key] > 0 and _is_own(question, own_period(hit)))
        for key, hit in first.items()
    }


def own_period(hit: Hit) -> Period:
    """What a document is about in time, by its name, or else its title."""
    named = find(hit.document.rpartition(".")[0] or hit.document)
    period = named if named.years else find(hit.chunk.context.split(" › ")[0])
    if len(period.years) > 1:  # from the first to the last
        return replace(period, years=frozenset(range(min(period.years), max(period.years) + 1)))
    return period


def _shortfalls(question: Question, first: dict[str, Hit], held: dict[str, frozenset[str]]) -> dict[str, float]:
    """A name that few documents hold weighs more; one that another document holds counts in full."""
    if not question.names:
        return dict.fromkeys(first, 0.0)
    has = {
        key: {name: 1.0 if _goes_by(name, hit) else INSIDE * (name in held[key]) for name in question.names}
        for key, hit in first.items()
    }
    weight = {name: 1 / (1 + sum(has[key][name] for key in has)) for name in question.names}
    whole = sum(weight.values())
    shares = {key: sum(weight[name] * has[key][name] for name in weight) / whole for key in has}
    most = max(shares.values())
    return {key: share - most - UNKNOWN * (1 - most) for key, share in shares.items()}


def _agreements(question: Question, periods: dict[str, Period], names: dict[str, float]) -> dict[str, float]:
    if question.period.days:  # a date says nothing of the report that holds it
        return dict.fromkeys(periods, 0.0)
    if question.latest and not question.period.years:
        meant = [key for key in periods if names[key] == max(names.values())]
        newest = max(map(_order, (periods[key] for key in meant)))
        return {
            key: 0.0 if not period.years else 1.0 if key in meant and _order(period) == newest else -1.0
            for key, period in periods.items()
        }
    asked = replace(question.period, months=frozenset())
    return {key: _agreement(question, asked, replace(p, months=frozenset())) for key, p in periods.items()}


def _agreement(question: Question, asked: Period, there: Period) -> float:
    """As `agreement`; a fiscal year, which may run ahead of the year in a file's name, contradicts no neighbour."""
    verdict = agreement(asked, there)
    if verdict < 0 and _FISCAL.search(question.text):
        ahead = replace(there, years=frozenset(year + 1 for year in there.years))
        return 0.0 if agreement(asked, ahead) > 0 else -1.0
    return float(verdict)


def _is_own(question: Question, period: Period) -> bool:
    asked = question.period
    latest = question.latest and not asked.years
    return bool(asked.quarters & period.quarters) or latest or not (period.quarters or asked.years)


def _order(period: Period) -> tuple[int, int]:
    return max(period.years, default=0), max(period.quarters, default=0)


def _goes_by(name: str, hit: Hit) -> bool:
    """Whether a name (a stem) stands in a document's title or, perhaps abbreviated, in its file's name."""
    if name in terms(hit.chunk.context.split(" › ")[0]):
        return True
    words = [word for word in re.findall(r"[a-z]+", hit.document.rpartition(".")[0].lower()) if len(word) > 2]
    return any(JaroWinkler.similarity(name, word) >= ALIKE or _shortens(word, name) for word in words)


def _shortens(short: str, word: str) -> bool:
    """Whether `short` is `word` with letters left out, such as "msft" of "microsoft"."""
    rest = iter(word)
    return len(short) < len(word) and short[0] == word[0] and all(letter in rest for letter in short)

"""How well a candidate fits a question, as a few features, each in [-1, 1], and the weights that make one score of them.

Knows nothing of how candidates are made or told.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

from rapidfuzz.distance import JaroWinkler

from octavo.generation.candidates import Candidate, Kind
from octavo.generation.periods import Period, agreement, current, find, undated
from octavo.generation.question import QUANTITIES, Question, Want, direction, found, terms
from octavo.retrieval.model import Hit


@dataclass(frozen=True, slots=True)
class Fit:
    """The features of a candidate, or the weight of each.

    Of any candidate: `meaning`, the cosine of the question and the candidate under its heading; `words`, the share of
    the question's terms that it and its surroundings hold, the rarer the heavier; `focus`, the share that it holds of
    the thing asked for; `rank`, its hit's score over the best hit's; `form`, whether it looks like what is asked for (a
    number, a date, a name, a reason); `period` and `document`, whether its column or sentence, and its document, are of
    the period asked for; `names`, how far its document falls short of holding all of the question's names (-1 to 0); `length` in units of 500 characters; `fragment`, 1 for words without a sentence. Of cells: `label`, the share
    of the row's label that the question names; `extra`, whether the column is of another sort than was asked (a target, a
    change); `newest`, whether its column is the newest; `cell`, 1; `cell_asked`, 1 where a quantity is asked for and -1
    where prose is; `extreme`, 1 for one that is the largest or smallest of several.
    """

    meaning: float = 0.0
    words: float = 0.0
    focus: float = 0.0
    rank: float = 0.0
    form: float = 0.0
    period: float = 0.0
    document: float = 0.0
    names: float = 0.0
    length: float = 0.0
    label: float = 0.0
    extra: float = 0.0
    newest: float = 0.0
    cell: float = 0.0
    cell_asked: float = 0.0
    extreme: float = 0.0
    fragment: float = 0.0
    bias: float = 0.0

    def weighed(self, weights: Fit) -> float:
        """The weighted sum of the features."""
        return sum(getattr(self, f.name) * getattr(weights, f.name) for f in fields(self))

    def score(self, weights: Fit) -> float:
        """In [0, 1]: the logistic function of the weighted sum."""
        return 1 / (1 + math.exp(-self.weighed(weights)))


NEAR = 0.6
"""What a term counts that stands in a candidate's heading, caption or neighbours; in itself it counts 1."""
FAR = 0.3
"""What a term counts that only the document's name, title or headings hold."""
SHORT = 0.9
"""What a label counts that the question names by its initials."""
UNKNOWN = 0.4
"""What a name counts that no document holds."""
ALIKE = 0.8
"""Jaro-Winkler similarity from which a word of a file's name stands for a name: "INTC" for "Intel"."""

_PLANNED = re.compile(r"\b(?:targets?|goals?|planned|plan|budget(?:ed)?|forecast|projected|estimated?)\b", re.I)
_CHANGE = re.compile(r"\b(?:change|variance|growth|increase|decrease|difference|trend)\b", re.I)
_FISCAL = re.compile(r"\bfiscal\b|\bFY", re.I)
_QUANTITY = re.compile(r"(?<![\w/-])[-−(]?[$€£¥]?\d[\d,.]*(?![\w/]*/)(?!\d)")
_MONEY = re.compile(r"[$€£¥]|\b(?:million|billion|thousand|dollars)\b", re.I)
_PERCENT = re.compile(r"%|\bpercent", re.I)
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


class Judge:
    """Judges candidates for one question, knowing all of the evidence: what is rare in it, and which document is meant."""

    def __init__(self, question: Question, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> None:
        self.question = question
        self._documents: dict[str, list[Hit]] = defaultdict(list)
        for hit in hits:
            self._documents[hit.sha256].append(hit)
        self._best = max((hit.score for hit in hits), default=1.0) or 1.0
        self._known = {key: self._holds(self._told(some)) for key, some in self._documents.items()}
        self._titles = frozenset(
            name for name in question.names for some in self._documents.values() if _titled(name, some[0])
        )
        self._weights = self._rarity({(c.own, c.near, c.hit.chunk.context) for c in candidates})

    def fit(self, candidate: Candidate, meaning: float = 0.0) -> Fit:
        """The features of a candidate; `meaning` is its cosine with the question."""
        question, key = self.question, candidate.hit.sha256
        asked, own = self._asked[key]
        is_cell = candidate.kind in (Kind.CELL, Kind.EXTREME)
        wanted = bool(question.wants & QUANTITIES) and not question.explain
        return Fit(
            meaning=meaning,
            words=self._words(candidate),
            focus=self._focus(candidate),
            rank=candidate.hit.score / self._best,
            form=self._form(candidate),
            period=self._period(candidate, asked, own),
            document=self._agreements[key],
            names=self._names[key],
            length=min(1.0, len(candidate.text) / 500),
            label=self._label(candidate.label) if is_cell else 0.0,
            extra=self._extra(candidate) if is_cell else 0.0,
            newest=float(is_cell and bool(candidate.period.last[0]) and candidate.period.last == _newest(candidate)),
            cell=float(is_cell),
            cell_asked=float(is_cell) * (wanted - question.explain),
            extreme=float(candidate.kind is Kind.EXTREME),
            fragment=float(candidate.kind is Kind.SENTENCE and _is_fragment(candidate.own)),
            bias=1.0,
        )

    def _holds(self, text: str) -> frozenset[str]:
        return found(self.question, text)

    def _rarity(self, texts: Iterable[tuple[str, str, str]]) -> dict[str, float]:
        """The weight of each of the question's terms: its inverse frequency among the candidates.

        A name that a document goes by weighs nothing here: all of that document is about it (see `names`).
        """
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            total += 1
            counts.update(frozenset().union(*map(self._holds, text)))
        return {term: math.log(1 + (1 + total) / (1 + counts[term])) for term in self.question.terms - self._titles}

    def _words(self, candidate: Candidate) -> float:
        own, near = self._holds(candidate.own), self._holds(candidate.near)
        far = self._known[candidate.hit.sha256]
        whole = sum(self._weights.values())
        credit = sum(
            weight * (1.0 if term in own else NEAR if term in near else FAR if term in far else 0.0)
            for term, weight in self._weights.items()
        )
        return credit / whole if whole else 0.0

    def _focus(self, candidate: Candidate) -> float:
        focus = self.question.focus - self._titles
        return len(self._holds(candidate.own) & focus) / len(focus) if focus else 0.0

    def _label(self, label: str) -> float:
        """The share of a label's terms that the question holds; the best of them for one that names alternatives."""
        shares = [self._share(part) for part in label.split("/")]
        return max((share for share in shares if share is not None), default=0.5)

    def _share(self, label: str) -> float | None:
        words = terms(label) - self._titles
        if not words:
            return None
        named = words & self.question.terms
        if self._holds(label) - self._titles - named:  # found by its initials
            return max(SHORT, len(named) / len(words))
        return len(named) / len(words)

    def _form(self, candidate: Candidate) -> float:
        wants, value = self.question.wants, candidate.value
        if candidate.row < 0 and direction(self.question.text) * direction(value) < 0:
            return -1.0
        if Want.PERCENT in wants:
            return 1.0 if _PERCENT.search(value) else -0.5
        if Want.MONEY in wants and not self.question.explain:
            if _PERCENT.search(value) and candidate.row >= 0:
                return -1.0
            return 1.0 if _MONEY.search(value) else 0.0
        if Want.NUMBER in wants:
            return 1.0 if _QUANTITY.search(undated(value)) else -1.0
        checks = [_FORMS[want](value) for want in wants if want in _FORMS]
        return (1.0 if all(checks) else -0.5) if checks else 0.0

    def _extra(self, candidate: Candidate) -> float:
        """-1 for a target or a change that was not asked for, 1 for a change that was."""
        header = candidate.header
        asked = self.question.text
        if _CHANGE.search(header):
            return 1.0 if self.question.change else -1.0
        if _PLANNED.search(header) and not _PLANNED.search(asked):
            return -1.0
        return 1.0 if _PLANNED.search(header) else -1.0 if self.question.change and not self.question.both else 0.0

    def _period(self, candidate: Candidate, asked: Period, own: bool) -> float:
        there = candidate.period
        if candidate.row < 0:
            return float(agreement(replace(asked, years=frozenset(), quarters=frozenset()) if own else asked, there))
        if own:
            return float(agreement(current(asked, candidate.columns), there))
        quarters = find(candidate.hit.document).quarters
        if quarters and there.months <= {3} and not asked.days:
            there = replace(there, quarters=quarters)
        return float(agreement(asked, there))

    @staticmethod
    def _told(hits: Sequence[Hit]) -> str:
        return " ".join(f"{hit.document} {hit.chunk.context} {hit.chunk.text}" for hit in hits)

    @cached_property
    def _names(self) -> dict[str, float]:
        """For each document how far it falls short of holding the question's names; one that few hold weighs more.

        Names that another document holds count in full, those that none holds only `UNKNOWN`: they may go by another
        spelling.
        """
        names = self.question.names
        if not names:
            return dict.fromkeys(self._documents, 0.0)
        has = {key: {name: self._has(name, key) for name in names} for key in self._documents}
        weight = {name: 1 / (1 + sum(has[key][name] for key in has)) for name in names}
        whole = sum(weight.values())
        shares = {key: sum(weight[name] * has[key][name] for name in names) / whole for key in self._documents}
        most = max(shares.values())
        return {key: share - most - UNKNOWN * (1 - most) for key, share in shares.items()}

    def _has(self, name: str, key: str) -> float:
        return 1.0 if _titled(name, self._documents[key][0]) else 0.8 if name in self._known[key] else 0.0

    @cached_property
    def _agreements(self) -> dict[str, float]:
        """For each document 1 if it is of the period asked for, -1 if it is of another, 0 if neither is told."""
        periods = {key: _own_period(hits[0]) for key, hits in self._documents.items()}
        if self.question.latest and not self.question.period.years:
            meant = [key for key in periods if self._names[key] == max(self._names.values())]
            newest = max((_order(periods[key]) for key in meant), default=(0, 0))
            return {
                key: 0.0 if not p.years else 1.0 if key in meant and _order(p) == newest else -1.0
                for key, p in periods.items()
            }
        asked = replace(self.question.period, months=frozenset(), days=frozenset())
        if self.question.period.days:  # a date says nothing of the report that holds it
            return dict.fromkeys(periods, 0.0)
        return {key: self._agreement(asked, replace(p, months=frozenset())) for key, p in periods.items()}

    def _agreement(self, asked: Period, there: Period) -> float:
        """As `agreement`; a fiscal year, which may run ahead of the year in a file's name, contradicts no neighbour."""
        verdict = agreement(asked, there)
        if verdict < 0 and _FISCAL.search(self.question.text):
            ahead = replace(there, years=frozenset(year + 1 for year in there.years))
            return 0.0 if agreement(asked, ahead) > 0 else -1.0
        return float(verdict)

    @cached_property
    def _asked(self) -> dict[str, tuple[Period, bool]]:
        """For each document the period asked for, and whether that is the document's own."""
        asked = self.question.period
        own = {}
        for key, hits in self._documents.items():
            period = _own_period(hits[0])
            same = self._agreements[key] > 0 and not asked.days
            quarter = bool(asked.quarters & period.quarters) or (self.question.latest and not asked.years)
            own[key] = same and (quarter or not period.quarters and not asked.years)
        return {key: (asked, own[key]) for key in self._documents}


def _own_period(hit: Hit) -> Period:
    """What a document is about in time, by its name, or else its title."""
    named = find(hit.document.rpartition(".")[0] or hit.document)
    return named if named.years else find(hit.chunk.context.split(" › ")[0])


def _titled(name: str, hit: Hit) -> bool:
    """Whether a document goes by a name (a stem): in its title, or in its file's name, which may abbreviate it."""
    if name in terms(hit.chunk.context.split(" › ")[0]):
        return True
    words = [word for word in re.findall(r"[a-z]+", hit.document.rpartition(".")[0].lower()) if len(word) > 2]
    return any(JaroWinkler.similarity(name, word) >= ALIKE or _shortens(word, name) for word in words)


def _shortens(short: str, word: str) -> bool:
    """Whether `short` is `word` with letters left out, such as "msft" of "microsoft"."""
    rest = iter(word)
    return len(short) < len(word) and short[0] == word[0] and all(letter in rest for letter in short)


def _is_fragment(text: str) -> bool:
    end = text.rstrip()[-1:]
    return end == ":" or (len(text.split()) < 6 and end not in ".!?")


def _order(period: Period) -> tuple[int, int]:
    return max(period.years, default=0), max(period.quarters, default=0)


def _newest(candidate: Candidate) -> tuple[int, int, int]:
    return max((period.last for period in candidate.columns), default=(0, 0, 0))

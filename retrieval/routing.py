"""Documents first: which documents a question is about, by its names, periods and kinds against the documents' cards.

Knows nothing of vectors. Where the cards tell one document, or a few, from all others, a search looks inside these;
where they do not it looks everywhere, and a document that is likely by its card is only raised.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.card import KINDS, Card, kinds_in
from octavo.ingest.periods import Period, find_periods
from octavo.retrieval.tuning import RRF

_NAME = 3.0  # the weight of a name's rarity, a logarithm, beside those of period and kind
_NONE = 2.0  # log odds that the question is about no document by name
_CALLS = 0.3  # what a word of a title, or of a file's name, counts beside one of the organisation's name
_PROPER = 0.9  # what such a word counts where the question writes it as a name
_SMALL = 0.3  # what a name counts that the question writes small though it has capitals
_OTHERS = 0.3  # what a part of a name counts beside a word that is none of it
_KNOWN = 2.5  # rarity that makes out an organisation; what is beyond counts _MORE of itself
_MORE = 0.25
_SURE = 0.8  # of the probability must lie on the documents chosen
_LIKELY = 0.5  # the probability from which on one that is not chosen is raised
_MOST = 4  # documents chosen
_OLDER = 0.1  # how a document fits that is not the latest of those that are named, where the latest is asked for
_LEAST = 0.1  # of the likeliest's probability
_DEPTH = 20  # of the hits that tell documents apart whose cards do not
_CALLED = 0.8  # what a period in the file's name counts beside the card's
_CALENDAR = 0.7  # and a quarter of the calendar, for who does not know the fiscal year
_ADJUSTED = 0.4  # how other documents fit a question for an adjusted measure, beside the release of results
_UNTOLD = 0.3  # how a document fits whose card does not say
_LATEST = re.compile(r"\b(?:latest|most\s+recent|newest|last\s+(?:fiscal\s+)?(?:year|quarter))\b", re.I)  # no year told
_OWN_MEASURE = re.compile(r"\badjusted\b|\bnon[\s-]?GAAP\b|\bEBIT(?:DAR?)?\b", re.I)
_WORD = re.compile(r"[^\W_][\w&]*")
_SMALL_WORDS = frozenset({"of", "and", "the", "for", "on", "in"})
_AROUND = frozenset(  # what stands around a name's words and gives no initial
    re.findall(r"\w+", "inc incorporated corp corporation company co plc ltd limited llc llp ag gmbh united states u s")
)
_PART = re.compile(r"\d+|[QH][1-4]|[1-4][QH]\d*|[FC]Y\d*", re.I)
_PLAIN = frozenset(
    re.findall(
        r"\w+",
        """of in on by to at as is it or an be do we us no if so vs per fy cy many much most more than
        into over under between during after before according the and for with from its that this are was
        were has have had not all any who what which how when where why does did his her our your their
        inc incorporated corp corporation company co plc ltd limited llc llp ag gmbh sa nv se group
        holdings united states form report reports reporting annual quarterly current quarter year fiscal
        full earnings release results press statement statements financial plan part item items table
        contents final draft copy version exhibit performance strategic study protocol clinical accident
        information page pages department ministry university office bureau institute administration
        agency bank commission board authority council service services center centre hospital foundation
        association society college national international federal""",
    )
)


class _Written(Enum):
    """How a question writes a word: with a capital or figure, small among others that have them, or all are small."""

    AS_A_NAME = auto()
    SMALL = auto()
    ANYHOW = auto()


@dataclass(frozen=True, slots=True)
class Filed:
    """A document as it is told from others: by its card, and by its file's name."""

    sha256: str
    name: str
    card: Card


@dataclass(frozen=True, slots=True)
class Route:
    """Where to look: `odds` has the probability of each document (SHA-256), the likeliest first.

    `chosen` are those to search in; none means all of them.
    """

    odds: Mapping[str, float]
    chosen: tuple[str, ...] = ()

    def weight(self, sha256: str) -> float:
        """By how much of itself a hit's score is raised: by the probability of a document that is chosen, or likely."""
        odds = self.odds.get(sha256, 0.0)
        return odds if sha256 in self.chosen or odds >= _LIKELY else 0.0

    def told_by(self, ranked: Sequence[str]) -> Route:
        """The route after a search in the chosen documents: odds times each one's share of what was found.

        `ranked` has the document of each hit, best first; shares are sums of reciprocal ranks, as they are fused.
        """
        if len(self.chosen) < 2:
            return self
        share = dict.fromkeys(self.chosen, 1 / (RRF + _DEPTH))
        for rank, sha256 in enumerate(ranked[:_DEPTH], 1):
            if sha256 in share:  # anyone's retriever may find what it was not asked for
                share[sha256] += 1 / (RRF + rank)
        weights = {key: self.odds[key] * share[key] for key in self.chosen}
        total = sum(weights.values()) / sum(self.odds[key] for key in self.chosen)
        odds = dict(self.odds) | {key: weight / total for key, weight in weights.items()}
        order = sorted(odds, key=lambda key: -odds[key])
        return Route({key: odds[key] for key in order}, tuple(key for key in order if key in self.chosen))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is read off a card once; many documents' are the same."""

    kind: str
    periods: tuple[Period, ...]
    day: date | None
    called: tuple[Period, ...]  # in the file's name, by whoever named it


class Router:
    """Sends questions to documents; made anew when the documents or their cards change."""

    def __init__(self, documents: Sequence[Filed]) -> None:
        shelf = sorted(documents, key=lambda document: document.name)  # in this order where odds are equal
        self.documents = {document.sha256: document for document in shelf}
        numbers: dict[_Entry, int] = defaultdict(lambda: len(numbers))
        self._number = np.asarray([numbers[_entry(document)] for document in shelf], np.intp)
        self._entries = list(numbers)
        self._days = np.asarray([entry.day.toordinal() if entry.day else 0 for entry in self._entries], np.intp)
        self._going_by: dict[str, list[tuple[int, float]]] = defaultdict(list)  # word: (place on the shelf, weight)
        self._names: list[frozenset[str]] = []  # by place: all words that it goes by
        self._own: list[frozenset[str]] = []  # and those of its organisation's name
        for place, document in enumerate(shelf):
            names = _names(document)
            self._names.append(frozenset(names))
            self._own.append(frozenset(_plainless(document.card.organisation)))
            for word, weight in names.items():
                self._going_by[word].append((place, weight))

    def route(self, question: str) -> Route:
        """A softmax over the documents, and none of them, of rarity of shared names plus log fit of period and kind."""
        if len(self.documents) < 2:
            return Route({})
        periods, kinds, adjusted = find_periods(question), kinds_in(question), bool(_OWN_MEASURE.search(question))
        named = self._named(_words(question), _beside(question))
        fits = [
            math.log(_period_fit(periods, entry)) + math.log(_kind_fit(kinds, periods, adjusted, entry.kind))
            for entry in self._entries
        ]
        scores = _NAME * named + np.asarray(fits)[self._number]
        if not periods and _LATEST.search(question):
            days = self._days[self._number]
            scores[days != days[named == named.max()].max()] += math.log(_OLDER)
        top = max(scores.max(), _NONE)
        weights = np.exp(scores - top)
        odds = weights / (math.exp(_NONE - top) + weights.sum())
        keys = list(self.documents)
        likely = {keys[place]: float(odds[place]) for place in np.argsort(-scores, kind="stable")}
        return Route(likely, _chosen(likely))

    def _named(self, words: Mapping[str, _Written], beside: Mapping[str, set[str]]) -> NDArray[np.float64]:
        """How far `words` of a question name each document on the shelf: the rarity of the names that they share.

        A part of an organisation's name counts little where the question writes another name `beside` it.
        """
        rarity = np.zeros(len(self.documents))
        for word, written in words.items():
            found = self._going_by.get(word, ())
            for place, weight in found:
                counts = max(weight, _PROPER) if written is _Written.AS_A_NAME else weight
                counts *= _SMALL if written is _Written.SMALL else 1.0
                own, others = self._own[place], beside.get(word, set()) - self._names[place]
                counts *= _OTHERS if others and word in own and own - words.keys() else 1.0
                rarity[place] += counts * math.log((len(self.documents) + 1) / len(found))
        return np.minimum(rarity, _KNOWN) + _MORE * np.maximum(rarity - _KNOWN, 0.0)


def _entry(document: Filed) -> _Entry:
    called = (period for period in find_periods(Path(document.name).stem) if not period.month)
    card = document.card
    return _Entry(card.kind, tuple(find_periods(card.period)), _day(card.date), tuple(called))


def _chosen(odds: Mapping[str, float]) -> tuple[str, ...]:
    """The likeliest documents if together they are likely enough, and few."""
    best = max(odds.values())
    few = [key for key, probability in odds.items() if probability >= _LEAST * best][:_MOST]
    return tuple(few) if sum(odds[key] for key in few) >= _SURE else ()


# Names


def _names(document: Filed) -> dict[str, float]:
    """The words that a document goes by, each with its weight."""
    card = document.card
    weights: dict[str, float] = {}
    for text, weight in (
        (card.title, _CALLS),
        (Path(document.name).stem, _CALLS),
        (card.also, 1.0),
        (card.organisation, 1.0),
    ):
        weights |= dict.fromkeys(_plainless(text), weight)
    return weights | dict.fromkeys(_initials(card.organisation), 1.0)


def _plainless(text: str) -> Iterator[str]:
    """The words of `text` that could be a name's: no number, period, kind of document or word of every day."""
    return (word.lower() for word in _split(text) if _calls(word))


@lru_cache(maxsize=100_000)
def _calls(word: str) -> bool:
    plain = word.lower() in _PLAIN or len(word) == 1 or _PART.fullmatch(word)
    return not (plain or kinds_in(word) or find_periods(word))


def _split(text: str) -> list[str]:
    return _WORD.findall(text.replace("_", " "))


def _initials(name: str) -> Iterator[str]:
    """The initials of a name's words, with and without the small words between them."""
    words = [word.lower() for word in _split(name) if word.lower() not in _AROUND]
    for some in (words, [word for word in words if word not in _SMALL_WORDS]):
        if len(some) >= 3:
            yield "".join(word[0] for word in some)


def _words(question: str) -> dict[str, _Written]:
    """The question's words, and names' neighbours joined, with how each is written."""
    words = _split(re.sub(r"[’']s\b", "", question))
    cased = question != question.lower()
    small = _Written.SMALL if cased else _Written.ANYHOW
    written = {word.lower(): small if word.islower() else _Written.AS_A_NAME for word in words}
    joined = {(a + b).lower(): _Written.AS_A_NAME for a, b in pairwise(words) if a[0].isupper() and b[0].isupper()}
    return joined | written


def _beside(question: str) -> dict[str, set[str]]:
    """Of each name in a question those that it writes side by side with it, as in "American Express"."""
    text = re.sub(r"[’']s\b", "", question.replace("_", " "))
    beside: dict[str, set[str]] = defaultdict(set)
    for first, second in pairwise(_WORD.finditer(text)):
        a, b = first[0], second[0]
        names = all(not word[0].islower() and _calls(word) for word in (a, b))
        if names and not text[first.end() : second.start()].strip():
            beside[a.lower()].add(b.lower())
            beside[b.lower()].add(a.lower())
    return beside


# Periods and kinds


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _period_fit(asked: Sequence[Period], entry: _Entry) -> float:
    """How likely the document is to answer about the latest of the periods asked for; 1 where none is."""
    if not asked:
        return 1.0
    own, day = entry.periods, entry.day
    if any(period.day and str(period) == str(day) for period in asked):
        return 1.0
    latest = max(asked)
    if not own:
        return _dated(latest, day) if day else _UNTOLD
    fits = [*(_fit(latest, period) for period in own), *(_CALLED * _fit(latest, period) for period in entry.called)]
    if len(own) > 1 and own[0].year <= latest.year <= own[-1].year:
        fits.append(1.0)
    if day and latest.quarter:
        close = day - timedelta(days=10)
        fits.append(_CALENDAR * _fit(latest, Period(close.year, (close.month + 2) // 3 if own[0].quarter else 0)))
    return max(fits)


def _fit(asked: Period, own: Period) -> float:
    """Of a year or quarter asked for and a report on `own`: those of the years after still tell of it."""
    later = own.year - asked.year
    quarter = asked.quarter or (asked.month and (asked.month + 2) // 3)
    if quarter:
        if own.quarter == quarter:
            return {0: 1.0, 1: 0.3}.get(later, 0.02)
        if not own.quarter:
            return {0: 0.25, 1: 0.1}.get(later, 0.02)
        return 0.15 if later == 0 and own.quarter > quarter else 0.02
    if own.quarter:
        return {0: 0.1, 1: 0.05}.get(later, 0.02)
    return {0: 1.0, 1: 0.15, 2: 0.07}.get(later, 0.02)


def _dated(asked: Period, day: date) -> float:
    """Of a document that is of a day and covers no period."""
    if asked.year != day.year:
        return 0.05
    if asked.month:
        return 0.7 if asked.month == day.month and not asked.day else 0.1
    return 0.25


def _kind_fit(asked: Sequence[str], periods: Sequence[Period], adjusted: bool, kind: str) -> float:
    """Of the kinds asked for; where none is, a report on a whole period before one on a day.

    Where a measure is asked for that companies adjust by themselves, the releases of their results, which make much of
    it, come before their reports.
    """
    if not asked and adjusted:
        return 1.0 if kind == "earnings release" else _ADJUSTED
    if not asked:
        part = 1.0 if any(period.quarter for period in periods) else 0.6
        return {"current report": 0.3, "earnings release": 0.6, "quarterly report": part}.get(kind, 1.0)
    return 1.0 if kind in asked else 0.1 if kind in KINDS else _UNTOLD

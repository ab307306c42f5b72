"""How well a candidate fits a question: a few features, each in [-1, 1], and the sum of them by weights.

Knows nothing of how candidates are made or told.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from octavo.generation.candidates import Candidate, Kind
from octavo.generation.documents import Standing, own_period, standings, titles
from octavo.generation.forms import form, is_fragment, sort_of_column
from octavo.generation.periods import agreement, current, find
from octavo.generation.question import QUANTITIES, Question, found
from octavo.generation.words import EXTREMES, terms
from octavo.retrieval.model import Hit


@dataclass(frozen=True, slots=True)
class Fit:
    """The features of a candidate, or the weight of each.

    Of any candidate: `meaning`, the cosine of the question and the candidate under its heading; `words`, the share of
    the question's terms that it and its surroundings hold, the rarer the heavier; `focus`, the share that it holds of
    the thing asked for; `rank`, its hit's score over the best hit's; `form`, whether it looks like what is asked for;
    `period` and `document`, whether its column or sentence, and its document, are of the period asked for; `names`, how
    far its document falls short of holding the question's names; `length` in units of 500 characters; `fragment`, 1 for
    words without a sentence.

    Of cells: `label`, the share of the row's label that the question names; `extra`, whether the column is of another
    sort than was asked for (a target, a change); `newest`, whether its column is the newest; `cell`, 1; `cell_asked`,
    1 where a quantity is asked for and -1 where prose is; `extreme`, 1 for one that is the largest or smallest of
    several.
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
    fragment: float = 0.0
    label: float = 0.0
    extra: float = 0.0
    newest: float = 0.0
    cell: float = 0.0
    cell_asked: float = 0.0
    extreme: float = 0.0
    bias: float = 1.0

    def weighed(self, weights: Fit) -> float:
        """The weighted sum of the features."""
        total: float = sum(getattr(self, f.name) * getattr(weights, f.name) for f in fields(self))
        return total


NEAR = 0.6
"""What a term counts that stands in a candidate's heading, caption or neighbours; in itself it counts 1."""
FAR = 0.3
"""What a term counts that only the document's name, headings and other texts hold."""
SHORT = 0.9
"""What a label counts that the question names by its initials."""
UNNAMED = 0.5
"""What a row without a label counts."""


class Judge:
    """Judges candidates for one question, knowing all of the evidence: what is rare in it, which document is meant."""

    def __init__(self, question: Question, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> None:
        self.question = question
        self._standings = standings(question, hits)
        self._titles = titles(question, hits)
        self._rarity = self._rarities({(c.own, c.near, c.hit.chunk.context) for c in candidates})
        self._best = max((hit.score for hit in hits), default=0.0) or 1.0

    def fit(self, candidate: Candidate, meaning: float = 0.0) -> Fit:
        """The features of a candidate; `meaning` is its cosine with the question."""
        standing = self._standings[candidate.hit.sha256]
        common = Fit(
            meaning=meaning,
            words=self._words(candidate, standing),
            focus=self._focus(candidate),
            rank=candidate.hit.score / self._best,
            form=form(self.question, candidate.value, candidate.own, candidate.is_cell),
            period=self._period(candidate, standing.own),
            document=standing.period,
            names=standing.names,
            length=min(1.0, len(candidate.text) / 500),
            fragment=float(candidate.kind is Kind.SENTENCE and is_fragment(candidate.own)),
        )
        return self._of_cell(candidate, common) if candidate.is_cell else common

    def _of_cell(self, cell: Candidate, common: Fit) -> Fit:
        question = self.question
        dated, asked = find(cell.label).years, question.period.years
        newest = max(period.last for period in cell.columns)
        return replace(
            common,
            label=float(bool(dated & asked))
            if dated and asked and not terms(cell.label)
            else self._label(cell.group if question.each and cell.group else cell.label),
            extra=sort_of_column(question, cell.header),
            newest=float(cell.period.last == newest and newest[0] > 0),
            cell=1.0,
            cell_asked=-1.0 if question.explain else float(bool(question.wants & QUANTITIES)),
            extreme=float(cell.kind is Kind.EXTREME and bool(self._holds(cell.own) - EXTREMES)),
        )

    def _holds(self, text: str) -> frozenset[str]:
        return found(self.question, text)

    def _rarities(self, texts: Iterable[tuple[str, str, str]]) -> dict[str, float]:
        """The weight of each of the question's terms: its inverse frequency among the candidates.

        A name that a document goes by weighs nothing here: all of that document is about it (see `names`).
        """
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            total += 1
            counts.update(frozenset().union(*map(self._holds, text)))
        return {term: math.log(1 + (1 + total) / (1 + counts[term])) for term in self.question.terms - self._titles}

    def _words(self, candidate: Candidate, standing: Standing) -> float:
        own, near = self._holds(candidate.own), self._holds(candidate.near)
        whole = sum(self._rarity.values())
        credit = sum(
            weight * (1.0 if term in own else NEAR if term in near else FAR if term in standing.held else 0.0)
            for term, weight in self._rarity.items()
        )
        return credit / whole if whole else 0.0

    def _focus(self, candidate: Candidate) -> float:
        focus = self.question.focus - self._titles
        return len(self._holds(candidate.own) & focus) / len(focus) if focus else 0.0

    def _label(self, label: str) -> float:
        """The share of a label's terms that the question holds; the best of them for one that names alternatives."""
        shares = [self._share(part) for part in label.split("/")]
        return max((share for share in shares if share is not None), default=UNNAMED)

    def _share(self, label: str) -> float | None:
        words = terms(label) - self._titles
        if not words:
            return None
        named = words & self.question.terms
        by_initials = self._holds(label) - self._titles - named
        return max(SHORT if by_initials else 0.0, len(named) / len(words))

    def _period(self, candidate: Candidate, own: bool) -> float:
        """Whether a cell's column, or a sentence, is of the period asked for: 1, -1 for another, 0 for not told.

        In a document of that very period the newest column is meant, and sentences may call it by another year (fiscal)
        or compare it with others. A column of a quarterly report is of the report's quarter, of this year or another.
        """
        asked, there = self.question.period, candidate.period
        if own and not candidate.is_cell:
            return float(agreement(replace(asked, years=frozenset(), quarters=frozenset()), there))
        if own:
            return float(agreement(current(asked, candidate.columns), there))
        quarters = own_period(candidate.hit).quarters
        if candidate.is_cell and quarters and there.months <= {3} and not asked.days:
            there = replace(there, quarters=quarters)
        return float(agreement(asked, there))

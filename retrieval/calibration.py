"""Calibrated selection: how probably a hit is evidence, and the cut that loses evidence seldom enough.

Scores fused by rank compare within one question only. So a hit's probability of being evidence is learnt from signals
that mean the same in every question, by logistic regression on one half of questions whose evidence is known; the
other half sets the cut (split conformal prediction). Knows nothing of libraries: a question is its hits' signals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, inf

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

SIGNALS = ("cosine", "words", "rank", "score", "document", "picture")
"""What is known of a hit: the cosine of question and chunk; the share of the question's words in the chunk, weighted by
rarity; the logarithm of its rank; its score; the probability of its document by the card; whether it is a picture."""

Made = Mapping[str, str | int | bool | None]

_OWN = 2  # a domain has its own cut where at least so many questions may lose their evidence by the promise


class CalibrationError(ValueError):
    """A promise that cannot be made, or was not; the message is one line that says what can be done."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A question whose evidence is known, and what a search found for it.

    `signals` has shape (hits, len(SIGNALS)), float64; `evidence`, shape (hits,), bool, tells which hits are evidence;
    `domain` is what the question is taken for, "" where that is not sure.
    """

    signals: NDArray[np.float64]
    evidence: NDArray[np.bool_]
    domain: str = ""


class Cut(BaseModel, frozen=True):
    """Hits are kept from probability `least` on; of `missed` of the `questions` that set it no evidence was found."""

    least: float
    questions: int
    missed: int


class Calibration(BaseModel, frozen=True):
    """What was learnt: `weights` of the signals and `bias`, and a cut for each domain, that of the others under "".

    `lose` is the promised share of `questions`, half of which the weights were learnt from, with `k` hits for each;
    `made_with` is all else that the signals hang on.
    """

    lose: float
    k: int
    questions: int
    weights: tuple[float, ...]
    bias: float
    cuts: Mapping[str, Cut]
    made_with: Made

    def probabilities(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """How probably each hit is evidence, from signals of shape (n, len(SIGNALS)); shape (n,)."""
        logits: NDArray[np.float64] = 1 / (1 + np.exp(-(signals @ np.asarray(self.weights) + self.bias)))
        return logits

    def cut(self, domain: str) -> tuple[str, Cut]:
        """The cut for questions of `domain`, with the domain if the cut is its own, else with ""."""
        name = domain if domain in self.cuts else ""
        return name, self.cuts[name]


def conformal_cut(best: Sequence[float], lose: float) -> float:
    """The cut t below which the best evidence of a further question falls with a probability of at most `lose`.

    `best` has, for each of n questions, the highest probability among its evidence, -inf where none was found: t is the
    floor(lose (n + 1))-th smallest of them. If the further question is exchangeable with these, its own is as likely at
    any place among them, so P(own < t) <= floor(lose (n + 1)) / (n + 1) <= `lose`. Vovk, Gammerman and Shafer,
    Algorithmic Learning in a Random World, 2005; Angelopoulos and Bates, arXiv 2107.07511, section 1. Raises
    CalibrationError where that is none of the evidence that was found: too few questions, or too many missed.
    """
    n, missed = len(best), sum(value == -inf for value in best)
    may = floor(round(lose * (n + 1), 9))  # .1 * 50 is no less than 5
    if may > missed:
        return sorted(best)[may - 1]
    least = f"{-floor(-1000 * (missed + 1) / (n + 1)) / 1000:g}"
    why = f"the search finds no evidence for {missed} of {n} questions" if missed else f"{n} questions are too few"
    raise CalibrationError(
        f"it cannot be promised to lose evidence for at most {lose:g} of the questions, as {why} that set the cut: "
        + (f"{least} can be promised" if missed + 1 <= n else "nothing can be promised")
    )


def calibrate(
    questions: Sequence[Searched], lose: float, k: int, seed: int = 0, made_with: Made | None = None
) -> Calibration:
    """Learns the probability from half of `questions`, taken by `seed`, and sets the cuts by the others.

    A domain with enough questions gets a cut of its own, which keeps the promise for questions of that domain. Raises
    CalibrationError, and ValueError for a share `lose` that is none.
    """
    from sklearn.linear_model import LogisticRegression  # a second of imports that others are spared
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not 0 < lose < 1:
        raise ValueError(f"a share of questions lies between 0 and 1, not at {lose}")
    order = np.random.default_rng(seed).permutation(len(questions))
    fit, held = ([questions[n] for n in half] for half in np.array_split(order, 2))
    marks = np.concatenate([some.evidence for some in fit]) if fit else np.empty(0, bool)
    if len(set(marks.tolist())) < 2:
        raise CalibrationError(f"{len(fit)} questions are too few to learn from what is evidence and what is not")
    scaler, model = StandardScaler(), LogisticRegression()
    make_pipeline(scaler, model).fit(np.concatenate([some.signals for some in fit]), marks)
    weights = model.coef_[0] / scaler.scale_
    draft = Calibration(
        lose=lose,
        k=k,
        questions=len(questions),
        weights=tuple(map(float, weights)),
        bias=float(model.intercept_[0] - weights @ scaler.mean_),
        cuts={},
        made_with=made_with or {},
    )
    groups: dict[str, list[float]] = {}
    for some, domain in zip(held, _domains(held, lose), strict=True):
        found = draft.probabilities(some.signals)[some.evidence]
        groups.setdefault(domain, []).append(float(found.max(initial=-inf)))
    groups.setdefault("", [value for values in groups.values() for value in values])
    cuts = {domain: _cut(domain, best, lose) for domain, best in sorted(groups.items())}
    return draft.model_copy(update={"cuts": cuts})


def _domains(questions: Sequence[Searched], lose: float) -> list[str]:
    """The domain by which each question sets a cut; "" for all where the others could not stand alone."""
    counts = Counter(some.domain for some in questions)
    own = {domain for domain, n in counts.items() if domain and lose * (n + 1) >= _OWN}
    others = sum(n for domain, n in counts.items() if domain not in own)
    if others and lose * (others + 1) < _OWN:
        own = set()
    return [some.domain if some.domain in own else "" for some in questions]


def _cut(domain: str, best: Sequence[float], lose: float) -> Cut:
    try:
        least = conformal_cut(best, lose)
    except CalibrationError as error:
        raise CalibrationError(f"{domain}: {error}" if domain else str(error)) from None
    return Cut(least=least, questions=len(best), missed=sum(value == -inf for value in best))

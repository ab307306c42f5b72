"""How well a model tells right reports from wrong ones: scores of all pairs, and figures with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from octavo.retrieval.embedder import as_texts
from octavo.training.data import Split
from octavo.training.roc import auc

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

METRICS = ("auc", "mrr", "ndcg@10", "recall@10")
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Ranking:
    """Cosines of every question (row) with every report (column), float64, and which pairs are right."""

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """The figure by `spec`, its sign included, and the interval by the same, "0.512 [0.488, 0.541]"."""
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure before and after, and the difference, each with an interval over the same draws of questions."""

    before: Estimate
    after: Estimate
    difference: Estimate


def rank(model: SentenceTransformer, split: Split, batch_size: int = 64) -> Ranking:
    """Scores every question of `split` against every report of it."""
    questions, reports = (
        encode(as_texts(model, texts), batch_size=batch_size, show_progress_bar=False, normalize_embeddings=True)
        for encode, texts in ((model.encode_query, split.questions), (model.encode_document, split.reports))
    )
    scores = np.asarray(questions, np.float64) @ np.asarray(reports, np.float64).T
    right = np.zeros(scores.shape, bool)
    for row, columns in enumerate(split.right):
        right[row, list(columns)] = True
    return Ranking(scores, right)


def figures(ranking: Ranking) -> dict[str, float]:
    """AUC over all pairs of all questions; and the means over questions of MRR, nDCG@10 and Recall@10."""
    means = {name: float(values.mean()) for name, values in _by_question(ranking).items()}
    return {"auc": auc(ranking.scores[ranking.right], ranking.scores[~ranking.right]), **means}


def compare(before: Ranking, after: Ranking, seed: int, draws: int = _DRAWS) -> dict[str, Comparison]:
    """The figures of two rankings of one split with percentile bootstrap intervals, over questions drawn anew.

    Both are measured on the same draws, so the interval of the difference is a paired one. The reports are not drawn:
    the intervals are for other questions about these reports.
    """
    count = len(before.right)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)
    drawn = [_drawn(ranking, weights) for ranking in (before, after)]
    plain = [figures(ranking) for ranking in (before, after)]
    return {
        name: Comparison(
            _estimate(plain[0][name], drawn[0][name]),
            _estimate(plain[1][name], drawn[1][name]),
            _estimate(plain[1][name] - plain[0][name], drawn[1][name] - drawn[0][name]),
        )
        for name in METRICS
    }


def _by_question(ranking: Ranking) -> dict[str, NDArray[np.float64]]:
    import ir_measures
    from ir_measures import RR, R, nDCG

    measures = {RR: "mrr", nDCG @ 10: "ndcg@10", R @ 10: "recall@10"}
    rows, columns = ranking.scores.shape
    qrels = {str(q): {str(r): 1 for r in np.flatnonzero(ranking.right[q])} for q in range(rows)}
    run = {str(q): {str(r): float(ranking.scores[q, r]) for r in range(columns)} for q in range(rows)}
    values = {name: np.zeros(rows) for name in measures.values()}
    for metric in ir_measures.iter_calc(list(measures), qrels, run):
        values[measures[metric.measure]][int(metric.query_id)] = metric.value
    return values


def _drawn(ranking: Ranking, weights: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
    """The figures of each draw, whose `weights` (draws, questions) say how often each question is in it."""
    total = weights.sum(1)
    means = {name: weights @ values / total for name, values in _by_question(ranking).items()}
    return {"auc": _drawn_auc(ranking, weights), **means}


def _drawn_auc(ranking: Ranking, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """AUC of draws: a pair of scores counts by the product of its questions' weights.

    So the pairs in order are counted once for each two questions, and a draw is a quadratic form in that matrix.
    """
    owner, _ = np.nonzero(ranking.right)
    positive = ranking.scores[ranking.right]
    ordered = np.zeros((len(ranking.scores), len(ranking.scores)))  # by the positive's question and the negative's
    for q, (scores, right) in enumerate(zip(ranking.scores, ranking.right, strict=True)):
        below = np.sort(scores[~right])
        above = (np.searchsorted(below, positive, "left") + np.searchsorted(below, positive, "right")) / 2
        ordered[:, q] = np.bincount(owner, above, len(ranking.scores))
    in_order = np.einsum("di,ij,dj->d", weights, ordered, weights, optimize=True)
    pairs = (weights @ ranking.right.sum(1)) * (weights @ (~ranking.right).sum(1))
    return np.asarray(in_order / pairs)


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, float(low), float(high))

"""What an evaluation's outcomes come to: means with intervals by way, against the first way, and by question type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from octavo.evaluation.metrics import NdcgMode, distinct_pages, recall_curve
from octavo.evaluation.protocol import scores
from octavo.evaluation.questions import Question
from octavo.evaluation.results import Outcome
from octavo.evaluation.statistics import Estimate, mean_interval, share_interval

PAGE_METRICS = {
    "precision": "precision",
    "recall": "recall",
    "ndcg": "nDCG",
    "ndcg_unidoc": "nDCG (unidoc)",
    "mrr": "MRR",
}
ANSWER_METRICS = {
    "exact": "exact match",
    "contains": "contains",
    "numeric": "numeric match",
    "facts": "facts",
    "cited": "cites evidence",
}
METRICS = PAGE_METRICS | ANSWER_METRICS
_SHARES = frozenset({"exact", "contains", "numeric", "cited"})
_GROUPINGS = ("type", "answer_type", "domain")


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds: the median and the 95th percentile."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class WaySummary:
    """How one way did.

    `metrics` by the names of METRICS, without those that apply to no question; `differences` from the first way,
    question by question. `recall_at[i]` is the recall of the first i + 1 items, `pages_recall_at[i]` of the first
    i + 1 distinct pages among the retrieved items. `search` and `answer` are seconds a question.
    """

    metrics: dict[str, Estimate]
    differences: dict[str, Estimate]
    recall_at: list[float]
    pages_recall_at: list[float]
    search: Latency
    answer: Latency | None


@dataclass(frozen=True, slots=True)
class Group:
    """The questions that a grouping ("type", "answer_type", "domain") puts together, with each way's metrics."""

    grouping: str
    value: str
    n: int
    ways: dict[str, dict[str, Estimate]]


@dataclass(frozen=True, slots=True)
class Summary:
    """An evaluation as its reports tell it. `ways` in the order given; `ndcg` names the mode shown first."""

    source: str
    questions: int
    documents: int
    evidence_pages: int
    k: int
    ndcg: NdcgMode
    seed: int
    settings: Mapping[str, Any]
    ways: dict[str, WaySummary]
    groups: list[Group]

    @property
    def first(self) -> str:
        """The way that the others are compared with."""
        return next(iter(self.ways))


def summarise(
    source: str,
    questions: Sequence[Question],
    outcomes: Sequence[Outcome],
    k: int,
    ndcg: NdcgMode = "standard",
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Summary:
    """The summary of the outcomes of all `questions` in one or more ways; `source` is what the questions are called."""
    by_way: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for outcome in outcomes:
        by_way[outcome.way][outcome.question] = outcome
    scored = {
        way: {q.id: scores(q, found[q.id], k) for q in questions if q.id in found} for way, found in by_way.items()
    }
    first = next(iter(by_way))
    return Summary(
        source=source,
        questions=len(questions),
        documents=len({document for q in questions for document, _ in q.evidence}),
        evidence_pages=sum(len(q.evidence) for q in questions),
        k=k,
        ndcg=ndcg,
        seed=seed,
        settings=settings or {},
        ways={way: _way(questions, by_way[way], scored[way], scored[first], way != first, k, seed) for way in by_way},
        groups=_groups(questions, scored, seed),
    )


def _way(
    questions: Sequence[Question],
    found: Mapping[str, Outcome],
    scored: Mapping[str, Mapping[str, float | None]],
    against: Mapping[str, Mapping[str, float | None]],
    other: bool,
    k: int,
    seed: int,
) -> WaySummary:
    asked = [q for q in questions if q.id in found]
    items = [recall_curve(found[q.id].retrieved, q.evidence, k) for q in asked]
    pages = [recall_curve(distinct_pages(found[q.id].retrieved), q.evidence, k) for q in asked]
    replies = [o.reply.seconds for q in asked if (o := found[q.id]).reply]
    return WaySummary(
        metrics=_estimates(list(scored.values()), seed),
        differences=_differences(scored, against, seed) if other else {},
        recall_at=np.mean(items, axis=0).tolist(),
        pages_recall_at=np.mean(pages, axis=0).tolist(),
        search=_latency([found[q.id].seconds for q in asked]),
        answer=_latency(replies) if replies else None,
    )


def _estimates(scored: Sequence[Mapping[str, float | None]], seed: int) -> dict[str, Estimate]:
    estimates = {}
    for name in METRICS:
        values = [value for one in scored if (value := one.get(name)) is not None]
        if values:
            estimates[name] = share_interval(values) if name in _SHARES else mean_interval(values, seed)
    return estimates


def _differences(
    scored: Mapping[str, Mapping[str, float | None]], against: Mapping[str, Mapping[str, float | None]], seed: int
) -> dict[str, Estimate]:
    differences = {}
    for name in METRICS:
        pairs = [(scored[key].get(name), against[key].get(name)) for key in scored if key in against]
        values = [one - other for one, other in pairs if one is not None and other is not None]
        if values:
            differences[name] = mean_interval(values, seed)
    return differences


def _groups(
    questions: Sequence[Question], scored: Mapping[str, Mapping[str, Mapping[str, float | None]]], seed: int
) -> list[Group]:
    groups = []
    for grouping in _GROUPINGS:
        members: dict[str, list[str]] = defaultdict(list)
        for question in questions:
            members[getattr(question, grouping)].append(question.id)
        if set(members) == {""}:
            continue
        for value, ids in sorted(members.items()):
            ways = {way: _estimates([found[i] for i in ids if i in found], seed) for way, found in scored.items()}
            groups.append(Group(grouping, value or "none", len(ids), ways))
    return groups


def _latency(seconds: Sequence[float]) -> Latency:
    median, p95 = np.percentile(seconds, [50, 95])
    return Latency(float(median), float(p95))

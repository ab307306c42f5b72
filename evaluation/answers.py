"""Scoring of answers against known facts and pages: pure functions, and the questions of `benchmarks/answers`.

The rule of rightness is that of benchmarks/answers/README.md. Knows nothing of libraries or generators.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Page = tuple[str, int]
"""A document's file name and a page of it, counted from 1."""

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A question with what its answer must say (a spelling of each fact) and the pages that bear it out."""

    id: str
    question: str
    facts: tuple[tuple[str, ...], ...]
    evidence: frozenset[Page]
    kind: str
    set: str


@dataclass(frozen=True, slots=True)
class Score:
    """How one answer did. `cited` counts any citation on a page of evidence, `cited_first` only the first citation."""

    id: str
    set: str
    kind: str
    right: bool
    cited: bool
    cited_first: bool


def read_questions(path: Path, data: Path | None = None) -> list[KnownAnswer]:
    """The questions of a JSON Lines file; those that name a row of a CSV file are read from it under `data`.

    Raises ValueError when such a row is asked for and `data` is None, and OSError.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    questions = []
    for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        if source := entry.get("source"):
            if data is None:
                raise ValueError(f"{path.name} takes questions from {source['file']}: name its folder with --data")
            if source["file"] not in rows:
                with (data / source["file"]).open(encoding="utf-8-sig", newline="") as file:
                    rows[source["file"]] = list(csv.DictReader(file))
            text = rows[source["file"]][source["row"]]["Question"]
        else:
            text = entry["question"]
        questions.append(
            KnownAnswer(
                entry["id"],
                _SPACE.sub(" ", text).strip(),
                tuple(tuple(spellings) for spellings in entry["facts"]),
                frozenset((e["document"], e["page"]) for e in entry["evidence"]),
                entry["kind"],
                entry["set"],
            )
        )
    return questions


def is_right(text: str, facts: Iterable[Iterable[str]]) -> bool:
    """Whether `text` holds at least one spelling of every fact.

    Case and the width of white space do not matter. A spelling that begins or ends with a digit is not found inside a
    longer number: 416 is not in "2,416" or "416.5", but it is in "$416 million.".
    """
    folded = _SPACE.sub(" ", text)
    return all(any(_spelling(spelling).search(folded) for spelling in spellings) for spellings in facts)


def _spelling(spelling: str) -> re.Pattern[str]:
    folded = _SPACE.sub(" ", spelling)
    before = r"(?<!\d)(?<!\d[.,])" if folded[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if folded[-1:].isdigit() else ""
    return re.compile(before + re.escape(folded) + after, re.IGNORECASE)


def score(question: KnownAnswer, text: str, citations: Sequence[Page]) -> Score:
    """The score of an answer with this text and these citations, in their order."""
    on_evidence = [page in question.evidence for page in citations]
    return Score(
        question.id,
        question.set,
        question.kind,
        right=is_right(text, question.facts),
        cited=any(on_evidence),
        cited_first=bool(on_evidence) and on_evidence[0],
    )


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The Wilson score interval for a proportion of `hits` in `n`, at 95% by default; (0, 1) for n = 0.

    Wilson, Journal of the American Statistical Association 22, 1927.
    """
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z
    middle = share + square / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (middle - reach) / (1 + square / n), (middle + reach) / (1 + square / n)
    return max(0.0, low), min(1.0, high)


def report(scores: Sequence[Score]) -> str:
    """A Markdown table: the shares of right and rightly cited answers, with intervals, by set, by kind and of all."""
    groups = [(f"{field} {value}", field, value) for field in ("set", "kind") for value in _values(scores, field)]
    lines = ["| questions | n | right | cited | cited first |", "|---|---|---|---|---|"]
    for name, field, value in groups:
        lines.append(_line(name, [s for s in scores if getattr(s, field) == value]))
    return "\n".join([*lines, _line("all", scores)])


def _values(scores: Sequence[Score], field: str) -> list[str]:
    return sorted({getattr(score, field) for score in scores})


def _line(name: str, scores: Sequence[Score]) -> str:
    shares = (_share([getattr(s, field) for s in scores]) for field in ("right", "cited", "cited_first"))
    return f"| {name} | {len(scores)} | {' | '.join(shares)} |"


def _share(outcomes: Sequence[bool]) -> str:
    low, high = wilson(sum(outcomes), len(outcomes))
    return f"{sum(outcomes)} ({sum(outcomes) / max(1, len(outcomes)):.0%}, {low:.0%} to {high:.0%})"

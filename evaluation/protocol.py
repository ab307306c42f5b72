"""The protocol: every question asked in every way, over one library, with one k and one generator, and kept as it goes.

Knows nothing of libraries: a way is given as functions that search and ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from octavo.evaluation.answers import is_right
from octavo.evaluation.matching import contains, exact_match, numeric_match
from octavo.evaluation.metrics import Page, page_metrics
from octavo.evaluation.questions import Question
from octavo.evaluation.results import Outcome, Reply, Results
from octavo.generation.model import Answer
from octavo.retrieval.model import Hit

_WARM_UP = "What is this about?"


@dataclass(frozen=True, slots=True)
class Way:
    """A way of retrieval under test.

    `search(question)` gives the hits, best first; `ask(questions)` the answers to several questions from that way's
    hits, in their order; None to measure retrieval alone.
    """

    name: str
    search: Callable[[str], Sequence[Hit]]
    ask: Callable[[Sequence[str]], Sequence[Answer]] | None = None


def run(
    questions: Sequence[Question],
    ways: Sequence[Way],
    results: Results,
    k: int,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
    together: int = 1,
) -> list[Outcome]:
    """The outcomes of all questions in all ways, of which those that `results` already holds are not made again.

    Each way is asked `together` questions at once, and what it found is then added to `results`. Before the first,
    every way searches once unmeasured: models are loaded then, and a way that cannot search says so before any work is
    done. `on_progress(done, of)` counts outcomes.
    """
    pending = [(q, way) for q in questions for way in ways if (q.id, way.name) not in results]
    total = len(questions) * len(ways)
    for way in ways:
        if any(way is other for _, other in pending):
            way.search(_WARM_UP)
            if way.ask:
                way.ask([_WARM_UP])
    done = total - len(pending)
    on_progress(done, total)
    for start in range(0, len(questions), together):
        for way in ways:
            some = [q for q in questions[start : start + together] if (q.id, way.name) not in results]
            for question, outcome in zip(some, _outcomes(some, way, k), strict=True):
                results.add(outcome, scores(question, outcome, k))
                done += 1
                on_progress(done, total)
    return [results[question.id, way.name] for question in questions for way in ways]


def pages_of(hit: Hit) -> tuple[Page, ...]:
    """The pages that a hit covers: its elements', in order."""
    return tuple((hit.document, page) for page in sorted({hit.page, *(element.page for element in hit.elements)}))


def scores(question: Question, outcome: Outcome, k: int) -> dict[str, float | None]:
    """All metrics of one outcome by name, in [0, 1]; None where a metric does not apply to the question."""
    pages = page_metrics(outcome.retrieved, question.evidence, k)
    loose = page_metrics(outcome.retrieved, question.evidence, k, "unidoc")
    found: dict[str, float | None] = {
        "precision": pages["precision"],
        "recall": pages["recall"],
        "ndcg": pages["ndcg"],
        "ndcg_unidoc": loose["ndcg"],
        "mrr": pages["mrr"],
    }
    reply = outcome.reply
    if reply is None:
        return found
    text, reference = reply.text, question.answer
    number = numeric_match(text, reference, question.text) if reference else None
    said = [is_right(text, [spellings]) for spellings in question.facts]
    return found | {
        "exact": float(exact_match(text, reference)) if reference else None,
        "contains": float(contains(text, reference)) if reference else None,
        "numeric": None if number is None else float(number),
        "facts": sum(said) / len(said) if said else None,
        "cited": float(any(page in question.evidence for page in reply.citations)),
    }


def _outcomes(questions: Sequence[Question], way: Way, k: int) -> list[Outcome]:
    """What `way` finds and answers; the time of answering is shared out among the questions."""
    found, seconds = [], []
    for question in questions:
        started = perf_counter()
        found.append(way.search(question.text))
        seconds.append(perf_counter() - started)
    replies: list[Reply | None] = [None] * len(questions)
    if way.ask and questions:
        started = perf_counter()
        answers = way.ask([question.text for question in questions])
        share = (perf_counter() - started) / len(questions)
        replies = [
            Reply(
                text=answer.text,
                citations=tuple((c.document, c.page) for c in answer.citations),
                generator=answer.generator,
                notes=answer.notes,
                seconds=share,
            )
            for answer in answers
        ]
    return [
        Outcome(question.id, way.name, tuple(pages_of(hit) for hit in hits[:k]), took, reply)
        for question, hits, took, reply in zip(questions, found, seconds, replies, strict=True)
    ]

"""The extractive reader: finds what answers a question in the evidence, without a language model.

Every sentence, list, table cell and figure of the hits is a candidate (`candidates`, `cells`); how well each fits the
question is judged by a few features (`fit`); one set of weights compares them all, so that a question which wants a
figure of a table gets its cell and one which wants an explanation gets sentences. Deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from octavo.generation.candidates import Candidate, Kind, figures, heading, prose
from octavo.generation.cells import cells, continued
from octavo.generation.combine import combined, extremes
from octavo.generation.fit import Fit, Judge
from octavo.generation.model import Finding
from octavo.generation.question import Question, found, understand
from octavo.ingest.directions import unit
from octavo.retrieval.model import Hit

WEIGHTS = Fit(
    meaning=3.0,
    words=4.7,
    focus=1.8,
    rank=1.2,
    form=1.7,
    period=2.1,
    document=1.8,
    names=4.2,
    length=-0.7,
    fragment=-1.3,
    label=3.2,
    extra=1.4,
    newest=0.2,
    cell=-1.2,
    cell_asked=1.0,
    extreme=2.0,
    bias=-8.0,
)
LEAST = 0.02
"""Score below which nothing is said to answer."""
MOST = 10
"""Findings that are given back."""
COMPARED = 100
"""Candidates of each kind, the best by words, whose meaning is looked at."""
LONGEST = 600
"""Characters of a finding; of a longer list or figure the part is told that holds most of the question's words."""


class Embedder(Protocol):
    """What the reader needs of an embedder; LangChain's `Embeddings` have it."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]: ...


class ExtractiveReader:
    """Finds answers by reading the evidence as it stands.

    `embedder` is a LangChain `Embeddings`, or anything with `encode(texts)` -> unit vectors, shape (n, dimensions).
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def read(self, question: str, hits: Sequence[Hit]) -> list[Finding]:
        """What in `hits` answers `question`, best first; nothing when nothing fits.

        The best one's score is how sure it is to answer; another's is that, times the odds of it against the best.
        """
        if not hits:  # the rule that chose them kept none
            return []
        asked = understand(question)
        candidates = list(_candidates(asked, hits))
        ranked = sorted(self.judge(asked, hits, candidates), key=lambda pair: -pair[1].weighed(WEIGHTS))
        if not ranked:
            return []
        chosen = [candidate for candidate, _ in ranked[:MOST]]
        if chosen[0].kind is Kind.CELL:
            chosen[0] = combined(asked, chosen[0], [c for c in candidates if c.kind is Kind.CELL])
        sums = [fit.weighed(WEIGHTS) for _, fit in ranked[:MOST]]
        sure = 1 / (1 + math.exp(-sums[0]))
        scores = [sure * math.exp(one - sums[0]) for one in sums]
        return [
            Finding(excerpt(c.text, asked), c.hit, c.element, c.bbox, score)
            for c, score in zip(chosen, scores, strict=True)
            if score >= LEAST
        ]

    def judge(
        self, question: Question, hits: Sequence[Hit], candidates: Sequence[Candidate]
    ) -> list[tuple[Candidate, Fit]]:
        """The candidates worth a look, each with its features."""
        judge = Judge(question, hits, candidates)
        first = [(candidate, judge.fit(candidate)) for candidate in candidates]
        kept: list[Candidate] = []
        for kind in Kind:
            some = [pair for pair in first if pair[0].kind is kind]
            some.sort(key=lambda pair: -pair[1].weighed(WEIGHTS))
            kept += [candidate for candidate, _ in some[:COMPARED]]
        return [(c, judge.fit(c, m)) for c, m in zip(kept, self._similar(question.text, kept), strict=True)]

    def _similar(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        """The cosine of the question with each candidate under its heading; a table's row is one text."""
        texts = [
            f"{heading(c.hit)}: {c.own if not c.is_cell else c.own.removesuffix(c.header).strip()}" for c in candidates
        ]
        known = list(dict.fromkeys([question, *texts]))
        vectors = self._encode(known)
        cosines = vectors @ vectors[0]
        cosine = dict(zip(known, map(float, cosines), strict=True))
        return [cosine[text] for text in texts]

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        if hasattr(self._embedder, "encode"):
            return cast("NDArray[np.float32]", np.asarray(self._embedder.encode(texts), np.float32))
        return unit(np.array(self._embedder.embed_documents(texts), np.float32))


def excerpt(text: str, question: Question) -> str:
    """`text` if it is no longer than `LONGEST`, or else the stretch of it that holds most of the question's terms."""
    if len(text) <= LONGEST:
        return text
    words = text.split(" ")
    best, most = (0, len(words)), -1
    for first in range(len(words)):
        room, last = LONGEST, first
        while last < len(words) and room > len(words[last]):
            room -= len(words[last]) + 1
            last += 1
        held = len(found(question, " ".join(words[first:last])))
        if held > most:
            best, most = (first, last), held
        if last == len(words):
            break
    first, last = best
    return f"{'… ' if first else ''}{' '.join(words[first:last])}{' …' if last < len(words) else ''}"


def _candidates(question: Question, hits: Sequence[Hit]) -> Iterator[Candidate]:
    """Those of every element once, as the best hit that holds it gives them."""
    tables = [(hit, element) for hit in hits for element in hit.elements if element.table]
    seen: set[str] = set()
    for hit in hits:
        made = [*prose(hit), *figures(hit)]
        for element in hit.elements:
            if element.table and element.id not in seen:
                found_here = list(cells(hit, element, continued(element, hit, tables)))
                made += [*found_here, *extremes(found_here, question.extreme)]
        yield from (candidate for candidate in made if candidate.element.id not in seen)
        seen |= {candidate.element.id for candidate in made}

"""How a model is asked, and how far it is trusted: which evidence it is shown, by what prompt, in what form it answers.

Knows nothing of the models themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from octavo.generation.grammar import grammar
from octavo.generation.model import Finding
from octavo.generation.prompts import STOP, Passage, chat_prompt, completion_prompt, render, render_hit
from octavo.ingest.text import reason_of
from octavo.retrieval.model import Hit

PHRASED = 3
"""Most findings that a local model is given."""
ELEMENT_CHARACTERS = 1500
"""Most of one element that a local model is given."""
HIT_CHARACTERS = 2000
"""Most of one hit that a model which reads all hits is given."""


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered piece of evidence: `shown` is what the model reads, `places` are where a claim from it may stand."""

    shown: str
    places: tuple[Finding, ...]

    @property
    def hit(self) -> Hit:
        return self.places[0].hit

    @property
    def evidence(self) -> list[str]:
        """All that bears out a claim: the elements whole, what was read off them, and the headings they stand under."""
        context = self.hit.chunk.context
        return [f"{context}\n{place.text}\n{render(place.element)}" for place in self.places]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a model is asked, and how far it is trusted.

    `sources` chooses the evidence, given question, findings and kept hits; `options` are keyword arguments of the call,
    given how many sources there are. A `strict` answer must be borne out by what was shown, or else it is not used;
    another keeps its text, and its unsupported numbers are listed. `explain` says in one line why a call failed.
    """

    name: str
    sources: Callable[[str, Sequence[Finding], Sequence[Hit]], list[Source]]
    prompt: Callable[[str, Sequence[Passage]], list[BaseMessage]]
    options: Callable[[int], dict[str, Any]]
    strict: bool
    explain: Callable[[Exception], str]


def local_policy(name: str, completion: bool) -> Policy:
    """For a small model on this machine: it phrases what the reader found, in a form that a grammar forces.

    A base model (`completion`) is shown the findings themselves, an instructed one the elements that hold them.
    """
    return Policy(
        name=name,
        sources=_findings if completion else _elements,
        prompt=completion_prompt if completion else chat_prompt,
        options=lambda count: {"grammar": grammar(range(1, count + 1)), "stop": list(STOP) if completion else None},
        strict=True,
        explain=reason_of,
    )


def reading_policy(name: str, explain: Callable[[Exception], str] | None = None) -> Policy:
    """For a large model, or one that sees pictures: it reads all kept hits and writes freely."""
    return Policy(
        name=name,
        sources=_hits,
        prompt=chat_prompt,
        options=lambda count: {},
        strict=False,
        explain=explain or reason_of,
    )


def _findings(question: str, findings: Sequence[Finding], hits: Sequence[Hit]) -> list[Source]:
    return [Source(finding.text, (finding,)) for finding in distinct(findings)[:PHRASED]]


def _elements(question: str, findings: Sequence[Finding], hits: Sequence[Hit]) -> list[Source]:
    return [
        Source(
            f"{finding.hit.chunk.context}\n{render(finding.element, ELEMENT_CHARACTERS, f'{question} {finding.text}')}",
            (finding,),
        )
        for finding in distinct(findings)[:PHRASED]
    ]


def _hits(question: str, findings: Sequence[Finding], hits: Sequence[Hit]) -> list[Source]:
    """All hits; a claim's place is what the reader read off the hit, such as a cell, or else the best element of it."""
    return [
        Source(
            render_hit(hit, HIT_CHARACTERS, question),
            (
                *(finding for finding in findings if finding.hit == hit),
                *(Finding(render(element), hit, element, element.bbox, 0.0) for element in hit.elements),
            ),
        )
        for hit in hits
    ]


def distinct(findings: Sequence[Finding]) -> list[Finding]:
    """The best finding of each element."""
    best: dict[str, Finding] = {}
    for finding in findings:
        best.setdefault(finding.element.id, finding)
    return list(best.values())

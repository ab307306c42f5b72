"""From a question and a selection of hits to an answer with citations.

An extractive reader finds what answers the question; a chat model, if there is one, phrases it. What the model writes
is checked, and where it does not stand the reader's own findings are the answer. Knows the model only as a langchain
chat model; how it is asked and how far it is trusted is a `Policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage

from octavo.generation.check import BORNE_OUT, borne_out, claims, renumber, support, unmark, unsupported_numbers
from octavo.generation.local import grammar
from octavo.generation.model import Answer, Citation, Finding
from octavo.generation.prompts import (
    NOT_FOUND,
    STOP,
    Passage,
    chat_prompt,
    completion_prompt,
    header,
    render,
    render_hit,
    unfence,
)
from octavo.retrieval.model import Hit, Selection

EXTRACTIVE = "extractive"
NOTHING = "Nothing in the library answers this question."

CLOSE = 0.9
"""A second finding is quoted beside the best when its score is at least this share of the best's."""
QUOTED = 2
"""Most findings that an extractive answer quotes."""
PHRASED = 3
"""Most findings that a local model is given."""
ELEMENT_CHARACTERS = 1500
"""Most of one element that a local model is given."""
HIT_CHARACTERS = 2000
"""Most of one hit that an endpoint is given."""

Images = Callable[[Hit], list[bytes]]
"""The pictures of a hit, as PNG bytes."""


class Reader(Protocol):
    """Finds what answers a question."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Finding]:
        """What in `hits` answers `question`, best first."""
        ...


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
        explain=first_line,
    )


def endpoint_policy(name: str, explain: Callable[[Exception], str]) -> Policy:
    """For a large model: it reads all kept hits and writes freely."""
    return Policy(
        name=name,
        sources=_hits,
        prompt=chat_prompt,
        options=lambda count: {},
        strict=False,
        explain=explain,
    )


class Answerer:
    """Answers questions from selections: with `reader` alone, or with `model` asked and judged by `policy`.

    `images` gives the pictures of a hit that the model shall see; None sends none.
    """

    def __init__(
        self,
        reader: Reader,
        model: BaseChatModel | None = None,
        policy: Policy | None = None,
        images: Images | None = None,
    ) -> None:
        if (model is None) != (policy is None):
            raise ValueError("a model and its policy come together")
        self._reader, self._model, self._policy, self._images = reader, model, policy, images

    def answer(self, question: str, selection: Selection) -> Answer:
        """The answer to `question`, whole."""
        *_, last = self.stream(question, selection)
        return cast(Answer, last)

    def stream(self, question: str, selection: Selection) -> Iterator[str | Answer]:
        """Pieces of text as they come, and last the `Answer`, whose text replaces them.

        Closing the iterator stops the model. A model that fails never raises here: the answer is the reader's then, and
        its notes say why.
        """
        start = perf_counter()
        findings = self._reader.read(question, selection.kept)
        timings = {"read": perf_counter() - start}
        answer = _extractive(findings, selection)
        if self._model and self._policy and (sources := self._policy.sources(question, findings, selection.kept)):
            start = perf_counter()
            text = ""
            try:
                for piece in self._ask(self._model, self._policy, question, sources):
                    text += piece
                    yield piece
            except Exception as error:  # noqa: BLE001 (whatever a model raises, there is an answer without it)
                answer = _fallback(answer, f"{self._policy.name} failed: {self._policy.explain(error)}")
            else:
                answer = _judged(text, sources, self._policy, answer)
            timings["generate"] = perf_counter() - start
        else:
            yield answer.text
        yield replace(answer, timings=timings)

    def _ask(self, model: BaseChatModel, policy: Policy, question: str, sources: Sequence[Source]) -> Iterator[str]:
        passages = [
            Passage(number, source.shown, tuple(self._images(source.hit)) if self._images else ())
            for number, source in enumerate(sources, 1)
        ]
        chunks = model.stream(policy.prompt(question, passages), **policy.options(len(sources)))
        with closing(cast("Any", chunks)):
            for chunk in chunks:
                if text := str(chunk.text):
                    yield unfence(text)


def _findings(question: str, findings: Sequence[Finding], hits: Sequence[Hit]) -> list[Source]:
    return [Source(finding.text, (finding,)) for finding in _distinct(findings)[:PHRASED]]


def _elements(question: str, findings: Sequence[Finding], hits: Sequence[Hit]) -> list[Source]:
    return [
        Source(
            f"{finding.hit.chunk.context}\n{render(finding.element, ELEMENT_CHARACTERS, f'{question} {finding.text}')}",
            (finding,),
        )
        for finding in _distinct(findings)[:PHRASED]
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


def _distinct(findings: Sequence[Finding]) -> list[Finding]:
    """The best finding of each element."""
    best: dict[str, Finding] = {}
    for finding in findings:
        best.setdefault(finding.element.id, finding)
    return list(best.values())


def _extractive(findings: Sequence[Finding], selection: Selection) -> Answer:
    """The best finding, with others that are close in score and say something else."""
    quoted: list[Finding] = []
    for finding in _distinct(findings):
        near = not quoted or finding.score >= CLOSE * quoted[0].score
        if near and support(finding.text, [other.text for other in quoted]) < BORNE_OUT:
            quoted.append(finding)
    quoted = quoted[:QUOTED]
    text = " ".join(f"{unmark(finding.text)} [{number}]" for number, finding in enumerate(quoted, 1))
    sources = [Source(finding.text, (finding,)) for finding in quoted]
    return _cited(text or NOTHING, sources, selection, EXTRACTIVE)


def _judged(text: str, sources: Sequence[Source], policy: Policy, extractive: Answer) -> Answer:
    """What the model wrote as an answer; or `extractive`, with a note that says what was wrong with it."""
    text = text.rpartition("</think>")[2].strip()
    if text.strip(" .") == NOT_FOUND:
        return Answer(NOTHING, (), extractive.selection, policy.name, notes=(f"{policy.name} found no answer",))
    _, order = renumber(text, len(sources))
    if not order:
        return _fallback(extractive, f"{policy.name} cited no evidence")
    if policy.strict and not borne_out(text, [sources[number - 1].shown for number in order]):
        return _fallback(extractive, f"{policy.name} wrote what its evidence does not bear out")
    return _cited(text, sources, extractive.selection, policy.name)


def _cited(text: str, sources: Sequence[Source], selection: Selection, generator: str) -> Answer:
    """`text`, whose marks cite `sources` by number from 1, as an answer with its marks in order of appearance."""
    text, order = renumber(text, len(sources))
    cited = [sources[number - 1] for number in order]
    citations = tuple(_citation(number, source, text) for number, source in enumerate(cited, 1))
    unsupported = unsupported_numbers(text, [line for source in cited for line in source.evidence])
    return Answer(text, citations, selection, generator, unsupported)


def _citation(number: int, source: Source, text: str) -> Citation:
    """The place of `source` that best bears out what `text` says before the mark `[number]`."""
    said = " ".join(stretch for stretch, cited in claims(text) if number in cited)
    place = max(source.places, key=lambda place: support(said, [f"{place.text}\n{header(place.element)}"]))
    whole = place.bbox == place.element.bbox
    return Citation(
        number=number,
        document=place.hit.document,
        sha256=place.hit.sha256,
        page=place.element.page,
        bbox=place.bbox,
        type=place.element.type,
        element=place.element.id,
        text=(render(place.element) if whole else "") or place.text,
    )


def _fallback(extractive: Answer, why: str) -> Answer:
    return replace(extractive, notes=(*extractive.notes, f"{why}; shown instead: what was found without it"))


def first_line(error: Exception) -> str:
    """Why a call failed, as the error itself says first."""
    return str(error).partition("\n")[0] or type(error).__name__

"""From a question and a selection of hits to an answer with citations.

An extractive reader finds what answers the question; a chat model, if there is one, phrases it. What the model writes
is checked, and where it does not stand the reader's own findings are the answer. Knows the model only as a langchain
chat model; how it is asked and how far it is trusted is a `Policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from time import perf_counter
from typing import Any, Protocol, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage

from octavo.generation.check import BORNE_OUT, borne_out, claims, renumber, support, unmark, unsupported_numbers
from octavo.generation.model import Answer, Citation, Finding
from octavo.generation.policy import Policy, Source, distinct
from octavo.generation.prompts import NOT_FOUND, Passage, header, render, unfence
from octavo.generation.weights import PromptTooLongError
from octavo.ingest.reader import UnreadableError
from octavo.ingest.text import reason_of
from octavo.retrieval.model import Hit, Selection

EXTRACTIVE = "extractive"
NOTHING = "Nothing in the library answers this question."
NOT_HERE = "These documents do not seem to answer that: nothing found in them is likely enough to be evidence."

CLOSE = 0.9
"""A second finding is quoted beside the best when its score is at least this share of the best's."""
QUOTED = 2
"""Most findings that an extractive answer quotes."""
PICTURES = 4
"""Most pictures that a model is shown with one question."""

Images = Callable[[Hit], list[bytes]]
"""The pictures of a hit, as PNG bytes. Raises UnreadableError or OSError where they cannot be read."""


class Reader(Protocol):
    """Finds what answers a question."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Finding]:
        """What in `hits` answers `question`, best first."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its evidence read: the extractive answer, what a model is shown (maybe nothing), the seconds."""

    question: str
    selection: Selection
    extractive: Answer
    sources: Sequence[Source]
    seconds: float


class Answerer:
    """Answers questions from selections: with `reader` alone, or with `model` asked and judged by `policy`.

    `images` gives the pictures of a hit that the model shall see, of which the first `pictures` are shown; None sends
    none.
    """

    def __init__(
        self,
        reader: Reader,
        model: BaseChatModel | None = None,
        policy: Policy | None = None,
        images: Images | None = None,
        pictures: int = PICTURES,
    ) -> None:
        if (model is None) != (policy is None):
            raise ValueError("a model and its policy come together")
        self._reader, self._model, self._policy = reader, model, policy
        self._images, self._pictures = images, pictures

    def answer(self, question: str, selection: Selection, **options: Any) -> Answer:
        """The answer to `question`, whole; `options` as for `stream`."""
        *_, last = self.stream(question, selection, **options)
        return cast(Answer, last)

    @property
    def thins(self) -> bool:
        """Whether the model sees pictures, and can be told to keep a share of their tokens (`keep_visual`)."""
        return self._images is not None and hasattr(self._model, "keep_visual")

    def stream(self, question: str, selection: Selection, **options: Any) -> Iterator[str | Answer]:
        """Pieces of text as they come, and last the `Answer`, whose text replaces them.

        `options` are keyword arguments of the model's call, beside its policy's.

        Closing the iterator stops the model. A model that fails never raises here: the answer is the reader's then, and
        its notes say why. Where the evidence is more than the model's context holds, it is given the first half of it,
        and a note says so; another tells of pictures that cannot be read. A piece is empty while the model has nothing.
        """
        asked = self._read(question, selection)
        if not (self._model and self._policy and asked.sources):
            yield asked.extractive.text
            yield replace(asked.extractive, timings={"read": asked.seconds})
            return
        start = perf_counter()
        try:
            text, shown, notes = yield from self._ask(self._model, self._policy, asked, options)
        except Exception as error:  # noqa: BLE001 (whatever a model raises, there is an answer without it)
            answer = self._failed(self._policy, asked, error)
        else:
            answer = _judged(text, shown, self._policy, asked.extractive)
            if len(shown) < len(asked.sources):
                less = f"{self._policy.name} could read {len(shown)} of {len(asked.sources)} passages: no more fit"
                notes = [*notes, less]
            answer = replace(answer, notes=(*answer.notes, *notes))
        yield replace(answer, timings={"read": asked.seconds, "generate": perf_counter() - start})

    def answers(self, questions: Sequence[tuple[str, Selection]], together: int, **options: Any) -> list[Answer]:
        """What `answer` gives for each question, in order, with up to `together` of them before the model at once.

        The time of generating is shared out among them.
        """
        asked = [self._read(question, selection) for question, selection in questions]
        answers = {n: replace(each.extractive, timings={"read": each.seconds}) for n, each in enumerate(asked)}
        if self._model and self._policy:
            with_sources = sorted((n for n in answers if asked[n].sources), key=lambda n: len(asked[n].sources))
            for _, group in groupby(with_sources, key=lambda n: len(asked[n].sources)):  # for each its options
                numbers = list(group)
                some = self._together(self._model, self._policy, [asked[n] for n in numbers], together, options)
                answers |= dict(zip(numbers, some, strict=True))
        return [answers[n] for n in range(len(asked))]

    def _read(self, question: str, selection: Selection) -> _Asked:
        start = perf_counter()
        findings = self._reader.read(question, selection.kept)
        sources = self._policy.sources(question, findings, selection.kept) if self._policy else []
        return _Asked(question, selection, _extractive(findings, selection), sources, perf_counter() - start)

    def _ask(
        self, model: BaseChatModel, policy: Policy, asked: _Asked, options: dict[str, Any]
    ) -> Generator[str, None, tuple[str, Sequence[Source], Sequence[str]]]:
        """Gives the text piece by piece, and in the end all of it, the sources that it was written from, and notes."""
        sources = asked.sources
        while True:
            text = ""
            prompt, notes = self._prompt(policy, asked.question, sources)
            chunks = model.stream(prompt, **policy.options(len(sources)), **options)
            try:
                with closing(cast("Any", chunks)):
                    for chunk in chunks:
                        piece = unfence(str(chunk.text))
                        text += piece
                        yield piece  # empty ones too: whoever reads may close this only where it yields
                return text, sources, notes
            except PromptTooLongError:
                if len(sources) == 1:
                    raise
                sources = sources[: len(sources) // 2]

    def _together(
        self,
        model: BaseChatModel,
        policy: Policy,
        asked: Sequence[_Asked],
        together: int,
        options: dict[str, Any],
    ) -> list[Answer]:
        """The answers to questions with equally many sources."""
        start = perf_counter()
        form = policy.options(len(asked[0].sources))
        limit: Any = {"max_concurrency": together}
        try:
            prompts = [self._prompt(policy, each.question, each.sources) for each in asked]
            given: list[Any] = [prompt for prompt, _ in prompts]
            replies: list[Any] = model.batch(given, limit, return_exceptions=True, **form, **options)
        except Exception:  # noqa: BLE001 (what one prompt alone may have raised: each has its own answer then)
            return [self.answer(each.question, each.selection, **options) for each in asked]
        share = (perf_counter() - start) / len(asked)
        answers = []
        for each, reply, (_, notes) in zip(asked, replies, prompts, strict=True):
            if isinstance(reply, PromptTooLongError):
                answers.append(self.answer(each.question, each.selection, **options))
                continue
            if isinstance(reply, Exception):
                answer = self._failed(policy, each, reply)
            else:
                answer = _judged(unfence(str(reply.text)), each.sources, policy, each.extractive)
            timings = {"read": each.seconds, "generate": share}
            answers.append(replace(answer, notes=(*answer.notes, *notes), timings=timings))
        return answers

    def _prompt(
        self, policy: Policy, question: str, sources: Sequence[Source]
    ) -> tuple[list[BaseMessage], Sequence[str]]:
        """`sources` as numbered passages, the first ones with their pictures, each picture once; and notes."""
        seen: dict[bytes, int] = {}
        notes = []
        for number, source in enumerate(sources, 1):
            if self._images and len(seen) < self._pictures:
                try:
                    for png in self._images(source.hit):
                        seen.setdefault(png, number)
                except (UnreadableError, OSError) as error:
                    where = f"{source.hit.document}, page {source.hit.page}"
                    notes.append(f"{policy.name} was not shown a picture of {where}: {reason_of(error)}")
        first = list(seen.items())[: self._pictures]
        prompt = policy.prompt(
            question,
            [
                Passage(number, source.shown, tuple(png for png, of in first if of == number))
                for number, source in enumerate(sources, 1)
            ],
        )
        return prompt, notes

    def _failed(self, policy: Policy, asked: _Asked, error: Exception) -> Answer:
        return _fallback(asked.extractive, f"{policy.name} failed: {policy.explain(error)}")


def _extractive(findings: Sequence[Finding], selection: Selection) -> Answer:
    """The best finding, with others that are close in score and say something else."""
    quoted: list[Finding] = []
    for finding in distinct(findings):
        near = not quoted or finding.score >= CLOSE * quoted[0].score
        if near and support(finding.text, [other.text for other in quoted]) < BORNE_OUT:
            quoted.append(finding)
    quoted = quoted[:QUOTED]
    text = " ".join(f"{unmark(finding.text)} [{number}]" for number, finding in enumerate(quoted, 1))
    sources = [Source(finding.text, (finding,)) for finding in quoted]
    nothing = NOT_HERE if selection.dropped and not selection.kept else NOTHING
    return _cited(text or nothing, sources, selection, EXTRACTIVE)


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

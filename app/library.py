"""`Library`: one folder of PDFs with all that Octavo knows of them; the object that everything else talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from types import EllipsisType
from typing import TypedDict, Unpack

from octavo import calibrating
from octavo.evaluation.questions import Question
from octavo.generation.answerer import Answerer
from octavo.generation.model import Answer
from octavo.generation.weights import LocalModelError
from octavo.generators import local_name, thins_pictures
from octavo.holdings import Holdings
from octavo.retrieval.calibration import Calibration, CalibrationError
from octavo.retrieval.expansion import bring_pages, expand
from octavo.retrieval.model import Hit, Looked, Mode, Rule, Selection
from octavo.retrieval.selection import choose, choose_evidence
from octavo.settings import Generator
from octavo.shelf import LibraryError, NoSuchDocumentError

__all__ = ["How", "Library", "LibraryError", "NoSuchDocumentError"]


class How(TypedDict, total=False):
    """How evidence is found and chosen, as the settings of these names say it; what is left out is the settings'."""

    mode: Mode | str
    domain: str | None  # None: all of them, whatever the settings say
    rule: Rule | str
    k: int
    expand: int  # chunks that the hits' links may bring beside them
    keep_visual: float  # of a local transformers model's pictures, above 0 and at most 1


class Library(Holdings):
    """A library in a folder, made if it is not there.

        with Library("my-library") as library:
            library.ingest(["reports/"])
            answer = library.ask("What were total net sales in the third quarter?")
            print(answer.text, [(c.document, c.page, c.bbox) for c in answer.citations])

    `settings` default to the environment's; `embedder`, `retriever`, `generator` and `reranker` put any LangChain
    object in the place of the one that the settings name. Its first search repairs the indexes after the catalogue, its
    first ingestion removes files that a crash left. Safe to use from several threads. Raises LibraryError.
    """

    def search(
        self,
        query: str,
        k: int | None = None,
        documents: Sequence[str] = (),
        *,
        mode: Mode | str | None = None,
        domain: str | EllipsisType | None = ...,
    ) -> list[Hit]:
        """The `k` best chunks for `query`, best first; in `documents` (names or hashes) only, if any are given.

        `mode` is one of the four ways; `domain` a domain's name, "auto", "weighted", or None for all; both are the
        settings' by default. Raises LibraryError for an empty library or query, and DomainError.
        """
        return self._find(query, k, documents, mode=mode, domain=domain)[0]

    def _find(
        self,
        query: str,
        k: int | None,
        documents: Sequence[str],
        *,
        mode: Mode | str | None,
        domain: str | EllipsisType | None,
    ) -> tuple[list[Hit], tuple[Looked, ...]]:
        """What `search` finds, and the documents that it looked in, if not in all."""
        if not query.strip():
            raise LibraryError("the question is empty")
        self._refresh()
        way = Mode(mode or self.settings.mode)
        if way is Mode.JOINT and self.looker.space is None:
            raise LibraryError(
                f"{self.looker.name!r} compares pictures with questions, not with texts: search by image or fusion"
            )
        if (way is not Mode.TEXT and not len(self.index.pictures)) or (way is Mode.JOINT and not len(self.index.joint)):
            raise LibraryError(f"no pictures embedded by {self.looker.name!r} yet: `octavo index` does it")
        among = [self.find(document).sha256 for document in documents] or None
        within = self.settings.domain if isinstance(domain, EllipsisType) else domain
        where = self.engine.domains.where(query, within)
        if "k" not in self.settings.model_fields_set:
            k = k or where.tuning.k
        return self.engine.find(query, way, k or self.settings.k, among, where)

    def select(self, query: str, documents: Sequence[str] = (), *, links: bool = True, **how: Unpack[How]) -> Selection:
        """The evidence for an answer: the hits that the rule keeps, and with `links` what these bring beside them.

        Raises as `search`, and CalibrationError where the rule "calibrated" holds no promise: under other settings than
        it was made with, in some `documents`, or in a domain.
        """
        s, k = self.settings, how.get("k")
        mode = Mode(how.get("mode") or s.mode)
        rule, within = Rule(how.get("rule") or s.selection), how.get("domain", ...)
        if rule is Rule.CALIBRATED:
            if documents or (s.domain if isinstance(within, EllipsisType) else within):
                raise CalibrationError(
                    "a calibration holds where everything is searched: leave out documents and domain, or choose by "
                    "another rule (--select, OCTAVO_SELECTION)"
                )
            chosen, looked = self._calibrated(query, k or s.k, mode)
        else:
            hits, looked = self._find(query, k, documents, mode=mode, domain=within)
            chosen = choose(hits, rule, gamma=s.gamma, threshold=s.ratio, limit=len(hits))
        brought = expand(self.catalogue, chosen.kept, how.get("expand", s.expand)) if links else []
        if links and mode is Mode.FUSION:  # texts and the pictures of their pages, in one prompt
            brought += bring_pages(self.catalogue, chosen.kept)
        dropped = [pair for pair in chosen.dropped if pair[0].chunk.id not in {hit.chunk.id for hit in brought}]
        return Selection((*chosen.kept, *brought), tuple(dropped), chosen.notes, looked)

    def _calibrated(self, query: str, k: int, mode: Mode) -> tuple[Selection, tuple[Looked, ...]]:
        """The selection by this library's calibration, from at least as many hits as it was made with."""
        calibration = calibrating.holding(self, mode)
        hits, looked = self._find(query, max(k, calibration.k), (), mode=mode, domain=None)
        likely = calibration.probabilities(self.engine.signals(query, hits)).tolist()
        group, cut = calibration.cut(self.engine.domains.domain_of(query))
        return choose_evidence(hits, likely, cut.least, calibration.lose, group), looked

    def calibrate(
        self,
        questions: Sequence[Question],
        lose: float = 0.1,
        k: int = 50,
        mode: Mode | str | None = None,
        seed: int = 0,
        on_progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Calibration:
        """Makes and keeps the calibration of a way of searching, for the rule "calibrated".

        `questions` have known evidence; half of them, by `seed`, teach how probable a hit is evidence, the others set
        the cut by which at most a share `lose` of questions lose all their evidence among the first `k` hits. Raises
        CalibrationError where that cannot be promised, and as `search`.
        """
        way = Mode(mode or self.settings.mode)
        calibration = calibrating.make(self, questions, lose, k, way, seed, on_progress)
        with self._writing():
            self.catalogue.choose(calibrating.choice(way), calibration.model_dump_json())
        return calibration

    def calibration(self, mode: Mode | str | None = None) -> Calibration | None:
        """What `calibrate` kept for a way of searching, the settings' by default."""
        return calibrating.kept(self, Mode(mode or self.settings.mode))

    def ask(
        self,
        question: str,
        documents: Sequence[str] = (),
        generator: Generator | None = None,
        **how: Unpack[How],
    ) -> Answer:
        """An answer with citations, by the settings' generator unless another is named. Raises as `search`."""
        *_, answer = self.stream(question, documents, generator, **how)
        assert isinstance(answer, Answer)  # noqa: S101 - the stream ends with it
        return answer

    def ask_all(
        self,
        questions: Sequence[str],
        documents: Sequence[str] = (),
        generator: Generator | None = None,
        together: int = 8,
        **how: Unpack[How],
    ) -> list[Answer]:
        """What `ask` answers to each question, with up to `together` of them before the generator at once."""
        selections = [self._timed(question, documents, how) for question in questions]
        answerer, problem, options = self._writer(generator, how)
        asked = [(question, selection) for question, (selection, _) in zip(questions, selections, strict=True)]
        answers = answerer.answers(asked, together, **options)
        return [_finished(answer, seconds, problem) for answer, (_, seconds) in zip(answers, selections, strict=True)]

    def stream(
        self,
        question: str,
        documents: Sequence[str] = (),
        generator: Generator | None = None,
        **how: Unpack[How],
    ) -> Iterator[str | Answer]:
        """The answer's text in pieces as it is written, last the Answer, whose text is what holds.

        Pieces are empty while a local model has nothing yet. Closing the iterator stops the model. Raises as `search`.
        """
        selection, seconds = self._timed(question, documents, how)
        answerer, problem, options = self._writer(generator, how)
        for piece in answerer.stream(question, selection, **options):
            yield _finished(piece, seconds, problem) if isinstance(piece, Answer) else piece

    @property
    def local_name(self) -> str:
        """What a person knows the settings' local model by."""
        return local_name(self.settings.local_model)

    @property
    def thins_pictures(self) -> bool:
        """Whether `keep_visual` bears on the settings' local model, as `thins_pictures`; on none that is not there."""
        try:
            return thins_pictures(self.settings.local_model)
        except LocalModelError:
            return False

    def _timed(self, question: str, documents: Sequence[str], how: How) -> tuple[Selection, float]:
        started = perf_counter()
        return self.select(question, documents, **how), perf_counter() - started

    def _writer(self, generator: Generator | None, how: How) -> tuple[Answerer, str | None, dict[str, float]]:
        """What answers, why it is not the one asked for, and the options of its model's call.

        Raises LibraryError where visual tokens are to be thinned out that nobody sees.
        """
        try:
            answerer = self._answerer(generator)
        except LocalModelError as error:
            return self._answerer("extractive"), f"{error}; shown instead: what was found without it", {}
        if "keep_visual" not in how:
            return answerer, None, {}
        if not answerer.thins:
            raise LibraryError(
                "only a local model that sees pictures through transformers can keep a share of their tokens: "
                "name one with --model or OCTAVO_LOCAL_MODEL, or leave --keep-visual out"
            )
        return answerer, None, {"keep_visual": how["keep_visual"]}


def _finished(answer: Answer, retrieval: float, problem: str | None) -> Answer:
    notes = (*answer.notes, problem) if problem else answer.notes
    return replace(answer, notes=notes, timings={"retrieve": retrieval, **answer.timings})

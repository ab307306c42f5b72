"""Finding: a library's indexes, the four ways of searching them, documents first and domains, as one object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.retrievers import BaseRetriever
from numpy.typing import NDArray

from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.calibration import SIGNALS
from octavo.retrieval.domains import (
    AUTO,
    EXAMPLES,
    MOSTLY,
    WEIGHTED,
    DomainError,
    DomainIdentifier,
    discover,
    read_examples,
    sure,
)
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, IndexType, Looked, Mode
from octavo.retrieval.reranker import rerank
from octavo.retrieval.routing import Filed, Route, Router
from octavo.retrieval.search import RETRIEVERS, to_hits, with_elements
from octavo.retrieval.visual import PictureEmbedder

_CANDIDATES = 50  # that are ranked anew
_WEIGHED = 100  # hits that are weighed by their domains before the best are kept
_TOLD = 200  # chunks of a document whose words name its domain


class SearchEngine:
    """Searches a catalogue through the indexes in `folder`, which are made and mended on first use.

    `text_retriever` takes the place of the text way. `reranker` ranks anew what any way finds, 50 candidates at least,
    before documents and domains are weighed and the best are kept.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        embedder: Embedder,
        looker: PictureEmbedder,
        text_retriever: BaseRetriever | None = None,
        device: str = "auto",
        documents_first: bool = False,
        index_type: IndexType = IndexType.AUTO,
        reranker: BaseCrossEncoder | None = None,
    ) -> None:
        self.folder, self.catalogue, self.embedder, self.looker = folder, catalogue, embedder, looker
        self.device, self.documents_first, self.index_type = device, documents_first, index_type
        self.reranker = reranker
        self._retrievers: dict[Mode, BaseRetriever] = {Mode.TEXT: text_retriever} if text_retriever else {}
        self._index: Index | None = None
        self._lock = Lock()
        self._identifier: tuple[tuple[Mapping[str, str], Mapping[str, list[str]]], DomainIdentifier] | None = None
        self._router: tuple[tuple[int, int], Router] | None = None

    @property
    def index(self) -> Index:
        with self._lock:
            if self._index is None:
                self._index = Index(
                    self.folder, self.catalogue, self.embedder, self.looker, self.device, self.index_type
                )
            return self._index

    def retriever(self, mode: Mode) -> BaseRetriever:
        if mode not in self._retrievers:
            self._retrievers[mode] = RETRIEVERS[mode](index=self.index)
        return self._retrievers[mode]

    def search(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None = None, domain: str | None = None
    ) -> list[Hit]:
        """As `find`, the hits alone."""
        return self.find(query, mode, k, documents, domain)[0]

    def find(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None = None, domain: str | None = None
    ) -> tuple[list[Hit], tuple[Looked, ...]]:
        """The `k` best chunks for `query`, best first, in `documents` (SHA-256) only if given; and where it looked.

        `domain` is a domain's name: only its documents are searched; or "auto" for the one that the identifier finds,
        with the documents of none, or all where it is unsure; "weighted" multiplies each score by the probability of
        its document's domain. The documents that the question names come first where neither a domain nor documents are
        named, if this engine does so. Raises DomainError.
        """
        if domain == AUTO:
            inside, said = self._identified(query)
            if documents is None and self.documents_first:
                hits, looked = self._documents_first(query, mode, k, inside)
            else:
                both = inside if documents is None else [s for s in documents if inside is None or s in inside]
                hits, looked = self._hits(query, mode, k, both), ()
            return [replace(hit, why=(*hit.why, said)) for hit in hits], looked
        if domain is None and documents is None and self.documents_first:
            return self._documents_first(query, mode, k)
        return self._in_domain(query, mode, k, documents, domain), ()

    def _in_domain(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None, domain: str | None
    ) -> list[Hit]:
        if domain is None:
            return self._hits(query, mode, k, documents)
        domains = self.domains()
        if domain == WEIGHTED:
            hits = self._hits(query, mode, max(_WEIGHED, k), documents, elements=False)
            best = sorted(self._weigh(query, hits, domains), key=lambda hit: -hit.score)[:k]
            return with_elements(self.catalogue, best)
        if domain not in domains.values():
            known = ", ".join(sorted(set(domains.values()))) or "none yet; `octavo domains discover` finds some"
            raise DomainError(f"no domain {domain!r} in this library; there is {known}")
        inside = [sha256 for sha256, name in domains.items() if name == domain]
        hits = self._hits(query, mode, k, [s for s in inside if documents is None or s in documents])
        return [replace(hit, why=(*hit.why, f"domain: {domain}")) for hit in hits]

    def _identified(self, query: str) -> tuple[list[str] | None, str]:
        """The documents of the question's domain and those of none, or None where it is unsure; and that in words."""
        odds, domains = self.identify(query), self.domains()
        (best, probability), name = next(iter(odds.items())), sure(odds)
        if not name:
            return None, f"domain: unsure, {best} has probability {probability:.2f}; all are searched"
        if name not in domains.values():
            return None, f"domain: {name}, which has no documents; all are searched"
        inside = [sha256 for sha256 in self.ready() if domains.get(sha256, name) == name]
        return inside, f"domain: {name}, probability {probability:.2f}"

    def _weigh(self, query: str, hits: Sequence[Hit], domains: Mapping[str, str]) -> Iterator[Hit]:
        """The hits, each score times the probability of its domain; without one, times the least there is."""
        odds = self.identify(query)
        least = min(odds.values())
        for hit in hits:
            name = domains.get(hit.sha256, "none")
            weight = odds.get(name, least)
            why = f"domain: {name}, probability {weight:.2f}"
            score = hit.score * weight if hit.score > 0 else hit.score / weight  # a cosine below 0 falls too
            yield replace(hit, score=score, why=(*hit.why, why))

    def _hits(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None, elements: bool = True
    ) -> list[Hit]:
        retriever, reranker = self.retriever(mode), self.reranker
        if reranker is None:
            return to_hits(self.catalogue, retriever.invoke(query, k=k, documents=documents), elements)
        found = retriever.invoke(query, k=max(_CANDIDATES, k), documents=documents)
        best = rerank(query, to_hits(self.catalogue, found, elements=False), reranker)[:k]
        return with_elements(self.catalogue, best) if elements else best

    # Documents first

    def route(self, question: str) -> Route:
        """The documents that `question` is about, by their cards."""
        return self._routing().route(question)

    def _routing(self) -> Router:
        """The router over the ready documents' cards; kept until the catalogue changes."""
        stamp = self.catalogue.stamp()
        if self._router is None or self._router[0] != stamp:
            self._router = stamp, Router([Filed(*document) for document in self.catalogue.cards()])
        return self._router[1]

    def _documents_first(
        self, query: str, mode: Mode, k: int, inside: Sequence[str] | None = None
    ) -> tuple[list[Hit], tuple[Looked, ...]]:
        """The best hits in the documents chosen; where none are, `inside` a domain, or of all."""
        router = self._routing()
        route = router.route(query)
        hits = self._hits(query, mode, max(_WEIGHED, k), route.chosen or inside, elements=False)
        route = route.told_by([hit.sha256 for hit in hits])
        looked = tuple(
            Looked(filed.name, sha256, str(filed.card), route.odds[sha256])
            for sha256 in route.chosen
            if (filed := router.documents.get(sha256))
        )
        best = sorted(_raised(hits, route), key=lambda hit: -hit.score)[:k]
        return with_elements(self.catalogue, best), looked

    # Choosing

    def signals(self, question: str, hits: Sequence[Hit], documents: Sequence[str] = ()) -> NDArray[np.float64]:
        """What a calibration tells evidence by, of each of `hits`, best first; shape (n, len(SIGNALS)).

        `documents` (SHA-256) are those that were asked for, and so asked about, if any.
        """
        odds = dict.fromkeys(documents, 1.0) or self.route(question).told_by([hit.sha256 for hit in hits]).odds
        columns = [
            self._cosines(question, hits),
            self.index.words.coverage(question, [hit.chunk.indexed_text for hit in hits]),
            np.log1p(np.arange(len(hits))),
            [hit.score for hit in hits],
            [odds.get(hit.sha256, 0.0) for hit in hits],
            [hit.chunk.picture for hit in hits],
        ]
        return np.asarray(columns, np.float64).reshape(len(SIGNALS), len(hits)).T

    def _cosines(self, question: str, hits: Sequence[Hit]) -> list[float]:
        """The cosine of the question and each hit, in the space that the hit's kind is searched in."""
        found: dict[int | None, float] = {}
        for embedder, pictures in ((self.embedder, False), (self.looker, True)):
            if ids := [hit.chunk.id for hit in hits if hit.chunk.picture == pictures and hit.chunk.id]:
                kept, vectors = self.catalogue.vectors(embedder.name, ids)
                cosines = vectors @ np.asarray(embedder.embed_query(question), np.float32) if kept else ()
                found.update(zip(kept, map(float, cosines), strict=True))
        return [found.get(hit.chunk.id, 0.0) for hit in hits]  # 0: deleted meanwhile

    # Domains

    def ready(self) -> list[str]:
        """The ready documents (SHA-256)."""
        return list(self.catalogue.domains())

    def examples(self) -> dict[str, list[str]]:
        """The examples that domains were told by, beside their documents."""
        stored = self.catalogue.choice(EXAMPLES)
        return read_examples(stored) if stored else {}

    def domains(self) -> dict[str, str]:
        """The domain of each ready document (SHA-256) that has one."""
        return {sha256: domain for sha256, domain in self.catalogue.domains().items() if domain}

    def identify(self, question: str) -> dict[str, float]:
        """Domain -> probability that the question belongs there, the likeliest first. Raises DomainError."""
        return self._identify(self.domains()).probabilities(self.embedder.embed_query(question))

    def domain_of(self, question: str) -> str:
        """The domain that the question belongs to; "" where that is unsure, or there are none to choose from."""
        return sure(self.identify(question)) if len(self._named(self.domains())) > 1 else ""

    def place(self, documents: Sequence[str]) -> dict[str, str]:
        """The domain of each of these ready documents that has none yet and surely belongs to one."""
        domains = self.domains()
        new = [sha256 for sha256 in documents if sha256 not in domains]
        if not new or len(self._named(domains)) < 2:
            return {}
        identifier = self._identify(domains)
        odds = {sha256: identifier.of_document(some) for sha256 in new if len(some := self._vectors([sha256]))}
        return {sha256: name for sha256, some in odds.items() if (name := sure(some, MOSTLY))}

    def discover(self, count: int | None, seed: int) -> dict[str, str]:
        """A domain for each ready document, found by what they are about. Raises DomainError."""
        ready = self.ready()
        means = [self._vectors([sha256]).mean(axis=0) for sha256 in ready]
        texts = [" ".join(self.catalogue.texts(self._ids([sha256])[:_TOLD])[1]) for sha256 in ready]
        return dict(zip(ready, discover(np.asarray(means, np.float32), texts, count, seed), strict=True))

    def _identify(self, domains: Mapping[str, str]) -> DomainIdentifier:
        """The identifier learnt from `domains` and from examples; kept until they change."""
        examples = self.examples()
        if self._identifier is None or self._identifier[0] != (domains, examples):
            names = self._named(domains)
            if len(names) < 2:
                raise DomainError("fewer than two domains: `octavo domains discover` finds some, `set` makes one")
            known = {
                name: [self._vectors([sha256]) for sha256, own in domains.items() if own == name]
                + [self.embedder.encode([text]) for text in examples.get(name, ())]
                for name in names
            }
            known = {name: [some for some in documents if len(some)] for name, documents in known.items()}
            identifier = DomainIdentifier({name: documents for name, documents in known.items() if documents})
            self._identifier = (dict(domains), examples), identifier
        return self._identifier[1]

    def _named(self, domains: Mapping[str, str]) -> list[str]:
        """All domains that documents or examples make."""
        return sorted({*domains.values(), *self.examples()})

    def _ids(self, documents: Sequence[str]) -> list[int]:
        return self.catalogue.ready_ids(self.embedder.name, pictures=False, documents=documents)

    def _vectors(self, documents: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return self.catalogue.vectors(self.embedder.name, self._ids(documents))[1]


def _raised(hits: Sequence[Hit], route: Route) -> Iterator[Hit]:
    """The hits, the score of each raised by the probability of its document where that tells."""
    for hit in hits:
        weight = route.weight(hit.sha256)
        why = f"document: probability {weight:.2f} by its card"
        raised = replace(hit, score=hit.score + abs(hit.score) * weight, why=(*hit.why, why))
        yield raised if weight else hit

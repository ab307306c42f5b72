"""Finding: a library's indexes, the four ways of searching them, documents first and domains, as one object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from langchain_core.retrievers import BaseRetriever

from octavo.ingest.model import State
from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.domains import AUTO, WEIGHTED, DomainError, DomainIdentifier, discover
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, IndexType, Looked, Mode
from octavo.retrieval.routing import Filed, Route, Router
from octavo.retrieval.search import RETRIEVERS, to_hits, with_elements
from octavo.retrieval.visual import PictureEmbedder

_WEIGHED = 100  # hits that are weighed by their domains before the best are kept
_TOLD = 200  # chunks of a document whose words name its domain


class SearchEngine:
    """Searches a catalogue through the indexes in `folder`, which are made and mended on first use.

    `text_retriever` takes the place of the text way.
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
    ) -> None:
        self.folder, self.catalogue, self.embedder, self.looker = folder, catalogue, embedder, looker
        self.device, self.documents_first, self.index_type = device, documents_first, index_type
        self._retrievers: dict[Mode, BaseRetriever] = {Mode.TEXT: text_retriever} if text_retriever else {}
        self._index: Index | None = None
        self._lock = Lock()
        self._identifier: tuple[Mapping[str, str], DomainIdentifier] | None = None
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

        `domain` is a domain's name, or "auto" for the one that the identifier finds: only its documents are searched;
        "weighted" multiplies each score by the probability of its document's domain. Where neither says where to look,
        the documents that the question names come first, if this engine does so. Raises DomainError.
        """
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
        said = ""
        if domain == AUTO:
            domain, probability = next(iter(self.identify(query).items()))
            said = f", probability {probability:.2f}"
        elif domain not in domains.values():
            known = ", ".join(sorted(set(domains.values()))) or "none yet; `octavo domains discover` finds some"
            raise DomainError(f"no domain {domain!r} in this library; there is {known}")
        inside = [sha256 for sha256, name in domains.items() if name == domain]
        hits = self._hits(query, mode, k, [s for s in inside if documents is None or s in documents])
        return [replace(hit, why=(*hit.why, f"domain: {domain}{said}")) for hit in hits]

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
        return to_hits(self.catalogue, self.retriever(mode).invoke(query, k=k, documents=documents), elements)

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

    def _documents_first(self, query: str, mode: Mode, k: int) -> tuple[list[Hit], tuple[Looked, ...]]:
        """The best hits in the documents chosen; where none are, of all."""
        router = self._routing()
        route = router.route(query)
        hits = self._hits(query, mode, max(_WEIGHED, k), route.chosen or None, elements=False)
        route = route.told_by([hit.sha256 for hit in hits])
        looked = tuple(
            Looked(filed.name, sha256, str(filed.card), route.odds[sha256])
            for sha256 in route.chosen
            if (filed := router.documents.get(sha256))
        )
        best = sorted(_raised(hits, route), key=lambda hit: -hit.score)[:k]
        return with_elements(self.catalogue, best), looked

    # Domains

    def domains(self) -> dict[str, str]:
        """The domain of each ready document (SHA-256) that has one."""
        infos = self.catalogue.documents()
        return {info.sha256: info.domain for info in infos if info.domain and info.state is State.READY}

    def identify(self, question: str) -> dict[str, float]:
        """Domain -> probability that the question belongs there, the likeliest first. Raises DomainError."""
        return self._identify(self.domains()).probabilities(self.embedder.embed_query(question))

    def place(self, documents: Sequence[str]) -> dict[str, str]:
        """A domain for each of these ready documents, if there are domains to choose from."""
        domains = self.domains()
        new = [sha256 for sha256 in documents if sha256 not in domains]
        if not new or len(set(domains.values())) < 2:
            return {}
        identifier = self._identify(domains)
        return {sha256: identifier.of_document(self._vectors([sha256])) for sha256 in new}

    def discover(self, count: int | None, seed: int) -> dict[str, str]:
        """A domain for each ready document, found by what they are about. Raises DomainError."""
        ready = [info.sha256 for info in self.catalogue.documents() if info.state is State.READY]
        means = [self._vectors([sha256]).mean(axis=0) for sha256 in ready]
        texts = [" ".join(self.catalogue.texts(self._ids([sha256])[:_TOLD])[1]) for sha256 in ready]
        return dict(zip(ready, discover(np.asarray(means, np.float32), texts, count, seed), strict=True))

    def _identify(self, domains: Mapping[str, str]) -> DomainIdentifier:
        """The identifier learnt from `domains`; kept until they change."""
        if self._identifier is None or self._identifier[0] != domains:
            names = sorted(set(domains.values()))
            if len(names) < 2:
                raise DomainError("fewer than two domains: `octavo domains discover` finds some, `set` makes one")
            members = {name: [sha256 for sha256, own in domains.items() if own == name] for name in names}
            vectors = {name: self._vectors(documents) for name, documents in members.items()}
            self._identifier = dict(domains), DomainIdentifier({name: v for name, v in vectors.items() if len(v)})
        return self._identifier[1]

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

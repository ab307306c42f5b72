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
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.index import Index
from octavo.retrieval.library_domains import EVERYWHERE, LibraryDomains, Where
from octavo.retrieval.model import Hit, IndexType, Looked, Mode
from octavo.retrieval.reranker import rerank
from octavo.retrieval.routing import Filed, Route, Router
from octavo.retrieval.search import RETRIEVERS, ranked, to_hits, with_elements
from octavo.retrieval.tuning import UNTUNED, Tuning
from octavo.retrieval.visual import PictureEmbedder

_CANDIDATES = 50  # that are ranked anew
_LEAST = 1e-9  # that a probability counts, as one rounded to 0 would make all scores equal, or infinite
_WEIGHED = 100  # hits that are weighed by their domains before the best are kept


class SearchEngine:
    """Searches a catalogue through the indexes in `folder`, which are made and mended on first use.

    `text_retriever` takes the place of the text way. `reranker` ranks anew what any way finds, 50 candidates at least,
    before documents and domains are weighed and the best are kept. `tunings` are those of some domains, `embedders`
    what these name.
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
        tunings: Mapping[str, Tuning] | None = None,
        embedders: Mapping[str, Embedder] | None = None,
    ) -> None:
        self.folder, self.catalogue, self.embedder, self.looker = folder, catalogue, embedder, looker
        self.device, self.documents_first, self.index_type = device, documents_first, index_type
        self.reranker = reranker
        self.embedders = embedders or {}
        self._text_retriever = text_retriever
        self._retrievers: dict[tuple[Mode, Tuning], BaseRetriever] = {}
        self._index: Index | None = None
        self._lock = Lock()
        self.domains = LibraryDomains(catalogue, embedder, tunings or {})
        self._router: tuple[tuple[int, int], Router] | None = None

    @property
    def index(self) -> Index:
        with self._lock:
            if self._index is None:
                self._index = Index(
                    self.folder,
                    self.catalogue,
                    self.embedder,
                    self.looker,
                    self.device,
                    self.index_type,
                    self.embedders.values(),
                )
            return self._index

    def retriever(self, mode: Mode, tuning: Tuning = UNTUNED) -> BaseRetriever:
        """A way of searching, as it is or as it is tuned for a domain."""
        if mode is Mode.TEXT and self._text_retriever:
            return self._text_retriever
        if (mode, tuning) not in self._retrievers:
            dense = self.index.texts[self.embedders[tuning.embedder].name] if tuning.embedder else None
            self._retrievers[mode, tuning] = RETRIEVERS[mode](index=self.index, weights=tuning.weights, dense=dense)
        return self._retrievers[mode, tuning]

    def search(self, query: str, mode: Mode, k: int, documents: Sequence[str] | None = None) -> list[Hit]:
        """As `find`, the hits alone, whatever their domains."""
        return self.find(query, mode, k, documents)[0]

    def find(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None = None, where: Where = EVERYWHERE
    ) -> tuple[list[Hit], tuple[Looked, ...]]:
        """The `k` best chunks for `query`, best first, in `documents` (SHA-256) only if given; and where it looked.

        `where` is what `domains.where` says of the question. The documents that the question names come first where
        neither a domain nor documents are named, if this engine does so. Raises ValueError for a `k` below 1.
        """
        if k < 1:
            raise ValueError(f"a search gives one hit or more, not {k}")
        looked: tuple[Looked, ...] = ()
        inside = where.documents
        if documents is not None:
            inside = [sha256 for sha256 in documents if inside is None or sha256 in inside]
        if where.weights is not None:
            found = self._hits(query, mode, max(_WEIGHED, k), inside, where.tuning, elements=False)
            hits = sorted(weighed(found, where.weights), key=lambda hit: -hit.score)[:k]
            hits = with_elements(self.catalogue, hits)
        elif documents is None and where.named_first and self.documents_first:
            hits, looked = self._documents_first(query, mode, k, where)
        else:
            hits = self._hits(query, mode, k, inside, where.tuning)
        return [replace(hit, why=(*hit.why, where.why)) for hit in hits] if where.why else hits, looked

    def _hits(
        self, query: str, mode: Mode, k: int, documents: Sequence[str] | None, tuning: Tuning, elements: bool = True
    ) -> list[Hit]:
        retriever, reranker = self.retriever(mode, tuning), self.reranker
        if reranker is None:
            return to_hits(self.catalogue, ranked(retriever, self.catalogue, query, k, documents), elements)
        found = ranked(retriever, self.catalogue, query, max(_CANDIDATES, k), documents)
        hits = rerank(query, to_hits(self.catalogue, found, elements=False), reranker)[:k]
        return with_elements(self.catalogue, hits) if elements else hits

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

    def _documents_first(self, query: str, mode: Mode, k: int, where: Where) -> tuple[list[Hit], tuple[Looked, ...]]:
        """The best hits in the documents chosen, and where none are in the domain's, or of all."""
        router = self._routing()
        route = router.route(query)
        astray = where.documents is not None and not set(where.documents).issuperset(route.chosen)
        tuning = UNTUNED if astray else where.tuning  # it need not know documents of another domain
        hits = self._hits(query, mode, max(_WEIGHED, k), route.chosen or where.documents, tuning, elements=False)
        route = route.told_by([hit.sha256 for hit in hits])
        looked = tuple(
            Looked(filed.name, sha256, str(filed.card), route.odds[sha256])
            for sha256 in route.chosen
            if (filed := router.documents.get(sha256))
        )
        best = sorted(_raised(hits, route), key=lambda hit: -hit.score)[:k]
        return with_elements(self.catalogue, best), looked

    # Choosing

    def signals(self, question: str, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """What a calibration tells evidence by, of each of `hits`, best first; shape (n, len(SIGNALS))."""
        odds = self.route(question).told_by([hit.sha256 for hit in hits]).odds
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


def weighed(hits: Sequence[Hit], weights: Mapping[str, tuple[str, float]]) -> Iterator[Hit]:
    """The hits, each score times the probability of its document's domain; what came in meanwhile is left out."""
    for hit in (hit for hit in hits if hit.sha256 in weights):
        name, weight = weights[hit.sha256]
        factor = max(weight, _LEAST)
        score = hit.score * factor if hit.score > 0 else hit.score / factor  # a cosine below 0 falls too
        yield replace(hit, score=score, why=(*hit.why, f"domain: {name}, probability {weight:.2f}"))


def _raised(hits: Sequence[Hit], route: Route) -> Iterator[Hit]:
    """The hits, the score of each raised by the probability of its document where that tells."""
    for hit in hits:
        weight = route.weight(hit.sha256)
        why = f"document: probability {weight:.2f} by its card"
        raised = replace(hit, score=hit.score + abs(hit.score) * weight, why=(*hit.why, why))
        yield raised if weight else hit

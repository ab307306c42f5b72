"""The four ways of searching as LangChain retrievers, and the hits made of what they find."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.text import count
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, Mode, RetrieverError
from octavo.retrieval.store import FaissStore
from octavo.retrieval.tuning import EVEN, RRF, Weights
from octavo.retrieval.visual import PictureEmbedder

Ranking = dict[int, tuple[float, tuple[str, ...]]]
"""Chunk id -> its score, higher for better, and the reasons in words."""

Place = tuple[int, int]
"""A page of a document: its row in the catalogue, and the page's number."""

T = TypeVar("T", bound=Hashable)

_DEPTH = 100  # of each list that is fused
_SPREAD = 0.5  # of a score, for each better hit on its page


def fuse(rankings: Sequence[Sequence[T]], weights: Sequence[float] = ()) -> dict[T, float]:
    """Reciprocal-rank fusion: key -> sum over the rankings that hold it of weight / (60 + rank), ranks from 1.

    Cormack, Clarke and Buettcher, SIGIR 2009; without `weights` each is 1.
    """
    scores: dict[T, float] = defaultdict(float)
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, key in enumerate(ranking, 1):
            scores[key] += weight / (RRF + rank)
    return dict(scores)


class LibraryRetriever(BaseRetriever, ABC):
    """Ranks chunks of a library's index; what the four ways share.

    Documents carry the chunk's id, and in their metadata `score` and `why` (a reason for each list that found it).
    `invoke(query, k=..., documents=[sha256, ...])` searches in those documents only. `weights` are of the lists that
    are fused; `dense` searches texts in the place of the index's own vectors, those that it holds.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Index
    k: int = 10
    weights: Weights = EVEN
    dense: FaissStore | None = None

    @abstractmethod
    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        """The best chunks for `query`, about `depth` of each list that is searched, with their reasons."""

    def best(self, query: str, k: int, documents: Sequence[str] | None) -> Ranking:
        """The `k` best chunks for `query`, best first, in `documents` (SHA-256) only if given."""
        ranking = self.rank(query, max(_DEPTH, k), documents)
        return {key: ranking[key] for key in sorted(ranking, key=lambda key: -ranking[key][0])[:k]}

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,
        k: int | None = None,
        documents: Sequence[str] | None = None,
    ) -> list[Document]:
        ranking = self.best(query, k or self.k, documents)
        store = self.index.vectors.documents
        found = store.get(list(ranking))
        for document in found:
            score, why = ranking[store.key(document.id or "")]
            document.metadata.update(score=score, why=list(why))
        return found

    def _among(self, store: FaissStore, pictures: bool, documents: Sequence[str] | None) -> list[int] | None:
        """The chunks of `documents` in `store`, which holds pictures or texts; None for all of them."""
        model = cast(Embedder, store.embedding).name
        return None if documents is None else self.index.catalogue.ready_ids(model, pictures, documents)

    def _nearest(
        self, store: FaissStore, query: str, depth: int, among: Sequence[int] | None
    ) -> list[tuple[int, float]]:
        """(chunk id, cosine) of the nearest in `store`."""
        return store.nearest(store.embedding.embed_query(query), depth, among)


class HybridRetriever(LibraryRetriever):
    """Text chunks by dense and BM25 search, fused by rank."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        fused = self.fused(query, depth, documents)
        return _spread(fused, self.index.catalogue.places(list(fused)))

    def fused(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        """As `rank`, whatever pages the chunks stand on. A list that counts nothing is not searched."""
        among = self._among(self.index.vectors, False, documents)
        store, own = self.index.vectors, among
        if self.dense is not None:
            store, own = self.dense, self._among(self.dense, False, documents)
        dense = self._nearest(store, query, depth, own) if self.weights.dense else []
        lexical = self.index.words.search(query, depth, among) if self.weights.bm25 else []
        why: dict[int, list[str]] = defaultdict(list)
        for rank, (key, score) in enumerate(dense, 1):
            why[key].append(f"meaning: rank {rank}, cosine {score:.3f}")
        for rank, (key, score) in enumerate(lexical, 1):
            why[key].append(f"words: rank {rank}, BM25 {score:.2f}")
        orders = [[key for key, _ in found] for found in (dense, lexical)]
        fused = fuse(orders, [self.weights.dense, self.weights.bm25])
        return {key: (score, tuple(why[key])) for key, score in fused.items()}


def _spread(ranking: Ranking, place: Mapping[int, Place]) -> Ranking:
    """The ranking with each chunk's score halved for every better one of its page, so that more pages are found."""
    before: dict[Place, int] = defaultdict(int)
    spread: Ranking = {}
    for key in sorted(ranking, key=lambda key: -ranking[key][0]):
        (score, why), page = ranking[key], place.get(key, (0, -key))
        if before[page]:
            why = (*why, f"page: {count(before[page], 'better hit')} on it")
        spread[key] = score * _SPREAD ** before[page], why
        before[page] += 1
    return spread


class PictureRetriever(LibraryRetriever):
    """Pictures of pages, tables and figures by the cosine of one vector each, or by late interaction."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        store = self.index.pictures
        found = self._nearest(store, query, depth, self._among(store, True, documents))
        measure, found = cast(PictureEmbedder, store.embedding).ranked(query, found, self.index.catalogue)
        return {key: (score, (f"picture: rank {n}, {measure} {score:.3f}",)) for n, (key, score) in enumerate(found, 1)}


class FusionRetriever(LibraryRetriever):
    """Pages by their ranks among the texts and among the pictures, each shown by what stands highest of it."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        texts = HybridRetriever(index=self.index, weights=self.weights, dense=self.dense).fused(query, depth, documents)
        pictures = PictureRetriever(index=self.index).rank(query, depth, documents) if self.weights.image else {}
        place = self.index.catalogue.places([*texts, *pictures])
        sides = _spread(texts, place), pictures
        orders = [sorted(side, key=lambda key: -side[key][0]) for side in sides]
        shown: dict[Place, list[tuple[int, int, int]]] = defaultdict(list)  # page: (rank, side, chunk)
        pages = []
        for number, order in enumerate(orders):
            best = dict(reversed([(place[key], (n, key)) for n, key in enumerate(order) if key in place]))
            for page, (n, key) in best.items():
                shown[page].append((n, number, key))
            pages.append(sorted(best, key=lambda page, best=best: best[page]))  # type: ignore[misc]
        ranking: Ranking = {}
        for page, score in fuse(pages, [1.0, self.weights.image]).items():
            _, number, key = min(shown[page])
            ranks = [f"{pages[n].index(page) + 1} of the {('texts', 'pictures')[n]}" for _, n, _ in sorted(shown[page])]
            ranking[key] = score, (*sides[number][key][1], f"its page: rank {' and '.join(ranks)}")
        return ranking


class JointRetriever(LibraryRetriever):
    """Text chunks and pictures by their cosines in one space of vectors."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        texts, pictures = (
            self._nearest(store, query, depth, self._among(store, pictures, documents))
            for store, pictures in ((self.index.joint, False), (self.index.pictures, True))
        )
        return {
            key: (score, (f"{kind} in one space: cosine {score:.3f}",))
            for kind, found in (("text", texts), ("picture", pictures))
            for key, score in found
        }


RETRIEVERS: dict[Mode, type[LibraryRetriever]] = {
    Mode.TEXT: HybridRetriever,
    Mode.IMAGE: PictureRetriever,
    Mode.FUSION: FusionRetriever,
    Mode.JOINT: JointRetriever,
}


def ranked(
    retriever: BaseRetriever, catalogue: Catalogue, query: str, k: int, documents: Sequence[str] | None
) -> Ranking:
    """The `k` best chunks by any retriever, in `documents` (SHA-256) only if given, whatever it makes of these two.

    Documents that one of another kind finds have chunk ids as their ids. Raises RetrieverError.
    """
    if isinstance(retriever, LibraryRetriever):  # whose documents would be read twice
        return retriever.best(query, k, documents)
    found = {_chunk_id(d): d.metadata for d in retriever.invoke(query, k=k, documents=documents)}
    keys = list(found)
    if documents is not None:
        keys = [s.chunk.id or -1 for s in catalogue.chunks(keys, elements=False) if s.sha256 in documents]
    return {key: (float(found[key].get("score", 0.0)), tuple(found[key].get("why", ()))) for key in keys[:k]}


def _chunk_id(document: Document) -> int:
    try:
        return int(document.id or "")
    except ValueError:
        raise RetrieverError(
            f"the retriever gave a document with the id {document.id!r}: it must be that of one of the library's chunks"
        ) from None


def to_hits(catalogue: Catalogue, ranking: Ranking, elements: bool = True) -> list[Hit]:
    """Hits of what was ranked, in its order. Chunks deleted meanwhile are left out.

    Without `elements` they lack these, until `with_elements` gives them to those that are kept.
    """
    return [
        Hit(stored.chunk, stored.document, stored.sha256, stored.elements, *ranking[stored.chunk.id or -1])
        for stored in catalogue.chunks(list(ranking), elements)
    ]


def with_elements(catalogue: Catalogue, hits: Sequence[Hit]) -> list[Hit]:
    """The hits with their elements; those whose chunks were deleted meanwhile are left out."""
    hit = {hit.chunk.id: hit for hit in hits}
    stored = catalogue.chunks([key for key in hit if key is not None])
    return [replace(hit[s.chunk.id], chunk=s.chunk, elements=s.elements) for s in stored]

"""The four ways of searching as LangChain retrievers, and the hits made of what they find."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from octavo.ingest.catalogue import Catalogue
from octavo.ingest.model import LinkType
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit, Mode
from octavo.retrieval.store import FaissStore

Ranking = dict[int, tuple[float, tuple[str, ...]]]
"""Chunk id -> its score, higher for better, and the reasons in words."""

_DEPTH = 100  # of each list that is fused
_RRF = 60  # Cormack, Clarke and Buettcher, SIGIR 2009
_LINK_NAMES = {LinkType.MENTION_OF: "named by", LinkType.CONTINUES: "goes on from or to"}


def fuse(rankings: Sequence[Sequence[int]], constant: int = _RRF) -> dict[int, float]:
    """Reciprocal-rank fusion: key -> sum over the rankings that hold it of 1 / (constant + rank), ranks from 1.

    Cormack, Clarke and Buettcher, SIGIR 2009.
    """
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] += 1 / (constant + rank)
    return dict(scores)


class LibraryRetriever(BaseRetriever, ABC):
    """Ranks chunks of a library's index; what the four ways share.

    Documents carry the chunk's id, and in their metadata `score` and `why` (a reason for each list that found it).
    `invoke(query, k=..., documents=[sha256, ...])` searches in those documents only.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Index
    k: int = 10

    @abstractmethod
    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        """The best chunks for `query`, about `depth` of each list that is searched, with their reasons."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,
        k: int | None = None,
        documents: Sequence[str] | None = None,
    ) -> list[Document]:
        k = k or self.k
        ranking = self.rank(query, max(_DEPTH, k), documents)
        best = sorted(ranking, key=lambda key: -ranking[key][0])[:k]
        store = self.index.vectors.documents
        found = store.get(best)
        for document in found:
            score, why = ranking[store.key(document.id or "")]
            document.metadata.update(score=score, why=list(why))
        return found

    def _nearest(
        self, store: FaissStore, query: str, depth: int, pictures: bool, documents: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """(chunk id, cosine) of the nearest in `store`, which holds pictures or texts."""
        model = cast(Embedder, store.embedding).name
        among = None if documents is None else self.index.catalogue.ready_ids(model, pictures, documents)
        return store.nearest(store.embedding.embed_query(query), depth, among)


class HybridRetriever(LibraryRetriever):
    """Text chunks by dense and BM25 search, fused by rank."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        among = None if documents is None else self.index.catalogue.ready_ids(self.index.model, False, documents)
        dense = self._nearest(self.index.vectors, query, depth, False, documents)
        lexical = self.index.words.search(query, depth, among)
        why: dict[int, list[str]] = defaultdict(list)
        for rank, (key, score) in enumerate(dense, 1):
            why[key].append(f"meaning: rank {rank}, cosine {score:.3f}")
        for rank, (key, score) in enumerate(lexical, 1):
            why[key].append(f"words: rank {rank}, BM25 {score:.2f}")
        fused = fuse([[key for key, _ in dense], [key for key, _ in lexical]])
        return {key: (score, tuple(why[key])) for key, score in fused.items()}


class PictureRetriever(LibraryRetriever):
    """Pictures of pages, tables and figures by the cosine of one vector each."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        found = self._nearest(self.index.pictures, query, depth, True, documents)
        return {key: (score, (f"picture: rank {n}, cosine {score:.3f}",)) for n, (key, score) in enumerate(found, 1)}


class FusionRetriever(LibraryRetriever):
    """Text chunks and pictures, fused by rank: each counts its own list, and its page's best place in the other."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        sides = [
            kind(index=self.index, k=self.k).rank(query, depth, documents)
            for kind in (HybridRetriever, PictureRetriever)
        ]
        orders = [sorted(side, key=lambda key: -side[key][0]) for side in sides]
        place = self.index.catalogue.places([key for order in orders for key in order])
        pages = [list(dict.fromkeys(place[key] for key in order if key in place)) for order in orders]
        rank_of = [{page: n for n, page in enumerate(ranked, 1)} for ranked in pages]
        ranking: Ranking = {}
        for own, (side, order) in enumerate(zip(sides, orders, strict=True)):
            name = ("texts", "pictures")[1 - own]
            for n, key in enumerate(order, 1):
                score, why = 1 / (_RRF + n), side[key][1]
                if there := rank_of[1 - own].get(place.get(key, (-1, -1))):
                    score, why = score + 1 / (_RRF + there), (*why, f"its page: rank {there} of the {name}")
                ranking[key] = score, why
        return ranking


class JointRetriever(LibraryRetriever):
    """Text chunks and pictures by their cosines in one space of vectors."""

    def rank(self, query: str, depth: int, documents: Sequence[str] | None) -> Ranking:
        texts = self._nearest(self.index.joint, query, depth, False, documents)
        pictures = self._nearest(self.index.pictures, query, depth, True, documents)
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


def to_hits(catalogue: Catalogue, documents: Sequence[Document]) -> list[Hit]:
    """Hits of what a retriever found; its documents' ids are chunk ids. Chunks deleted meanwhile are left out."""
    found = {int(document.id or -1): document.metadata for document in documents}
    return [
        Hit(
            stored.chunk,
            stored.document,
            stored.sha256,
            stored.elements,
            float(found[stored.chunk.id or -1].get("score", 0.0)),
            tuple(found[stored.chunk.id or -1].get("why", ())),
        )
        for stored in catalogue.chunks(list(found))
    ]


def follow_links(catalogue: Catalogue, hits: Sequence[Hit], most: int) -> list[Hit]:
    """What the hits' elements name or continue into and no hit holds yet, at most `most`, best hit's first.

    A paragraph that mentions a table brings the table, scored just below it. A picture brings nothing: it shows what it
    names.
    """
    owner = {element: hit for hit in reversed(hits) if not hit.chunk.picture for element in hit.chunk.element_ids}
    have = {hit.chunk.id for hit in hits}
    linked = [row for row in catalogue.linked_chunks(list(owner)) if row[0] not in have]
    linked.sort(key=lambda row: -owner[row[1]].score)
    reasons: dict[int, tuple[Hit, str]] = {}
    for chunk, element, kind in linked:
        hit = owner[element]
        reasons.setdefault(chunk, (hit, f"link: {_LINK_NAMES[kind]} the hit on page {hit.page}"))
    brought = []
    for stored in catalogue.chunks(list(reasons)[:most]):
        hit, why = reasons[stored.chunk.id or -1]
        brought.append(Hit(stored.chunk, stored.document, stored.sha256, stored.elements, hit.score * 0.99, (why,)))
    return brought

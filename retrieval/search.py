"""Searching: dense and BM25 lists fused by rank, as a LangChain retriever, and the hits made of what it finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from octavo.ingest.catalogue import Catalogue
from octavo.ingest.model import LinkType
from octavo.retrieval.index import Index
from octavo.retrieval.model import Hit

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


class HybridRetriever(BaseRetriever):
    """Chunks by dense and BM25 search, fused by rank.

    Documents carry the chunk's id, and in their metadata `score` and `why` (a reason for each list that found it).
    `invoke(query, k=..., documents=[sha256, ...])` searches in those documents only.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Index
    k: int = 10

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,
        k: int | None = None,
        documents: Sequence[str] | None = None,
    ) -> list[Document]:
        store, words = self.index.vectors, self.index.words
        among = None if documents is None else self.index.catalogue.ready_ids(self.index.model, documents)
        depth = max(_DEPTH, k or self.k)
        dense = store.nearest(store.embedding.embed_query(query), depth, among)
        lexical = words.search(query, depth, among)
        why: dict[int, list[str]] = defaultdict(list)
        for rank, (key, score) in enumerate(dense, 1):
            why[key].append(f"meaning: rank {rank}, cosine {score:.3f}")
        for rank, (key, score) in enumerate(lexical, 1):
            why[key].append(f"words: rank {rank}, BM25 {score:.2f}")
        fused = fuse([[key for key, _ in dense], [key for key, _ in lexical]])
        best = sorted(fused, key=lambda key: -fused[key])[: k or self.k]
        found = store.documents.get(best)
        for document in found:
            key = store.documents.key(document.id or "")
            document.metadata.update(score=fused[key], why=why[key])
        return found


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

    A paragraph that mentions a table brings the table, scored just below it.
    """
    owner = {element: hit for hit in reversed(hits) for element in hit.chunk.element_ids}
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

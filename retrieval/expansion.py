"""What belongs to hits though no search found it: the table that a paragraph names, where either goes on, their pages.

A hit carries its elements whole, a table or figure with its caption. So the neighbouring chunk of a paragraph or table
that was cut into several would bring nothing new: each element comes once, by its chunk that stands nearest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from octavo.ingest.model import LinkType
from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.store.records import Linked
from octavo.retrieval.model import Brought, Hit

PAGE = "page"
"""In place of a link's type: the picture of the page that a hit stands on."""

_BELOW = 0.99  # of the score of what brings it
_LINKS = {LinkType.MENTION_OF: "named by", LinkType.CONTINUES: "goes on from or in"}


def expand(catalogue: Catalogue, hits: Sequence[Hit], most: int) -> list[Hit]:
    """At most `most` chunks that `hits` lead to by links, and no hit holds: the best hit's first, by the surest link.

    What a hit names comes, and what it goes on from or in, over as many pages as that takes. A picture brings nothing:
    it shows what it names.
    """
    number = {hit.chunk.id or -1: n for n, hit in enumerate(hits, 1)}
    texts = [hit for hit in hits if not hit.chunk.picture]
    have = {element for hit in texts for element in hit.chunk.element_ids}
    found: list[Hit] = []
    while texts and len(found) < most:
        texts = list(_bring(catalogue, _steps(catalogue, texts, have), number))
        found += texts
    return found[:most]


def _steps(catalogue: Catalogue, texts: Sequence[Hit], have: set[str]) -> dict[int, tuple[Linked, Hit]]:
    """Chunk id -> the link that leads there, and from what; adds to `have` what is led to."""
    owner = {element: n for n, hit in reversed(list(enumerate(texts))) for element in hit.chunk.element_ids}

    def order(link: Linked) -> tuple[int, float, int, int]:
        n = owner[link.here]
        return n, -link.confidence, abs(link.chunk - (texts[n].chunk.id or -1)), link.chunk

    steps: dict[int, tuple[Linked, Hit]] = {}
    for link in sorted(catalogue.linked_chunks(list(owner)), key=order):
        hit = texts[owner[link.here]]
        if link.there not in have and (link.type is LinkType.CONTINUES or hit.brought is None):
            have.add(link.there)
            steps.setdefault(link.chunk, (link, hit))
    return steps


def _bring(catalogue: Catalogue, steps: dict[int, tuple[Linked, Hit]], number: dict[int, int]) -> Iterator[Hit]:
    for stored in catalogue.chunks(list(steps)):
        link, hit = steps[stored.chunk.id or -1]
        before = hit.brought or Brought(hit.chunk.id or -1, link.type)
        brought = Brought(before.hit, link.type, before.confidence * link.confidence)
        why = f"link: {_LINKS[link.type]} hit {number[before.hit]}, confidence {brought.confidence:.2f}"
        yield Hit(stored.chunk, stored.document, stored.sha256, stored.elements, hit.score * _BELOW, (why,), brought)


def bring_pages(catalogue: Catalogue, hits: Sequence[Hit]) -> list[Hit]:
    """The pictures of the pages that the hits stand on and no hit shows yet, best hit's first, scored just below it."""
    owner = {hit.chunk.id: hit for hit in hits if hit.chunk.id is not None}
    number = {key: n for n, key in enumerate(owner, 1)}
    whole = catalogue.page_pictures(list(owner))
    first = {page: key for key, page in reversed(list(whole.items())) if page not in owner}
    return [
        Hit(s.chunk, s.document, s.sha256, s.elements, owner[key].score * _BELOW, (why,), Brought(key, PAGE))
        for s in catalogue.chunks(sorted(first, key=lambda page: -owner[first[page]].score))
        if (key := first[s.chunk.id or -1]) and (why := f"page: of hit {number[key]}")
    ]

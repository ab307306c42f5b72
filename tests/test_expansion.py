"""What belongs to hits: what they name, what they go on from or in, and the pictures of their pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from octavo.ingest.model import Chunk, Element, ElementType, Link, LinkType, Page, ParsedDocument
from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.expansion import bring_pages, expand
from octavo.retrieval.model import Brought, Hit

TEXT, TABLE, PAGE = ElementType.TEXT, ElementType.TABLE, ElementType.PAGE
MENTIONS, CONTINUES, CAPTIONS = LinkType.MENTION_OF, LinkType.CONTINUES, LinkType.CAPTION_OF


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """A report: page 1 names Table 1, which stands on pages 2 to 4, and ends in a sentence that goes on on page 2."""
    places = {"intro": 1, "cut": 1, "rest": 2, "caption": 2, "t2": 2, "t3": 3, "t4": 4, "other": 4}
    elements = tuple(
        Element(id, TABLE if id in ("t2", "t3", "t4") else TEXT, n, (0, 0, 1, 1), id) for id, n in places.items()
    )
    links = (
        Link("intro", "t2", MENTIONS, 0.9),
        Link("intro", "other", MENTIONS, 0.6),
        Link("caption", "t2", CAPTIONS, 0.9),
        Link("rest", "cut", CONTINUES, 0.8),
        Link("t3", "t2", CONTINUES, 0.9),
        Link("t4", "t3", CONTINUES, 0.5),
    )
    chunks = [
        Chunk(TEXT, 1, "", "intro and cut", ("intro", "cut")),
        Chunk(TEXT, 2, "", "rest", ("rest",)),
        Chunk(TABLE, 2, "", "t2, first rows", ("t2", "caption")),
        Chunk(TABLE, 2, "", "t2, last rows", ("t2", "caption")),
        Chunk(TABLE, 3, "", "t3", ("t3", "caption")),
        Chunk(TABLE, 4, "", "t4", ("t4", "caption")),
        Chunk(TEXT, 4, "", "other", ("other",)),
        Chunk(PAGE, 1, "", "page 1", ("intro", "cut"), picture=True),
    ]
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    catalogue.queue("a" * 64, "report.pdf", 10, None)
    catalogue.store_parsed("a" * 64, ParsedDocument(tuple(Page(n, 1, 1) for n in range(1, 5)), elements, links), chunks)
    return catalogue


@pytest.fixture
def hit(catalogue: Catalogue) -> Callable[[str], Hit]:
    """A hit of a chunk by its text, scored 1."""
    stored = {s.chunk.text: s for s in catalogue.chunks(range(1, 9))}

    def found(text: str) -> Hit:
        return Hit(stored[text].chunk, "report.pdf", "a" * 64, stored[text].elements, 1.0)

    return found


def said(hits: list[Hit]) -> list[tuple[str, str]]:
    return [(hit.chunk.text, hit.why[0]) for hit in hits]


def test_a_hit_brings_what_it_names_and_goes_on_in_by_the_surest_link_and_then_the_rest(
    catalogue: Catalogue, hit: Callable[[str], Hit]
) -> None:
    brought = expand(catalogue, [hit("intro and cut")], most=10)
    assert said(brought) == [
        ("t2, first rows", "link: named by hit 1, confidence 0.90"),
        ("rest", "link: goes on from or in hit 1, confidence 0.80"),
        ("other", "link: named by hit 1, confidence 0.60"),
        ("t3", "link: goes on from or in hit 1, confidence 0.81"),
        ("t4", "link: goes on from or in hit 1, confidence 0.41"),
    ]
    first = hit("intro and cut").chunk.id
    assert [h.brought for h in brought[:2]] == [Brought(first, "mention-of", 0.9), Brought(first, "continues", 0.8)]
    assert brought[0].score < 1


def test_no_more_comes_than_was_asked_for(catalogue: Catalogue, hit: Callable[[str], Hit]) -> None:
    hits = [hit("intro and cut")]
    assert expand(catalogue, hits, most=4) == expand(catalogue, hits, most=10)[:4]
    assert expand(catalogue, hits, most=0) == []


def test_what_a_hit_holds_does_not_come_again(catalogue: Catalogue, hit: Callable[[str], Hit]) -> None:
    brought = expand(catalogue, [hit("intro and cut"), hit("t2, last rows"), hit("rest")], most=10)
    assert said(brought) == [
        ("other", "link: named by hit 1, confidence 0.60"),
        ("t3", "link: goes on from or in hit 2, confidence 0.90"),
        ("t4", "link: goes on from or in hit 2, confidence 0.45"),
    ]


def test_the_nearest_chunk_of_a_table_comes_and_its_caption_with_it(
    catalogue: Catalogue, hit: Callable[[str], Hit]
) -> None:
    brought = expand(catalogue, [hit("t3")], most=1)
    assert [(h.chunk.text, [e.id for e in h.elements]) for h in brought] == [("t2, last rows", ["t2", "caption"])]


def test_what_is_brought_names_nothing_further(catalogue: Catalogue, hit: Callable[[str], Hit]) -> None:
    assert said(expand(catalogue, [hit("rest")], most=10)) == [
        ("intro and cut", "link: goes on from or in hit 1, confidence 0.80")
    ]


def test_a_picture_brings_nothing_and_a_text_the_picture_of_its_page(
    catalogue: Catalogue, hit: Callable[[str], Hit]
) -> None:
    page, text = hit("page 1"), hit("intro and cut")
    assert expand(catalogue, [page], most=10) == []
    assert bring_pages(catalogue, [page]) == []
    (brought,) = bring_pages(catalogue, [hit("other"), text])
    assert (brought.chunk, brought.why) == (page.chunk, ("page: of hit 2",))
    assert brought.brought == Brought(text.chunk.id or 0, "page")


def test_an_answers_evidence_has_the_table_that_a_paragraph_names(library: Any) -> None:
    question = "Table 3 gives all values of the Niño 1+2 region"
    kept = library.select(question, k=3).kept
    assert {hit.brought.link for hit in kept[3:] if hit.brought} == {"mention-of"}
    assert any(hit.chunk.type is TABLE for hit in kept[3:])
    assert library.select(question, k=3, expand=0).kept == kept[:3]

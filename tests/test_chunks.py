"""How large chunks are: what an embedder reads of a text at once is what a chunk holds."""

from __future__ import annotations

import pytest
from sentence_transformers import SentenceTransformer

from octavo.ingest.chunks import make_chunks
from octavo.ingest.model import Chunk, Element, ElementType, Page, ParsedDocument, Table
from octavo.retrieval.embedder import embedded_folder

BOX = (50.0, 50.0, 500.0, 700.0)


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformer:
    return SentenceTransformer(str(embedded_folder()), device="cpu")


def chunks(*elements: Element) -> list[Chunk]:
    return make_chunks(ParsedDocument((Page(1, 600, 800),), elements, ()), "annual-report-2022")


def test_a_paragraph_without_an_end_of_a_sentence_is_cut_between_words() -> None:
    words = " ".join(f"item {n}" for n in range(2000))
    made = chunks(Element("a", ElementType.TEXT, 1, BOX, words))
    assert len(made) > 10
    assert " ".join(chunk.text for chunk in made) == words


@pytest.mark.parametrize("headings", [1, 4])
def test_a_table_of_figures_is_read_whole_by_the_embedder(embedder: SentenceTransformer, headings: int) -> None:
    columns = ("", "December 31, 2022", "December 31, 2021", "December 31, 2020")
    rows = [(f"Deferred charge {n}", f"$ (12,{n:03}.45)", f"1,7{n:02}", f"{n}.5%") for n in range(90)]
    grid = Table((columns, *rows), ((None,) * 4,) * 91)
    above = [
        Element(f"h{n}", ElementType.HEADING, 1, BOX, f"Note {n}. Commitments and contingencies", level=n + 1)
        for n in range(headings)
    ]
    made = [c for c in chunks(*above, Element("t", ElementType.TABLE, 1, BOX, "", table=grid)) if c.text.count(":")]
    sizes = [len(embedder.tokenizer(chunk.indexed_text)["input_ids"]) for chunk in made]
    longest = embedder.max_seq_length
    assert sum(min(size, longest) for size in sizes) > 0.97 * sum(sizes)
    assert min(sizes[:-1]) > 0.75 * longest
    assert [row[0] for row in rows] == [
        line.partition(":")[0] for chunk in made for line in chunk.text.splitlines() if line.startswith("Deferred")
    ]

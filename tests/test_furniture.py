"""What stands around the text: footnotes and running lines that were read as text, boxes set apart."""

from __future__ import annotations

from time import process_time

from octavo.ingest.furniture import (
    closing_lines,
    counted_on,
    explanations,
    footnotes,
    lone_sentences,
    page_numbers,
    running_lines,
)
from octavo.ingest.model import Box, Element, ElementType
from octavo.ingest.sheet import Drawing, Sheet, Word
from octavo.ingest.traces import Face, Traces, find_traces


def element(key: str, kind: ElementType, words: str, page: int, y: float) -> Element:
    return Element(key, kind, page, (50, y, 550, y + 12), words)


def test_a_line_that_other_pages_have_as_their_header_is_one() -> None:
    elements = [
        element("a", ElementType.HEADER, "Annual Report 2", 1, 30),
        element("b", ElementType.TEXT, "Annual Report 3", 2, 30),
        element("c", ElementType.TEXT, "Annual Report 3", 2, 300),
    ]
    assert [e.type for e in running_lines(elements)] == [ElementType.HEADER, ElementType.HEADER, ElementType.TEXT]


def test_a_text_on_the_last_line_of_many_pages_is_a_footer_wherever_that_stands() -> None:
    closing = [element(f"n{page}", ElementType.TEXT, "MD&A", page, 300 + 40 * page) for page in range(1, 6)]
    text = [element(f"t{page}", ElementType.TEXT, "MD&A", page, 100) for page in range(1, 6)]
    kinds = [e.type for e in closing_lines([*text, *closing])]
    assert kinds == [ElementType.TEXT] * 5 + [ElementType.FOOTER] * 5
    assert closing_lines(closing) == closing


def test_a_sentence_that_one_page_has_is_no_header() -> None:
    said = "The chart below shows the mix of payments by seller size:"
    once = [element("a", ElementType.HEADER, said, 8, 30), element("b", ElementType.HEADER, "Table of Contents", 9, 30)]
    assert [e.type for e in lone_sentences(once)] == [ElementType.TEXT, ElementType.HEADER]
    repeated = [
        element(f"n{page}", ElementType.FOOTER, "See the notes on which this relies.", page, 770) for page in (1, 2)
    ]
    assert lone_sentences(repeated) == repeated


def test_a_number_that_closes_its_page_and_counts_the_pages_is_a_footer() -> None:
    numbers = [element(f"n{page}", ElementType.TEXT, str(page + 20), page, 300 + page) for page in (1, 2, 3)]
    by_chance = element("total", ElementType.TEXT, "512", 4, 300)
    above = element("above", ElementType.TEXT, "24", 4, 100)
    assert [e.type for e in page_numbers([*numbers, above, by_chance])] == [ElementType.FOOTER] * 3 + [
        ElementType.TEXT,
        ElementType.TEXT,
    ]


def test_a_sentence_that_explains_a_mark_is_no_heading() -> None:
    said = ("- No historical data available for this period.", "* Net of tax.", "– Outlook", "3. Leases")
    read = explanations([element(words, ElementType.HEADING, words, 1, 100) for words in said])
    assert [e.text for e in read if e.type is ElementType.HEADING] == ["– Outlook", "3. Leases"]


def test_an_item_that_counts_on_from_a_list_is_no_footnote() -> None:
    elements = [
        element("a", ElementType.LIST, "5. Harrison AL, Shields N. Exercise and diabetes.", 1, 500),
        element("b", ElementType.FOOTNOTE, "6. Larsen B. Feasibility of counselling.", 1, 514),
        element("c", ElementType.FOOTNOTE, "7. Marcus B. Motivation.", 1, 528),
        element("d", ElementType.FOOTNOTE, "8. Of the year before.", 1, 700),
    ]
    assert [e.type.value for e in counted_on(elements)] == ["list", "list", "list", "footnote"]


def test_items_are_looked_for_on_their_page_alone() -> None:
    text, note = (ElementType.TEXT, "Sales fell."), (ElementType.FOOTNOTE, "1. Without returns.")
    elements = [
        element(f"{page}-{row}", *(note if row > 55 else text), page, 12 * row)
        for page in range(1, 501)
        for row in range(60)
    ]
    start = process_time()
    assert counted_on(elements) == elements
    assert process_time() - start < 2  # seconds; 29 when each looked through the document


def test_small_marked_text_with_nothing_below_it_is_a_footnote() -> None:
    text = element("p", ElementType.TEXT, "Sales fell.", 1, 100)
    other = element("q", ElementType.TEXT, "They rose again.", 1, 130)
    note = element("n", ElementType.TEXT, "2 Without returns.", 1, 700)
    foot = element("f", ElementType.FOOTER, "7", 1, 760)
    traces = {1: Traces(faces={"p": Face(10), "q": Face(10), "n": Face(7)})}
    assert footnotes([text, other, note, foot], traces)[2].type is ElementType.FOOTNOTE
    assert footnotes([text, note, other], {1: Traces(faces={"p": Face(10), "q": Face(10), "n": Face(10)})})[1] == note
    lower = element("q", ElementType.TEXT, "They rose again.", 1, 720)
    assert footnotes([text, note, lower], traces)[1] == note


def test_a_tinted_box_with_running_text_is_set_apart_and_an_empty_one_is_not() -> None:
    inside = [Word((310 + 15 * n, 320, 322 + 15 * n, 330), "word", 9, line=0) for n in range(13)]
    box: Box = (305, 310, 555, 400)
    tint, bare = Drawing(box, 1, False, True), Drawing((50, 310, 295, 400), 1, False, True)
    traces = find_traces(Sheet(1, 600, 800, words=tuple(inside), drawings=(tint, bare)), {"p": inside})
    assert traces.asides == (box,)
    assert traces.faces == {"p": Face(9)}

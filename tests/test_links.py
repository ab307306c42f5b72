"""Links: what they tie together, on elements as a reader gives them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from octavo.ingest.chunks import make_chunks
from octavo.ingest.links import find_links, heading_levels, joined_tables, name_captions
from octavo.ingest.model import Box, Element, ElementType, Link, LinkType, Page, ParsedDocument, Table
from octavo.ingest.parse import assemble
from octavo.ingest.reader import Outline
from octavo.ingest.readers import make_reader
from octavo.ingest.tables import column_names
from octavo.ingest.text import opens_caption
from octavo.ingest.traces import Face, Traces

PAGES = tuple(Page(number, 600, 800) for number in (1, 2, 3))
LEFT, RIGHT = (50, 290), (310, 550)


def text(key: str, words: str, page: int = 1, y: float = 100, x: tuple[float, float] = (50, 550)) -> Element:
    return Element(key, ElementType.TEXT, page, (x[0], y, x[1], y + 40), words)


def heading(key: str, words: str, level: int, page: int = 1, y: float = 100, x: tuple[float, float] = LEFT) -> Element:
    return Element(key, ElementType.HEADING, page, (x[0], y, x[1], y + 15), words, level=level)


def typed(key: str, kind: ElementType, words: str, page: int, box: Box) -> Element:
    return Element(key, kind, page, box, words)


def figure(key: str, page: int, box: Box) -> Element:
    return Element(key, ElementType.FIGURE, page, box, "")


def caption(key: str, words: str, page: int, box: Box) -> Element:
    return Element(key, ElementType.CAPTION, page, box, words)


def table(
    key: str, rows: Sequence[Sequence[str]], page: int, box: Box = (50, 100, 550, 300), header_rows: int = 1
) -> Element:
    grid = Table(tuple(map(tuple, rows)), tuple((None,) * len(row) for row in rows), header_rows=header_rows)
    return Element(key, ElementType.TABLE, page, box, "", table=grid)


def found(elements: Sequence[Element], kind: LinkType, traces: dict[int, Traces] | None = None) -> set[tuple[str, str]]:
    links = find_links(PAGES, elements, traces or {})
    return {(link.source, link.target) for link in links if link.type is kind}


def typeset(**sizes: float) -> dict[int, Traces]:
    """Headings by id, each in its size of type."""
    return {1: Traces(faces={key: Face(size) for key, size in sizes.items()})}


def mentions(*elements: Element) -> set[tuple[str, str]]:
    return found(elements, LinkType.MENTION_OF)


TABLE_3 = (caption("c", "Table 3. Sales by year", 1, (50, 80, 300, 92)), table("t", [["", "2020"], ["a", "1"]], 1))


# Captions


def test_a_caption_between_two_figures_goes_to_the_side_where_the_others_stand() -> None:
    lower = figure("lower", 1, (50, 420, 300, 520))
    elements = [
        figure("upper", 1, (50, 100, 300, 200)),
        caption("c1", "Figure 1: Upper", 1, (50, 205, 300, 217)),
        figure("middle", 1, (50, 230, 300, 400)),
        caption("c2", "Figure 2: Middle", 1, (50, 406, 300, 416)),
        lower,
        caption("c3", "Figure 3: Lower", 1, (50, 525, 300, 537)),
    ]
    assert found(elements, LinkType.CAPTION_OF) == {("c1", "upper"), ("c2", "middle"), ("c3", "lower")}


def test_a_caption_goes_to_the_figure_of_its_own_column() -> None:
    elements = [
        figure("left", 1, (50, 100, 290, 200)),
        caption("under left", "Figure 1. Left", 1, (50, 205, 290, 217)),
        figure("right", 1, (310, 100, 550, 200)),
        caption("under right", "Figure 2. Right", 1, (310, 205, 550, 217)),
    ]
    assert found(elements, LinkType.CAPTION_OF) == {("under left", "left"), ("under right", "right")}


def test_a_paragraph_that_opens_as_a_caption_does_not_is_text() -> None:
    said = caption("p", "Table 3 shows that sales fell.", 1, (50, 305, 550, 340))
    assert [e.type for e in name_captions([*TABLE_3, said])][-1] is ElementType.TEXT


def test_what_opens_as_the_captions_of_the_document_do_is_one() -> None:
    boxes = [(50, 100 * n + 20, 550, 100 * n + 90) for n in (1, 2, 3)]
    tables = [table(f"t{n}", [["", "2020"], ["a", "1"]], 1, box) for n, box in enumerate(boxes, 1)]
    captions = [caption(f"c{n}", f"KPI 2.{n} Growth", 1, (50, 100 * n, 300, 100 * n + 12)) for n in (1, 2)]
    fourth = heading("h", "KPI 2.3 Funding", 2, y=300)
    assert name_captions([*captions, *tables, fourth])[-1].type is ElementType.CAPTION


# Mentions


def test_words_lead_to_the_table_that_bears_the_label() -> None:
    assert mentions(*TABLE_3, text("p", "Sales fell (see Table 3).", 2)) == {("p", "t")}


def test_fig_and_figure_are_one_kind() -> None:
    drawn = [figure("f", 1, (50, 100, 300, 200)), caption("c", "Figure 2: Sales", 1, (50, 205, 300, 217))]
    assert mentions(*drawn, text("p", "They fell, as Fig. 2 shows.", 2)) == {("p", "f")}


def test_several_numbers_and_ranges_are_each_a_mention() -> None:
    drawn = [
        one
        for n in (1, 2, 3)
        for one in (
            figure(f"f{n}", n, (50, 100, 300, 200)),
            caption(f"c{n}", f"Figure {n}: Sales", n, (50, 205, 300, 217)),
        )
    ]
    assert mentions(*drawn, text("p", "See Figures 1 and 3.", 3, 400)) == {("p", "f1"), ("p", "f3")}
    assert mentions(*drawn, text("p", "See Figures 1–3.", 3, 400)) == {("p", "f1"), ("p", "f2"), ("p", "f3")}


def test_a_table_of_another_document_is_not_this_one() -> None:
    assert not mentions(*TABLE_3, text("p", "Table 3 of the earlier survey had it otherwise.", 2))
    assert not mentions(*TABLE_3, text("p", "It is in Table 3 of our Annual Report for 2019.", 2))
    assert mentions(*TABLE_3, text("p", "It is in Table 3 of this report.", 2)) == {("p", "t")}


def test_an_appendix_is_its_heading() -> None:
    elements = [text("p", "Terms are explained in Appendix B."), heading("h", "Appendix B: Terms", 1, 3)]
    assert mentions(*elements) == {("p", "h")}


def test_a_note_is_its_heading_or_its_footnote() -> None:
    stands = [text("p", "Leases are in Note 7."), heading("all", "Notes to the Financial Statements", 1, 2)]
    assert mentions(*stands, heading("n", "7. Leases", 2, 2, 200)) == {("p", "n")}
    assert mentions(*stands, heading("n", "Note 7 — Leases", 2, 2, 200)) == {("p", "n")}
    foot = typed("n", ElementType.FOOTNOTE, "7 Leases of more than a year.", 1, (50, 700, 550, 712))
    assert mentions(stands[0], foot) == {("p", "n")}


def test_a_page_is_known_by_the_number_printed_on_it() -> None:
    footers = [typed(f"foot{n}", ElementType.FOOTER, f"{n + 36}", n, (290, 760, 310, 772)) for n in (1, 2, 3)]
    pages = [text("first", "Opening."), text("p", "The method follows (see page 39)."), text("third", "Method.", 3)]
    assert mentions(*pages, *footers) == {("p", "third")}


def test_a_table_on_a_page_is_that_page_s_first_table() -> None:
    above = text("above", "Opening.", 2, 50)
    unnamed = table("t", [["", "2020"], ["a", "1"]], 2)
    asks = text("p", "They fell, as the table on page 2 shows; see page 2.", 1)
    assert mentions(asks, above, unnamed) == {("p", "t"), ("p", "above")}


def test_tables_on_several_pages_are_each_a_mention() -> None:
    tables = [table(f"t{page}", [["", "2020"], ["a", "1"]], page, (50, 300, 550, 400)) for page in (1, 2, 3)]
    assert mentions(*tables, text("p", "See the tables on pages 1 and 3.")) == {("p", "t1"), ("p", "t3")}
    assert mentions(*tables, text("p", "See the tables on pages 1–3.")) == {("p", "t1"), ("p", "t2"), ("p", "t3")}


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("See the table on page 1 and 3 others.", {1}),
        ("See the table on page 2, 3 times as large.", {2}),
        ("See the table on pages 1 and 3.", {1, 3}),
        ("See the tables on page 1 and 3.", {1, 3}),
        ("See the tables on pp. 1 and 3.", {1, 3}),
        ("See the table on pp. 1 and 3.", {1, 3}),
        ("See the table on p. 1 and 3 others.", {1}),
    ],
)
def test_only_a_plural_takes_a_list_of_pages(words: str, pages: set[int]) -> None:
    tables = [table(f"t{page}", [["", "2020"], ["a", "1"]], page, (50, 300, 550, 400)) for page in (1, 2, 3)]
    assert mentions(*tables, text("p", words)) == {("p", f"t{page}") for page in pages}


@pytest.mark.parametrize("number", ["SA3", "A-4", "ES-1", "2.1", "IV", "3b"])
def test_labels_count_in_letters_too(number: str) -> None:
    drawn = (caption("c", f"Figure {number}. Sales", 1, (50, 205, 300, 217)), figure("f", 1, (50, 100, 300, 200)))
    assert found(drawn, LinkType.CAPTION_OF) == {("c", "f")}
    assert mentions(*drawn, text("p", f"They fell (Figure {number}).", 2)) == {("p", "f")}


@pytest.mark.parametrize("label", ["Exhibit 10.1", "Appendix IV", "Appendix A1", "Appendix B", "Annex A-2", "Note SA3"])
def test_headings_count_as_captions_do(label: str) -> None:
    headed = heading("h", f"{label} Leases", 1, 2), heading("other", "Exhibit 10.2 Loans", 1, 3)
    assert mentions(*headed, text("p", f"They are shown in {label}.")) == {("p", "h")}


@pytest.mark.parametrize("word", ["Tablex", "Mapi 3", "Chartix. Foo", "MAPL Inc", "Figurative 3", "Tables are"])
def test_a_word_that_begins_as_a_label_is_none(word: str) -> None:
    assert not opens_caption(word)


def test_the_table_below_is_the_next_one() -> None:
    unnamed = table("t", [["", "2020"], ["a", "1"]], 1, (50, 200, 550, 300))
    assert mentions(text("p", "The table below has the figures."), unnamed) == {("p", "t")}
    assert mentions(unnamed, text("p", "As the table above shows, they fell.", 1, 320)) == {("p", "t")}


def test_a_mention_of_a_table_in_parts_is_of_its_first() -> None:
    rows = [["", "2020"], ["a", "1"]]
    elements = [
        caption("c", "Table 3. Sales", 1, (50, 480, 300, 492)),
        table("first", rows, 1, (50, 500, 550, 780)),
        caption("again", "Table 3 (continued)", 2, (50, 40, 300, 52)),
        table("second", rows, 2, (50, 60, 550, 200)),
        text("p", "Table 3 lists them.", 2, 300),
    ]
    assert mentions(*elements) == {("p", "first")}


# Continuations

ROWS = [["Category", "2020", "2021"], ["Pumps", "1", "2"]]


def parts(second: Element, *between: Element) -> set[tuple[str, str]]:
    return found([table("first", ROWS, 1, (50, 500, 550, 780)), *between, second], LinkType.CONTINUES)


def test_a_table_goes_on_where_its_header_is_repeated() -> None:
    assert parts(table("second", [ROWS[0], ["Seals", "3", "4"]], 2)) == {("second", "first")}


def test_a_table_goes_on_without_its_header_where_its_columns_agree() -> None:
    assert parts(table("second", [["Seals", "3", "4"]], 2, header_rows=0)) == {("second", "first")}
    narrower = table("second", [["Seals", "3", "4"]], 2, (50, 100, 350, 300), header_rows=0)
    assert not parts(narrower)


def test_a_table_that_names_its_columns_otherwise_goes_not_on() -> None:
    quarter = [["($ million)", "Three Months 2022", "Three Months 2023"], ["Net income", "109", "152"]]
    year = [["($ million)", "Twelve Months 2022", "Twelve Months 2023"], ["Net income", "805", "1,048"]]
    elements = [table("quarter", quarter, 1, (50, 500, 550, 780)), table("year", year, 2)]
    assert not found(elements, LinkType.CONTINUES)


def test_a_table_goes_on_with_a_row_that_has_nothing_yet() -> None:
    rows = [["Satisfaction", "N/A", "N/A"], ["Seals", "3", "4"]]
    assert parts(table("second", rows, 2)) == {("second", "first")}


READ_OTHERWISE = [
    ([["Category", "", "2020", "2021"], ["Seals", "", "3", "4"]], ("Seals", "3", "4")),
    ([["Category", "2021", "2020"], ["Seals", "4", "3"]], ("Seals", "3", "4")),
    ([["Category", "2020", "2021"], ["Seals", "", "4"]], ("Seals", "", "4")),
]


@pytest.mark.parametrize(("rows", "_"), READ_OTHERWISE)
def test_a_repeated_header_tells_though_its_columns_were_read_otherwise(rows: list[list[str]], _: object) -> None:
    assert parts(table("second", rows, 2)) == {("second", "first")}


@pytest.mark.parametrize(
    "rows",
    [
        [["Category 2020", "", "2021"], ["Seals", "3", "4"]],  # the same words over other columns
        [["Category", "", "2020", "2021"], ["Seals", "£", "3", "4"]],  # a column without a name
    ],
)
def test_a_header_that_names_other_columns_is_not_repeated(rows: list[list[str]]) -> None:
    assert not parts(table("second", rows, 2))


def test_a_table_with_a_caption_of_its_own_goes_not_on() -> None:
    assert not parts(
        table("second", [ROWS[0], ["Seals", "3", "4"]], 2), caption("c", "Table 2. Seals", 2, (50, 80, 300, 92))
    )


def test_tables_with_captions_without_a_label_are_two_unless_these_are_the_same() -> None:
    above = caption("a", "Revenue by region", 1, (50, 480, 300, 492))
    second = table("second", [ROWS[0], ["Seals", "3", "4"]], 2)
    for words, joined in (("Operating cost by region", set()), ("Revenue by region", {("second", "first")})):
        below = caption("b", words, 2, (50, 80, 300, 92))
        elements = [above, table("first", ROWS, 1, (50, 500, 550, 780)), below, second]
        assert found(elements, LinkType.CONTINUES) == joined


def test_a_table_goes_not_on_behind_a_heading() -> None:
    assert not parts(table("second", [ROWS[0], ["Seals", "3", "4"]], 2), heading("h", "Seals", 1, 2, 60))


def test_a_paragraph_goes_on_in_the_next_column_past_a_figure_and_a_sidebar() -> None:
    elements = [
        text("first", "The order backlog grew through the year and", 1, 740, LEFT),
        figure("f", 1, (310, 50, 550, 200)),
        heading("aside", "In brief", 3, 1, 320, RIGHT),
        text("told", "What is told beside the report.", 1, 345, RIGHT),
        text("second", "fell in the winter.", 1, 250, RIGHT),
    ]
    traces = {1: Traces(asides=((305, 310, 555, 400),))}
    assert found(elements, LinkType.CONTINUES, traces) == {("second", "first")}


def test_a_word_in_two_parts_goes_on_though_it_was_read_later() -> None:
    elements = [
        text("name", "The Assistant Secretary for Postsecondary Education", 1, 100, LEFT),
        text("second", "habilitative Services.", 1, 100, RIGHT),
        text("first", "Several offices support the goal, the Office of Re-", 1, 150, LEFT),
    ]
    assert found(elements, LinkType.CONTINUES) == {("second", "first")}


# Headings


def test_elements_stand_under_the_last_heading_and_headings_under_the_level_above() -> None:
    elements = [
        heading("report", "Report", 1, y=50),
        heading("one", "1 Costs", 2, y=100),
        heading("sub", "1.1 Freight", 3, y=130),
        text("p", "Freight rose.", y=160),
        heading("two", "2 Sales", 2, y=220),
        text("q", "Sales fell.", y=250),
    ]
    assert found(elements, LinkType.UNDER_HEADING) == {
        ("one", "report"),
        ("sub", "one"),
        ("p", "sub"),
        ("two", "report"),
        ("q", "two"),
    }


def test_what_stands_to_the_left_of_a_heading_is_not_under_it() -> None:
    elements = [
        heading("left", "Costs", 1, y=100),
        heading("right", "Sales", 1, y=100, x=RIGHT),
        text("p", "Freight rose.", y=130, x=LEFT),
        text("q", "Sales fell.", y=130, x=RIGHT),
    ]
    assert found(elements, LinkType.UNDER_HEADING) == {("p", "left"), ("q", "right")}


def test_a_sidebar_is_a_world_of_its_own() -> None:
    elements = [
        heading("h", "Costs", 1, y=100),
        heading("aside", "In brief", 2, y=100, x=RIGHT),
        text("told", "Told beside.", y=130, x=RIGHT),
        text("p", "The next page goes on.", 2),
    ]
    traces = {1: Traces(asides=((305, 90, 555, 200),))}
    assert found(elements, LinkType.UNDER_HEADING, traces) == {("told", "aside"), ("p", "h")}


def test_capitals_rank_above_small_letters_of_their_size() -> None:
    heads = [heading("a", "COSTS", 0), heading("b", "Freight", 0), heading("c", "Report", 0)]
    assert heading_levels(heads, typeset(a=12.0, b=12.1, c=20.0)) == {"c": 1, "a": 2, "b": 3}


def test_items_of_a_filing_rank_above_the_headings_set_in_their_size() -> None:
    heads = [heading("part", "PART I", 0), heading("item", "ITEM 1. BUSINESS", 0), heading("h", "OVERVIEW", 0)]
    assert heading_levels(heads, typeset(part=10, item=10, h=10)) == {"part": 1, "item": 2, "h": 3}


def test_of_one_size_numbers_rank_above_the_others_by_their_depth() -> None:
    heads = [heading("a", "2.3 Growth", 0), heading("b", "2.3.1 Barriers", 0), heading("c", "Stakeholders", 0)]
    assert heading_levels(heads, typeset(a=10, b=10, c=10)) == {"a": 1, "b": 2, "c": 3}


# Tables in several parts


def test_the_parts_of_a_table_read_as_one_with_its_header_once() -> None:
    first = table("first", [["Category", "2020"], ["Pumps", "1"]], 1)
    second = table("second", [["Category", "2020"], ["Seals", "2"]], 2, (50, 60, 550, 90))
    third = table("third", [["Valves", "3"]], 3, header_rows=0)
    links = [Link(a, b, LinkType.CONTINUES, 1.0) for a, b in (("second", "first"), ("third", "second"))]
    [joined] = joined_tables([first, second, third], links)
    assert joined.table.rows == (("Category", "2020"), ("Pumps", "1"), ("Seals", "2"), ("Valves", "3"))
    assert joined.boxes == ((1, (50, 100, 550, 300)), (2, (50, 60, 550, 90)), (3, (50, 100, 550, 300)))
    assert joined.places == ((0, 0), (0, 1), (1, 1), (2, 0))


@pytest.mark.parametrize(("rows", "seals"), READ_OTHERWISE)
def test_the_rows_of_a_part_stand_under_the_names_of_their_columns(
    rows: list[list[str]], seals: tuple[str, ...]
) -> None:
    first, second = table("first", ROWS, 1), table("second", rows, 2)
    [joined] = joined_tables([first, second], [Link("second", "first", LinkType.CONTINUES, 1.0)])
    assert joined.table.rows == (("Category", "2020", "2021"), ("Pumps", "1", "2"), seals)
    assert joined.places == ((0, 0), (0, 1), (1, 1))


def test_a_part_in_other_columns_stays_apart_whatever_its_caption_says() -> None:
    first, second = table("first", ROWS, 1), table("second", [["Category", "2022"], ["Seals", "3"]], 2)
    narrower = table("narrower", [["Valves", "5"]], 3, header_rows=0)
    links = [Link(a, "first", LinkType.CONTINUES, 1.0) for a in ("second", "narrower")]
    joined = joined_tables([first, second, narrower], links)
    assert [[part.id for part in one.parts] for one in joined] == [["first"], ["second"], ["narrower"]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[ParsedDocument, dict[str, Any]]:
    """A made report, as read, and its truth: its long table goes on over the page without header or caption."""
    folder = tmp_path_factory.mktemp("reports")
    script = Path(__file__).parent.parent / "examples" / "make_reports.py"
    subprocess.run([sys.executable, script, "--out", folder, "--seed", "41", "--documents", "1"], check=True)
    [(name, truth)] = json.loads((folder / "truth.json").read_text()).items()
    contents = make_reader("pymupdf", ocr=False).read(folder / name, "r", 1, truth["pages"])
    return assemble(Outline(truth["pages"], ""), contents), truth


@pytest.mark.slow
def test_a_table_over_two_pages_is_read_as_one(report: tuple[ParsedDocument, dict[str, Any]]) -> None:
    document, truth = report
    [later] = [e for e in truth["elements"] if e["type"] == "table" and not e["header_rows"]]
    [first] = [k["target"] for k in truth["links"] if (k["source"], k["type"]) == (later["id"], "continues")]
    known = next(e for e in truth["elements"] if e["id"] == first)
    [joined] = [t for t in joined_tables(document.elements, document.links) if len(t.parts) > 1]
    assert [page for page, _ in joined.boxes] == [known["page"], later["page"]]
    assert [list(row) for row in joined.table.rows] == known["rows"] + later["rows"]


@pytest.mark.slow
def test_a_chunk_of_its_second_part_opens_with_the_caption_and_names_the_columns_of_the_first(
    report: tuple[ParsedDocument, dict[str, Any]],
) -> None:
    document, _ = report
    [joined] = [t for t in joined_tables(document.elements, document.links) if len(t.parts) > 1]
    [caption] = [k.source for k in document.links if (k.target, k.type) == (joined.parts[0].id, LinkType.CAPTION_OF)]
    words = next(e.text for e in document.elements if e.id == caption)
    chunk = next(c for c in make_chunks(document, "report") if c.element_ids[0] == joined.parts[1].id)
    assert chunk.page == joined.parts[1].page
    names = column_names(joined.table)
    caption_line, labels, *rows = chunk.text.splitlines()
    assert (caption_line, labels) == (words, names[0])
    first = next(n for n, (part, _) in enumerate(joined.places) if part == 1)
    label, *entries = joined.table.rows[first]
    assert rows[0] == f"{label}: " + "; ".join(
        f"{name}: {entry}" for name, entry in zip(names[1:], entries, strict=True) if entry
    )

"""From what a page draws to its elements."""

from __future__ import annotations

from pathlib import Path

import pytest

from octavo.ingest.model import ElementType
from octavo.ingest.pages.compose import compose
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader
from octavo.ingest.sheet import Region, Sheet, Word


@pytest.mark.parametrize(("top", "kind"), [(40, ElementType.HEADER), (400, ElementType.TEXT)])
def test_a_header_stands_near_the_edge_of_its_page(top: float, kind: ElementType) -> None:
    box = (50, top, 120, top + 10)
    sheet = Sheet(1, 600, 800, (Word(box, "Dividend", 10),), regions=(Region(ElementType.HEADER, box),))
    [element] = compose(sheet, "x", lambda box: b"").elements
    assert (element.type, element.text) == (kind, "Dividend")


def test_a_word_in_no_region_is_a_paragraph() -> None:
    words = (Word((50, 100, 90, 110), "Lost", 10), Word((93, 100, 130, 110), "words", 10))
    [element] = compose(Sheet(1, 600, 800, words), "x", lambda box: b"").elements
    assert (element.type, element.text) == (ElementType.TEXT, "Lost words")


def test_lines_in_no_region_are_paragraphs_by_the_white_between_them() -> None:
    tops = (100, 112, 124, 160, 172)
    words = tuple(Word((50, top, 90, top + 10), f"line{n}", 10, line=n) for n, top in enumerate(tops))
    elements = compose(Sheet(1, 600, 800, words), "x", lambda box: b"").elements
    assert [e.text for e in elements] == ["line0 line1 line2", "line3 line4"]
    assert [e.bbox for e in elements] == [(50, 100, 90, 134), (50, 160, 90, 182)]


@pytest.mark.slow
def test_a_title_that_is_no_row_of_its_table_is_text_above_it(data: Path) -> None:
    path = data / "agency" / "2016-annual-performance-report.pdf"
    [content] = PyMuPDFReader(ocr=False).read(path, "x", 16, 16)
    title, table, *_ = content.elements
    assert (title.text, table.type) == ("TABLE 1 - Strategic Goals", ElementType.TABLE)
    assert title.bbox[3] < table.bbox[1]
    assert table.table is not None
    assert table.table.rows[0] == ("Strategic Goal", "Goal Statement")


def test_columns_that_one_region_holds_are_read_one_after_the_other() -> None:
    left = [
        "Contributing divisions:",
        "they work to achieve this",
        "with a broad range of",
        "partners and stakeholders",
    ]
    drawn = [(50, 100 + 10 * n, text) for n, text in enumerate(left)] + [(300, 103, "AHRQ"), (300, 118, "CMS")]
    words = tuple(
        Word((x, y, x + 5 * len(text), y + 9), text, 9, line=n) for n, (x, y, text) in enumerate(sorted(drawn, key=str))
    )
    region = Region(ElementType.TEXT, (45, 98, 340, 145))
    elements = compose(Sheet(1, 600, 800, words, regions=(region,)), "x", lambda box: b"").elements
    assert [e.text for e in elements] == [" ".join(left), "AHRQ CMS"]


def test_what_stands_level_with_a_label_is_read_on_from_it() -> None:
    drawn = [(50, 100, "Location:"), (50, 112, "Registration:"), (300, 100, "Tampa"), (300, 112, "N3070A")]
    words = tuple(Word((x, y, x + 5 * len(text), y + 9), text, 9, line=n) for n, (x, y, text) in enumerate(drawn))
    region = Region(ElementType.TEXT, (45, 98, 340, 125))
    [element] = compose(Sheet(1, 600, 800, words, regions=(region,)), "x", lambda box: b"").elements
    assert element.text == "Location: Tampa Registration: N3070A"

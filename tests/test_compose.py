"""From what a page draws to its elements."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from octavo.ingest.geometry import union
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


def drawn(kind: ElementType, *lines: tuple[float, float, str]) -> Sheet:
    """Lines as (left, top, text) in one region of this kind around them."""
    words = []
    for n, (x, y, text) in enumerate(lines):
        for word in text.split():
            words.append(Word((x, y, x + 5 * len(word), y + 9), word, 9, line=n))
            x += 5 * len(word) + 3
    boxes = [word.bbox for word in words]
    return Sheet(1, 600, 800, tuple(words), regions=(Region(kind, union(boxes)),))


@pytest.mark.parametrize("kind", [ElementType.TEXT, ElementType.LIST])
def test_columns_that_one_region_holds_are_read_one_after_the_other(kind: ElementType) -> None:
    left = [
        "Contributing divisions:",
        "they work to achieve this",
        "with a broad range of",
        "partners and stakeholders",
    ]
    page = drawn(
        kind, *((50, 100 + 10 * n, text) for n, text in enumerate(left)), (300, 104, "AHRQ"), (300, 119, "CMS")
    )
    elements = compose(page, "x", lambda box: b"").elements
    assert [e.text for e in elements] == [" ".join(left), "AHRQ CMS"]


def test_columns_of_prose_on_the_same_lines_are_read_one_after_the_other() -> None:
    left = ["Divisions of the department", "work on it with a range of", "partners and of others who", "are asked."]
    right = ["Their reports are gathered", "by the office, which shows", "them to all who take part", "in the work."]
    lines = [(x, 100 + 12 * n, text) for x, side in ((50, left), (300, right)) for n, text in enumerate(side)]
    elements = compose(drawn(ElementType.TEXT, *lines), "x", lambda box: b"").elements
    assert [e.text for e in elements] == [" ".join(left), " ".join(right)]


def test_what_stands_level_with_a_label_is_read_on_from_it() -> None:
    labels = [
        ("Net cash provided by operating activities", "1,234"),
        ("Net cash used in investing activities", "(567)"),
    ]
    lines = [(x, 100 + 12 * n, row[c]) for n, row in enumerate(labels) for c, x in enumerate((50, 400))]
    [element] = compose(drawn(ElementType.TEXT, *lines), "x", lambda box: b"").elements
    assert element.text == " ".join(" ".join(row) for row in labels)
    terms = [(50, 100, "Adjusted EBITDA"), (50, 140, "Free cash flow")]
    meant = [(200, 100, "Net income before interest,"), (200, 111, "taxes and one-off effects")]
    meant += [(200, 140, "Cash from operating activities"), (200, 151, "less capital expenditure")]
    [element] = compose(drawn(ElementType.TEXT, *terms, *meant), "x", lambda box: b"").elements
    assert element.text.startswith(
        "Adjusted EBITDA Net income before interest, taxes and one-off effects Free cash flow"
    )


@pytest.mark.parametrize(("darkest", "count"), [(250, 0), (20, 1)])
def test_a_page_of_nothing_but_an_image_is_a_figure_unless_it_is_blank(darkest: int, count: int) -> None:
    png = BytesIO()
    picture = Image.new("L", (64, 64), 255)
    picture.paste(darkest, (0, 0, 32, 64))
    picture.save(png, "PNG")
    content = compose(Sheet(1, 600, 800, (), images=((0, 0, 600, 800),)), "x", lambda box: png.getvalue())
    assert [e.type for e in content.elements] == [ElementType.FIGURE] * count
    assert len(content.pictures) == count


def test_a_line_stays_whole_where_another_region_overlaps_its_end() -> None:
    page = drawn(ElementType.TEXT, (50, 100, "Recognizing the need for"), (50, 112, "resources to reduce inventory"))
    over = Region(ElementType.TEXT, (120, 110, 240, 125))
    elements = compose(replace(page, regions=(*page.regions, over)), "x", lambda box: b"").elements
    assert [e.text for e in elements] == ["Recognizing the need for resources to reduce inventory"]

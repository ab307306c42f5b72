"""The second reader sees what the first sees, in the same places, on pages that are turned and cropped too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from octavo.ingest.geometry import contains
from octavo.ingest.model import Box
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import MuPDFPage
from octavo.ingest.readers.page import look
from octavo.ingest.readers.pdfium.door import open_page, open_pdf
from octavo.ingest.readers.pdfium.reader import PdfiumPage, PdfiumReader
from octavo.ingest.sheet import Sheet

pytestmark = pytest.mark.slow


@pytest.fixture(params=[0, 90, 180, 270])
def turned(request: pytest.FixtureRequest, samples: Path, tmp_path: Path) -> Path:
    """A page of words, rules, charts and images; its origin moved, cropped, displayed turned by so many degrees."""
    path = tmp_path / "turned.pdf"
    with pymupdf.open(samples / "sunspot-cycles.pdf") as source, pymupdf.open() as target:
        target.insert_pdf(source, from_page=1, to_page=1)
        page = target[0]
        target.xref_set_key(page.xref, "MediaBox", "[30 60 595 842]")
        target.xref_set_key(page.xref, "CropBox", "[60 150 560 800]")
        page.set_rotation(request.param)
        target.save(path)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.pdf"
    with pymupdf.open() as document:
        document.new_page(width=400, height=400).insert_text((60, 100), "A page like any other.")
        document.save(path)
    return path


def first(path: Path) -> Sheet:
    with pymupdf.open(path) as document:
        return look(MuPDFPage(document[0]), ocr=False)[0]


def second(path: Path) -> Sheet:
    with open_pdf(path) as document:
        return look(PdfiumPage(open_page(document, 1), 1), ocr=False)[0]


def near(a: Box, b: Box, points: float = 1.0) -> bool:
    return all(abs(x - y) < points for x, y in zip(a, b, strict=True))


def inside(box: Box, sheet: Sheet) -> bool:
    """Whether all of a box lies on the page: what the crop cuts through, the two cut at different letters."""
    return box[0] >= 0 and box[1] >= 0 and box[2] <= sheet.width and box[3] <= sheet.height


def test_what_is_drawn_stands_where_the_first_reader_finds_it(turned: Path) -> None:
    one, two = first(turned), second(turned)
    assert (two.width, two.height) == (one.width, one.height)
    words = [word for word in one.words if inside(word.bbox, one)]
    assert len(words) > 200
    assert [w for w in words if not any(w.text == o.text and near(w.bbox, o.bbox) for o in two.words)] == []
    assert len(two.rules) > 3
    assert [rule for rule in two.rules if not any(near(rule, other) for other in one.rules)] == []
    assert len(one.drawings) > 3
    assert [d for d in one.drawings if not any(near(d.bbox, o.bbox, 2) for o in two.drawings)] == []
    assert len(one.images) == len(two.images) > 1
    assert all(map(near, one.images, two.images))


def test_words_stand_where_the_page_shows_them(turned: Path) -> None:
    with pymupdf.open(turned) as document:
        page = document[0]
        truth = [(tuple(pymupdf.Rect(w[:4]) * page.rotation_matrix), w[4]) for w in page.get_text("words")]
    shown = second(turned)
    whole = [(box, text) for box, text in truth if inside(box, shown)]
    lost = [
        text
        for (x0, y0, x1, y1), text in whole
        if not any(
            w.text == text and near(w.bbox, (x0, y0, x1, y1), 6) for w in shown.words
        )  # PyMuPDF's boxes are higher
    ]
    assert len(whole) > 200
    assert lost == []


def test_a_size_a_weight_and_a_line_are_told(samples: Path) -> None:
    with open_pdf(samples / "sunspot-cycles.pdf") as document:
        words = PdfiumPage(open_page(document, 1), 1).drawn().words
    with pymupdf.open(samples / "sunspot-cycles.pdf") as source:
        theirs = MuPDFPage(source[0]).drawn().words
    assert [(w.text, round(w.size, 1), w.bold) for w in words] == [(w.text, round(w.size, 1), w.bold) for w in theirs]
    lines = {w.line: [o.text for o in words if o.line == w.line] for w in words}
    assert lines == {n: [w.text for w in theirs if w.line == n] for n in lines}


@pytest.mark.parametrize("offset", [b"9" * 30, b"1000000"])
def test_a_file_that_points_past_its_end_is_read_and_called_damaged(plain: Path, offset: bytes) -> None:
    plain.write_bytes(re.sub(rb"startxref\s+\d+", b"startxref\n" + offset, plain.read_bytes()))
    outline = PdfiumReader(ocr=False).outline(plain)
    assert (outline.pages, outline.repaired) == (1, True)


def test_a_file_with_something_before_its_opening_is_whole(plain: Path) -> None:
    plain.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + plain.read_bytes())
    assert not PdfiumReader(ocr=False).outline(plain).repaired


def test_the_picture_of_a_poster_that_the_layout_model_sees_is_no_larger_than_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pymupdf.open() as document:
        document.new_page(width=14400, height=7200).insert_text((60, 100), "A poster.")
        document.save(tmp_path / "poster.pdf")
    sizes = []
    monkeypatch.setattr(
        "octavo.ingest.readers.pdfium.reader.detect", lambda picture, *_: sizes.append(picture.size) or []
    )
    assert [word.text for word in second(tmp_path / "poster.pdf").words] == ["A", "poster."]
    assert sizes == [(2000, 1000)]


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("simple", [False, True])
def test_what_is_filled_in_and_noted_is_read(tmp_path: Path, name: str, simple: bool) -> None:
    path = tmp_path / "form.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=400)
        page.insert_text((60, 100), "Name of the applicant")
        field = pymupdf.Widget()
        field.field_type, field.field_name, field.field_value = pymupdf.PDF_WIDGET_TYPE_TEXT, "name", "Ada Lovelace"
        field.rect, field.text_fontsize = pymupdf.Rect(60, 120, 300, 140), 11
        page.add_widget(field)
        page.add_freetext_annot((60, 200, 300, 230), "Approved on Monday")
        unseen = page.add_freetext_annot((60, 260, 300, 290), "Out of sight")
        unseen.set_flags(pymupdf.PDF_ANNOT_IS_HIDDEN)
        document.save(path)
    before = path.read_bytes()
    [content] = make_reader(name, ocr=False).read(path, "x", 1, 1, simple)
    assert [element.text for element in content.elements] == [
        "Name of the applicant",
        "Ada Lovelace",
        "Approved on Monday",
    ]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("drawn", [0, 90, 180, 270])
@pytest.mark.parametrize("shown", [0, 90, 180, 270])
def test_words_alone_are_read_the_way_they_run(tmp_path: Path, name: str, drawn: int, shown: int) -> None:
    path = tmp_path / "sideways.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=300)
        start = {0: (60, 100), 90: (60, 250), 180: (300, 100), 270: (60, 60)}[drawn]
        page.insert_text(start, "A page like any other.\nIt has two lines.", rotate=drawn)
        page.set_rotation(shown)
        document.save(path)
        (x0, y0, x1, y1) = tuple(page.search_for("any")[0] * page.rotation_matrix)
        shape = page.rect.width, page.rect.height
    [content] = make_reader(name, ocr=False).read(path, "x", 1, 1, simple=True)
    assert [element.text for element in content.elements] == ["A page like any other. It has two lines."]
    assert (content.page.width, content.page.height) == shape
    assert contains(content.elements[0].bbox, ((x0 + x1) / 2, (y0 + y1) / 2))

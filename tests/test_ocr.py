"""Pages whose text layer does not serve are read by OCR, and no others."""

from __future__ import annotations

import io
import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib import font_manager
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from octavo import Library, Settings
from octavo.ingest.geometry import covered
from octavo.ingest.parse import assemble
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import MuPDFPage
from octavo.ingest.readers.page import look
from octavo.ingest.sheet import Sheet, Word
from octavo.ingest.textlayer.legible import garbled, pictured

PAGE = (612.0, 792.0)
GERMAN = (
    "Die Aufsichtsbehörde hat im vergangenen Geschäftsjahr mehrere Gesellschaften geprüft und festgestellt, dass die "
    "Vorstände ihre Pflichten nach dem Handelsgesetzbuch überwiegend erfüllt haben und die Beiträge stabil bleiben."
)


def words(text: str) -> list[Word]:
    return [Word((0, 0, 1, 1), word, 10) for word in text.split()]


def shuffled(text: str, alphabet: str) -> str:
    other = list(alphabet)
    random.Random(1).shuffle(other)  # noqa: S311
    return text.translate(str.maketrans(alphabet, "".join(other)))


@pytest.fixture(scope="module")
def english(samples: Path) -> str:
    with pymupdf.open(samples / "sunspot-cycles.pdf") as document:
        return document[0].get_text()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda text: shuffled(text, string.ascii_lowercase), id="small letters shuffled"),
        pytest.param(lambda text: shuffled(text, string.ascii_letters), id="letters shuffled"),
        pytest.param(lambda text: "".join(c if c == " " else chr(ord(c) - 29) for c in text), id="glyph numbers"),
        pytest.param(lambda text: "".join(c if c.isspace() else chr(0xF000 + ord(c)) for c in text), id="private use"),
        pytest.param(lambda text: "".join(c if c.isspace() else "\ufffd" for c in text), id="replacement characters"),
    ],
)
def test_a_text_layer_that_is_no_language_is_garbled(english: str, broken: Callable[[str], str]) -> None:
    assert not garbled(words(english))
    assert garbled(words(broken(" ".join(english.split()))))


def test_mojibake_is_garbled() -> None:
    russian = "Выручка компании выросла на пять процентов"
    assert garbled(words(russian.encode().decode("cp1251").encode("cp1251").decode("cp1252", "replace")))
    assert not garbled(words(russian))


@pytest.mark.parametrize(
    "text",
    ["", "12.5 13.7 (4.1) 1,204 $ 99.80 %", "Chiffre d’affaires: 1 204 € à Orléans", "現金及び現金同等物の期末残高"],
)
def test_numbers_accents_and_other_scripts_are_not_garbled(text: str) -> None:
    assert not garbled(words(text))


def test_a_page_that_is_one_image_may_be_a_scan() -> None:
    assert pictured(Sheet(1, *PAGE, images=((0, 0, 600, 700),)))
    assert pictured(Sheet(1, *PAGE, images=((0, 0, 600, 300), (0, 300, 600, 600))))
    assert not pictured(Sheet(1, *PAGE, images=((0, 0, 200, 200),)))


@pytest.mark.slow
def test_no_good_text_layer_of_real_pages_is_garbled(data: Path) -> None:
    good = []
    for path in sorted(data.rglob("*.pdf"))[::4]:
        with pymupdf.open(path) as document:
            for page in list(document)[::7]:
                good.append((path.name, page.number, [Word(w[:4], w[4], 10) for w in page.get_text("words")]))
    assert len(good) > 250
    assert not [(name, number) for name, number, text in good if garbled(text)]


@pytest.fixture(scope="module")
def printed(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A page of a sample set in a font that brings its map to Unicode, as a document."""
    path = tmp_path_factory.mktemp("printed") / "printed.pdf"
    pdfmetrics.registerFont(TTFont("Printed", font_manager.findfont("DejaVu Sans")))
    with pymupdf.open(samples / "sunspot-cycles.pdf") as document:
        lines = [line for line in document[0].get_text().splitlines() if len(line) > 30][:8]
    canvas = Canvas(str(path), pagesize=PAGE)
    canvas.setFont("Printed", 10)
    for n, line in enumerate(lines):
        canvas.drawString(60, 700 - 16 * n, line[:80])
    canvas.save()
    with pymupdf.open(path) as document:
        yield document


def copy(document: Any) -> Any:
    return pymupdf.open("pdf", document.tobytes())


def scanned(document: Any, turn: int = 0) -> Any:
    """The document's first page as a scanner has it that got the sheet turned to the right by so many degrees."""
    width, height = PAGE if turn % 180 == 0 else PAGE[::-1]
    scan = pymupdf.open()
    page = scan.new_page(width=width, height=height)
    page.insert_image(page.rect, pixmap=document[0].get_pixmap(dpi=150), rotate=-turn % 360)
    return scan


def found(sheet: Sheet, document: Any) -> float:
    """Share of the words of the document's first page that the sheet has, each in its place."""
    truth = document[0].get_text("words")
    return sum(any(word.text == w[4] and covered(w[:4], word.bbox) > 0.6 for word in sheet.words) for w in truth) / len(
        truth
    )


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_scan_is_read_however_it_was_laid_on_the_glass(printed: Any, turn: int) -> None:
    sheet, turned = look(MuPDFPage(scanned(printed, turn)[0]), ocr=True)
    assert sheet.recognised
    assert (turned, sheet.width, sheet.height) == (360 - turn, *PAGE)
    assert found(sheet, printed) > 0.9


@pytest.mark.slow
def test_a_skewed_scan_is_read(printed: Any) -> None:
    pixels = printed[0].get_pixmap(dpi=150)
    straight = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    file = io.BytesIO()
    straight.rotate(2, fillcolor="white").save(file, "PNG")
    scan = pymupdf.open()
    page = scan.new_page(width=PAGE[0], height=PAGE[1])
    page.insert_image(page.rect, stream=file.getvalue())
    seen = {word.text for word in look(MuPDFPage(page), ocr=True)[0].words}
    truth = {word[4] for word in printed[0].get_text("words")}
    assert len(seen & truth) > 0.9 * len(truth)


@pytest.mark.slow
def test_a_text_layer_with_a_broken_map_to_unicode_is_replaced(printed: Any) -> None:
    broken = copy(printed)
    maps = [broken.xref_get_key(font[0], "ToUnicode") for font in broken[0].get_fonts()]
    (xref,) = [int(value.split()[0]) for kind, value in maps if kind == "xref"]
    codes = re.findall(rb"<([0-9A-Fa-f]{4})>", broken.xref_stream(xref))
    letters = [c for c in dict.fromkeys(codes) if chr(int(c, 16)).isalpha()]
    cipher = dict(zip(letters, random.Random(2).sample(letters, len(letters)), strict=True))  # noqa: S311
    shuffle = re.sub(rb"[0-9A-Fa-f]{4}(?=>)", lambda m: cipher.get(m[0], m[0]), broken.xref_stream(xref))
    broken.update_stream(xref, shuffle)
    assert found(Sheet(1, *PAGE, tuple(Word(w[:4], w[4], 10) for w in broken[0].get_text("words"))), printed) < 0.5
    sheet = look(MuPDFPage(broken[0]), ocr=True)[0]
    assert sheet.recognised
    assert found(sheet, printed) > 0.9


@pytest.mark.slow
def test_a_stamp_on_a_scan_does_not_pass_for_its_text(printed: Any) -> None:
    scan = scanned(printed)
    scan[0].insert_text((60, 770), "Exhibit 4, page 1 of 9")
    sheet = look(MuPDFPage(scan[0]), ocr=True)[0]
    assert sheet.recognised
    assert found(sheet, printed) > 0.9
    assert "Exhibit" in {word.text for word in sheet.words}


@pytest.mark.slow
def test_a_good_layer_under_a_scan_is_kept_and_a_lying_one_replaced(printed: Any) -> None:
    good, lying = scanned(printed), scanned(printed)
    for x0, _, _, y1, text, *_ in printed[0].get_text("words"):
        good[0].insert_text((x0, y1 - 2), text, fontsize=9, render_mode=3)
        lying[0].insert_text((x0, y1 - 2), text[::-1].upper(), fontsize=9, render_mode=3)
    kept, replaced = (look(MuPDFPage(scan[0]), ocr=True)[0] for scan in (good, lying))
    assert not kept.recognised
    assert kept.words
    assert replaced.recognised
    assert found(replaced, printed) > 0.9


@pytest.mark.slow
def test_a_good_text_layer_and_a_blank_page_are_left_alone(printed: Any) -> None:
    assert not look(MuPDFPage(printed[0]), ocr=True)[0].recognised
    blank = pymupdf.open()
    assert not look(MuPDFPage(blank.new_page()), ocr=True)[0].recognised


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKENDS)
def test_elements_of_a_turned_scan_stand_where_they_are_displayed(printed: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "sideways.pdf"
    scanned(printed, 90).save(path)
    reader = make_reader(name, ocr=True)
    parsed = assemble(reader.outline(path), reader.read(path, "x", 1, 1))
    assert parsed.warnings == ("read by OCR: page 1",)
    assert (parsed.pages[0].width, parsed.pages[0].height) == PAGE[::-1]
    for x0, y0, x1, y1, word, *_ in printed[0].get_text("words")[::10]:
        displayed = PAGE[1] - y1, x0, PAGE[1] - y0, x1
        assert any(covered(displayed, e.bbox) > 0.3 and word in e.text for e in parsed.elements), word


@pytest.mark.slow
def test_a_mixed_document_is_decided_page_by_page(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "half-scanned.pdf"
    with pymupdf.open(samples / "sunspot-cycles.pdf") as source, pymupdf.open() as target:
        target.insert_pdf(source, to_page=0)
        page = target.new_page(width=source[1].rect.width, height=source[1].rect.height)
        page.insert_image(page.rect, pixmap=source[1].get_pixmap(dpi=150))
        target.save(path)
    with Library(tmp_path / "with") as own:
        assert own.ingest([path]).documents[0].warnings == ("read by OCR: page 2",)
    with Library(settings=Settings(library=tmp_path / "without", ocr=False)) as own:
        assert own.ingest([path]).documents[0].warnings == ("no text on page 2",)

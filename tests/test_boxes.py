"""Boxes lie on what they name: OCR of the drawn page inside an element's box reads the element's text."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from octavo.ingest.model import Element, ElementType
from octavo.ingest.readers.mupdf.door import pymupdf, upright
from octavo.ingest.readers.mupdf.reader import MuPDFPage, PyMuPDFReader
from octavo.ingest.readers.page import look
from octavo.ingest.render import page_png

PAGES = {  # of files whose names sort so: a two-column report, a filing's notes, an accident report's table of facts
    "agency": (3, 11),
    "sec10q": (0, 9),
    "ntsb": (3, 1),
}
LAID = {
    "as it is": (0, 0),
    "drawn sideways, shown upright": (90, 90),
    "shown sideways": (90, 0),
    "upside down": (180, 0),
}
"""How a page lies: degrees by which its content is turned counterclockwise, and by which the page is turned back."""


@pytest.fixture(scope="module")
def ocr() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def inside(ocr: Any, path: Path, element: Element, turn: int) -> list[str]:
    """The words that OCR reads in the element's box on the drawn page, turned clockwise by `turn` degrees."""
    x0, y0, x1, y1 = element.bbox
    png = page_png(path, element.page, dpi=150, clip=(x0 - 2, y0 - 2, x1 + 2, y1 + 2))
    picture = Image.open(io.BytesIO(png)).convert("RGB").rotate(-turn, expand=True)
    picture = ImageOps.expand(picture, 40, "white")  # OCR overlooks lines at the very edge
    found = ocr(np.asarray(picture))
    return words(" ".join(found.txts or ()))


@pytest.mark.slow
@pytest.mark.parametrize("laid", LAID)
@pytest.mark.parametrize("folder", PAGES)
def test_the_box_of_a_text_holds_its_words(data: Path, ocr: Any, tmp_path: Path, folder: str, laid: str) -> None:
    number, page = PAGES[folder]
    drawn, shown = LAID[laid]
    path = tmp_path / "page.pdf"
    with pymupdf.open(sorted((data / folder).glob("**/*.pdf"))[number]) as whole, pymupdf.open() as part:
        width, height = whole[page - 1].rect[2:]
        size = (height, width) if drawn == 90 else (width, height)
        new = part.new_page(width=size[0], height=size[1])
        new.show_pdf_page(new.rect, whole, page - 1, rotate=drawn)
        new.set_cropbox((9, 14, size[0] - 5, size[1] - 7))
        new.set_rotation(shown)
        part.save(path)
    [content] = PyMuPDFReader().read(path, "x", 1, 1)
    texts = [e for e in content.elements if e.type is ElementType.TEXT and len(e.text) > 150][:1]
    assert texts
    for element in texts:
        read, said = Counter(inside(ocr, path, element, drawn - shown)), Counter(words(element.text))
        assert (read & said).total() > 0.85 * max(read.total(), said.total())


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("media", [(0, 0, 612, 792), (50, 40, 662, 832)])
def test_a_cropped_page_turns_about_what_it_shows(media: tuple[int, ...], turn: int) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=612, height=792)
        page.insert_text((200, 300), "MARK", fontsize=20)
        page.set_mediabox(pymupdf.Rect(media))
        x0, y0, x1, y1 = page.mediabox
        document.xref_set_key(page.xref, "CropBox", f"[{x0 + 9} {y0 + 14} {x1 - 5} {y1 - 7}]")
        shown = pymupdf.open("pdf", document.tobytes())[0]
    width, height = shown.rect.br
    ax, ay, bx, by = shown.get_text("words")[0][:4]
    turned = {
        90: (height - by, ax, height - ay, bx),
        180: (width - bx, height - by, width - ax, height - ay),
        270: (ay, width - bx, by, width - ax),
    }
    assert upright(shown, turn).get_text("words")[0][:4] == pytest.approx(turned[turn], abs=0.5)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_keeps_what_is_filled_in_and_its_layers_off(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "form.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=400)
        page.insert_text((60, 60), "Name of the holder")
        field = pymupdf.Widget()
        field.field_name, field.field_type, field.field_value = "name", pymupdf.PDF_WIDGET_TYPE_TEXT, "Ada"
        field.rect = pymupdf.Rect(60, 80, 200, 100)
        page.add_widget(field)
        page.add_freetext_annot((60, 120, 200, 140), "Remarked")
        page.insert_text((60, 200), "Ignore all", oc=document.add_ocg("off", on=False))
        page.set_rotation(rotation)
        document.save(path)
    with pymupdf.open(path) as document:
        sheet, _ = look(MuPDFPage(document[0]), ocr=False)
    assert {word.text for word in sheet.words} == {"Name", "of", "the", "holder", "Ada", "Remarked"}
    assert [(hidden.text, hidden.how) for hidden in sheet.hidden] == [("Ignore all", "in a layer that is off")]

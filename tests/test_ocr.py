"""Pages without a text layer are read by OCR, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from octavo import Library, Settings
from octavo.ingest.mupdf import pymupdf

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scanned(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two pages of a sample, the second as a scan would have it: a picture of itself, turned on its side."""
    path = tmp_path_factory.mktemp("scan") / "half-scanned.pdf"
    with pymupdf.open(samples / "sunspot-cycles.pdf") as source, pymupdf.open() as target:
        target.insert_pdf(source, to_page=0)
        pixels = source[1].get_pixmap(dpi=150)
        page = target.new_page(width=source[1].rect.height, height=source[1].rect.width)
        page.insert_image(page.rect, pixmap=pixels, rotate=90)
        page.set_rotation(90)
        target.save(path)
    return path


def words(library: Library, page: int) -> set[str]:
    (info,) = library.documents()
    return {w for e in library.parsed(info.sha256).elements if e.page == page for w in e.text.lower().split()}


def test_a_scanned_page_is_read_where_its_words_stand(
    scanned: Path, samples: Path, tmp_path: Path, library: Any
) -> None:
    info = library.find("sunspot-cycles.pdf")
    truth = [e for e in library.parsed(info.sha256).elements if e.page == 2]
    known = {w for e in truth for w in e.text.lower().split() if w.isalpha() and len(w) > 3}
    with Library(tmp_path / "library") as own:
        report = own.ingest([scanned])
        assert report.documents[0].warnings == ("read by OCR: page 2",)
        assert len(known & words(own, 2)) / len(known) > 0.8
        heading = next(e for e in truth if e.text and e.type == "heading")
        read = [e for e in own.parsed(report.documents[0].sha256).elements if e.page == 2]
        first = heading.text.split()[0]
        assert any(first in e.text and abs(e.bbox[1] - heading.bbox[1]) < 15 for e in read)


def test_without_ocr_the_page_stays_empty_and_is_named(scanned: Path, tmp_path: Path) -> None:
    with Library(settings=Settings(library=tmp_path / "library", ocr=False)) as own:
        assert own.ingest([scanned]).documents[0].warnings == ("no text on page 2",)
        assert not words(own, 2)

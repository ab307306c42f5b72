"""Reading the samples, whose exact truth is known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from octavo import Settings
from octavo.ingest.geometry import iou
from octavo.ingest.model import Box, Element, ElementType, LinkType, ParsedDocument
from octavo.ingest.parse import read, sha256_of
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.tables import values
from octavo.ingest.workers import Workers
from octavo.opened import limits

pytestmark = pytest.mark.slow

Documents = dict[str, ParsedDocument]
Sample = tuple[ParsedDocument, dict[str, Any]]
NAMES = [
    "american-economy.pdf",
    "doctor-visits.pdf",
    "pacific-temperatures.pdf",
    "states-crime-schooling.pdf",
    "sunspot-cycles.pdf",
]


@pytest.fixture(scope="module", params=BACKENDS)
def documents(request: pytest.FixtureRequest, samples: Path) -> Documents:
    """The samples by name, as each reader reads them."""
    if request.param == "pymupdf":
        library = request.getfixturevalue("library")
        return {name: library.parsed(name) for name in NAMES}
    settings = Settings(reader=request.param)
    with Workers(make_reader(settings.reader), limits(settings)) as workers:
        return {name: read(workers, samples / name, name) for name in NAMES}


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest, documents: Documents, truth: dict[str, Any]) -> Sample:
    return documents[request.param], truth[request.param]


def at(document: ParsedDocument, kind: ElementType, page: int, bbox: Box) -> Element:
    """The element of `kind` that lies best on the box."""
    there = [e for e in document.elements if e.type is kind and e.page == page]
    return max(there, key=lambda e: iou(e.bbox, bbox))


def folded(text: str) -> str:
    return "".join(text.split())


def test_every_figure_is_one_element_in_its_place(sample: Sample) -> None:
    document, expected = sample
    figures = [e for e in document.elements if e.type is ElementType.FIGURE]
    assert len(figures) == len(expected["figures"])
    for figure in expected["figures"]:
        assert iou(at(document, ElementType.FIGURE, figure["page"], figure["bbox"]).bbox, figure["bbox"]) > 0.9


def test_every_table_part_is_one_element_in_its_place(sample: Sample) -> None:
    document, expected = sample
    parts = [part for table in expected["tables"] for part in table["boxes"]]
    assert len([e for e in document.elements if e.type is ElementType.TABLE]) == len(parts)
    for part in parts:
        assert iou(at(document, ElementType.TABLE, part["page"], part["bbox"]).bbox, part["bbox"]) > 0.8


def test_every_cell_of_a_table_on_one_page_is_read(sample: Sample) -> None:
    document, expected = sample
    for table in (t for t in expected["tables"] if len(t["boxes"]) == 1):
        part = table["boxes"][0]
        found = at(document, ElementType.TABLE, part["page"], part["bbox"]).table
        assert found is not None
        wanted = [[folded(cell) for cell in row] for row in table["rows"]]
        read = [[folded(cell) for cell in row] for row in found.rows]
        body = part["rows"][1] - part["rows"][0]
        assert read[-body:] == wanted[-body:]
        # A header's two lines may be two rows, and where one over several columns begins, only its rules tell.
        assert sorted("".join(map("".join, read[:-body]))) == sorted("".join(map("".join, wanted[:-body])))


def test_every_caption_is_tied_to_what_it_names(sample: Sample) -> None:
    document, expected = sample
    by_id = {e.id: e for e in document.elements}
    bound = {k.target: by_id[k.source].text for k in document.links if k.type is LinkType.CAPTION_OF}
    for kind, objects in ((ElementType.FIGURE, expected["figures"]), (ElementType.TABLE, expected["tables"])):
        for item in objects:
            place = item["boxes"][0] if "boxes" in item else item
            element = at(document, kind, place["page"], place["bbox"])
            assert folded(bound[element.id]).startswith(folded(item["label"]) + ".")


def test_every_mention_leads_to_what_it_names(sample: Sample) -> None:
    document, expected = sample
    by_id = {e.id: e for e in document.elements}
    captions = {k.target: by_id[k.source].text for k in document.links if k.type is LinkType.CAPTION_OF}
    found = {
        (by_id[k.source].page, label)
        for k in document.links
        if k.type is LinkType.MENTION_OF and k.target in captions
        for label in [" ".join(captions[k.target].split()[:2]).rstrip(".")]
    }
    assert {(m["page"], m["label"]) for m in expected["mentions"]} <= found


def test_a_table_over_a_page_break_continues(documents: Documents, truth: dict[str, Any]) -> None:
    document = documents["american-economy.pdf"]
    parts = next(t for t in truth["american-economy.pdf"]["tables"] if len(t["boxes"]) > 1)["boxes"]
    elements = [at(document, ElementType.TABLE, part["page"], part["bbox"]) for part in parts]
    links = {(k.source, k.target) for k in document.links if k.type is LinkType.CONTINUES}
    assert links == {(later.id, earlier.id) for earlier, later in pairwise(elements)}


def test_a_figure_is_rendered_and_keeps_its_words(library: Any) -> None:
    document = library.parsed("sunspot-cycles.pdf")
    figure = next(e for e in document.elements if e.type is ElementType.FIGURE)
    assert "Peak 1957: 190.2" in figure.text
    png = library.files.image(library.find("sunspot-cycles.pdf").sha256, figure.image).read_bytes()
    assert png.startswith(b"\x89PNG")


@pytest.mark.slow
def test_reading_again_gives_the_same_elements(library: Any, samples: Path) -> None:
    path = samples / "sunspot-cycles.pdf"
    with Workers(make_reader("pymupdf"), limits(library.settings)) as workers:
        again = read(workers, path, sha256_of(path)[:16])
    assert again.elements == library.parsed("sunspot-cycles.pdf").elements


@pytest.mark.slow
def test_ruled_tables_with_many_empty_cells_are_tables(data: Path) -> None:
    (page,) = make_reader("pymupdf", ocr=False).read(data / "agency" / "DOC2022.pdf", "x", 64, 64)
    tables = [element.table for element in page.elements if element.table]
    assert [table.rows[0][:2] for table in tables] == [("Description", "Type")] * 5
    assert tables[3].rows[1][0].endswith("socioeconomic small businesses, and Ability One")


@pytest.mark.slow
def test_a_striped_table_s_rows_are_its_bands(data: Path) -> None:
    path = data / "agency" / "2016-annual-performance-report.pdf"
    (page,) = make_reader("pymupdf", ocr=False).read(path, "x", 16, 16)
    [table] = [element.table for element in page.elements if element.table]
    assert [row[0].split()[:2] for row in table.rows[1:]] == [["GOAL", str(n)] for n in range(1, 10)]


@pytest.mark.slow
def test_figures_stand_under_their_own_year(data: Path) -> None:
    path = data / "financebench" / "pdfs" / "AMCOR_2023Q4_EARNINGS.pdf"
    (page,) = make_reader("pymupdf", ocr=False).read(path, "x", 12, 12)
    table = next(element.table for element in page.elements if element.table)
    ebit = {cell.header: cell.text for cell in values(table) if cell.label == "Net income attributable to Amcor"}
    assert ebit["Twelve Months Ended June 30, 2022 EBIT"] == "805"
    assert ebit["Twelve Months Ended June 30, 2023 EBIT"] == "1,048"

"""What is a figure: every picture and every chart whole, nothing that only decorates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from octavo.ingest.figures import find_figures, read_inside, resolution
from octavo.ingest.geometry import iou
from octavo.ingest.model import Box, ElementType
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader, _visible
from octavo.ingest.sheet import Drawing, Region, Sheet, Word

LETTER = 612.0, 792.0


def sheet(
    drawings: list[Drawing] | None = None,
    images: list[Box] | None = None,
    regions: list[Region] | None = None,
    words: list[Word] | None = None,
) -> Sheet:
    drawn = {"words": words, "drawings": drawings, "images": images, "regions": regions}
    return Sheet(1, *LETTER, **{what: tuple(some or ()) for what, some in drawn.items()})


def bar(x: float, top: float, bottom: float = 300, width: float = 20) -> Drawing:
    return Drawing((x, top, x + width, bottom), 1, pictorial=False, filled=True)


def line(x0: float, y0: float, x1: float, y1: float) -> Drawing:
    return Drawing((x0, y0, x1, y1), 1, pictorial=False, filled=False)


def frame(*box: float) -> Drawing:
    return Drawing((box[0], box[1], box[2], box[3]), 1, pictorial=False, filled=False)


def chart(x: float, y: float) -> list[Drawing]:
    """Three bars on an axis with ticks: 150 x 100 points from (x, y)."""
    bars = [bar(x + 10 + 40 * n, y + top, y + 100) for n, top in enumerate((60, 0, 30))]
    return [*bars, line(x, y + 100, x + 150, y + 100), *(line(x, y + t, x + 3, y + t) for t in range(0, 100, 20))]


def paragraph(x: float, y: float, lines: int, width: float = 400) -> tuple[Region, list[Word]]:
    """Running text of ten words a line, twelve points apart."""
    step = width / 10
    words = [
        Word((x + step * n, y + 12 * row, x + step * n + 0.8 * step, y + 12 * row + 9), "word", 9, line=1000 + row)
        for row in range(lines)
        for n in range(10)
    ]
    return Region(ElementType.TEXT, (x, y, x + width, y + 12 * lines)), words


def test_a_chart_is_one_box_with_its_labels_and_legend() -> None:
    year = Word((115, 304, 135, 312), "2021", 8, line=1)
    unit = Word((78, 245, 96, 253), "USD", 8, line=2)
    square, name = bar(120, 180, 188, width=8), Word((131, 180, 160, 188), "Sales", 8, line=3)
    found = find_figures(sheet([*chart(100, 200), square], words=[year, unit, name]), [])
    assert found == [(78, 180, 250, 312)]


def test_two_bars_on_an_axis_are_a_chart() -> None:
    axis, ticks = line(100, 300, 260, 300), [line(100, y, 103, y) for y in range(200, 300, 20)]
    assert find_figures(sheet([bar(110, 180, width=60), bar(190, 240, width=60), axis, *ticks]), []) == [
        (100, 180, 260, 300)
    ]


def test_boxes_and_arrows_are_one_drawing() -> None:
    steps = [Drawing((x, 100, x + 80, 140), 8, pictorial=True, filled=True) for x in (100, 200, 300)]
    arrows = [Drawing((x, 119, x + 20, 121), 3, pictorial=True, filled=False) for x in (180, 280)]
    back = line(140, 140, 140, 180)
    assert find_figures(sheet([*steps, *arrows, back]), []) == [(100, 100, 380, 180)]


def test_a_box_of_a_drawing_is_no_table_though_its_text_stands_in_columns() -> None:
    boxes = [Drawing((x, y, x + 120, y + 90), 1, False, filled=True) for x, y in ((60, 300), (220, 200), (380, 300))]
    arrows = [Drawing(box, 1, True, False) for box in ((190, 230, 215, 290), (345, 230, 375, 290))]
    heads = [Drawing((210, 228, 218, 236), 6, True, True), Drawing((368, 285, 376, 293), 6, True, True)]
    drawn = sheet([*boxes, *arrows, *heads])
    assert find_figures(drawn, [(390, 310, 480, 370)]) == [(60, 200, 500, 390)]


def test_what_stands_beside_a_footer_is_none_of_the_drawing_above() -> None:
    footer = Region(ElementType.FOOTER, (300, 768, 500, 778))
    mark = Drawing((510, 766, 540, 776), 1, False, filled=True)
    assert find_figures(sheet([*chart(400, 655), mark], regions=[footer]), []) == [(400, 655, 550, 755)]


def test_the_tiles_of_an_image_are_one_figure_and_neighbours_are_two() -> None:
    tiles = [(100, 100, 200, 150), (200, 100, 300, 150), (100, 150, 300, 220)]
    assert find_figures(sheet(images=tiles), []) == [(100, 100, 300, 220)]
    assert len(find_figures(sheet(images=[(100, 100, 200, 200), (202, 100, 302, 200)]), [])) == 2


def test_an_image_and_the_frame_around_it_are_one_figure() -> None:
    shadow = [line(96, 204, 206, 204), line(206, 96, 206, 204)]
    assert find_figures(sheet([frame(94, 94, 206, 206), *shadow], [(100, 100, 200, 200)]), []) == [(94, 94, 206, 206)]


def test_framed_charts_stay_apart_whatever_the_layout_model_sees() -> None:
    both = [frame(90, 90, 300, 220), *chart(110, 105), frame(90, 228, 300, 358), *chart(110, 243)]
    seen = Region(ElementType.FIGURE, (95, 95, 290, 350))
    assert find_figures(sheet(both, regions=[seen]), []) == [(90, 90, 300, 220), (90, 228, 300, 358)]


def test_charts_that_the_layout_model_sees_as_one_picture_are_one_figure() -> None:
    both = [*chart(100, 200), *chart(300, 200)]
    assert len(find_figures(sheet(both), [])) == 2
    seen = Region(ElementType.FIGURE, (95, 180, 455, 310))
    assert find_figures(sheet(both, regions=[seen]), []) == [seen.bbox]


def test_a_picture_that_only_the_layout_model_sees_is_a_figure_unless_it_is_a_table() -> None:
    seen = Region(ElementType.FIGURE, (100, 100, 300, 250))
    assert find_figures(sheet(regions=[seen]), []) == [seen.bbox]
    assert find_figures(sheet(regions=[seen]), [seen.bbox]) == []


def test_words_that_only_the_layout_model_takes_for_a_picture_are_none_unless_something_is_drawn_or_scanned() -> None:
    seen = Region(ElementType.FIGURE, (100, 100, 500, 250))
    words = [Word((120, 120, 180, 130), "Director", 10)]
    bands = [bar(100, 100 + 20 * n, 120 + 20 * n, width=400) for n in range(6)]
    assert find_figures(sheet(bands, regions=[seen], words=words), []) == []
    boxes = [bar(110 + 130 * n, 110, 150, width=90) for n in range(3)]
    assert find_figures(sheet(boxes, regions=[seen], words=words), []) == [seen.bbox]
    assert find_figures(replace(sheet(regions=[seen], words=words), recognised=True), []) == [seen.bbox]


def test_an_image_over_a_page_with_hardly_a_word_on_it_is_a_figure() -> None:
    words = [Word((300, 760, 312, 770), "12", 10)]
    assert find_figures(sheet(images=[(0, 0, 612, 792)], words=words), []) == [(0, 0, 612, 792)]


@pytest.mark.parametrize(
    "decoration",
    [
        pytest.param(
            sheet(
                images=[(0, 0, 612, 792)],
                words=[Word((100, 100 + 20 * n, 160, 112 + 20 * n), "Aim", 9) for n in range(9)],
            ),
            id="the page's background",
        ),
        pytest.param(sheet(images=[(100, 100, 130, 130)]), id="an icon"),
        pytest.param(sheet(images=[(100, 600, 260, 668)]), id="a signature"),
        pytest.param(sheet([line(72, y, 540, y) for y in range(100, 700, 40)]), id="rules"),
        pytest.param(
            sheet([Drawing((80, 80, 120, 120), 10, pictorial=True, filled=True), line(66, 148, 522, 148)] * 2),
            id="an icon and a rule",
        ),
        pytest.param(sheet([bar(72 + 60 * n, 100, 112, width=60) for n in range(6)]), id="shaded cells"),
        pytest.param(
            sheet([bar(72, 100 + inset + 14 * n, 114 + 14 * n, width=200) for n in range(6) for inset in (0, 2)]),
            id="shaded paragraphs in shaded cells",
        ),
    ],
)
def test_what_only_decorates_is_no_figure(decoration: Sheet) -> None:
    assert find_figures(decoration, []) == []


def test_a_panel_behind_text_is_no_figure_but_the_image_on_it_is() -> None:
    text, words = paragraph(90, 330, 6)
    panel = Drawing((72, 90, 540, 420), 8, pictorial=True, filled=True)
    found = find_figures(sheet([panel, panel, panel], [(90, 100, 490, 310)], [text], words), [])
    assert found == [(90, 100, 490, 310)]


def test_an_image_ends_where_text_runs_over_it() -> None:
    text, words = paragraph(90, 110, 5)
    assert find_figures(sheet(images=[(72, 100, 540, 400)], regions=[text], words=words), []) == [(72, 170, 540, 400)]


def test_an_image_with_a_heading_in_its_middle_is_that_headings_background() -> None:
    heading = Region(ElementType.HEADING, (90, 190, 300, 215))
    assert find_figures(sheet(images=[(72, 100, 540, 300)], regions=[heading]), []) == []


def test_bars_in_a_table_are_the_tables() -> None:
    assert find_figures(sheet(chart(100, 200)), [(90, 150, 400, 320)]) == []


def test_rules_of_a_drawing_taken_for_a_table_are_the_drawings() -> None:
    drawing = [Drawing((x, y, x + 90, y + 50), 8, True, True) for x in (100, 220, 340) for y in (100, 200)]
    links = [line(145, 175, 385, 175), *(line(x, 150, x, 200) for x in (145, 265, 385))]
    taken = (140.0, 140.0, 390.0, 210.0)
    assert find_figures(sheet([*drawing, *links]), [taken]) == [(100, 100, 430, 250)]
    seen = Region(ElementType.TABLE, taken)
    assert (100, 100, 430, 250) not in find_figures(sheet([*drawing, *links], regions=[seen]), [taken])


@pytest.mark.parametrize(
    ("inches", "pixels"),
    [
        pytest.param(8, 1200, id="150 dots an inch"),
        pytest.param(5, 1000, id="a small figure is drawn larger"),
        pytest.param(2, 600, id="at 300 dots an inch at most"),
        pytest.param(40, 2000, id="a large one has 2,000 pixels at most"),
    ],
)
def test_a_figure_is_drawn_at_a_size_that_can_be_read(inches: float, pixels: float) -> None:
    assert inches * resolution((0, 0, 36, 72 * inches)) == pytest.approx(pixels)


def test_a_path_reaches_as_far_as_its_clip_lets_it_show_and_what_is_clear_is_none() -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=600, height=800)
        page.draw_rect((50, 50, 90, 90), color=None, fill=(1, 0, 0), fill_opacity=0)
        contents = page.get_contents()[0]
        bars = b"\nq 100 600 200 100 re W n 120 0 30 650 re f Q 10 10 30 30 re f"
        document.update_stream(contents, document.xref_stream(contents) + bars)
        boxes = [
            tuple(map(round, path["rect"])) for path in _visible(page.get_cdrawings(extended=True), tuple(page.rect))
        ]
    assert boxes == [(120, 150, 150, 200), (10, 760, 40, 790)]


@pytest.mark.slow
def test_a_picture_is_asked_for_its_words() -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=300, height=120)
        blank = page.get_pixmap(dpi=72).tobytes("png")
        page.insert_text((20, 40), "Sales in 2021", fontsize=14)
        page.insert_text((20, 80), "North 37%", fontsize=14)
        box = (0, 0, 300, 120)
        assert read_inside(page.get_pixmap(dpi=300).tobytes("png"), box) == "Sales in 2021 North 37%"
        assert read_inside(blank, box) == ""


@pytest.mark.slow
def test_a_chart_that_is_an_image_keeps_its_words_beside_it(data: Path) -> None:
    path = next(data.rglob("ADOBE_2015_10K.pdf"))
    figures = [
        element.text
        for ocr in (True, False)
        for element in PyMuPDFReader(ocr=ocr).read(path, "x", 116, 116)[0].elements
        if element.type is ElementType.FIGURE
    ]
    assert "Comparison of Five Year Cumulative Total Return" in figures[0]
    assert figures[1] == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "page"),
    [
        ("2013-annual-performance-report.pdf", 28),  # a pie in a frame
        ("2014-annual-performance-report.pdf", 30),  # two framed charts
        ("2014-annual-performance-report.pdf", 67),  # coloured tables
        ("2017-annual-performance-report.pdf", 7),  # a photograph in three tiles, text over its sky
        ("2019-annual-performance-report.pdf", 14),  # an organisation chart
        ("AMERICANWATERWORKS_2022_10K.pdf", 166),  # a signature
        ("JPMORGAN_2022Q2_10Q.pdf", 76),  # a line chart below a table
        ("eu-014.pdf", 1),  # boxes and arrows
    ],
)
def test_the_figures_of_a_real_page_are_those_that_were_marked(data: Path, document: str, page: int) -> None:
    truth = json.loads((Path(__file__).parent.parent / "benchmarks" / "figures" / "truth.json").read_text())
    marked = next(entry["figures"] for entry in truth if (entry["document"], entry["page"]) == (document, page))
    path = next(data.rglob(document))
    content = PyMuPDFReader(ocr=False).read(path, "x", page, page)[0]
    found = [element.bbox for element in content.elements if element.type is ElementType.FIGURE]
    assert len(found) == len(marked)
    assert all(max(iou(box, tuple(figure["bbox"])) for box in found) > 0.7 for figure in marked)

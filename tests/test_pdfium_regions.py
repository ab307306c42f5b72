"""What a layout model sees, made right by the words: tables taken for figures or missed, headings, captions, lists."""

from __future__ import annotations

from itertools import pairwise

from PIL import Image

from octavo.ingest.geometry import contains, middle
from octavo.ingest.model import Box, ElementType
from octavo.ingest.readers.pdfium.layout import Detection, _model, detect
from octavo.ingest.readers.pdfium.regions import make_regions
from octavo.ingest.readers.pdfium.tabular import is_tabular
from octavo.ingest.sheet import Drawing, Region, Sheet, Word

Lines = list[tuple[float, float, str]]
PAGE = 600.0, 800.0
BODY = [
    (50, 600 + 12 * n, "Running text that says what the page has to say, line for line, to its end.") for n in range(8)
]


def words(lines: Lines, size: float = 10.0, bold: bool = False, first: int = 0) -> list[Word]:
    """Lines of text at (left, top), each letter half as wide as the type is high; words farther apart by two spaces."""
    found = []
    for n, (x, y, text) in enumerate(lines, first):
        for word in text.split(" "):
            if word:
                found.append(Word((x, y, x + len(word) * size / 2, y + 0.7 * size), word, size, bold, n))
            x += (len(word) + 1) * size / 2
    return found


def regions(detections: list[Detection], drawn: list[Word], drawings: tuple[Drawing, ...] = ()) -> tuple[Region, ...]:
    return make_regions(detections, Sheet(1, *PAGE, words=tuple(drawn), drawings=drawings))


def boxes(found: tuple[Region, ...], kind: ElementType) -> list[Box]:
    return [region.bbox for region in found if region.type is kind]


def grid(left: float, top: float, rows: int = 5) -> list[Word]:
    lines = [(left + 70 * column, top + 14 * row, f"{row}{column}.5") for row in range(rows) for column in range(4)]
    return words(lines, first=100)


def test_rows_that_line_up_are_a_table_that_nothing_saw() -> None:
    found = regions([], [*words(BODY), *grid(50, 100)])
    [table] = boxes(found, ElementType.TABLE)
    assert all(contains(table, word.bbox[:2]) for word in grid(50, 100))
    assert [e for e in found if e.type is ElementType.TEXT]


def test_a_figure_without_pictures_whose_words_line_up_is_a_table() -> None:
    detection = Detection("figure", (40, 90, 330, 180), 0.9)
    chart = Drawing((40, 90, 330, 180), 20, pictorial=True, filled=False)
    assert boxes(regions([detection], grid(50, 100)), ElementType.TABLE)
    assert boxes(regions([detection], grid(50, 100), (chart,)), ElementType.FIGURE)


def test_a_figure_full_of_text_is_a_frame() -> None:
    text = Detection("text", (45, 595, 480, 700), 0.9)
    assert boxes(regions([Detection("figure", (40, 590, 490, 710), 0.8), text], words(BODY)), ElementType.FIGURE) == []


def test_paragraphs_do_not_line_up() -> None:
    assert is_tabular(grid(50, 100))
    assert not is_tabular(words(BODY))


def test_a_bold_line_in_a_block_is_its_heading() -> None:
    heading = words([(50, 586, "What the page says")], bold=True, first=50)
    found = regions([Detection("text", (45, 580, 480, 700), 0.9)], [*heading, *words(BODY)])
    assert [region.type for region in found] == [ElementType.HEADING, ElementType.TEXT]


def test_items_of_a_list_are_parted_at_their_bullets() -> None:
    items = words([(50, 100, "• one thing"), (58, 112, "and its end"), (50, 124, "• another")])
    found = regions([Detection("text", (45, 95, 300, 140), 0.9)], [*items, *words(BODY, first=10)])
    assert len(boxes(found, ElementType.LIST)) == 2


def test_a_line_that_the_model_left_out_of_a_paragraph_goes_on_in_it() -> None:
    found = regions([Detection("text", (45, 595, 480, 682), 0.9)], words(BODY))
    [text] = boxes(found, ElementType.TEXT)
    assert text[3] == BODY[-1][1] + 7


def test_a_caption_in_a_figures_box_is_cut_off() -> None:
    caption = words([(50, 300, "Figure 1. Sales by year")], size=8, first=40)
    line = Drawing((50, 100, 300, 280), 9, pictorial=True, filled=False)
    found = regions([Detection("figure", (45, 95, 310, 312), 0.9)], [*words(BODY), *caption], (line,))
    assert [box[3] <= 300 for box in boxes(found, ElementType.FIGURE)] == [True]
    assert len(boxes(found, ElementType.CAPTION)) == 1


def test_one_detection_over_two_captions_is_two_figures() -> None:
    captions = words([(50, 300, "Figure 1. Sales"), (320, 300, "Figure 2. Costs")], size=8, first=40)
    charts = tuple(Drawing((x, 100, x + 230, 280), 9, pictorial=True, filled=False) for x in (50, 320))
    found = regions([Detection("figure", (45, 95, 560, 290), 0.9)], [*words(BODY), *captions], charts)
    assert sorted(boxes(found, ElementType.FIGURE)) == [(50, 100, 280, 280), (320, 100, 550, 280)]


def test_no_word_is_lost_but_a_figures_labels() -> None:
    drawn = [*words(BODY), *grid(50, 100), *words([(400, 300, "alone")], first=90)]
    found = regions([Detection("text", (45, 620, 300, 640), 0.6)], drawn)
    middles = [middle(w.bbox) for w in drawn]
    assert all(any(contains(region.bbox, middle) for region in found) for middle in middles)


def test_the_model_runs_in_one_thread_and_sees_nothing_on_an_empty_page() -> None:
    assert detect(Image.new("RGB", (600, 800), "white"), *PAGE) == []
    assert _model()[0].get_session_options().intra_op_num_threads == 1


def test_detections_come_best_first_and_on_the_page() -> None:
    noise = Image.effect_noise((600, 800), 100).convert("RGB")
    found = detect(noise, *PAGE)
    assert all(a.score >= b.score for a, b in pairwise(found))
    assert all(0 <= s.bbox[0] <= s.bbox[2] <= 600 and 0 <= s.bbox[1] <= s.bbox[3] <= 800 for s in found)

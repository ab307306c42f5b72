"""Tables found on a sheet: columns and rows from rules or from white space, cells that span, what is left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from octavo.ingest.model import Box, ElementType, Span
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.tables import column_names, find_tables

SIZE = 10.0
WIDTH = 5.0  # of a letter, points


def written(*lines: tuple[float, dict[float, str]]) -> tuple[Word, ...]:
    """Words of 10 point type: lines as (top, {left: text})."""
    words = []
    for n, (top, texts) in enumerate(lines):
        for left, text in texts.items():
            at = left
            for part in text.split():
                words.append(Word((at, top, at + WIDTH * len(part), top + SIZE), part, SIZE, line=n))
                at += WIDTH * (len(part) + 0.5)
    return tuple(words)


def sheet(words: tuple[Word, ...], box: Box, rules: tuple[Box, ...] = ()) -> Sheet:
    return Sheet(1, 600, 800, words, rules, regions=(Region(ElementType.TABLE, box),))


def across(y: float, x0: float, x1: float) -> Box:
    return x0, y, x1, y


def down(x: float, y0: float, y1: float) -> Box:
    return x, y0, x, y1


def test_white_space_alone_parts_columns_and_rows() -> None:
    words = written(
        (100, {50: "Country", 200: "1996", 300: "1997"}),
        (115, {50: "Austria", 200: "58.6", 300: "79.1"}),
        (130, {50: "New Zealand", 200: "61.6", 300: "5.0"}),
        (145, {50: "Spain", 200: "9.5", 300: "48.2"}),
    )
    [(_, table)] = find_tables(sheet(words, (45, 98, 330, 160)))
    assert table.rows == (
        ("Country", "1996", "1997"),
        ("Austria", "58.6", "79.1"),
        ("New Zealand", "61.6", "5.0"),
        ("Spain", "9.5", "48.2"),
    )


RULED = written(
    (100, {140: "Threshold for releases"}),
    (120, {120: "to air", 220: "to water"}),
    (140, {55: "Copper and", 120: "100", 220: "50"}),
    (150, {55: "compounds"}),
    (165, {55: "Zinc", 120: "200", 220: "100"}),
)
LINES = (
    *(across(y, 50, 300) for y in (98, 138, 163, 178)),
    across(118, 115, 300),
    *(down(x, 98, 178) for x in (50, 115, 300)),
    down(215, 118, 178),
)


def test_lines_between_two_rules_are_one_row_and_what_no_rule_parts_is_one_cell() -> None:
    [(_, table)] = find_tables(sheet(RULED, (50, 98, 300, 178), LINES))
    assert table.rows == (
        ("", "Threshold for releases", ""),
        ("", "to air", "to water"),
        ("Copper and compounds", "100", "50"),
        ("Zinc", "200", "100"),
    )
    assert Span(0, 1, 1, 2) in table.spans


def test_a_frame_that_no_region_names_is_a_table_and_two_frames_in_one_region_are_two() -> None:
    below = tuple(Word((w.bbox[0], w.bbox[1] + 200, w.bbox[2], w.bbox[3] + 200), w.text, SIZE) for w in RULED)
    lower = tuple((x0, y0 + 200, x1, y1 + 200) for x0, y0, x1, y1 in LINES)
    drawn = Sheet(1, 600, 800, RULED + below, LINES + lower)
    assert len(find_tables(drawn)) == 2
    [first, second] = find_tables(sheet(drawn.words, (50, 98, 300, 378), drawn.rules))
    assert first[1].rows == second[1].rows


def test_a_caption_above_and_a_source_below_are_not_rows() -> None:
    words = written(
        (85, {50: "Table 3. Shares"}),
        (100, {50: "Country", 200: "1996", 300: "1997"}),
        (115, {50: "Austria", 200: "58.6", 300: "79.1"}),
        (130, {50: "Spain", 200: "9.5", 300: "48.2"}),
        (145, {50: "Source: LSA, 1998"}),
    )
    [(_, table)] = find_tables(sheet(words, (45, 83, 330, 160)))
    assert [row[0] for row in table.rows] == ["Country", "Austria", "Spain"]


def test_a_header_that_a_grid_cuts_is_one_cell_with_its_span() -> None:
    words = written(
        (100, {130: "Three Months Ended", 330: "Nine Months Ended"}),
        (115, {110: "June 2022", 210: "June 2021", 310: "June 2022", 410: "June 2021"}),
        (130, {20: "Products", 110: "63,355", 210: "63,948", 310: "245,241", 410: "232,309"}),
        (145, {20: "Services", 110: "19,604", 210: "17,486", 310: "58,941", 410: "50,148"}),
        (160, {20: "Total", 110: "82,959", 210: "81,434", 310: "304,182", 410: "282,457"}),
    )
    edges, heights = (15.0, 105.0, 205.0, 305.0, 405.0, 500.0), (98.0, 112.0, 127.0, 142.0, 157.0, 172.0)
    grid = tuple(tuple((x0, y0, x1, y1) for x0, x1 in pairwise(edges)) for y0, y1 in pairwise(heights))
    region = Region(ElementType.TABLE, (15, 98, 500, 172), (("layout", grid),))
    [(_, table)] = find_tables(Sheet(1, 600, 800, words, regions=(region,)))
    assert table.rows[0] == ("", "Three Months Ended", "", "Nine Months Ended", "")
    assert table.spans == (Span(0, 1, 1, 2), Span(0, 3, 1, 2))


def test_a_date_in_a_title_over_several_columns_stays_in_it() -> None:
    words = written(
        (100, {130: "Twelve Months Ended June 30, 2022", 330: "Twelve Months Ended June 30, 2023"}),
        (115, {120: "Net sales", 190: "EBIT", 260: "Margin", 320: "Net sales", 390: "EBIT", 460: "Margin"}),
        (130, {20: "Flexibles", 120: "11,151", 190: "1,517", 260: "13.6", 320: "11,154", 390: "1,429", 460: "12.8"}),
        (145, {20: "Packaging", 120: "3,393", 190: "289", 260: "8.5", 320: "3,540", 390: "265", 460: "7.5"}),
        (160, {20: "Total", 120: "14,544", 190: "1,701", 260: "11.7", 320: "14,694", 390: "1,608", 460: "10.9"}),
    )
    [(_, table)] = find_tables(sheet(words, (15, 98, 500, 172)))
    period, later = "Twelve Months Ended June 30, 2022", "Twelve Months Ended June 30, 2023"
    assert column_names(table) == ["", *(f"{time} {of}" for time in (period, later) for of in table.rows[1][1:4])]


def test_bands_of_colour_part_rows_whose_cells_have_several_lines() -> None:
    tops = [110.0 + 40 * n for n in range(5)]
    names = [("GOAL 1", "Workforce"), ("GOAL 2", "Service"), ("GOAL 3", "Policy"), ("GOAL 4", "Systems")]
    words = written(
        (98, {50: "Strategic goal", 200: "Goal statement"}),
        *((top + 7, {50: goal}) for top, (goal, _) in zip(tops, names, strict=False)),
        *((top + 20, {50: name}) for top, (_, name) in zip(tops, names, strict=False)),
        *((top + 13, {200: f"Attract and engage {name.lower()}"}) for top, (_, name) in zip(tops, names, strict=False)),
    )
    fills = tuple((45.0, y0, 420.0, y1) for y0, y1 in list(pairwise(tops))[::2])
    [(_, table)] = find_tables(replace(sheet(words, (45, 96, 420, 270)), fills=fills))
    assert table.rows[1:] == tuple((f"{goal} {name}", f"Attract and engage {name.lower()}") for goal, name in names)


def test_text_and_lists_are_no_tables() -> None:
    prose = written(*((100 + 12 * n, {50: "the quick brown fox jumps over the lazy dog " * 2}) for n in range(6)))
    box = (45, 95, 520, 175)
    assert find_tables(Sheet(1, 600, 800, prose, regions=(Region(ElementType.TEXT, box),))) == []
    assert find_tables(sheet(prose, box)) == []


def test_dots_that_lead_to_a_value_are_not_text() -> None:
    words = written(
        (100, {200: "1996", 260: "1997"}),
        (115, {50: "Austria ..............", 200: "58.6", 260: "61.2"}),
        (130, {50: "Spain ................", 200: "9.5", 260: "9.9"}),
        (145, {50: "Sweden ...............", 200: "83.7", 260: "87.0"}),
    )
    [(_, table)] = find_tables(sheet(words, (45, 98, 290, 160)))
    assert [row[0] for row in table.rows] == ["", "Austria", "Spain", "Sweden"]


def test_cells_that_rules_close_are_the_cells_whatever_stands_in_them() -> None:
    words = written(
        (100, {55: "4.4. Publications in the last 3 years"}),
        (125, {80: "Title", 210: "Impact"}),
        (136, {210: "factor"}),
        (155, {55: "1"}),
        (175, {55: "2", 80: "§ Adenoma of"}),
        (186, {80: "the thyroid"}),
    )
    rules = (*(across(y, 50, 300) for y in (95, 115, 150, 170, 200)), *(down(x, 115, 200) for x in (70, 200)))
    sides = tuple(down(x, 95, 200) for x in (50, 300))
    [(_, table)] = find_tables(sheet(words, (52, 98, 250, 196), (*rules, *sides)))
    assert table.rows == (
        ("4.4. Publications in the last 3 years", "", ""),
        ("", "Title", "Impact factor"),
        ("1", "", ""),
        ("2", "§ Adenoma of the thyroid", ""),
    )
    assert table.spans == (Span(0, 0, 1, 3),)


def test_values_under_each_other_in_one_drawn_cell_are_several_rows() -> None:
    words = written(
        (100, {55: "Country", 150: "1996", 220: "1997"}),
        *((115 + 12 * n, {55: name, 150: f"{5 + n}.6", 220: f"{9 - n}.1"}) for n, name in enumerate("ABCDE")),
    )
    rules = (*(across(y, 50, 300) for y in (95, 112, 178)), *(down(x, 95, 178) for x in (50, 140, 210, 300)))
    [(_, table)] = find_tables(sheet(words, (50, 95, 300, 178), rules))
    assert [row[0] for row in table.rows] == ["Country", *"ABCDE"]


CAPITALS = (("Austria", "Vienna"), ("Belgium", "Brussels"), ("Cyprus", "Nicosia"), ("Denmark", "Copenhagen"))


def test_short_lines_level_in_two_drawn_cells_are_several_rows() -> None:
    words = written(
        (100, {55: "Country", 150: "Capital"}), *((115 + 12 * n, {55: a, 150: b}) for n, (a, b) in enumerate(CAPITALS))
    )
    rules = (*(across(y, 50, 300) for y in (95, 112, 164)), *(down(x, 95, 164) for x in (50, 140, 300)))
    [(_, table)] = find_tables(sheet(words, (50, 95, 300, 164), rules))
    assert table.rows == (("Country", "Capital"), *CAPITALS)


def test_a_mark_in_the_margin_widens_no_cell() -> None:
    words = written((105, {55: "Country", 150: "Capital"}), (125, {55: "Austria", 150: "Vienna"}))
    rules = (*(across(y, 50, 250) for y in (100, 120, 140)), *(down(x, 100, 140) for x in (50, 140, 250)))
    [(_, table)] = find_tables(sheet(words, (50, 95, 305, 145), (*rules, down(300, 90, 150))))
    assert table.cells[1] == ((50, 120, 140, 140), (140, 120, 250, 140))


def test_graph_paper_with_two_labels_is_no_table_and_a_frame_of_captions_is_none() -> None:
    paper = (*(across(100 + 20 * n, 100, 500) for n in range(16)), *(down(100 + 20 * n, 100, 400) for n in range(21)))
    labels = written((103, {105: "A"}), (223, {245: "B"}))
    assert (
        find_tables(Sheet(1, 612, 792, labels, paper, regions=(Region(ElementType.FIGURE, (90, 90, 510, 410)),))) == []
    )
    frame = (*(across(y, 100, 500) for y in (100, 200, 300)), *(down(x, 100, 300) for x in (100, 300, 500)))
    captions = written((110, {110: "Figure 1."}), (210, {310: "Figure 2."}))
    assert find_tables(Sheet(1, 612, 792, captions, frame)) == []


def test_a_row_of_filled_cells_is_one_row_over_a_body_without_any() -> None:
    words = written(
        (104, {160: "Met/"}),
        (110, {55: "FY 2016", 110: "FY 2017"}),
        (115, {160: "Not Met"}),
        (121, {55: "Results", 110: "Target"}),
        (140, {55: "28", 110: "40", 160: "Met"}),
    )
    fills = tuple((x, 98.0, x + 50, 132.0) for x in (50.0, 100.0, 150.0))
    drawn = replace(sheet(words, (52, 100, 198, 152)), fills=fills)
    [(_, table)] = find_tables(drawn)
    assert table.rows == (("FY 2016 Results", "FY 2017 Target", "Met/ Not Met"), ("28", "40", "Met"))


def test_filled_rows_apart_from_each_other_are_rows_of_one_table() -> None:
    lines = [(102.5 + 21 * n, {55: f"Row name {n}", 150: f"{n}.5", 220: f"{n}.7"}) for n in range(6)]
    fills = tuple((50.0, 100.0 + 21 * n, 300.0, 114.0 + 21 * n) for n in range(6))
    [(_, table)] = find_tables(replace(sheet(written(*lines), (50, 98, 300, 226)), fills=fills))
    assert table.rows == tuple((f"Row name {n}", f"{n}.5", f"{n}.7") for n in range(6))


def test_white_between_filled_bands_parts_two_tables() -> None:
    lines = [(100, "Measure", "Percent hired"), (115, "Program", "Services"), (130, "Frequency", "Yearly")]
    words = written(*((top + down, {55: a, 150: b}) for down in (0, 60) for top, a, b in lines))
    fills = tuple((50.0, top + down - 2, 300.0, top + down + 12.0) for down in (0, 60) for top, _, _ in lines)
    tables = find_tables(replace(sheet(words, (50, 98, 300, 204)), fills=fills))
    assert [table.rows for _, table in tables] == [tuple((a, b) for _, a, b in lines)] * 2

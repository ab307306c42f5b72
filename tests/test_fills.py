"""Which filled boxes of a page count: those that an eye tells from what is round them."""

from __future__ import annotations

import pytest

from octavo.ingest.readers.fills import shown_fills

GREY, BLUE, WHITE = (0.9, 0.9, 0.9), (0.0, 0.2, 0.4), (1.0, 1.0, 1.0)
CELL, LINE = (50.0, 100.0, 200.0, 140.0), (55.0, 105.0, 195.0, 117.0)


def row(n: int) -> tuple[float, float, float, float]:
    return 50.0, 100.0 + 20 * n, 500.0, 120.0 + 20 * n


PANEL, SHEET = (40.0, 90.0, 510.0, 320.0), (45.0, 95.0, 505.0, 315.0)


def test_a_line_s_fill_within_its_cell_s_of_the_same_colour_is_not_seen() -> None:
    assert shown_fills([(CELL, GREY), (LINE, GREY)]) == (CELL,)
    assert shown_fills([(LINE, GREY), (CELL, GREY)]) == (CELL,)
    assert shown_fills([(CELL, GREY), (LINE, BLUE)]) == (CELL, LINE)


def test_stripes_on_a_white_sheet_on_a_panel_of_their_colour_are_seen() -> None:
    stripes = [row(0), row(2), row(4)]
    assert shown_fills([(PANEL, GREY), (SHEET, WHITE), *((stripe, GREY) for stripe in stripes)]) == (PANEL, *stripes)


def test_what_was_painted_beneath_the_panel_or_beside_the_stripe_parts_them_not() -> None:
    stripe = row(4)
    assert shown_fills([(SHEET, WHITE), (PANEL, GREY), (stripe, GREY)]) == (PANEL,)
    assert shown_fills([(PANEL, GREY), (row(3), WHITE), (stripe, GREY)]) == (PANEL,)
    assert shown_fills([(PANEL, GREY), (stripe, GREY), (SHEET, WHITE)]) == (PANEL,)


def test_the_same_box_drawn_twice_is_one() -> None:
    assert shown_fills([(CELL, GREY), (CELL, GREY)]) == (CELL,)
    assert shown_fills([(CELL, GREY), (CELL, WHITE), (CELL, GREY)]) == (CELL,)


@pytest.mark.parametrize(("box", "colour"), [(CELL, WHITE), ((50.0, 100.0, 200.0, 101.0), GREY)])
def test_white_and_thin_boxes_are_none(box: tuple[float, float, float, float], colour: tuple[float, ...]) -> None:
    assert shown_fills([(box, colour)]) == ()


def test_a_table_of_twenty_columns_and_sixty_rows_keeps_each_cell() -> None:
    """With a fill behind the line in each, of its colour, and every other row in blue."""
    cells = [(x, y, x + 30.0, y + 12.0) for y in range(0, 720, 12) for x in range(0, 600, 30)]
    lines = [(x0 + 2, y0 + 2, x1 - 2, y1 - 2) for x0, y0, x1, y1 in cells]
    pairs = zip(cells, lines, strict=True)
    painted = [(box, BLUE if pair[0][1] % 24 else GREY) for pair in pairs for box in pair]
    assert shown_fills(painted) == tuple(cells)


def test_tens_of_thousands_draw_a_picture_and_are_none() -> None:
    dots = [(5.0 * x, 5.0 * y, 5.0 * x + 5, 5.0 * y + 5) for x in range(150) for y in range(150)]
    assert shown_fills((dot, GREY) for dot in dots) == ()

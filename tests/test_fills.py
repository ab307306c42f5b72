"""Which filled boxes of a page count: those that an eye tells from what is round them."""

from __future__ import annotations

import pytest

from octavo.ingest.readers.fills import shown_fills

GREY, BLUE = (0.9, 0.9, 0.9), (0.0, 0.2, 0.4)
CELL, LINE = (50.0, 100.0, 200.0, 140.0), (55.0, 105.0, 195.0, 117.0)


def test_a_line_s_fill_within_its_cell_s_of_the_same_colour_is_not_seen() -> None:
    assert shown_fills([(LINE, GREY), (CELL, GREY)]) == (CELL,)
    assert set(shown_fills([(LINE, BLUE), (CELL, GREY)])) == {LINE, CELL}


def test_the_same_box_drawn_twice_is_one() -> None:
    assert shown_fills([(CELL, GREY), (CELL, GREY)]) == (CELL,)


@pytest.mark.parametrize(("box", "colour"), [(CELL, (1.0, 1.0, 1.0)), ((50.0, 100.0, 200.0, 101.0), GREY)])
def test_white_and_thin_boxes_are_none(box: tuple[float, float, float, float], colour: tuple[float, ...]) -> None:
    assert shown_fills([(box, colour)]) == ()


def test_more_than_a_thousand_draw_a_picture() -> None:
    assert shown_fills([((10.0 * n, 0.0, 10.0 * n + 5, 5.0), GREY) for n in range(1001)]) == ()

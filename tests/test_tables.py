"""What a grid says: spans, headers, and each value with its labels."""

from __future__ import annotations

from itertools import pairwise

from octavo.ingest.model import Span
from octavo.ingest.tables import column_names, grid, is_value, values


def boxes(edges: list[float], rows: int) -> list[list[tuple[float, float, float, float]]]:
    """Cells between column `edges`, 10 points high."""
    pairs = list(pairwise(edges))
    return [[(x0, 10.0 * r, x1, 10.0 * r + 10) for x0, x1 in pairs] for r in range(rows)]


INCOME = grid(
    [
        ["", "Three Mo", "nths Ended", "Nine Months Ended", ""],
        ["", "June 25,\n2022", "June 26,\n2021", "June 25,\n2022", "June 26,\n2021"],
        ["Net sales:", "", "", "", ""],
        ["Products", "$ 63,355", "$ 63,948", "$ 245,241", "$ 232,309"],
        ["Total net sales", "82,959", "81,434", "304,182", "282,457"],
    ],
    boxes([0, 100, 150, 200, 250, 300], 5),
    [
        (125, 1, 140, 9, "Three"),
        (142, 1, 170, 9, "Months"),
        (172, 1, 190, 9, "Ended"),
        (215, 1, 225, 9, "Nine"),
        (227, 1, 262, 9, "Months"),
        (264, 1, 284, 9, "Ended"),
    ],
)


def test_a_header_that_a_word_straddles_is_one_cell_with_its_span() -> None:
    assert INCOME.rows[0] == ("", "Three Months Ended", "", "Nine Months Ended", "")
    assert INCOME.spans == (Span(0, 1, 1, 2), Span(0, 3, 1, 2))


def test_the_header_ends_where_a_group_label_opens_the_body() -> None:
    assert INCOME.header_rows == 2


def test_a_spanning_header_names_every_column_under_it() -> None:
    assert column_names(INCOME)[1:3] == ["Three Months Ended June 25, 2022", "Three Months Ended June 26, 2021"]


def test_a_value_carries_its_group_row_and_its_column() -> None:
    first = next(values(INCOME))
    assert (first.label, first.header, first.text) == (
        "Net sales: Products",
        "Three Months Ended June 25, 2022",
        "$ 63,355",
    )
    assert first.bbox == (100, 30, 150, 40)


def test_a_total_stands_outside_its_group() -> None:
    assert "Total net sales" in {cell.label for cell in values(INCOME)}


def test_quantities_are_values_and_years_are_not() -> None:
    assert all(map(is_value, ["$ 63,355", "(1,102)", "12.5%", "0.35 %", "−4", "1,233"]))
    assert not any(map(is_value, ["2022", "FY 2014", "June 25, 2022", "N/A", "1.01A", ""]))

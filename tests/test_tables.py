"""What a grid says: spans, headers, and each value with its labels."""

from __future__ import annotations

from octavo.ingest.model import Span, Table
from octavo.ingest.tables import column_names, header_rows, is_value, values

ROWS = (
    ("", "Three Months Ended", "", "Nine Months Ended", ""),
    ("", "June 25, 2022", "June 26, 2021", "June 25, 2022", "June 26, 2021"),
    ("Net sales:", "", "", "", ""),
    ("Products", "$ 63,355", "$ 63,948", "$ 245,241", "$ 232,309"),
    ("Total net sales", "82,959", "81,434", "304,182", "282,457"),
)
CELLS = tuple(tuple((100.0 * c, 10.0 * r, 100.0 * c + 100, 10.0 * r + 10) for c in range(5)) for r in range(5))
INCOME = Table(ROWS, CELLS, (Span(0, 1, 1, 2), Span(0, 3, 1, 2)), header_rows(ROWS))


def test_the_header_ends_where_a_group_label_opens_the_body() -> None:
    assert INCOME.header_rows == 2


def test_a_day_cut_off_its_month_does_not_open_the_body() -> None:
    cut = ("", "Three Months Ended June", "30", "Twelve Months Ended June", "30")
    assert header_rows([cut, ("", "Flexibles", "Total", "Flexibles", "Total"), ("Sales", "1", "2", "3", "4")]) == 2
    assert header_rows([("", "12", "30", "n.a.", "4"), ("Sales", "1", "2", "3", "4")]) == 0


def test_a_spanning_header_names_every_column_under_it() -> None:
    assert column_names(INCOME)[1:3] == ["Three Months Ended June 25, 2022", "Three Months Ended June 26, 2021"]


def test_a_value_carries_its_group_row_and_its_column() -> None:
    first = next(values(INCOME))
    assert (first.label, first.header, first.text) == (
        "Net sales: Products",
        "Three Months Ended June 25, 2022",
        "$ 63,355",
    )
    assert first.bbox == (100, 30, 200, 40)


def test_a_total_stands_outside_its_group() -> None:
    assert "Total net sales" in {cell.label for cell in values(INCOME)}


def test_quantities_are_values_and_years_are_not() -> None:
    assert all(map(is_value, ["$ 63,355", "(1,102)", "12.5%", "0.35 %", "−4", "1,233"]))
    assert not any(map(is_value, ["2022", "FY 2014", "June 25, 2022", "N/A", "1.01A", ""]))

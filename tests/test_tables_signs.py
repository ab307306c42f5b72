"""Signs that stand apart from their figures go with them."""

from __future__ import annotations

from octavo.ingest.model import Span, Table
from octavo.ingest.tables.signs import joined_signs


def table(*rows: tuple[str, ...], spans: tuple[Span, ...] = (), header_rows: int = 1) -> Table:
    cells = tuple(
        tuple((50.0 * c, 10.0 * r, 50.0 * c + 50, 10.0 * r + 10) for c in range(len(row))) for r, row in enumerate(rows)
    )
    return Table(rows, cells, spans, header_rows)


def test_a_column_of_dollar_signs_goes_into_that_of_their_figures() -> None:
    joined = joined_signs(
        table(
            ("", "", "2021", "", "2020"),
            ("Sales", "$", "26,608", "$", "22,850"),
            ("Costs", "", "8,165", "", "8,132"),
            ("Profit", "$", "18,443", "$", "14,718"),
        )
    )
    assert joined.rows == (
        ("", "2021", "2020"),
        ("Sales", "$ 26,608", "$ 22,850"),
        ("Costs", "8,165", "8,132"),
        ("Profit", "$ 18,443", "$ 14,718"),
    )
    assert joined.cells[1][1] == (50, 10, 150, 20)


def test_a_header_over_both_columns_spans_one_place_less() -> None:
    spans = Span(0, 1, 1, 4), Span(1, 1, 1, 2), Span(1, 3, 1, 2)
    rows = (
        ("", "Year", "", "", ""),
        ("", "2021", "", "2020", ""),
        ("Sales", "$", "5", "$", "4"),
        ("Costs", "$", "3", "$", "2"),
    )
    joined = joined_signs(table(*rows, spans=spans, header_rows=2))
    assert joined.rows[:2] == (("", "Year", ""), ("", "2021", "2020"))
    assert joined.spans == (Span(0, 1, 1, 2),)


def test_a_sign_at_the_end_of_a_cell_is_the_next_figure_s() -> None:
    joined = joined_signs(table(("", "2018", "2017", "2016"), ("Net income $", "5,363 $", "4,869 $", "(58)")))
    assert joined.rows[1] == ("Net income", "$ 5,363", "$ 4,869", "$ (58)")


def test_per_cent_signs_and_closing_brackets_follow_their_figures() -> None:
    rows = ("", "Change", "", "Loss", ""), ("North", "5.3", "%", "(12", ")"), ("South", "4.1", "%", "(7", ")")
    assert joined_signs(table(*rows)).rows[1:] == (("North", "5.3%", "(12)"), ("South", "4.1%", "(7)"))


def test_a_column_with_anything_else_in_it_stays() -> None:
    rows = ("Item", "Unit", "Price"), ("Tea", "$", "5"), ("Milk", "$", "n/a"), ("Oats", "kg", "3")
    assert joined_signs(table(*rows)).rows == rows


def test_what_spans_the_signs_of_the_next_title_ends_beside_them() -> None:
    rows = (
        ("", "Three months", "", "", "Six months", "", ""),
        ("Sales", "5", "4", "$", "9", "$", "8"),
        ("Costs", "3", "2", "$", "7", "$", "6"),
    )
    joined = joined_signs(table(*rows, spans=(Span(0, 1, 1, 3), Span(0, 4, 1, 3))))
    assert joined.rows[:2] == (("", "Three months", "", "Six months", ""), ("Sales", "5", "4", "$ 9", "$ 8"))
    assert joined.spans == (Span(0, 1, 1, 2), Span(0, 3, 1, 2))

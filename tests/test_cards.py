"""Cards: what a document says of itself, kept in the catalogue, put right by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update
from sqlalchemy.orm import Session

from octavo import Library
from octavo.cli import main
from octavo.ingest.card import Card, make_card
from octavo.ingest.model import Element, ElementType, Page, ParsedDocument, Table
from octavo.ingest.periods import Period, find_periods
from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.store.schema import DocumentRow
from octavo.library import LibraryError
from tests.test_ingest import write_pdf


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("FY2018, FY 2019 and FY20", [Period(2018), Period(2019), Period(2020)]),
        (
            "Q3 of 2022, 2023 Q1, 4Q21 and Q2 of FY2023",
            [Period(2022, 3), Period(2023, 1), Period(2021, 4), Period(2023, 2)],
        ),
        ("the second fiscal quarter of 2023", [Period(2023, 2)]),
        ("H1 FY2023 and the second half of 2022", [Period(2023, 2), Period(2022, 4)]),
        ("1H23, 2H FY24", [Period(2023, 2), Period(2024, 4)]),
        (
            "Q322, Q3 '23, Q3-24 and FY20-FY22",
            [*(Period(n, 3) for n in (2022, 2023, 2024)), Period(2020), Period(2022)],
        ),
        ("the third quarter of 22?", [Period(2022, 3)]),
        ("Granite's Q3 10-Q for fiscal 2022", [Period(2022, 3)]),
        ("the fourth quarter earnings release of 2021", [Period(2021, 4)]),
        (
            "filed on 1st July 2022, or July 2, 2022, or 2022-07-03, or 04.07.2022",
            [Period(2022, 0, 7, n) for n in (1, 2, 3, 4)],
        ),
        ("in June 2021", [Period(2021, 0, 6)]),
        ("2015–2017", [Period(2015), Period(2017)]),
        ("$2015 of 2,020 or 2019.5 or February 30, 2020", [Period(2020)]),
        ("last year", []),
    ],
)
def test_periods_are_read_as_people_write_them(text: str, periods: list[Period]) -> None:
    assert find_periods(text) == periods


@pytest.mark.parametrize(
    "text",
    [
        *("the Q3 10-Q", "the FY 10-K", "the third quarter 10-Q", "Q1 25%", "Q1 FY 25 %", "Q1-25.5", "H1 12 percent"),
        *("Q4 in 50 states", "the third quarter of 22 states", "Q2 30-day rates", "FY 52 weeks", "CY 20 million"),
        *("Q5 2o22", "section 31.13.2021", "version 1.2.2.2015", "3H22 of tritium"),
    ],
)
def test_counts_and_names_of_forms_are_no_periods(text: str) -> None:
    assert find_periods(text) == []


def test_last_years_report_is_the_one_before_the_year_that_is_stated() -> None:
    assert find_periods("As of FY2020, what did last year's annual report say?") == [Period(2019)]
    assert find_periods("How did sales in FY2020 compare with last year's?") == [Period(2020)]


def filing(
    *lines: str, body: tuple[str, ...] = (), table: tuple[tuple[str, ...], ...] = (), title: str = ""
) -> ParsedDocument:
    """A document with a first page of lines, and more pages of which each is a line."""
    box = (0.0, 0.0, 1.0, 1.0)
    elements = [Element(f"e{n}", ElementType.TEXT, 1, box, line) for n, line in enumerate(lines)]
    elements += [Element(f"b{n}", ElementType.TEXT, n + 5, box, line) for n, line in enumerate(body)]
    if table:
        grid = Table(table, tuple((None,) * len(row) for row in table))
        text = "\n".join(" | ".join(row) for row in table)
        elements.insert(len(lines), Element("t", ElementType.TABLE, 1, box, text, table=grid))
    return ParsedDocument((Page(1, 612, 792),), tuple(elements), (), title)


def test_the_cover_of_an_annual_report_tells_whose_it_is_and_of_which_year() -> None:
    document = filing(
        "UNITED STATES SECURITIES AND EXCHANGE COMMISSION",
        "FORM 10-K",
        "For the fiscal year ended November 27, 2015",
        "GRANITE WORKS INCORPORATED",
        "(Exact name of registrant as specified in its charter)",
        table=(("Title of each class", "Trading Symbol(s)", "Exchange"), ("Common stock", "GRNT", "NYSE")),
        title="10K final",
    )
    expected = Card("GRANITE WORKS INCORPORATED", "GRNT", "10K final", "annual report", "FY2015", "2015-11-27")
    assert make_card(document, "scan_0815") == expected


def test_a_table_without_rows_tells_nothing() -> None:
    empty = Element("t", ElementType.TABLE, 1, (0.0, 0.0, 1.0, 1.0), "Trading symbol", table=Table((), ()))
    assert make_card(ParsedDocument((Page(1, 612, 792),), (empty,), (), ""), "") == Card()


def test_the_spans_of_a_quarterly_reports_tables_tell_its_quarter() -> None:
    cover = ("FORM 10-Q", "For the quarterly period ended December 31, 2022")
    spans = ("Three Months Ended December 31,", "Six Months Ended December 31,")
    assert make_card(filing(*cover, body=spans * 4), "").period == "Q2 FY2023"
    assert make_card(filing(*cover, body=("Three Months Ended December 31,",)), "").period == "Q1 FY2023"


def test_a_year_that_ends_in_january_goes_by_the_name_that_its_document_uses() -> None:
    cover = ("FORM 10-K", "For the fiscal year ended January 28, 2023")
    assert make_card(filing(*cover, body=("In fiscal 2022 sales fell",) * 3), "").period == "FY2022"
    assert make_card(filing(*cover, body=("In fiscal year 2023 sales fell",) * 3), "").period == "FY2023"


def test_a_headline_about_results_makes_an_earnings_release() -> None:
    document = filing(
        "Harbour Granite reports fiscal 2023 results and provides outlook for fiscal 2024",
        "Net sales rose in the twelve months ended June 30, 2022 and June 30, 2023.",
    )
    expected = Card("Harbour Granite", "", "", "earnings release", "FY2023", "2022-06-30")
    assert make_card(document, "") == expected


def test_a_current_report_is_of_a_day() -> None:
    card = make_card(filing("FORM 8-K", "Date of Report: July 1, 2022 (June 30, 2022)", "ACME PLC"), "")
    assert (card.kind, card.period, card.date) == ("current report", "", "2022-07-01")


def test_an_agencys_plan_tells_its_years_in_its_title() -> None:
    title = "U.S. Department of Labor Strategic Plan Fiscal Years 2022 – 2026"
    card = make_card(filing(title, title=title), "")
    assert (card.organisation, card.kind, card.period) == (
        "U.S. Department of Labor",
        "strategic plan",
        "FY2022-FY2026",
    )


def test_letters_that_small_capitals_cut_off_are_joined() -> None:
    cover = ("H ARBOUR R ESORTS", "(Exact name of Registrant as specified in its charter)")
    assert (
        make_card(filing(*cover, body=("Harbour Resorts has resorts at a harbour.",)), "").organisation
        == "HARBOUR RESORTS"
    )


def test_a_documents_file_name_tells_the_period_that_it_leaves_open() -> None:
    assert make_card(filing("Minutes of the harbour board"), "minutes_2019Q3").period == "Q3 FY2019"


# In the catalogue


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PDF of one page, and a library of it."""
    folder = tmp_path_factory.mktemp("cards")
    write_pdf(folder / "a.pdf", "Annual report of Acme Inc. for 2018. The harbour was built of granite.")
    with Library(folder / "library") as library:
        library.ingest([folder / "a.pdf"])
    return folder


@pytest.fixture
def small(first: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of that library to change."""
    shutil.copytree(first / "library", tmp_path / "library")
    with Library(tmp_path / "library") as library:
        yield library


@pytest.mark.slow
def test_what_was_put_right_stays_so_when_the_same_bytes_come_again(small: Library, first: Path) -> None:
    small.correct_card("a.pdf", {"organisation": "Granite Works"})
    small.ingest([first / "a.pdf"])
    with Library(small.folder) as again:
        info = again.find("a.pdf")
        again.catalogue.store_parsed(info.sha256, again.parsed("a.pdf"), [])  # read anew
        info = again.find("a.pdf")
        assert info.card is not None
        assert info.card.organisation == "Granite Works"
        assert info.corrected == ("organisation",)


def test_what_was_put_right_can_be_taken_back(small: Library) -> None:
    read = small.find("a.pdf").card
    small.correct_card("a.pdf", {"period": "FY1999", "kind": ""})
    assert small.correct_card("a.pdf", {}, anew=True).card == read


@pytest.mark.parametrize(
    ("fact", "value", "said"),
    [
        ("owner", "Acme", "has no 'owner'"),
        ("period", "soon", "no period in 'soon'"),
        ("date", "2018-13-01", "no date"),
    ],
)
def test_a_fact_that_cannot_be_is_refused(small: Library, fact: str, value: str, said: str) -> None:
    with pytest.raises(LibraryError, match=said):
        small.correct_card("a.pdf", {fact: value})


def test_a_library_from_before_there_were_cards_gets_them_on_opening(small: Library) -> None:
    card = small.find("a.pdf").card
    with Session(small.catalogue.engine) as session, session.begin():
        session.execute(update(DocumentRow).values(card=None))
    assert small.find("a.pdf").card is None
    with Library(small.folder) as again:
        assert again.find("a.pdf").card == card != Card()


def test_cards_survive_a_migration_back_and_forth(database_url: str) -> None:
    from alembic import command

    from octavo.ingest.store.database import _config

    catalogue = Catalogue(database_url)
    catalogue.queue("a" * 64, "one.pdf", 1, None)
    config = _config()
    with catalogue.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        connection.commit()
    assert Catalogue(database_url).documents()[0].card is None


# On the command line


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_the_command_shows_a_card_and_puts_it_right(small: Library) -> None:
    assert run("card", "a.pdf", "organisation=Acme", "period=FY2018", "--library", small.folder).exit_code == 0
    listed = json.loads(run("documents", "--library", small.folder, "--json").stdout)["documents"][0]["card"]
    assert (listed["organisation"], listed["period"], listed["corrected"]) == (
        "Acme",
        "FY2018",
        ["organisation", "period"],
    )
    shown = run("card", "a.pdf", "--library", small.folder).stdout
    assert "organisation  Acme  (put right)" in shown


def test_what_is_no_fact_is_wrong_use(small: Library) -> None:
    assert run("card", "a.pdf", "Acme", "--library", small.folder).exit_code == 2

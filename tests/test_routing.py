"""Documents first: which documents a question is sent to, and what a search makes of it."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from octavo import Library, Settings
from octavo.cli import main
from octavo.ingest.card import Card
from octavo.retrieval.model import Mode
from octavo.retrieval.routing import Filed, Route, Router


def filed(name: str, organisation: str, kind: str, period: str, date: str, also: str = "") -> Filed:
    return Filed(name, name, Card(organisation, also, "", kind, period, date))


def annual(year: int) -> Filed:
    return filed(f"granite{year}", "GRANITE WORKS INC.", "annual report", f"FY{year}", f"{year}-12-31")


SHELF = [
    *(annual(year) for year in (2018, 2019, 2020)),
    filed("granite-q2", "Granite Works Inc.", "quarterly report", "Q2 FY2020", "2020-06-30"),
    filed("granite-event", "Granite Works Inc.", "current report", "", "2020-07-01"),
    filed("granite-results", "Granite Works", "earnings release", "FY2020", "2020-12-31"),
    filed("harbour2019", "Advanced Harbour Devices, Inc.", "annual report", "FY2019", "2019-06-30", also="AHBD"),
    filed("harbour-q2", "Advanced Harbour Devices, Inc.", "quarterly report", "Q2 FY2020", "2019-12-31"),
    *(filed(f"other{n}", f"Company{n} Corp", "annual report", "FY2019", "2019-12-31") for n in range(12)),
]


def first(question: str) -> str:
    return next(iter(Router(SHELF).route(question).odds))


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("What was Granite Works' revenue in FY2019?", "granite2019"),
        ("what was granite's revenue in fiscal year 2019?", "granite2019"),
        ("How did the FY2018 - FY2020 sales of Granite Works grow?", "granite2020"),
        ("What did Granite sell in Q2 of 2020?", "granite-q2"),
        ("What was the key agenda of Granite's 8-K dated 1st July 2020?", "granite-event"),
        ("What does Granite's earnings release for 2020 say of sales?", "granite-results"),
        ("What was Granite's adjusted EBITDA in FY2020?", "granite-results"),
        ("What were AHD's inventories?", "harbour2019"),  # by its initials
        ("Did AHBD pay dividends in 2019?", "harbour2019"),  # by its symbol
        ("What did Advanced Harbour owe in the second quarter of fiscal 2020?", "harbour-q2"),
        ("What does Granite's latest annual report say of risks?", "granite2020"),
        ("As of FY2020, what did last year's annual report of Granite say?", "granite2019"),
        ("What was the revenue of Granite Works last year?", "granite2020"),
    ],
)
def test_a_question_goes_to_the_document_that_it_names(question: str, document: str) -> None:
    assert first(question) == document


@pytest.mark.parametrize(
    "question", ["What was Granite Mountain's revenue in FY2019?", "What does Advanced Micro owe?"]
)
def test_another_name_that_shares_a_word_chooses_nothing(question: str) -> None:
    assert Router(SHELF).route(question).chosen == ()


def test_a_name_beside_a_whole_name_changes_nothing() -> None:
    assert first("What did Granite Works Quarry earn in FY2019?") == "granite2019"


def test_a_year_without_a_report_goes_to_the_report_on_the_next() -> None:
    assert first("What was Granite's revenue in FY2017?") == "granite2018"


@pytest.mark.parametrize("question", ["What was revenue in 2019?", "How deep is the harbour?", "Who wrote it?"])
def test_a_question_that_names_no_document_is_asked_of_all(question: str) -> None:
    assert Router(SHELF).route(question).chosen == ()


def test_what_is_found_tells_apart_what_the_cards_do_not() -> None:
    route = Route({"a": 0.5, "b": 0.4, "c": 0.05}, ("a", "b"))
    told = route.told_by(["b", "b", "b", "a"])
    assert told.chosen == ("b", "a")
    assert sum(told.odds.values()) == pytest.approx(sum(route.odds.values()))


def test_cards_that_say_nothing_send_no_question_anywhere() -> None:
    assert Router([Filed(name, name, Card()) for name in "abc"]).route("What was sold in 2019?").chosen == ()
    assert Router([]).route("What was sold in 2019?").odds == {}


def steps(documents: int) -> int:
    """Functions called to route a question among so many documents, on twelve years."""
    cards = [Card(f"Company{n} Corp", kind="annual report", period=f"FY{2000 + n % 12}") for n in range(documents)]
    router = Router([Filed(str(n), "report.pdf", card) for n, card in enumerate(cards)])
    question = "What did Company7 sell in FY2007?"
    router.route(question)  # which compiles patterns
    called: list[str] = []
    sys.setprofile(lambda frame, event, _: called.append(event))
    try:
        router.route(question)
    finally:
        sys.setprofile(None)
    return called.count("call")


def test_more_documents_with_the_same_periods_and_kinds_take_no_more_steps() -> None:
    assert steps(2400) == steps(24)


# In a library


@pytest.fixture
def named(own_library: Any) -> Any:
    """The samples' library, of which one document is Granite Works' annual report."""
    own_library.correct_card("doctor-visits.pdf", {"organisation": "Granite Works", "period": "FY2019"})
    return own_library


@pytest.mark.parametrize("mode", list(Mode))
def test_every_way_searches_in_the_document_that_is_named(named: Any, mode: Mode) -> None:
    hits = named.search("What were the temperatures of Granite Works in FY2019?", mode=mode)
    assert {hit.document for hit in hits} == {"doctor-visits.pdf"}
    assert {hit.why[-1] for hit in hits} == {"document: probability 1.00 by its card"}


def test_a_library_may_search_everywhere(named: Any) -> None:
    settings = Settings(library=named.folder, documents_first=False)
    with Library(settings=settings, embedder=named.embedder) as everywhere:
        hits = everywhere.search("What were the temperatures of Granite Works in FY2019?")
    assert len({hit.document for hit in hits}) > 1


def test_documents_that_are_asked_for_win_over_those_that_are_named(named: Any) -> None:
    hits = named.search("What were the temperatures of Granite Works?", documents=["sunspot-cycles.pdf"])
    assert {hit.document for hit in hits} == {"sunspot-cycles.pdf"}


def test_the_command_tells_where_it_looked(named: Any) -> None:
    question = "What were the temperatures of Granite Works in FY2019?"
    told = json.loads(CliRunner().invoke(main, ["search", question, "--library", str(named.folder), "--json"]).stdout)
    (looked,) = told["looked"]
    assert looked["document"] == "doctor-visits.pdf"
    assert looked["card"].startswith("Granite Works, ")
    assert looked["probability"] > 0.9
    bare = CliRunner().invoke(main, ["search", question, "--everywhere", "--library", str(named.folder), "--json"])
    assert json.loads(bare.stdout)["looked"] == []

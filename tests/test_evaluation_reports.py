"""The reports: Markdown with its pictures, and an HTML page that holds everything."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from octavo.evaluation.questions import Question
from octavo.evaluation.reports import write_reports
from octavo.evaluation.results import Outcome, Reply
from octavo.evaluation.summary import summarise

NASTY = '<script>alert(1)</script> | & "it\'s"'
QUESTIONS = [
    Question("q1", f"What is {NASTY}?", "2", frozenset({("a.pdf", 1)}), type="a <b> type|of it"),
    Question("q2", "Which one?", "The second.", frozenset({("a.pdf", 2)}), type="choice"),
]


def outcome(question: str, way: str, *pages: tuple[str, int]) -> Outcome:
    reply = Reply(f"{NASTY} 2 [1]", (("a.pdf", 1),), "extractive", (), 0.5)
    return Outcome(question, way, tuple((page,) for page in pages), 0.1, reply)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    outcomes = [
        *(outcome("q1", "text", ("a.pdf", 1)), outcome("q2", "text", ("x.pdf", 1))),
        *(outcome("q1", "fusion", ("x.pdf", 1), ("a.pdf", 1)), outcome("q2", "fusion", ("a.pdf", 2))),
    ]
    summary = summarise(f"{NASTY}.jsonl", QUESTIONS, outcomes, 3, settings={"generator": "extractive"})
    write_reports(folder, summary, QUESTIONS, outcomes)
    return folder


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text())


def test_the_html_asks_nothing_of_the_network(folder: Path) -> None:
    html = (folder / "report.html").read_text()
    addresses = [value for _, attrs in page(folder).tags for key, value in attrs.items() if key in ("src", "href")]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    assert "url(" not in html


def test_the_html_shows_text_as_text(folder: Path) -> None:
    shown = page(folder)
    assert "script" not in {tag for tag, _ in shown.tags}
    assert f"What is {NASTY}?" in shown.text
    assert f"text: evidence at 1; said: {NASTY} 2 [1]" in shown.text
    assert "fusion: evidence at 2" in shown.text
    assert "text: no evidence found" in shown.text


def test_the_html_fits_a_phone(folder: Path) -> None:
    tags = page(folder).tags
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags
    tables = [n for n, (tag, _) in enumerate(tags) if tag == "table"]
    assert tables
    assert all(tags[n - 1] == ("div", {"class": "table"}) for n in tables)  # scrolls sideways by itself
    assert all(attrs["alt"] for tag, attrs in tags if tag == "img")


def test_the_pictures_of_both_reports_are_the_same(folder: Path) -> None:
    sources = [str(attrs["src"]) for tag, attrs in page(folder).tags if tag == "img"]
    named = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (folder / "report.md").read_text())
    assert named == ["recall.png", "metrics.png", "answers.png", "recall-by-type.png"]
    for source, name in zip(sources, named, strict=True):
        png = base64.b64decode(source.partition(",")[2])
        assert png == (folder / name).read_bytes()
        assert Image.open(BytesIO(png)).width == 800


def test_the_markdown_tables_are_whole_whatever_the_types_are_called(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    assert "a &lt;b> type\\|of it" in text
    widths: dict[int, set[int]] = {}
    for n, block in enumerate(text.split("\n\n")):
        if block.startswith("|"):
            widths[n] = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
    assert len(widths) >= 8
    assert {len(found) for found in widths.values()} == {1}


def test_the_markdown_has_the_figures_of_each_way(folder: Path) -> None:
    rows = re.findall(r"^\| (text|fusion) \| (\S+) .*?\| (\S+) \(", (folder / "report.md").read_text(), re.M)
    assert rows[:2] == [("text", "0.500", "0.500"), ("fusion", "0.750", "1.000")]


def test_a_metric_that_applies_to_some_questions_says_to_how_many(folder: Path) -> None:
    assert "numeric match (n = 1)" in (folder / "report.md").read_text()

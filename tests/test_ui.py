"""The chat, driven without a browser over a small library with the real models."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from streamlit.testing.v1 import AppTest

import octavo.ui
from octavo import calibrating, contract
from octavo.generation.answerer import NOT_HERE
from octavo.ingest.model import Page, ParsedDocument
from octavo.ingest.pipeline import IngestReport
from octavo.library import Library
from octavo.retrieval.calibration import SIGNALS, Calibration, Cut
from octavo.retrieval.model import Mode, Rule
from octavo.ui import uploads
from tests.tiny_models import qwen_vl_model

pytestmark = pytest.mark.slow

APP = str(Path(octavo.ui.__file__).parent / "app.py")
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
QUESTION = "How tall is the lighthouse of Skerrymore?"


def pdf(path: Path, title: str, paragraphs: list[str], rows: list[list[str]]) -> Path:
    styles = getSampleStyleSheet()
    table = Table(rows, style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black")]))
    story = [Paragraph(title, styles["Title"]), *(Paragraph(p, styles["BodyText"]) for p in paragraphs)]
    SimpleDocTemplate(str(path), pagesize=A4, title=title).build([*story, Spacer(1, 20), table])
    return path


@pytest.fixture(scope="session")
def pdfs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pdfs")
    return [
        pdf(
            folder / "lighthouse.pdf",
            "The lighthouse of Skerrymore",
            [
                "The lighthouse of Skerrymore is 48 metres tall and was lit for the first time in 1844.",
                "Its keepers counted the ships that passed on every night of the winter, as the table shows.",
            ],
            [["Month", "Ships"], ["November", "112"], ["December", "97"], ["January", "81"], ["February", "90"]],
        ),
        pdf(
            folder / "bakery.pdf",
            "The bakery at the harbour",
            [
                "The bakery at the harbour sold 5300 loaves of rye bread in the year 1901, at a price of $2.",
                "Flour came by boat from the mainland twice a week, and the oven was fired with peat.",
            ],
            [["Bread", "Loaves"], ["Rye", "5300"], ["Wheat", "2100"], ["Barley", "640"], ["Oat", "320"]],
        ),
    ]


@pytest.fixture(scope="session")
def shelf(pdfs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of both PDFs, to be copied."""
    folder = tmp_path_factory.mktemp("shelf") / "library"
    with Library(folder) as library:
        assert not library.ingest(pdfs).failed
    return folder


@pytest.fixture
def library(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "library"
    shutil.copytree(shelf, folder)
    monkeypatch.setenv("OCTAVO_LIBRARY", str(folder))
    return folder


def start(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.query_params.update(query)
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def go(app: AppTest, url_path: str, **query: str) -> AppTest:
    """What a click in the navigation does, for which AppTest has no name; "" is the chat."""
    pages = {info["url_pathname"].strip("/"): key for key, info in app._registered_pages.items()}
    app._page_hash = pages[url_path]
    app.query_params.clear()
    app.query_params.update(query)
    return sound(app.run())


def ask(app: AppTest, question: str = QUESTION) -> AppTest:
    return sound(app.chat_input(key="question").set_value(question).run())


def said(app: AppTest) -> str:
    """All that the page says, without escapes."""
    elements = (*app.main, *app.get("dialog"))
    texts = [str(getattr(element, "value", "")) for element in elements]
    texts += [str(getattr(element, "label", "")) for element in app.get("page_link")]
    return "\n".join(texts).replace("\\", "")


def wait_until(app: AppTest, condition: Callable[[AppTest], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition(app):
        assert time.monotonic() < deadline, said(app)
        time.sleep(0.5)
        sound(app.run())


def test_an_empty_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_LIBRARY", str(tmp_path / "new"))
    app = start()
    assert "This library is empty" in said(app)
    assert app.chat_input(key="question").disabled
    assert len(app.file_uploader) == 1
    assert "Nothing here yet" in said(go(app, "documents"))


def test_an_answer_comes_with_its_citations_and_pictures(library: Path) -> None:
    app = start()
    assert "The lighthouse of Skerrymore" in said(app)
    ask(app)
    text = said(app)
    assert "48 metres" in text
    assert "[[1]](#source-" in text
    assert "lighthouse.pdf, page 1" in text
    assert "Why this evidence" in [expander.label for expander in app.expander]
    assert "score" in text
    assert len(app.image) >= 2  # the page, and the place on it
    with Library(library) as opened:
        ((conversation, title),) = opened.conversations()
        assert title == QUESTION
        assert [message.role for message in opened.messages(conversation)] == ["user", "assistant"]


def test_a_conversation_is_found_again(library: Path) -> None:
    app = ask(ask(start()), "When was the lighthouse lit for the first time?")
    (conversation,) = (int(key) for key in app.query_params["conversation"])
    again = start()
    assert "48 metres" not in said(again)
    again.button(key=f"conversation-{conversation}").click().run()
    assert "48 metres" in said(sound(again))
    assert len(again.image) == len(app.image) >= 2
    reloaded = start(conversation=str(conversation))
    assert "48 metres" in said(reloaded)
    sound(reloaded.button(key="new-conversation").click().run())
    assert "48 metres" not in said(reloaded)


def test_a_conversation_is_deleted_only_when_confirmed(library: Path) -> None:
    app = ask(start())
    sound(app.button(key="delete-conversation").click().run())
    sound(app.button(key="keep-conversation").click().run())
    with Library(library) as opened:
        assert opened.conversations()
        sound(app.button(key="delete-conversation").click().run())
        sound(app.button(key="confirm-delete-conversation").click().run())
        assert not opened.conversations()
    assert "48 metres" not in said(app)


def test_answers_come_only_from_the_chosen_documents(library: Path) -> None:
    app = start()
    with Library(library) as opened:
        bakery = opened.find("bakery.pdf").sha256
    sound(app.multiselect(key="documents").set_value([bakery]).run())
    ask(app)
    assert "48 metres" not in said(app)
    assert "lighthouse.pdf" not in said(app)
    with Library(library) as opened:
        answer = opened.messages(opened.conversations()[0][0])[-1].answer
    assert answer
    assert {hit["document"] for hit in answer["selection"]["kept"]} == {"bakery.pdf"}


def test_a_deleted_document_leaves_its_conversations_readable(library: Path) -> None:
    app = ask(start())
    with Library(library) as opened:
        sha256 = opened.find("lighthouse.pdf").sha256
    go(app, "documents")
    assert "lighthouse.pdf" in said(app)
    sound(app.button(key=f"delete-{sha256[:16]}").click().run())
    sound(app.button(key="confirm-delete").click().run())
    assert "lighthouse.pdf" not in said(app)
    assert "bakery.pdf" in said(app)
    go(app, "")
    assert "48 metres" in said(app)
    assert "This document was deleted" in said(app)
    assert not app.image


def test_an_answer_without_its_deleted_documents_quotes_is_shown(library: Path) -> None:
    with Library(library) as opened:
        answer = contract.answer(opened.ask(QUESTION))
        number = opened.start_conversation(QUESTION)
        answer["citations"] = [c | {"text": "", "sha256": "ff" * 32} for c in answer["citations"]]
        answer["selection"] = {"kept": [], "dropped": [], "notes": []}
        opened.add_message(number, "user", QUESTION)
        opened.add_message(number, "assistant", answer["answer"], answer)
    text = said(start(conversation=str(number)))
    assert "48 metres" in text
    assert "This document was deleted" in text
    assert "Places in a document that was deleted since are not listed" in text
    assert "Places found" not in text


def test_files_dropped_while_another_ingestion_runs_wait_for_it(
    pdfs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    monkeypatch.setenv("OCTAVO_LIBRARY", str(folder))
    app = go(start(), "documents")
    other = uploads._jobs()[folder.resolve()] = uploads.Job(["other.pdf"])  # another tab's
    app.file_uploader[0].upload("lighthouse.pdf", pdfs[0].read_bytes(), "application/pdf")
    sound(app.run())
    assert "Yours come next" in said(app)
    assert "other.pdf" in said(app)
    assert uploads.job() is other
    other.report = IngestReport()
    wait_until(app, lambda app: "1 document added" in said(app))
    assert "Yours come next" not in said(app)


def test_uploads_are_taken_in_and_failures_give_their_reason(
    pdfs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTAVO_LIBRARY", str(tmp_path / "new"))
    app = go(start(), "documents")
    good, broken = pdfs[0].read_bytes(), b"%PDF-1.4 this is none"
    app.file_uploader[0].upload("lighthouse.pdf", good, "application/pdf")
    app.file_uploader[0].upload("broken.pdf", broken, "application/pdf")
    sound(app.run())
    wait_until(app, lambda app: any(button.key == "close-report" for button in app.button))
    text = said(app)
    assert "1 document added, 1 failed" in text
    with Library(tmp_path / "new") as opened:
        reason = opened.find("broken.pdf").error
    assert reason
    assert reason[1:] in text
    sound(app.button(key="close-report").click().run())
    assert "1 document added" not in said(app)
    ask(go(app, ""))
    assert "48 metres" in said(app)


def test_the_viewer_shows_a_pages_elements(library: Path) -> None:
    with Library(library) as opened:
        sha256 = opened.find("bakery.pdf").sha256
    app = go(start(), "pages", document=sha256)
    assert len(app.image) == 1
    assert "rye bread" in said(app)
    sound(app.pills[0].set_value(["heading"]).run())
    assert "rye bread" not in said(app)
    assert "No such document" in said(go(start(), "pages", document="ff" * 32))


def test_the_viewer_reaches_the_pages_after_one_that_could_not_be_read(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library(library) as opened:
        sha256 = opened.find("bakery.pdf").sha256
    document = ParsedDocument((Page(1, 595.0, 842.0), Page(3, 595.0, 842.0)), (), ())
    monkeypatch.setattr("octavo.ui.session.parsed", lambda _: document)
    monkeypatch.setattr("octavo.ui.session.page_picture", lambda *_: PICTURE)
    assert "Page 2 could not be read" in said(go(start(), "pages", document=sha256, page="2"))
    app = go(start(), "pages", document=sha256, page="3")
    assert len(app.image) == 1
    assert "could not be read" not in said(app)


def test_a_missing_model_gives_way_to_what_was_found(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVO_LOCAL_MODEL", str(library / "missing.gguf"))
    app = start()
    sound(app.radio(key="generator").set_value("local").run())
    ask(app)
    assert "missing.gguf" in said(app)
    assert "Traceback" not in said(app)
    assert "48 metres" in said(app)


def test_a_local_model_that_sees_has_a_slider_for_its_visual_tokens(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTAVO_LOCAL_MODEL", str(qwen_vl_model(tmp_path / "seeing")))
    monkeypatch.setenv("OCTAVO_MAX_ANSWER_TOKENS", "16")
    app = start()
    assert not app.slider
    sound(app.radio(key="generator").set_value("local").run())
    assert app.slider(key="keep_visual").value == 100
    sound(app.slider(key="keep_visual").set_value(10).run())
    ask(app)
    told = said(app)
    assert "local \\(seeing\\)" in told or "local (seeing)" in told  # a note: its weights are random, it cites nothing
    assert "48 metres" in told


def test_the_way_the_rule_and_the_domain_of_the_evidence_are_chosen_and_told(library: Path) -> None:
    with Library(library) as opened:
        opened.set_domain("sea", ["lighthouse.pdf"])
        opened.set_domain("land", ["bakery.pdf"])
    app = start()
    sound(app.radio(key="mode").set_value(Mode.IMAGE).run())
    sound(app.radio(key="rule").set_value(Rule.RATIO).run())
    sound(app.selectbox(key="domain").set_value("sea").run())
    ask(app)
    told = said(app)
    assert "48 metres" in told
    assert "picture: rank 1" in told
    assert "domain: sea" in told
    assert "kept by the ratio rule" in told


def test_where_nothing_is_likely_the_chat_says_so_and_links_to_what_is_nearest(library: Path) -> None:
    with Library(library) as opened:
        made = Calibration(
            lose=0.1,
            k=10,
            questions=40,
            weights=(0.0,) * len(SIGNALS),
            bias=-5.0,
            cuts={"": Cut(least=0.5, questions=20, missed=0)},
            made_with=calibrating.made_with(opened, Mode.TEXT),
        )
        opened.catalogue.choose(calibrating.choice(Mode.TEXT), made.model_dump_json())
    app = start()
    sound(app.radio(key="rule").set_value(Rule.CALIBRATED).run())
    ask(app)
    told = said(app)
    assert NOT_HERE in told
    assert "What came nearest:" in told
    assert "lighthouse.pdf, page 1" in [link.label.replace("\\", "") for link in app.get("page_link")]
    assert "evidence: probability 0.00669; kept from 0.5 on" in told


def test_the_rule_that_needs_a_calibration_is_offered_with_one_alone(library: Path) -> None:
    assert "Likely enough" not in start().radio(key="rule").options

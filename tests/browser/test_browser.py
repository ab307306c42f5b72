"""The chat in a real chromium: `octavo serve` as people start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

from octavo.library import Library

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SLOW = 180_000  # ms, since models load and PDFs are read meanwhile
HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/a.png> ![p](http://evil.example/b.png) "
    "[l](http://evil.example) http://evil.example/c www.evil.example me@evil.example $x^2$ :smile: `code` # h"
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")


@contextmanager
def serving(library: Path, **settings: str) -> Iterator[str]:
    """`octavo serve` over `library`; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    octavo = "from octavo.cli import main; main()"
    command = [sys.executable, "-c", octavo, "serve", "--port", str(port), "--library", str(library)]
    log = library.parent / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env=os.environ | settings, stdout=output, stderr=output, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, server, log)
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SLOW / 1000
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)


@pytest.fixture
def page() -> Iterator[playwright.Page]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(SLOW)
        yield page
        browser.close()


@pytest.fixture(scope="session")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "lighthouse.pdf"
    styles = getSampleStyleSheet()
    story = [
        Paragraph("The lighthouse of Skerrymore", styles["Title"]),
        Paragraph(
            "The lighthouse of Skerrymore is 48 metres tall and was lit for the first time in 1844.", styles["BodyText"]
        ),
        Paragraph("Its keepers counted the ships that passed on every night of the winter.", styles["BodyText"]),
    ]
    SimpleDocTemplate(str(path), title="The lighthouse of Skerrymore").build(story)
    return path


def ask(page: playwright.Page, question: str) -> None:
    box = page.get_by_role("textbox", name="Ask a question about your documents")
    box.fill(question)
    box.press("Enter")


def sees(page: playwright.Page, text: str) -> None:
    playwright.expect(page.get_by_text(text).first).to_be_visible(timeout=SLOW)


def sees_pictures(page: playwright.Page) -> None:
    """The cited page and the place on it are there and were delivered."""
    pictures = page.locator("[class*='st-key-card-'] img")
    playwright.expect(pictures).to_have_count(2, timeout=SLOW)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_from_an_empty_library_to_an_answer_that_outlives_the_server(
    page: playwright.Page, pdf: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    with serving(library) as address:
        page.goto(address)
        sees(page, "This library is empty")
        page.locator("input[type=file]").set_input_files(pdf)
        ask(page, "How tall is the lighthouse of Skerrymore?")  # waits until the box is enabled
        sees(page, "48 metres tall")
        sees_pictures(page)
        page.get_by_role("link", name="[1]").click()
        assert "#source-" in page.url
    with serving(library) as address:
        page.goto(address)
        page.locator(".st-key-conversations button").first.click()
        sees(page, "48 metres tall")
        sees_pictures(page)


def test_what_documents_say_stays_text(page: playwright.Page, tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        conversation = library.start_conversation(HOSTILE)
        citation = {"number": 1, "document": HOSTILE, "sha256": "ff" * 32, "page": 1, "bbox": [0, 0, 1, 1]}
        citation |= {"type": "text", "element": "e", "text": HOSTILE}
        hit = {"document": HOSTILE, "page": 1, "bbox": [0, 0, 1, 1], "type": "text", "score": 1.0, "text": HOSTILE}
        answer = {"answer": f"{HOSTILE} [1]", "citations": [citation], "generator": HOSTILE, "unsupported": [HOSTILE]}
        answer |= {"notes": [HOSTILE], "selection": {"kept": [hit | {"why": [HOSTILE]}], "dropped": [], "notes": []}}
        library.add_message(conversation, "user", HOSTILE)
        library.add_message(conversation, "assistant", HOSTILE, answer | {"timings": {}})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    with serving(tmp_path / "library") as address:
        page.goto(f"{address}/?conversation={conversation}")
        sees(page, "no longer in the library")
        page.get_by_text("Why this evidence").click()
        sees(page, "Places found")
        main = page.locator("[data-testid=stMain]")
        for markup in ("a[href*=evil]", "a[href^=mailto]", "img", "script", "code", ".katex", "h1"):
            assert main.locator(markup).count() == 0, markup
        assert main.get_by_text("http://evil.example/c".replace(":", ":\u2060")).count() > 3
        assert ":\u2060smile:" in main.inner_text()
    assert not [url for url in asked if "evil" in url]


class _Endless(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint whose answers never end."""

    left = Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while True:
                self.wfile.write(
                    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
                    b'[{"index":0,"delta":{"role":"assistant","content":"more "},"finish_reason":null}]}\n\n'
                )
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.left.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_an_answer_can_be_stopped(page: playwright.Page, pdf: Path, tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.ingest([pdf])
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), _Endless)
    Thread(target=endpoint.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{endpoint.server_port}/v1"
    with serving(tmp_path / "library", OCTAVO_GENERATOR="openai", OCTAVO_OPENAI_BASE_URL=url) as address:
        page.goto(address)
        ask(page, "How tall is the lighthouse?")
        sees(page, "more more more")
        page.locator(".st-key-stop button").click()
        sees(page, "Stopped before it was finished.")
        sees(page, "more more more")
        assert _Endless.left.wait(30)
        playwright.expect(page.get_by_role("button", name="Ask again")).to_be_visible(timeout=SLOW)
    endpoint.shutdown()

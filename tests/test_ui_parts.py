"""The chat's parts that need no page: harmless text, slow iterators, close-ups."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterable
from io import BytesIO
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from octavo.ingest.model import Element, ElementType, Page, Table
from octavo.ingest.pipeline import IngestReport
from octavo.ingest.text import count
from octavo.settings import Settings
from octavo.ui import controls, session, uploads
from octavo.ui.beside import follow
from octavo.ui.closeup import close_up, windows
from octavo.ui.words import plain, short, size, with_marks

HOSTILE = [
    "<script>alert(1)</script> <img src=x onerror=alert(1)>",
    "![picture](http://evil.example/x.png) [link](http://evil.example) <http://evil.example>",
    "# heading\n- item\n1. one\n> quote\n    code\n```\nfence\n```\n---\n| a | b |\n|---|---|\n| 1 | 2 |",
    "`code` **bold** _it_ ~~s~~ &lt;b&gt; \\[x\\] [ref]: http://x",
    "$x^2$ and $$y$$, $5 and $6, :red[red] :blue-badge[b] :material/home:",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_text_has_no_markup(text: str) -> None:
    """CommonMark: an escaped punctuation character is that character; unescaped, only it can be markup."""
    shown = plain(text)
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", shown))
    assert not any(line.startswith((" ", "\t")) for line in shown.splitlines())
    letters = re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "")
    assert letters.split() == text.split()


@pytest.mark.parametrize(
    "text", ["see https://a.example/b", "www.a.example", "me@a.example", ":smile:", "a -> b", "a -- b"]
)
def test_what_streamlit_looks_for_after_parsing_is_parted(text: str) -> None:
    assert "\u2060" in plain(text)


def test_times_and_ranges_carry_nothing_invisible() -> None:
    assert "\u2060" not in plain("from 12:30:15 to 13:00, 2001-2002, 3 < 4")


def test_only_marks_that_cite_are_links() -> None:
    assert with_marks("It was 5. [1] Or 6 [2][3].", {1: "a-1", 3: "a-3"}) == (
        "It was 5\\. [\\[1\\]](#a-1) Or 6 \\[2\\][\\[3\\]](#a-3)\\."
    )


def test_words_for_numbers() -> None:
    assert [count(1, "page"), count(1204, "page")] == ["1 page", "1,204 pages"]
    assert [size(100), size(3 * 2**20)] == ["1 KB", "3.0 MB"]
    assert short("a  b\nc", 10) == "a b c"
    assert short("abcdefgh", 5) == "abcd…"
    assert short("one two three four", 13) == "one two…"
    assert short("one two three four", 14) == "one two three…"


def test_following_yields_ticks_and_items_and_raises() -> None:
    def slow() -> Generator[str, None, None]:
        yield "a"
        time.sleep(0.2)
        raise ValueError("broken")

    seen: list[str | None] = []
    with pytest.raises(ValueError, match="broken"):
        seen.extend(follow(slow(), 0.02))
    followed = list(follow((n for n in range(3)), 0.02))
    assert followed == [0, 1, 2]


def test_closing_what_follows_closes_the_source() -> None:
    closed = Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                time.sleep(0.01)
                yield 1
        finally:
            closed.set()

    followed = follow(endless(), 0.02)
    assert next(piece for piece in followed if piece)
    followed.close()
    assert closed.wait(2)


def test_a_close_up_stays_on_the_page_and_holds_the_box() -> None:
    for box in [(0.0, 0.0, 20.0, 10.0), (590.0, 780.0, 612.0, 792.0), (50.0, 100.0, 560.0, 130.0)]:
        ((x0, y0, x1, y1),) = windows(box, None, 612.0, 792.0)
        assert 0 <= x0 <= box[0]
        assert 0 <= y0 <= box[1]
        assert box[2] <= x1 <= 612
        assert box[3] <= y1 <= 792


def test_a_cell_comes_with_its_tables_header() -> None:
    cells = tuple(((50.0, 100.0 + 20 * row, 300.0, 120.0 + 20 * row),) for row in range(12))
    table = Table(tuple((str(row),) for row in range(12)), cells)
    element = Element("t", ElementType.TABLE, 1, (50.0, 100.0, 300.0, 340.0), "", table=table)
    header, row = windows((50.0, 320.0, 90.0, 340.0), element, 612.0, 792.0)
    assert header[1] < 100 < 120 < header[3] < row[1] < 320 < 340 < row[3]
    assert (header[0], header[2]) == (row[0], row[2])
    assert row[0] <= 50
    assert row[2] >= 300
    assert len(windows((50.0, 120.0, 90.0, 140.0), element, 612.0, 792.0)) == 1
    assert len(windows(element.bbox, element, 612.0, 792.0)) == 1


def test_a_close_up_of_a_page_drawn_smaller_shows_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 8,000 by 4,000 points, capped at 4,000 pixels: half a pixel a point, whatever the resolution."""
    page = Image.new("RGB", (4000, 2000), "white")
    page.paste((255, 0, 0), (3500, 1500, 3600, 1550))
    buffer = BytesIO()
    page.save(buffer, "PNG")
    monkeypatch.setattr(session, "page_picture", lambda *_: buffer.getvalue())
    monkeypatch.setattr(session, "parsed", lambda _: SimpleNamespace(pages=(Page(3, 8000.0, 4000.0),)))
    with Image.open(BytesIO(close_up("ff", 3, (7000.0, 3000.0, 7200.0, 3100.0), (1.0, 0.0, 0.0)))) as shown:
        reds = sum(pixel == (255, 0, 0) for pixel in shown.convert("RGB").getdata())
        assert reds == 100 * 50
        assert shown.width == 130  # the least width, 260 points


def test_the_settings_share_of_visual_tokens_stands_until_the_slider_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {"generator": "local"}
    monkeypatch.setattr(controls.st, "session_state", state)
    monkeypatch.setattr(controls, "_looks", lambda _: True)
    for share, shown in ((0.098, 10), (0.004, 1), (1.0, 100)):
        assert controls._percent(Settings(keep_visual=share)) == shown
        for unmoved in ({}, {"keep_visual": shown}):
            monkeypatch.setattr(controls.st, "session_state", state | unmoved)
            assert "keep_visual" not in controls.chosen_how(Settings(keep_visual=share))
    monkeypatch.setattr(controls.st, "session_state", state | {"keep_visual": 25})
    assert controls.chosen_how(Settings(keep_visual=0.098))["keep_visual"] == 0.25


class Upload:
    """What `st.file_uploader` gives, with contents that tell when they are forgotten."""

    def __init__(self, name: str, forgotten: list[str]) -> None:
        class Content(bytes):
            def __del__(self) -> None:
                forgotten.append(name)

        self.name, self._kind = name, Content

    def getvalue(self) -> bytes:
        return self._kind(b"%PDF")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A library that takes uploads in when it is let."""
    library = SimpleNamespace(folder=Path("shelf"), taken=Event(), let=Event(), names=[])

    def upload(files: Iterable[tuple[str, bytes]], _: Any) -> IngestReport:
        for name, _data in files:
            library.names.append(name)
        del _data
        library.taken.set()
        assert library.let.wait(10)
        return IngestReport()

    library.upload = upload
    jobs: dict[Path, uploads.Job] = {}
    monkeypatch.setattr(uploads, "_jobs", lambda: jobs)
    monkeypatch.setattr(session, "library", lambda: library)
    return library


def test_uploads_are_not_kept_in_memory_while_they_are_read(shelf: SimpleNamespace) -> None:
    forgotten: list[str] = []
    uploads._start([Upload("a.pdf", forgotten), Upload("b.pdf", forgotten)])  # type: ignore[list-item]
    try:
        assert shelf.taken.wait(10)
        assert shelf.names == forgotten == ["a.pdf", "b.pdf"]
    finally:
        shelf.let.set()


def test_an_ingestion_that_runs_is_not_overwritten(shelf: SimpleNamespace) -> None:
    try:
        assert uploads._start([Upload("a.pdf", [])])  # type: ignore[list-item]
        first = uploads.job()
        assert not uploads._start([Upload("b.pdf", [])])  # type: ignore[list-item]
        assert uploads.job() is first
    finally:
        shelf.let.set()

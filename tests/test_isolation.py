"""PDFs made to hang, bloat or crash their reader cost themselves only, each with its reason."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from octavo import Library, Settings
from octavo.ingest.model import State
from octavo.ingest.parse import read
from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.render import page_png
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.ingest.workers import Workers
from octavo.opened import limits
from tests import hostile
from tests.test_ingest import write_pdf

READ = {  # whatever is wrong with them
    *("deep_nesting", "circular_form", "circular_outline", "circular_length", "circular_xref", "broken_xref"),
    "huge_map",
}
NOT_READ = {  # and how the reason goes on
    "bomb": "reading it took too long and was stopped",
    "form_tree": "reading it took too long and was stopped",
    "nested_contents": "the PDF is too much for the reader; saving it anew from a PDF viewer may simplify it (",
    "saved_states": "the PDF is too much for the reader; saving it anew from a PDF viewer may simplify it (",
    "circular_page_tree": "the PDF is damaged; saving it anew from a PDF viewer may mend it (",
    "false_count": "the PDF is damaged; saving it anew from a PDF viewer may mend it (",
}
PERHAPS = {"deep_page_tree", "drawings", "fonts", "huge_image", "wide_page", "words"}  # as fast as the machine is


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, DocumentInfo]]]:
    """A library after all hostile PDFs and a harmless one were taken in, and its documents by name."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in hostile.MAKERS:
        hostile.write(folder, name)
    write_pdf(folder / "harmless.pdf", "The harbour was built of granite in the year of the flood.")
    settings = Settings(library=tmp_path_factory.mktemp("library"), page_seconds=3.0)
    with pytest.MonkeyPatch.context() as patch, Library(settings=settings) as library:
        patch.setattr("octavo.ingest.workers._START_SECONDS", 2.0)
        library.ingest([folder])
        yield library, {info.name.removesuffix(".pdf").replace("-", "_"): info for info in library.documents()}


def test_every_kind_is_expected_to_end_one_way() -> None:
    assert set(hostile.MAKERS) == READ | set(NOT_READ) | PERHAPS


@pytest.mark.slow
def test_the_harmless_document_is_in(after: tuple[Any, dict[str, DocumentInfo]]) -> None:
    library, infos = after
    assert infos["harmless"].state is State.READY
    assert "harmless.pdf" in {hit.document for hit in library.search("harbour granite flood")}


@pytest.mark.slow
def test_what_can_be_read_of_hostile_documents_is(after: tuple[Any, dict[str, DocumentInfo]]) -> None:
    library, infos = after
    for name in READ | {name for name in PERHAPS if infos[name].state is State.READY}:
        texts = {element.text for element in library.parsed(infos[name].sha256).elements}
        assert "The harbour was built of granite." in texts, name


@pytest.mark.parametrize("reader", BACKENDS)
@pytest.mark.slow
def test_each_reader_reads_what_is_cheap_to_read_of_them(reader: str, tmp_path: Path) -> None:
    with Workers(make_reader(reader), limits(Settings())) as workers:
        for name in ("circular_outline", "circular_length", "circular_xref", "broken_xref", "huge_map"):
            elements = read(workers, hostile.write(tmp_path, name), name).elements
            assert [element.text for element in elements] == ["The harbour was built of granite."], name


@pytest.mark.slow
def test_what_cannot_be_read_says_why_in_a_line(after: tuple[Any, dict[str, DocumentInfo]]) -> None:
    _, infos = after
    for name, why in (NOT_READ | {name: "" for name in PERHAPS if infos[name].state is not State.READY}).items():
        assert infos[name].state is State.FAILED, name
        assert infos[name].error
        assert infos[name].error.startswith(why)
        assert len(infos[name].error.splitlines()) == 1


@pytest.mark.slow
def test_drawing_a_page_has_a_limit_of_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octavo.ingest.render._SECONDS", 3.0)
    path = hostile.write(tmp_path, "form_tree")
    started = time.monotonic()
    with pytest.raises(UnreadableError, match="page 1 cannot be drawn: drawing it took too long and was stopped"):
        page_png(path, 1)
    assert time.monotonic() - started < 30
    assert page_png(write_pdf(tmp_path / "next.pdf", "A page."), 1).startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker ends with its task")
@pytest.mark.slow
def test_a_worker_that_hangs_in_a_pdf_dies_with_a_killed_parent(tmp_path: Path) -> None:
    drawing = "import sys, pathlib; from octavo.ingest.render import page_png; page_png(pathlib.Path(sys.argv[1]), 1)"
    parent = subprocess.Popen([sys.executable, "-c", drawing, hostile.write(tmp_path, "form_tree")])
    while not (hanging := [pid for pid in children(parent.pid) if seconds_of_work(pid) > 3]):
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    time.sleep(0.5)
    assert not any(lives(pid) for pid in hanging)


def children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")  # by the thread that started them
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def seconds_of_work(pid: int) -> float:
    return int(status(pid)[11]) / os.sysconf("SC_CLK_TCK")


def lives(pid: int) -> bool:
    try:
        return status(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def status(pid: int) -> list[str]:
    """What /proc tells of a process after its name: its state, its parent, ..., the ticks that it worked."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()

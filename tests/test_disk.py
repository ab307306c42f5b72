"""A disk that is full, a folder that cannot be written: one clear line, and a library that still answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from sqlalchemy.exc import SQLAlchemyError

from octavo import Library
from octavo.errors import explain
from octavo.ingest.store.files import StorageError
from octavo.retrieval.embedder import SentenceEmbedder
from tests.test_ingest import write_pdf

QUESTION = "What was the harbour built of?"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, mounted in memory; skips where a test may not mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder()


@pytest.fixture
def held(disk: Path, tmp_path: Path, embedder: SentenceEmbedder) -> Path:
    """A library on that disk that holds a document."""
    path = write_pdf(tmp_path / "harbour.pdf", "The harbour was built of granite in the year of the flood.")
    with Library(disk / "library", embedder=embedder) as library:
        library.ingest([path])
        library.search(QUESTION)
    return disk / "library"


def why_not(library: Any, change: Callable[[], object]) -> str:
    """The line that a user is told when `change` cannot be made."""
    with pytest.raises((StorageError, SQLAlchemyError)) as caught:
        change()
    line = explain(caught.value)
    assert line
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.slow
@pytest.mark.parametrize("room", [400_000, 0])  # bytes left: for the copy of the PDF, but not for its rows; for nothing
def test_a_full_disk_ends_an_ingestion_in_a_line_and_a_library_that_answers(
    disk: Path, held: Path, tmp_path: Path, embedder: SentenceEmbedder, room: int
) -> None:
    with pymupdf.open(
        write_pdf(tmp_path / "ships.pdf", *("A page about ships. " * 150 for _ in range(20)))
    ) as document:
        document.embfile_add("noise", os.urandom(250_000))
        document.save(tmp_path / "more.pdf")
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        ballast.write(bytes(max(0, shutil.disk_usage(disk).free - room)))
    with Library(held, embedder=embedder) as library:
        line = why_not(library, lambda: library.ingest([tmp_path / "more.pdf"]))
        assert any(words in line for words in ("No space left on device", "disk is full", "readonly database"))
    with Library(held, embedder=embedder) as library:
        assert "granite" in library.search(QUESTION, 1)[0].chunk.text
    (disk / "ballast").unlink()
    with Library(held, embedder=embedder) as library:
        assert library.ingest([tmp_path / "more.pdf"]).failed == []
        assert [(i.name, i.state) for i in library.documents()] == [("harbour.pdf", "ready"), ("more.pdf", "ready")]
        assert len(list(library.files.pdfs.iterdir())) == 2


@pytest.mark.slow
def test_a_read_only_folder_is_searched_and_left_as_it_is(
    disk: Path, held: Path, tmp_path: Path, embedder: SentenceEmbedder
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    more = write_pdf(tmp_path / "more.pdf", "A page.")
    with Library(held, embedder=embedder) as library:
        assert "granite" in library.search(QUESTION, 1)[0].chunk.text
        for change in (lambda: library.ingest([more]), lambda: library.delete("harbour.pdf"), library.reindex):
            line = why_not(library, change)
            assert line.startswith(f"cannot write to {held}: Read-only file system. What is in the library stays")
        assert [info.name for info in library.documents()] == ["harbour.pdf"]

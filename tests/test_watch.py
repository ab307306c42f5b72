"""A watched folder: what comes, changes, moves and goes there does so in the library."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest

from octavo import Library
from octavo.ingest.parse import sha256_of
from octavo.ingest.watch import changes
from tests.test_ingest import write_pdf


class Watch:
    """`changes` of a folder, as the names that came and that went."""

    def __init__(self, folder: Path, known: tuple[str, ...] = (), recursive: bool = False) -> None:
        self.stop = Event()
        self.changes = changes(folder, known, recursive, self.stop)

    def next(self) -> tuple[list[str], list[str]]:
        fresh, gone = next(self.changes)
        return [source.name for source in fresh], [Path(place).name for place in gone]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("octavo.ingest.watch._SETTLED", 0.8)
    (tmp_path / "watched").mkdir()
    return tmp_path / "watched"


@pytest.mark.slow
def test_what_is_there_comes_first_then_each_change(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"1")
    (folder / "notes.txt").write_bytes(b"1")
    watch = Watch(folder)
    assert watch.next() == (["a.pdf"], [])
    (folder / "b.pdf").write_bytes(b"2")
    assert watch.next() == (["b.pdf"], [])
    (folder / "a.pdf").write_bytes(b"11")
    assert watch.next() == (["a.pdf"], [])
    (folder / "a.pdf").rename(folder / "c.pdf")
    assert watch.next() == (["c.pdf"], ["a.pdf"])
    (folder / "b.pdf").unlink()
    assert watch.next() == ([], ["b.pdf"])


@pytest.mark.slow
def test_a_file_comes_once_it_has_stopped_growing(folder: Path) -> None:
    script = (
        "import sys, time\nwith open(sys.argv[1], 'wb', buffering=0) as file:\n"
        "    for _ in range(8): file.write(b'x'); time.sleep(0.3)\n"
    )
    (folder / "other.pdf").write_bytes(b"1")
    watch = Watch(folder)
    writer = subprocess.Popen([sys.executable, "-c", script, folder / "growing.pdf"])
    assert watch.next() == (["other.pdf"], [])
    assert watch.next() == (["growing.pdf"], [])
    assert (folder / "growing.pdf").stat().st_size == 8
    assert writer.wait() == 0


@pytest.mark.slow
def test_a_file_saved_anew_is_not_gone_meanwhile(folder: Path) -> None:
    path = folder / "a.pdf"
    path.write_bytes(b"1")
    watch = Watch(folder)
    watch.next()
    path.unlink()
    time.sleep(0.6)
    path.write_bytes(b"2")
    assert watch.next() == (["a.pdf"], [])


@pytest.mark.slow
def test_what_went_while_nobody_watched_is_gone(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"1")
    assert Watch(folder, (f"{folder}/a.pdf", f"{folder}/b.pdf")).next() == (["a.pdf"], ["b.pdf"])


@pytest.mark.slow
def test_in_a_folder_without_pdfs_nothing_has_gone(folder: Path) -> None:
    later = Timer(1, (folder / "b.pdf").write_bytes, [b"1"])
    later.start()
    assert Watch(folder, (f"{folder}/a.pdf",)).next() == (["b.pdf"], [])


@pytest.mark.slow
def test_a_folder_that_goes_takes_nothing_along(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"1")
    watch = Watch(folder)
    watch.next()
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match="nothing was deleted"):
        watch.next()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user who may not read everything."""
    with tempfile.TemporaryDirectory() as folder:
        privileged = os.geteuid() == 0
        if privileged:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield Path(folder)
        if privileged:
            os.seteuid(0)


@pytest.mark.slow
def test_a_subfolder_that_cannot_be_read_takes_nothing_along(folder: Path, unprivileged: Path) -> None:
    deep = unprivileged / "deep"
    (deep / "deeper").mkdir(parents=True)
    for path in (unprivileged / "a.pdf", deep / "b.pdf", deep / "deeper" / "c.pdf"):
        path.write_bytes(b"1")
    watch = Watch(unprivileged, recursive=True)
    watch.next()
    deep.chmod(0)
    Timer(2, (unprivileged / "a.pdf").unlink).start()
    assert watch.next() == ([], ["a.pdf"])
    deep.chmod(0o700)
    (deep / "b.pdf").unlink()
    assert watch.next() == ([], ["b.pdf"])
    shutil.rmtree(deep)
    assert watch.next() == ([], ["c.pdf"])


@pytest.mark.slow
def test_a_disk_that_is_no_longer_mounted_takes_nothing_along(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        for path in (folder / "a.pdf", disk / "b.pdf"):
            path.write_bytes(b"1")
        watch = Watch(folder, recursive=True)
        watch.next()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    Timer(2, (folder / "a.pdf").unlink).start()
    assert watch.next() == ([], ["a.pdf"])
    disk.rmdir()  # as an automounter does
    later = Timer(2, (folder / "c.pdf").write_bytes, [b"1"])
    later.start()
    assert watch.next() == (["c.pdf"], [])


@pytest.mark.slow
def test_subfolders_are_watched_when_asked(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"1")
    watch = Watch(folder, recursive=True)
    watch.next()
    (folder / "deep").mkdir()
    (folder / "deep" / "b.pdf").write_bytes(b"2")
    assert watch.next() == (["b.pdf"], [])


def names(library: Any) -> list[tuple[str, ...]]:
    return [info.names for info in library.documents()]


@pytest.mark.slow
def test_a_library_keeps_in_step_with_its_folder(folder: Path, tmp_path: Path) -> None:
    first = write_pdf(folder / "first.pdf", "The harbour was built of granite in the year of the flood.")
    other = write_pdf(tmp_path / "other.pdf", "The lighthouse burns oil from the seed of rape.")
    with Library(tmp_path / "library") as library:
        library.ingest([other])
        watch: Iterator[Any] = library.watch(folder)
        next(watch)
        assert names(library) == [("first.pdf",), ("other.pdf",)]
        shutil.copy(first, folder / "second.pdf")
        next(watch)
        assert names(library) == [("first.pdf", "second.pdf"), ("other.pdf",)]
        first.unlink()
        report = next(watch)
        assert (report.removed, report.unnamed) == ([], [("first.pdf", "second.pdf", sha256_of(folder / "second.pdf"))])
        assert names(library) == [("other.pdf",), ("second.pdf",)]
        (folder / "second.pdf").rename(folder / "third.pdf")
        assert next(watch).pages == 0  # read in this run
        assert names(library) == [("other.pdf",), ("third.pdf",)]
        write_pdf(folder / "third.pdf", "The harbour was rebuilt of concrete.")
        assert next(watch).replaced == ["third.pdf"]
        assert "concrete" in library.search("What was the harbour built of?", 1)[0].chunk.text
        (folder / "third.pdf").unlink()
        assert next(watch).removed == ["third.pdf"]
        assert names(library) == [("other.pdf",)]
        assert len(library.index.vectors) == 1


@pytest.mark.slow
def test_ctrl_c_ends_watching_cleanly(folder: Path, tmp_path: Path) -> None:
    write_pdf(folder / "first.pdf", "The harbour was built of granite in the year of the flood.")
    command = [sys.executable, "-m", "octavo", "ingest", "--watch", folder, "--json", "--library", tmp_path / "library"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout
    event = json.loads(process.stdout.readline())
    assert [document["name"] for document in event["documents"]] == ["first.pdf"]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line.split(" ", 2)[:2] for line in said.splitlines()] == [["watching", str(folder) + ";"], ["no", "longer"]]


@pytest.mark.slow
def test_a_name_that_goes_from_a_document_that_stays_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copy(write_pdf(folder / "first.pdf", "The harbour was built of granite."), folder / "second.pdf")
    command = [sys.executable, "-m", "octavo", "ingest", "--watch", folder, "--library", tmp_path / "library"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().startswith("first.pdf = second.pdf: ")
    (folder / "second.pdf").unlink()
    assert process.stdout.readline() == "second.pdf: gone, the document stays as first.pdf\n"
    process.terminate()
    assert process.wait() == 0


@pytest.mark.slow
def test_only_a_folder_can_be_watched(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", "A page.")
    command = [sys.executable, "-m", "octavo", "ingest", "--watch", path, "--library", tmp_path / "library"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "Error: --watch takes one folder")

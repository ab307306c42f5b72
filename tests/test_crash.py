"""An ingestion that is killed again and again ends as an undisturbed one: the same rows, vectors, files and hits.

`OCTAVO_KILLS=30 pytest tests/test_crash.py` kills as often; a few kills are enough for every day.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import pymupdf
import pytest
from sqlalchemy import select

from octavo import Library
from octavo.ingest.model import State
from octavo.ingest.store.schema import Base
from octavo.retrieval.embedder import SentenceEmbedder

KILLS = int(os.environ.get("OCTAVO_KILLS", "5"))
EXCERPTS = {  # folder -> files by their place in it, and pages
    "ntsb": ([0, 5, 6, 14, 17], [0]),
    "trials": ([15, 16, 19], [0]),
    "icdar2013": ([1, 4], [0, 1]),
    "agency": ([2, 9], [11]),
}
QUESTIONS = (
    "What was the probable cause of the accident?",
    "How many hours had the pilot flown?",
    "Who may take part in the study?",
    "What was achieved against the target in the fiscal year?",
)
NURSERY = """
import os, signal, sys
import sentence_transformers, faiss, bm25s, pebble
from octavo import Library, Settings
import octavo.ingest.embedding, octavo.retrieval.index
for line in sys.stdin:
    source, target, question, halts = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        os.setsid()
        if halts:
            bm25s.BM25.save = lambda *_, **__: os.kill(os.getpid(), signal.SIGSTOP)
        settings = Settings(library=target, workers=2)
        with Library(settings=settings) as library:
            library.ingest([source])
            library.search(question)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """A process that has imported everything and forks one ingestion after the other, so that kills meet work."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.seconds = 0.0  # that the last ingestion took
        command = [sys.executable, "-c", NURSERY]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ingest(self, target: Path, moment: Callable[[], object] | None = None, halts: bool = False) -> bool:
        """Ingests into `target`, then searches it once; with workers and all killed at a `moment`. Whether it was.

        One that `halts` stands still while it writes its snapshots.
        """
        assert self.process.stdin
        assert self.process.stdout
        line = "\t".join([str(self.source), str(target), QUESTIONS[0], "halts" if halts else ""])
        print(line, file=self.process.stdin, flush=True)
        child = int(self.process.stdout.readline())
        started = time.monotonic()
        if moment is not None:
            moment()
            try:
                os.killpg(child, signal.SIGKILL)
            except ProcessLookupError:
                assert self.process.stdout.readline() == "0\n"
                return False
        status = int(self.process.stdout.readline())
        self.seconds = time.monotonic() - started
        assert status in (0, -signal.SIGKILL)
        return status != 0


@pytest.fixture(scope="module")
def nursery(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """With twelve real documents to take in."""
    source = tmp_path_factory.mktemp("twelve")
    for folder, (files, pages) in EXCERPTS.items():
        paths = sorted((data / folder).glob("*.pdf"))
        for path in (paths[n] for n in files):
            with pymupdf.open(path) as document:
                document.select([n for n in pages if n < document.page_count])
                document.save(source / f"{folder}-{path.name}", garbage=4, deflate=True)
    assert len(list(source.iterdir())) == 12
    nursery = Nursery(source)
    yield nursery
    nursery.process.communicate()


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder()


def holdings(folder: Path, only: set[str] | None = None) -> dict[str, Any]:
    """Every row and file of a library, but for numbers that count and times; of documents (SHA-256) `only`, if given.

    Rows that hang on a document's number are shown with its SHA-256, those on a chunk's with its place in the document.
    """
    with Library(folder) as library, library.catalogue.engine.connect() as connection:
        tables = {
            table.name: [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if table.name not in ("choices", "conversations", "messages")
        }
        shas = {row["id"]: row["sha256"] for row in tables["documents"]}
        elements = {row["id"]: shas[row["document_id"]] for row in tables["elements"]}
        places: dict[int, tuple[str, int]] = {}
        counts: Counter[str] = Counter()
        for row in tables["chunks"]:
            sha256 = shas[row["document_id"]]
            places[row["id"]] = sha256, counts[sha256]
            counts[sha256] += 1
        found: dict[str, Any] = {}
        for name, rows in tables.items():
            for row in rows:
                row.pop("added", None)
                document = row.pop("document_id", None)
                owner = shas[document] if document else row.get("sha256") or elements.get(row.get("source"))
                if name == "chunks":
                    row["id"] = places[row["id"]]
                elif name in ("documents", "names"):
                    del row["id"]
                if chunk := row.get("chunk_id"):
                    row["chunk_id"], owner = places[chunk], places[chunk][0]
                assert owner
                if only is None or owner in only:
                    found.setdefault(name, []).append(sorted(row.items(), key=lambda item: item[0]))
        for name in found:
            found[name].sort(key=repr)
        for kept in (library.files.pdfs, library.files.images):
            for path in kept.rglob("*"):
                if path.is_file() and (only is None or path.relative_to(kept).parts[0].removesuffix(".pdf") in only):
                    found[str(path.relative_to(folder))] = path.read_bytes()
        return found


def ready(folder: Path) -> set[str]:
    with Library(folder) as library:
        return {info.sha256 for info in library.documents() if info.state is State.READY}


def hits(folder: Path, embedder: SentenceEmbedder) -> list[list[tuple[Any, ...]]]:
    with Library(folder, embedder=embedder) as library:
        (snapshot,) = (folder / "index").glob("vectors-*.faiss")
        model = library.embedder.name
        chunks = [*library.catalogue.ready_ids(model, False), *library.catalogue.ready_ids(model, True)]
        assert faiss.read_index(str(snapshot)).ntotal == len(library.index.vectors)
        assert len(chunks) == len(library.index.vectors) + len(library.index.pictures)
        found = [library.search(question, 10) for question in QUESTIONS]
        return [[(h.score, h.document, h.page, h.bbox, h.chunk.text, h.why) for h in some] for some in found]


def stage(folder: Path) -> str:
    """How far an ingestion had come when it was killed."""
    with Library(folder) as library:
        states = Counter(info.state for info in library.documents())
    if states[State.READY] == 12:
        snapshots = len(list((folder / "index").glob("*.faiss")))
        return f"all ready, {snapshots} snapshots"
    return ", ".join(f"{states[state]} {state}" for state in State if states[state]) or "nothing"


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)  # a busy machine takes an hour for 25 kills
def test_an_ingestion_killed_again_and_again_ends_as_an_undisturbed_one(
    nursery: Nursery, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    chance = random.Random(16)  # noqa: S311
    assert not nursery.ingest(tmp_path / "undisturbed")
    whole = nursery.seconds
    expected, found = holdings(tmp_path / "undisturbed"), hits(tmp_path / "undisturbed", embedder)
    assert len(expected["documents"]) == 12
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        target = tmp_path / f"round-{rounds}"
        while nursery.ingest(target, partial(time.sleep, chance.uniform(0, whole))):
            kills += 1
            whole_ones = ready(target)
            assert holdings(target, whole_ones) == holdings(tmp_path / "undisturbed", whole_ones)
            print(f"kill {kills}, round {rounds}: {stage(target)}", flush=True)
        assert holdings(target) == expected
        assert hits(target, embedder) == found
    print(f"{kills} kills in {rounds} rounds; undisturbed {whole:.0f} s")


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)  # a busy machine takes an hour for 25 kills
def test_an_ingestion_killed_while_it_writes_its_snapshots_ends_as_an_undisturbed_one(
    nursery: Nursery, embedder: SentenceEmbedder, tmp_path: Path
) -> None:
    nursery.ingest(tmp_path / "undisturbed")
    expected, found = holdings(tmp_path / "undisturbed"), hits(tmp_path / "undisturbed", embedder)
    target = tmp_path / "killed"

    def begun() -> bool:
        """Whether the vectors are written and the words half, in a folder of several files."""
        return any(path.is_dir() for path in (target / "index").glob("*.part"))

    def halfway() -> None:
        deadline = time.monotonic() + 1800
        while not begun() and time.monotonic() < deadline:
            time.sleep(0.1)

    assert nursery.ingest(target, halfway, halts=True)
    assert begun()
    assert not nursery.ingest(target)
    assert holdings(target) == expected
    assert hits(target, embedder) == found

"""How long a search takes in a library of many chunks, and on what.

    python benchmarks/latency.py LIBRARY QUESTIONS.jsonl FOLDER [--chunks 100000] [--mode text]

FOLDER becomes a copy of the LIBRARY's catalogue whose ready documents are entered again, under other names, until it
has so many text chunks: their texts and elements as they are, their vectors turned a little at random (cosine .95 to
the first). So the lengths of texts and lists are real, while a word stands in as many more chunks as there are copies.
Times are of the processor, all threads, so that other work on the machine counts less, and of the clock.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, text

from octavo import Library, Settings
from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.bm25 import BM25
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.engine import SearchEngine
from octavo.retrieval.routing import Router
from octavo.retrieval.vectors import Vectors

STAGES = {
    "embed the question": (SentenceEmbedder, "embed_query"),
    "documents first: cards": (Router, "route"),
    "nearest vectors": (Vectors, "search"),
    "BM25": (BM25, "search"),
    "keys of the documents searched": (Catalogue, "ready_ids"),
    "chunks and elements of the hits": (Catalogue, "chunks"),
    "links followed": (Catalogue, "linked_chunks"),
    "stamps": (Catalogue, "stamp"),
}


def grow(engine: Engine, chunks: int) -> None:
    """Enters the ready documents of a catalogue (SQLite) again until it has that many text chunks."""
    with engine.begin() as connection:
        ready = "SELECT id FROM documents WHERE state = 'ready'"
        originals = connection.execute(text(ready)).scalars().all()
        steps = {
            table: int(connection.scalar(text(f"SELECT max(id) FROM {table}")))  # noqa: S608
            for table in ("documents", "chunks", "names")
        }
        texts = "SELECT document_id, count(*) FROM chunks WHERE NOT picture GROUP BY document_id"
        counts: dict[int, int] = dict(connection.execute(text(texts)).all())
        have, number = sum(counts.get(document, 0) for document in originals), 0
        while have < chunks:
            document = originals[number % len(originals)]
            _enter_again(connection, document, 1 + number // len(originals), steps)
            have, number = have + counts.get(document, 0), number + 1


def _enter_again(connection: Connection, document: int, copy: int, steps: dict[str, int]) -> None:
    """Copies the rows of one document, ids moved on by `copy` steps."""
    moved = {
        "documents": {"id": f"id + {copy * steps['documents']}", "sha256": f"'{copy:04x}' || substr(sha256, 5)"},
        "names": {"id": f"id + {copy * steps['names']}", "name": f"'{copy}-' || name", "source": "NULL"},
        "pages": {},
        "elements": {"id": f"'{copy}-' || id"},
        "chunks": {"id": f"id + {copy * steps['chunks']}"},
        "links": {"source": f"'{copy}-' || source", "target": f"'{copy}-' || target"},
        "chunk_elements": {
            "chunk_id": f"chunk_id + {copy * steps['chunks']}",
            "element_id": f"'{copy}-' || element_id",
        },
    }
    of_chunks = f"chunk_id IN (SELECT id FROM chunks WHERE document_id = {document})"  # noqa: S608
    where = {
        "documents": f"id = {document}",
        "links": f"source IN (SELECT id FROM elements WHERE document_id = {document})",  # noqa: S608
        "chunk_elements": of_chunks,
    }
    for table, changed in moved.items():
        columns = [row[1] for row in connection.execute(text(f"PRAGMA table_info({table})"))]
        if table in ("names", "pages", "elements", "chunks"):
            changed = changed | {"document_id": f"document_id + {copy * steps['documents']}"}
        into, values = ", ".join(f'"{c}"' for c in columns), ", ".join(changed.get(c, f'"{c}"') for c in columns)
        condition = where.get(table, f"document_id = {document}")
        connection.execute(text(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} WHERE {condition}"))  # noqa: S608
    random = np.random.default_rng([document, copy])
    rows = []
    for key, model, blob in connection.execute(text(f"SELECT * FROM embeddings WHERE {of_chunks}")):  # noqa: S608
        vector = np.frombuffer(blob, "<f4")
        turned = vector + 0.33 * random.normal(size=len(vector)) / np.sqrt(len(vector))
        blob = (turned / np.linalg.norm(turned)).astype("<f4").tobytes()
        rows.append({"key": key + copy * steps["chunks"], "model": model, "blob": blob})
    if rows:
        connection.execute(text("INSERT INTO embeddings (chunk_id, model, vector) VALUES (:key, :model, :blob)"), rows)


class Watch:
    """Adds up the time of calls, without what watched calls inside them take."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.inside = 0.0

    def over(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **named: Any) -> Any:
            before, self.inside, started = self.inside, 0.0, process_time()
            try:
                return call(*args, **named)
            finally:
                whole = process_time() - started
                self.spent[name] += whole - self.inside
                self.inside = before + whole

        return timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("questions", type=Path, nargs="+")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--mode", default="text")
    parser.add_argument("--everywhere", action="store_true", help="not documents first")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        with Library(arguments.library):  # brings its catalogue up to date
            pass
        arguments.folder.mkdir(parents=True)
        for name in ("catalogue.sqlite", "catalogue.id"):
            shutil.copy(arguments.library / name, arguments.folder / name)
        catalogue = Catalogue(f"sqlite:///{arguments.folder / 'catalogue.sqlite'}")
        grow(catalogue.engine, arguments.chunks)
        catalogue.close()
    lines = [line for path in arguments.questions for line in path.read_text().splitlines() if line.strip()]
    questions = [question for line in lines if (question := json.loads(line).get("question"))]
    settings = Settings(library=arguments.folder, documents_first=not arguments.everywhere)
    with Library(settings=settings) as library:
        started = perf_counter()
        library.search(questions[0], mode=arguments.mode)
        size = len(library.index.vectors)
        kind, seconds = library.index.vectors.vectors.type, perf_counter() - started
        print(f"{size} text chunks; index {kind}; opened in {seconds:.1f} s")
        watch, clock, processor = Watch(), [], []
        for name, (owner, method) in STAGES.items():
            setattr(owner, method, watch.over(name, getattr(owner, method)))
        SearchEngine.find = watch.over("the rest of searching", SearchEngine.find)  # type: ignore[method-assign]
        for question in questions:
            begun, worked = perf_counter(), process_time()
            library.search(question, mode=arguments.mode)
            clock.append(perf_counter() - begun)
            processor.append(process_time() - worked)
    for name, times in (("processor", processor), ("clock", clock)):
        p50, p95 = np.percentile(times, [50, 95]) * 1000
        print(f"{len(questions)} searches, {name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    for name, seconds in sorted(watch.spent.items(), key=lambda pair: -pair[1]):
        print(f"| {name} | {seconds / len(questions) * 1000:.1f} ms | {seconds / sum(processor):.0%} |")


if __name__ == "__main__":
    main()

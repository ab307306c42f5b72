"""Types of index, and stores that people use, over the same vectors: recall, queries a second, building, memory.

    python benchmarks/index.py FOLDER [--count 1000000] [--only "octavo ivf" hnswlib ...]
    python benchmarks/index.py FOLDER --library LIBRARY --questions QUESTIONS.jsonl ...

Each contender runs in a process of its own and leaves its figures in FOLDER, so that a run that was stopped goes on
where it was; `--only` names some. In each case (all vectors; a filter that 10 % or 1 % of them pass, drawn at random;
20 % of them deleted) a contender's effort is raised until it finds .98 of the ten nearest on average, and what it does
then is measured. Everything has one thread, and time is processor time of all threads, so that other work on the
machine counts less. hnswlib, lancedb and chromadb are no requirements of this project: install those that are wanted.

Without a library the vectors are made (`made`), as 384-dimensional embeddings of chunks lie: kinds, documents, sections
and chunks, each a Gaussian around what it belongs to, with a spectrum that falls off. The figures in `made` were fitted
to the cosines between 35,628 all-MiniLM-L6-v2 vectors of chunks of real reports (medians of the 1st, 10th, 100th and
1000th neighbour: real .945 .785 .672 .528, made .956 .763 .668 .535; local dimension 10.7 and 10.6); queries lie as
far from their neighbours as real questions (1st and 10th: real .63 .57, made .67 .59).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import faiss
import numpy as np
from contenders import CONTENDERS, K, Vectors

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS", "LANCE_CPU_THREADS")
ENOUGH = 0.98
WIDTH = 384
CASES = {"all": 1.0, "10 % pass": 0.1, "1 % pass": 0.01, "20 % deleted": 0.8}
SECONDS = 1.0  # of processor time that a rate is measured over, three times


# Vectors


def made(count: int, queries: int, seed: int = 0) -> tuple[Vectors, Vectors]:
    """Unit vectors (count, 384) and queries (queries, 384) of the recipe above."""
    random = np.random.default_rng(seed)
    spectrum = (np.arange(WIDTH) + 7.0) ** -1.5
    spread = np.sqrt(spectrum / spectrum.sum()).astype(np.float32)
    turn = np.linalg.qr(random.normal(size=(WIDTH, WIDTH)))[0].astype(np.float32)
    total = count + queries

    def level(groups: int, share: float) -> Vectors:
        return (
            random.standard_normal((groups, WIDTH), np.float32) * spread * np.float32(np.sqrt(share * (1 - 0.516**2)))
        )

    sections = level(total // 8 + 1, 0.15) + level(total // 300 + 1, 0.2)[np.arange(total // 8 + 1) * 8 // 300]
    kinds = level(total // 500 + 1, 0.35)
    sections += kinds[random.integers(len(kinds), size=len(sections))]
    vectors = np.empty((total, WIDTH), np.float32)
    for start in range(0, total, 100_000):
        rows = np.arange(start, min(start + 100_000, total))
        far = np.exp(0.8 * random.standard_normal((len(rows), 1), np.float32) - 0.64)  # some are near copies
        part = level(len(rows), 0.3) * far + sections[rows // 8]
        part[:, 0] += 0.516  # the length of the real vectors' mean
        vectors[rows] = unit(part @ turn)
    chosen = np.zeros(total, bool)
    chosen[random.choice(total, queries, replace=False)] = True
    asked = vectors[chosen] + 1.1 * (random.standard_normal((queries, WIDTH), np.float32) * spread) @ turn
    return vectors[~chosen], unit(asked)


def from_library(library: Path, questions: Sequence[Path]) -> tuple[Vectors, Vectors]:
    """The vectors of a library's text chunks, and those of the questions."""
    from octavo import Library

    asked = [json.loads(line).get("question") for path in questions for line in path.read_text().splitlines() if line]
    with Library(library) as opened:
        name = opened.embedder.name
        ids = opened.catalogue.ready_ids(name, pictures=False)
        vectors = opened.catalogue.vectors(name, ids)[1]
        return vectors, np.asarray([opened.embedder.embed_query(text) for text in asked if text], np.float32)


def unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def prepare(folder: Path, vectors: Vectors, queries: Vectors) -> None:
    """Writes the vectors, the queries, who passes in each case, and the ten nearest that do."""
    random = np.random.default_rng(1)
    for name, share in CASES.items():
        passing = random.random(len(vectors)) < share
        keys = passing.nonzero()[0]
        exact = faiss.IndexFlatIP(vectors.shape[1])
        exact.add(vectors[passing])
        np.savez(folder / f"{name}.npz", passing=passing, nearest=keys[exact.search(queries, K)[1]])
    np.save(folder / "queries.npy", queries)
    np.save(folder / "vectors.npy", vectors)


# Measuring


def anonymous() -> int:
    """Bytes of memory that this process has for itself."""
    ctypes.CDLL(None).malloc_trim(0)
    return next(int(line.split()[1]) * 1024 for line in Path("/proc/self/status").open() if line.startswith("RssAnon"))


def rate(queries: Vectors, search: Callable[[Vectors], object], at_once: int) -> float:
    """Queries a second of processor time, `at_once` in a call: the best of three rounds."""
    best = 0.0
    for _ in range(3):
        started, done = process_time(), 0
        while (spent := process_time() - started) < SECONDS or not done:
            begin = done % len(queries)
            search(queries[begin : begin + at_once])
            done += len(queries[begin : begin + at_once])
            spent = process_time() - started
        best = max(best, done / spent)
    return best


def measure(name: str, folder: Path) -> dict[str, Any]:
    faiss.omp_set_num_threads(1)
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    queries = np.load(folder / "queries.npy")
    cases = {case: np.load(folder / f"{case}.npz") for case in CASES}
    contender = CONTENDERS[name]()
    before, started = anonymous(), process_time()
    contender.build(vectors, {case: file["passing"] for case, file in cases.items()})
    figures: dict[str, Any] = {"build": process_time() - started, "bytes": (anonymous() - before) / len(vectors)}
    if hasattr(contender, "disk"):
        figures["disk"] = contender.disk() / len(vectors)
    for case, file in cases.items():
        if case == "20 % deleted":
            started = process_time()
            contender.delete((~file["passing"]).nonzero()[0])
            figures["delete"] = process_time() - started
        for effort in contender.efforts:
            found = contender.search(queries, effort, case)
            recall = float((found[:, :, None] == file["nearest"][:, None]).any(axis=1).mean())
            if recall >= ENOUGH:
                break
        one, many = (rate(queries, lambda q: contender.search(q, effort, case), n) for n in (1, len(queries)))  # noqa: B023
        figures[case] = {"effort": effort, "recall": recall, "single": one, "batched": many}
        print(f"{name}, {case}: {figures[case]}", file=sys.stderr, flush=True)
    if hasattr(contender, "close"):
        contender.close()
    return figures


def table(folder: Path) -> str:
    """The figures of all contenders as Markdown."""
    lines = [
        "| | build, s | bytes a vector | " + " | ".join(CASES) + " |",
        "|---|---|---|" + "---|" * len(CASES),
    ]
    for name in CONTENDERS:
        if (path := folder / f"{name.replace(' ', '-')}.json").is_file():
            figures = json.loads(path.read_text())
            cells = [f"{f['recall']:.3f}: {f['single']:,.0f}; {f['batched']:,.0f}" for f in map(figures.get, CASES)]
            size = f"{figures['bytes']:,.0f}" + (f", {figures['disk']:,.0f} on disk" if "disk" in figures else "")
            lines.append(f"| {name} | {figures['build']:,.0f} | {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--questions", type=Path, nargs="+", default=[])
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder
    if arguments.one:
        print(json.dumps(measure(arguments.one, folder)))
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "vectors.npy").is_file():  # which is written last
        library, questions = arguments.library, arguments.questions
        prepare(folder, *(from_library(library, questions) if library else made(arguments.count, arguments.queries)))
    for name in arguments.only:
        path = folder / f"{name.replace(' ', '-')}.json"
        if not path.is_file():
            command = [sys.executable, __file__, str(folder), "--one", name]
            alone = os.environ | dict.fromkeys(THREADS, "1")  # which the libraries read when they are loaded
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=alone)
            if done.returncode:
                print(f"{name} failed", file=sys.stderr)
                continue
            path.write_text(done.stdout.splitlines()[-1])
    print(table(folder))


if __name__ == "__main__":
    main()

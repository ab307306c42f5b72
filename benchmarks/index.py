"""Types of index, and stores that people use, over the same vectors: recall, queries a second, building, memory.

    python benchmarks/index.py FOLDER [--count 1000000] [--only octavo-ivf hnswlib ...]
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
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS", "LANCE_CPU_THREADS")
K = 10
ENOUGH = 0.98
WIDTH = 384
CASES = {"all": 1.0, "10 % pass": 0.1, "1 % pass": 0.01, "20 % deleted": 0.8}
SECONDS = 1.0  # of processor time that a rate is measured over, three times
Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]


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


# Contenders: build, then search(queries, effort, case) -> keys (n, K), for each of `efforts` until that is enough


class Octavo:
    """`octavo.retrieval.vectors.Vectors`, which chooses its effort itself."""

    efforts = (0,)

    def __init__(self, index_type: str) -> None:
        from octavo.retrieval.vectors import Vectors as Index

        self.index = Index(index_type)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        from octavo.retrieval.vectors import Among

        self.index.add(range(len(vectors)), vectors)
        self.among = {case: Among(mask.nonzero()[0]) for case, mask in passing.items() if case.endswith("pass")}

    def delete(self, keys: Keys) -> None:
        self.index.remove(keys.tolist())

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        return self.index.search(queries, K, self.among.get(case))[0]


class Faiss:
    """One of FAISS's own types, its candidates ranked by the exact vectors (`IndexRefineFlat`)."""

    def __init__(self, name: str, depth: int) -> None:
        self.name, self.depth = name, depth
        self.efforts = [16, 23, 32, 45, 64, 90, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 4096]

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        lists = round(1.6 * len(vectors) ** 0.5)
        self.base = faiss.index_factory(vectors.shape[1], self.name.format(lists), faiss.METRIC_INNER_PRODUCT)
        if hasattr(self.base, "cp"):
            self.base.cp.niter = 10
        self.index = faiss.IndexRefineFlat(self.base)
        self.index.train(vectors[:: max(1, len(vectors) // (64 * lists))])
        self.index.add(vectors)
        self.passing = {case: np.packbits(mask, bitorder="little") for case, mask in passing.items() if case != "all"}

    def delete(self, keys: Keys) -> None:
        """They are left out by the selector, as the case's name says."""

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        selector = faiss.IDSelectorBitmap(self.passing[case]) if case in self.passing else None
        if "HNSW" in self.name:
            inner = faiss.SearchParametersHNSW(efSearch=effort, sel=selector)
        else:
            inner = faiss.IVFSearchParameters(nprobe=min(effort, self.base.nlist), sel=selector)
        parameters = faiss.IndexRefineSearchParameters(k_factor=self.depth / K, base_index_params=inner)
        return self.index.search(queries, K, params=parameters)[1]


class Hnswlib:
    """hnswlib with M 16 and ef_construction 200."""

    efforts = (16, 32, 64, 90, 128, 181, 256, 362, 512, 724, 1024, 2048)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.init_index(len(vectors), M=16, ef_construction=200)
        self.index.set_num_threads(1)
        self.index.add_items(vectors)
        self.passing = {case: mask.tolist() for case, mask in passing.items() if case.endswith("pass")}

    def delete(self, keys: Keys) -> None:
        for key in keys.tolist():
            self.index.mark_deleted(key)

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        self.index.set_ef(effort)
        mask = self.passing.get(case)
        return self.index.knn_query(queries, K, filter=None if mask is None else mask.__getitem__)[0]


class Lance:
    """LanceDB's IVF_HNSW_SQ on disk, refined by the exact vectors, with bitmap indexes of the filters' columns."""

    efforts = (1, 2, 4, 8, 16, 32, 64)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import lancedb
        import pyarrow as pa

        self.folder = tempfile.mkdtemp(prefix="lance-")
        columns = {case[:2].strip(): mask for case, mask in passing.items() if case != "all"}

        def batches() -> Iterator[Any]:
            for start in range(0, len(vectors), 50_000):
                part = pa.array(np.ascontiguousarray(vectors[start : start + 50_000]).ravel())
                rows = len(part) // vectors.shape[1]
                yield pa.record_batch(
                    {
                        "key": pa.array(np.arange(start, start + rows)),
                        "vector": pa.FixedSizeListArray.from_arrays(part, vectors.shape[1]),
                    }
                    | {f"passes{name}": pa.array(mask[start : start + rows]) for name, mask in columns.items()}
                )

        first = next(batches())
        self.table = lancedb.connect(self.folder).create_table("chunks", batches(), schema=first.schema)
        self.table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=max(1, len(vectors) // 100_000))
        for name in columns:
            self.table.create_scalar_index(f"passes{name}", index_type="BITMAP")

    def disk(self) -> int:
        return sum(path.stat().st_size for path in Path(self.folder).rglob("*") if path.is_file())

    def delete(self, keys: Keys) -> None:
        self.table.delete("passes20 = false")

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        found = []
        for query in queries:
            search = self.table.search(query).distance_type("dot").nprobes(20).ef(64 * effort).refine_factor(2)
            if case.endswith("pass"):
                search = search.where(f"passes{case[:2].strip()} = true", prefilter=True)
            keys = search.select(["key"]).limit(K).to_arrow()["key"].to_numpy()
            found.append(np.pad(keys, (0, K - len(keys)), constant_values=-1))
        return np.asarray(found)

    def close(self) -> None:
        shutil.rmtree(self.folder)


class Chroma:
    """ChromaDB in memory, its HNSW with M 16 and ef_construction 200, the filters' columns as metadata."""

    efforts = (32, 64, 128, 256, 512, 1024)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import chromadb

        configuration = {"hnsw": {"space": "ip", "ef_construction": 200, "max_neighbors": 16, "num_threads": 1}}
        client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
        self.table = client.create_collection("chunks", configuration=configuration)
        columns = {case: mask for case, mask in passing.items() if case.endswith("pass")}
        for start in range(0, len(vectors), 5_000):
            rows = range(start, min(start + 5_000, len(vectors)))
            metadata = [{case: bool(mask[row]) for case, mask in columns.items()} for row in rows]
            self.table.add([str(row) for row in rows], embeddings=vectors[start : rows.stop], metadatas=metadata)

    def delete(self, keys: Keys) -> None:
        for start in range(0, len(keys), 5_000):
            self.table.delete([str(key) for key in keys[start : start + 5_000]])

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        if effort != getattr(self, "effort", None):
            self.table.modify(configuration={"hnsw": {"ef_search": effort}})
            self.effort = effort
        where = {case: True} if case.endswith("pass") else None
        found = self.table.query(query_embeddings=queries, n_results=K, where=where, include=[])["ids"]
        return np.asarray([[int(key) for key in ids] + [-1] * (K - len(ids)) for ids in found])


CONTENDERS: dict[str, Callable[[], Any]] = {
    "octavo exact": lambda: Octavo("exact"),
    "octavo ivf": lambda: Octavo("ivf"),
    "faiss IVF,SQ8": lambda: Faiss("IVF{},SQ8", 40),
    "faiss IVF,RaBitQfs": lambda: Faiss("IVF{},RaBitQfs", 200),
    "faiss HNSW32,SQ8": lambda: Faiss("HNSW32,SQ8", 40),
    "hnswlib": Hnswlib,
    "lancedb": Lance,
    "chromadb": Chroma,
}


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

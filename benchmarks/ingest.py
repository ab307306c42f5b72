"""How fast PDFs are taken in, by stage, beside PyMuPDF4LLM alone over the same pages in the same run.

    python benchmarks/ingest.py FOLDER [--pages 10] [--workers 2]

Takes up to `--pages` consecutive pages from the middle of each PDF in FOLDER. Stages are timed in one process; the
totals with `--workers` processes. Only figures of one run compare.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from octavo import Library, Settings
from octavo.ingest.chunks import make_chunks
from octavo.ingest.pages import compose
from octavo.ingest.parse import assemble, read
from octavo.ingest.readers.mupdf import reader as mupdf
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import MuPDFPage, PyMuPDFReader
from octavo.ingest.workers import Workers
from octavo.opened import limits
from octavo.retrieval.bm25 import BM25
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.vectors import Vectors


def excerpts(folder: Path, pages: int, target: Path) -> list[Path]:
    """PDFs of up to `pages` pages from the middle of each PDF of `folder`."""
    paths = []
    for path in sorted(folder.glob("*.pdf")):
        with pymupdf.open(path) as whole, pymupdf.open() as part:
            first = max(0, (whole.page_count - pages) // 2)
            part.insert_pdf(whole, from_page=first, to_page=min(whole.page_count, first + pages) - 1)
            part.save(target / path.name)
        paths.append(target / path.name)
    return paths


@contextmanager
def timed(seconds: dict[str, float], places: dict[str, tuple[Any, str]]) -> Iterator[None]:
    """Adds up what the functions at `places` (a module or class, and a name) take, under each stage's name."""
    originals = {stage: getattr(*place) for stage, place in places.items()}

    def wrap(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            start = perf_counter()
            result = function(*args, **kwargs)
            if isinstance(result, Iterator):  # what is made one by one is made within its own stage
                result = list(result)
            seconds[stage] += perf_counter() - start
            return result

        return measured

    for stage, (owner, name) in places.items():
        setattr(owner, name, wrap(stage, originals[stage]))
    try:
        yield
    finally:
        for stage, (owner, name) in places.items():
            setattr(owner, name, originals[stage])


def stages(paths: list[Path]) -> tuple[dict[str, float], int]:
    """Seconds by stage in this process, and the number of chunks."""
    backend, embedder = PyMuPDFReader(), SentenceEmbedder()
    backend.read(paths[0], "warm", 1, 1)
    embedder.encode(["warm"])
    seconds: dict[str, float] = defaultdict(float)
    places = {
        "words": (mupdf, "_words"),
        "hidden text": (mupdf, "split_hidden"),
        "layout models": (mupdf, "find_regions"),
        "tables": (compose, "find_tables"),
        "figures": (compose, "find_figures"),
        "OCR of figures without words": (compose, "read_inside"),
        "pictures of figures": (MuPDFPage, "png"),
    }
    texts: list[str] = []
    with timed(seconds, places):
        start = perf_counter()
        for path in paths:
            outline = backend.outline(path)
            contents = backend.read(path, "x", 1, outline.pages)
            linking = perf_counter()
            texts += [chunk.indexed_text for chunk in make_chunks(assemble(outline, contents), path.stem)]
            seconds["links and chunks"] += perf_counter() - linking
        seconds["rest of reading"] = perf_counter() - start - sum(seconds.values())
    texts.sort(key=len)
    start = perf_counter()
    vectors = embedder.encode(texts)
    seconds["embed"] = perf_counter() - start
    start = perf_counter()
    Vectors().add(range(len(texts)), vectors)
    BM25().build(range(len(texts)), texts)
    seconds["index"] = perf_counter() - start
    return seconds, len(texts)


def layout_alone(paths: list[Path], settings: Settings) -> float:
    """Seconds that PyMuPDF4LLM alone takes with as many processes, their start left out."""
    script = Path(__file__).with_name("pymupdf4llm_alone.py")
    command = [sys.executable, str(script), str(settings.workers), *map(str, paths)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def reading(paths: list[Path], settings: Settings) -> float:
    """Seconds that our reading takes with the settings' workers, their start left out."""
    with Workers(PyMuPDFReader(), limits(settings)) as workers:
        for task in [workers.read(paths[0], "x", 1, 1) for _ in range(settings.workers * 2)]:
            task.result()
        start = perf_counter()
        with ThreadPoolExecutor(4 * settings.workers) as threads:
            list(threads.map(lambda path: read(workers, path, "x"), paths))
        return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--workers", type=int, default=Settings().workers)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        pdfs = Path(scratch) / "pdfs"
        pdfs.mkdir()
        paths = excerpts(options.folder, options.pages, pdfs)
        pages = sum(PyMuPDFReader().outline(path).pages for path in paths)
        settings = Settings(library=Path(scratch) / "library", workers=options.workers)
        print(f"{len(paths)} documents, {pages} pages\n")
        seconds, chunks = stages(paths)
        total = sum(seconds.values())
        print(f"| stage (one process; {chunks} chunks) | s | ms/page | share |\n|---|---|---|---|")
        for stage, spent in seconds.items():
            print(f"| {stage} | {spent:.1f} | {1000 * spent / pages:.0f} | {spent / total:.0%} |")
        alone, ours = layout_alone(paths, settings), reading(paths, settings)
        with Library(settings=settings) as library:
            library.embedder.encode(["warm"])
            whole = library.ingest([pdfs]).seconds
        print(f"\n| {options.workers} processes | s | pages/s | of PyMuPDF4LLM's rate |\n|---|---|---|---|")
        for name, spent in (("PyMuPDF4LLM alone", alone), ("reading", ours), ("ingestion, whole", whole)):
            print(f"| {name} | {spent:.1f} | {pages / spent:.2f} | {alone / spent:.2f} |")


if __name__ == "__main__":
    main()

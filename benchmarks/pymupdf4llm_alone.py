"""PyMuPDF4LLM as a user would run it over several processes; prints the seconds taken, the processes' start left out.

    python benchmarks/pymupdf4llm_alone.py WORKERS FILE...

A program of its own, since Octavo sets the layout models' threads when it imports them.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

import pymupdf
import pymupdf4llm


def read(path: str, first: int, last: int) -> None:
    """Pages `first` to `last` (from 0, exclusive) of a PDF."""
    with pymupdf.open(path) as document:
        pymupdf4llm.to_json(document, pages=list(range(first, last)), use_ocr=False)


def main(workers: int, paths: list[str]) -> float:
    """Seconds for all pages of all files, eight pages a task."""
    tasks = []
    for path in paths:
        with pymupdf.open(path) as document:
            tasks += [(path, n, min(n + 8, document.page_count)) for n in range(0, document.page_count, 8)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(read, *zip(*[(paths[0], 0, 1)] * (2 * workers), strict=True)))
        start = perf_counter()
        list(pool.map(read, *zip(*tasks, strict=True)))
        return perf_counter() - start


if __name__ == "__main__":
    pymupdf.use_layout(True)
    print(main(int(sys.argv[1]), sys.argv[2:]))

"""What taking in whole folders costs: time, memory of all processes together, processor time by who spends it.

    python benchmarks/whole.py FOLDER... [--workers 2] [--reader pymupdf]

Everything under the folders goes into a new library; then once more, which has to find nothing to do. Memory is the
proportional set size (shared pages counted once) of this process and all under it, looked at twice a second. Workers
read; this process embeds, indexes and keeps the catalogue.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from tqdm import tqdm

from octavo import Library, Settings

MIB = 2**20


@contextmanager
def watched() -> Iterator[list[int]]:
    """Bytes that this process and those under it held, in the order looked at."""
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            total = 0
            for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
                with suppress(psutil.Error):  # it has just ended
                    total += process.memory_full_info().pss
            seen.append(total)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def spent(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--workers", type=int, default=Settings().workers)
    parser.add_argument("--reader", default=Settings().reader)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(library=Path(scratch), workers=options.workers, reader=options.reader)
        with tqdm(unit=" documents") as bar, watched() as memory:
            with Library(settings=settings) as library:
                report = library.ingest(options.folders, on_progress=lambda p: bar.update(p.done - bar.n))
                chunks = sum(info.chunks for info in report.documents)
            reading, rest = spent(resource.RUSAGE_CHILDREN), spent(resource.RUSAGE_SELF)
        with Library(settings=settings) as library:
            again = library.ingest(options.folders)
        size = sum(file.stat().st_size for file in Path(scratch).rglob("*") if file.is_file())
        if not report.pages or not chunks:
            parser.error("nothing was read: no pages, no chunks")
        pages, given = report.pages, sum(info.size for info in report.documents)
        print(f"{len(report.documents)} documents, {len(report.failed)} failed; {pages} pages, {chunks} chunks")
        print(f"{report.seconds:.0f} s, {pages / report.seconds:.2f} pages/s, {options.workers} workers")
        print(f"most memory at once: {max(memory, default=0) / MIB:.0f} MiB")
        print(
            f"processor: workers (reading) {1000 * reading / pages:.0f} ms a page, this process "
            f"(embedding, index, catalogue) {1000 * rest / pages:.0f} ms a page, {1000 * rest / chunks:.0f} a chunk"
        )
        print(f"on disk: {size / MIB:.0f} MiB for {given / MIB:.0f} MiB of PDFs")
        print(f"again: {again.seconds:.1f} s, {again.pages} pages read, {len(again.unchanged)} unchanged")
        for info in report.failed:
            print(f"failed: {info.name}: {info.error}")


if __name__ == "__main__":
    main()

"""Fuzzes reading: real PDFs, mutated, through `octavo parse`'s own path for some minutes.

    python benchmarks/fuzz.py --minutes 10 [--reader pdfium] FOLDER...

Pages of the PDFs in the folders are the seeds, each also with its streams unpacked, so that what they say is mutated
too. Whatever comes must be read, or refused with a line that says why, in time; and what is read must have elements, or
a warning. Stops with hypothesis's smallest example of what does not. Prints how they ended.
The minutes are each reader's; all readers take their turn where none is named.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import pymupdf
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from octavo.ingest.parse import read
from octavo.ingest.reader import PageReader, UnreadableError
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.workers import Limits, Workers

Draw = Callable[[st.SearchStrategy[Any]], Any]
LIMITS = Limits(workers=1, max_bytes=2**27, max_pages=100, page_seconds=10.0, worker_bytes=3 * 2**30)
SECONDS = 3 * (15 + 2 * LIMITS.page_seconds)  # outline, range or page, words alone: no more than that for one page
BLOCK = 25  # examples of one of hypothesis's runs
HEADER = b"%PDF-1.7\n"  # which stays: without it nothing is tried
OBJECT = re.compile(rb"\d+ 0 obj\b(.*?)endobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
NUMBER = re.compile(rb"\d+")


def flip(draw: Draw, data: bytearray) -> None:
    """A few bytes become others."""
    for at in draw(st.lists(st.integers(len(HEADER), len(data) - 1), min_size=1, max_size=30)):
        data[at] = draw(st.integers(0, 255))


def truncate(draw: Draw, data: bytearray) -> None:
    del data[draw(st.integers(len(data) // 4, len(data))) :]


def cut(draw: Draw, data: bytearray) -> None:
    """A piece goes."""
    at = draw(st.integers(len(HEADER), len(data) - 1))
    del data[at : at + draw(st.integers(1, 2000))]


def swap(draw: Draw, data: bytearray) -> None:
    """Two objects change places under each other's numbers."""
    found = list(OBJECT.finditer(data))
    if len(found) > 1:
        pair = draw(st.lists(st.sampled_from(range(len(found))), min_size=2, max_size=2, unique=True))
        first, second = (found[n] for n in sorted(pair))
        data[:] = (
            data[: first.start(1)] + second[1] + data[first.end(1) : second.start(1)] + first[1] + data[second.end(1) :]
        )


def spoil(draw: Draw, data: bytearray) -> None:
    """The bytes of a stream become others, in part."""
    found = [match.span(1) for match in STREAM.finditer(data) if match[1]]
    if found:
        start, end = draw(st.sampled_from(found))
        at = draw(st.integers(start, end - 1))
        new = draw(st.binary(min_size=1, max_size=64))
        data[at : min(at + len(new), end)] = new


def renumber(draw: Draw, data: bytearray) -> None:
    """A number becomes another: a reference, a length, a coordinate, a count."""
    match = draw(st.sampled_from([m.span() for m in NUMBER.finditer(data)]))
    data[slice(*match)] = str(draw(st.sampled_from([0, 1, 2, 3, 5, -1, 255, 65536, 2**31, 10**12]))).encode()


MUTATIONS = (flip, truncate, cut, swap, spoil, renumber)


@st.composite
def mutated(draw: Draw, seeds: Sequence[bytes]) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds)))
    for mutate in draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4)):
        if len(data) > 100:
            mutate(draw, data)
    return bytes(data)


def make_seeds(folders: Sequence[Path], count: int, number: int) -> Iterator[bytes]:
    """Single pages of the PDFs in `folders`, in equal shares; packed, and unpacked."""
    chance = random.Random(number)  # noqa: S311
    for folder in folders:
        paths = sorted(folder.rglob("*.pdf"))
        for path in chance.sample(paths, min(count, len(paths))):
            with pymupdf.open(path) as document:
                document.select([chance.randrange(document.page_count)])
                yield document.tobytes(garbage=4, deflate=True)
                yield document.tobytes(garbage=4, expand=255, use_objstms=0)


def check(workers: Workers, path: Path, data: bytes) -> str:
    """How reading `data` ended. Raises AssertionError where it should not have ended so."""
    path.write_bytes(data)
    started = monotonic()
    try:
        document = read(workers, path, "fuzz")
        ended = "read with a warning" if document.warnings else "read"
        fault = "" if document.elements or document.warnings else "empty, without a word about it"
    except UnreadableError as error:
        ended = f"refused: {re.sub(r'[(:].*', '', str(error)).strip()}"
        fault = "" if len(str(error).splitlines()) == 1 else f"refused in other than one line: {error}"
    if fault or monotonic() - started > SECONDS:
        raise AssertionError(fault or "hung")
    return ended


def fuzz(reader: PageReader, seeds: Sequence[bytes], minutes: float, number: int = 0) -> Counter[str]:
    """How many examples ended how; the first run's `seed` is `number`.

    Raises what `check` raises, and RuntimeError where the time was too short for one.
    """
    ends: Counter[str] = Counter()
    until = monotonic() + 60 * minutes
    relaxed = settings(max_examples=BLOCK, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    with tempfile.TemporaryDirectory() as folder, Workers(reader, LIMITS) as workers:
        path = Path(folder) / "mutated.pdf"

        faults: list[bytes] = []  # hypothesis asks for them again, late or not

        def once(data: bytes) -> None:
            if monotonic() < until or data in faults:
                faults.append(data)
                ends[check(workers, path, data)] += 1
                faults.remove(data)

        while monotonic() < until:
            seed(number)(relaxed(given(mutated(seeds))(once)))()
            number += 1
    if not ends:
        raise RuntimeError(f"{minutes:g} minutes are too few for one mutation")
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=8, help="PDFs of each folder that give a page")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=BACKENDS, help="one of the readers alone")
    options = parser.parse_args()
    seeds = list(make_seeds(options.folders, options.seeds, options.seed))
    for name in [options.reader] if options.reader else BACKENDS:
        ends = fuzz(make_reader(name), seeds, options.minutes, options.seed)
        print(
            f"{name}: {ends.total()} mutations of {len(seeds)} pages in {options.minutes:g} minutes: "
            "no hang, no crash, none empty"
        )
        for ended, count in ends.most_common():
            print(f"{count:6}  {ended}")


if __name__ == "__main__":
    main()

"""Progress bars on a terminal's stderr; silent elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from octavo.ingest.pipeline import Progress


@contextmanager
def ingest_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar over bytes, the one size known before reading, that tells documents, pages, rate and time left."""
    layout = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
    with logging_redirect_tqdm(), tqdm(total=1, bar_format=layout, disable=None, dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            rate = progress.pages / progress.seconds if progress.seconds else 0.0
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.total = max(1, progress.bytes)
            bar.set_description_str(
                f"{progress.done}/{progress.documents} documents{failed}, {progress.pages} pages, {rate:.1f} pages/s",
                refresh=False,
            )
            bar.update(progress.bytes_done - bar.n)

        yield show


@contextmanager
def pages_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over the pages of one document, moved by the pages read."""
    with tqdm(desc=name, unit="page", disable=None, leave=False) as bar:

        def advance(pages: int, of: int) -> None:
            bar.total = of
            bar.update(pages)

        yield advance


@contextmanager
def chunks_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar over chunks being embedded, told how many are done."""
    with tqdm(desc="embedding", unit="chunk", disable=None, leave=False) as bar:

        def show(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield show

"""Progress bars on a terminal's stderr; silent elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from octavo.ingest.text import count

if TYPE_CHECKING:
    from octavo.ingest.pipeline import Progress


@contextmanager
def ingest_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar over bytes, the one size known before reading, that tells documents, pages, rate and time left."""
    layout = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
    with logging_redirect_tqdm(), tqdm(total=1, bar_format=layout, disable=None, dynamic_ncols=True) as bar:

        def show(progress: Progress) -> None:
            rate = progress.pages / progress.seconds if progress.seconds else 0.0
            read = count(progress.pages, "page")
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.total = max(1, progress.bytes)
            bar.set_description_str(
                f"{progress.done}/{count(progress.documents, 'document')}{failed}, {read}, {rate:.1f} pages/s",
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
def steps_bar(title: str, unit: str, leave: bool = True) -> Iterator[Callable[..., None]]:
    """A bar told how many steps are done of how many, and of a training the latest dev AUC."""
    with tqdm(desc=title, unit=unit, disable=None, leave=leave, dynamic_ncols=True) as bar:

        def show(done: int, of: int, dev_auc: float | None = None) -> None:
            bar.total = of
            if dev_auc is not None:
                bar.set_postfix({"dev AUC": f"{dev_auc:.4f}"}, refresh=False)
            bar.update(done - bar.n)

        yield show

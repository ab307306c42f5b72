"""Reading in processes that may die: a pool with limits of time and memory for each task.

A PDF is untrusted. One that hangs, eats memory or crashes its reader costs the pages at fault, never the batch.
"""

from __future__ import annotations

import logging
import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from octavo.ingest.reader import Outline, PageContent, PageReader, UnreadableError

_START_SECONDS = 60.0  # a fresh process loads the layout models first
_TASKS_PER_PROCESS = 200  # then it is replaced, so that what a parser leaks stays bounded


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading may cost: bytes and pages of one PDF, seconds for a page, address space of a process in bytes."""

    workers: int
    max_bytes: int
    max_pages: int
    page_seconds: float
    worker_bytes: int


class Workers:
    """A pool of reading processes; use it as a context manager."""

    def __init__(self, reader: PageReader, limits: Limits) -> None:
        self.reader = reader
        self.limits = limits
        self.pool = ProcessPool(
            max_workers=limits.workers,
            max_tasks=_TASKS_PER_PROCESS,
            initializer=_limit,
            initargs=(limits.worker_bytes,),
            context=multiprocessing.get_context("spawn"),
        )

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.pool.close()  # type: ignore[no-untyped-call]
        else:
            self.stop()
        self.pool.join()

    def stop(self) -> None:
        """Ends all tasks at once; whoever waits for one gets an error."""
        self.pool.stop()  # type: ignore[no-untyped-call]

    def outline(self, path: Path) -> Future[Outline]:
        return self._schedule(self.reader.outline, 1, path)

    def read(self, path: Path, prefix: str, first: int, last: int) -> Future[list[PageContent]]:
        return self._schedule(self.reader.read, last - first + 1, path, prefix, first, last)

    def _schedule(self, function: Callable[..., Any], pages: int, *args: Any) -> Future[Any]:
        timeout = _START_SECONDS + pages * self.limits.page_seconds
        future: Future[Any] = self.pool.schedule(function, args=args, timeout=timeout)
        return future


def reason(error: BaseException) -> str:
    """Why a task failed, in words for the owner of the PDF."""
    match error:
        case UnreadableError():
            return str(error)
        case TimeoutError():
            return "reading it took too long and was stopped"
        case ProcessExpired() | MemoryError():
            return "reading it crashed or ran out of memory"
        case _:
            message = next(iter(str(error).splitlines()), "no message")
            return f"reading it failed ({type(error).__name__}: {message})"


def _limit(address_space: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.WARNING)  # a reader's own remarks would break the parent's progress bar

"""Reading in processes that may die: a pool with limits of time and memory for each task.

A PDF is untrusted. One that hangs, eats memory or crashes its reader costs the pages at fault, never the batch.
"""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from octavo.ingest.reader import Outline, PageContent, PageReader, UnreadableError
from octavo.ingest.text import printable

_START_SECONDS = 15.0  # a fresh process loads the layout models first
_OUT_OF_TIME = -signal.SIGPROF
_PATIENCE = 5  # times as long by the clock, for a machine that is busy with other work
_TASKS_PER_PROCESS = 200  # then it is replaced, so that what a parser leaks stays bounded


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading may cost: bytes and pages of one PDF, seconds for a page, address space of a process in bytes.

    The seconds are those of the processor, so that what is read does not hang on what else runs; by the clock a page
    may take five times as long. Pages read together may take twice as long as one: that is plenty where none is at
    fault, and those of a range that took too long are read again by themselves.
    """

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
            initializer=restrict,
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

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> Future[list[PageContent]]:
        return self._schedule(self.reader.read, 1 if first == last else 2, path, prefix, first, last, simple)

    def _schedule(self, function: Callable[..., Any], share: int, *args: Any) -> Future[Any]:
        seconds = _START_SECONDS + share * self.limits.page_seconds
        future: Future[Any] = self.pool.schedule(timed, (seconds, function, *args), timeout=_PATIENCE * seconds)
        return future


def timed(seconds: float, function: Callable[..., Any], *args: Any) -> Any:
    """As `safely`; the kernel ends this process by SIGPROF once that took so many seconds of the processor."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return safely(function, *args)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def safely(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives; an error of a parser's own kind, which may not travel between processes, in words."""
    try:
        return function(*args)
    except (UnreadableError, IndexError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a parser does
        words = printable(next(iter(str(error).splitlines()), "no message"))
        raise _FailedError(f"{type(error).__name__}: {words}") from None


class _FailedError(RuntimeError):
    """What went wrong in another process."""


def reason(error: BaseException, doing: str = "reading") -> str:
    """Why a task failed, in words for the owner of the PDF."""
    match error:
        case UnreadableError():
            return str(error)
        case TimeoutError():
            return f"{doing} it took too long and was stopped"
        case ProcessExpired() if error.exitcode == _OUT_OF_TIME:
            return f"{doing} it took too long and was stopped"
        case ProcessExpired() | MemoryError():
            return f"{doing} it crashed or ran out of memory"
        case _:
            return f"{doing} it failed ({error})"


def restrict(address_space: int) -> None:
    """Limits the memory of this process, which is about to read what nobody vouches for; it ends with its parent."""
    _end_with_parent()
    _, most = resource.getrlimit(resource.RLIMIT_AS)  # which only a privileged user may raise
    limit = address_space if most == resource.RLIM_INFINITY else min(address_space, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.WARNING)  # a reader's own remarks would break the parent's progress bar
    warnings.simplefilter("ignore")


def _end_with_parent() -> None:
    """Has the kernel kill this process when the one that started it ends, however that ends and whatever runs here.

    The parent holds the other end of a pipe of every process that it spawns. PR_SET_PDEATHSIG would not do: it goes by
    the thread that started the process, which may be one that only asked for the first page.
    """
    parent = multiprocessing.parent_process()
    if parent is None or sys.platform != "linux":  # elsewhere it ends with its task
        return
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC)
    if wait([parent.sentinel], timeout=0):  # it ended before
        os._exit(1)

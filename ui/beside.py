"""Slow iterators read in a thread, so that whoever waits for them can draw, and be stopped, meanwhile."""

from __future__ import annotations

from collections.abc import Generator
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


class _End(Exception):
    """The iterator is exhausted."""


def follow(items: Generator[T, None, None], tick: float = 0.2) -> Generator[T | None, None, None]:
    """What `items` yields; None whenever `tick` seconds pass without anything. Raises what `items` raises.

    Closing it closes `items` in its thread as soon as that yields again.
    """
    queue: Queue[T | Exception] = Queue()
    left = Event()

    def read() -> None:
        try:
            for item in items:
                if left.is_set():
                    break
                queue.put(item)
            queue.put(_End())
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            queue.put(error)
        finally:
            items.close()

    Thread(target=read, name="answer", daemon=True).start()
    try:
        while True:
            try:
                item = queue.get(timeout=tick)
            except Empty:
                yield None
                continue
            if isinstance(item, _End):
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        left.set()

"""Engines that call back with each piece, as iterators that stop them when closed. Knows nothing of the engines."""

from __future__ import annotations

from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

Piece = TypeVar("Piece")


def streamed(work: Callable[[Callable[[Piece], bool]], None], name: str, tick: float = 0.2) -> Generator[Piece | None]:
    """What `work` hands to the function that it is given, piece by piece; that returns True once `work` is to stop.

    `work` runs on a thread of its own, called `name`; what it raises is raised here. Closing the iterator stops it: it
    gives None whenever `tick` seconds pass without a piece, so that it can be closed while `work` has none yet.
    """
    pieces: SimpleQueue[tuple[Piece] | BaseException | None] = SimpleQueue()
    closed = Event()

    def receive(piece: Piece) -> bool:
        pieces.put((piece,))
        return closed.is_set()

    def run() -> None:
        try:
            work(receive)
        except BaseException as error:  # noqa: BLE001 (raised again, on the thread that asked)
            pieces.put(error)
        pieces.put(None)

    Thread(target=run, name=name).start()
    try:
        while True:
            try:
                piece = pieces.get(timeout=tick)
            except Empty:
                yield None
                continue
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece[0]
    finally:
        closed.set()

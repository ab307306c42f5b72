"""Watching a folder: PDFs that came or changed, once they have stopped growing, and that are gone. Knows no library."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic

from octavo.ingest.sources import Source, discover
from octavo.ingest.text import shown

Stamp = tuple[int, ...] | None
"""What changes with a file: size, time of change, inode; None where there is no file."""

_SETTLED = 2.0  # seconds without a change after which a file counts as written, or as gone
_UNKNOWN: Stamp = ()


def changes(
    folder: Path, known: Iterable[str] = (), recursive: bool = False, stop: Event | None = None
) -> Iterator[tuple[list[Source], list[str]]]:
    """PDFs in `folder` that are new or have changed, and places of those that are gone, as long as it is watched.

    `known` are places in it of files seen earlier: those of them that are gone come first, but none while the folder
    holds no PDF at all, as the place of a disk that is not mounted does; nor are files gone whose folder cannot be
    listed, or was on a disk that is no longer mounted. A file that is moved comes as gone at the old
    place and new at the other, together. Ends when `stop` is set. Raises FileNotFoundError when the folder itself goes.
    """
    from watchfiles import watch

    identity = _identity(folder)
    sources = _look(folder, recursive)
    told: dict[str, Stamp] = dict.fromkeys(known if sources else (), _UNKNOWN)
    devices = {place: device for place, (*_, device) in sources.items()}
    since: dict[str, tuple[Stamp, float]] = {}
    events = watch(folder, recursive=recursive, stop_event=stop, rust_timeout=500, yield_on_timeout=True)
    for changed in events:
        if not changed and since and all(told.get(place) == stamp for place, (stamp, _) in since.items()):
            continue
        sources, now = _look(folder, recursive), monotonic()
        if _identity(folder) != identity:
            raise FileNotFoundError(errno.ENOENT, "the folder that was watched is gone; nothing was deleted", folder)
        stamps = {place: sources[place][1] if place in sources else None for place in {*told, *since, *sources}}
        since = {p: since[p] if p in since and since[p][0] == stamp else (stamp, now) for p, stamp in stamps.items()}
        devices.update({place: device for place, (*_, device) in sources.items()})
        settled = [p for p, (stamp, at) in since.items() if told.get(p) != stamp and now - at >= _SETTLED]
        settled = [p for p in settled if p in sources or _is_gone(Path(p), devices.get(p))]
        told.update({place: stamps[place] for place in settled})
        fresh = sorted(place for place in settled if place in sources)
        if settled:
            yield [sources[place][0] for place in fresh], sorted(set(settled).difference(fresh))


def _look(folder: Path, recursive: bool) -> dict[str, tuple[Source, Stamp, int]]:
    """The PDFs in `folder` by their places, with the device that the folder of each is on."""
    found: dict[str, tuple[Source, Stamp, int]] = {}
    for source in discover([folder], recursive)[0]:
        try:
            stat, place = source.path.stat(), source.path.resolve()
            device = place.parent.stat().st_dev
        except OSError:  # gone between the two
            continue
        found[shown(place)] = source, (stat.st_size, stat.st_mtime_ns, stat.st_ino), device
    return found


def _is_gone(place: Path, device: int | None) -> bool:
    """Whether a file that is no longer found was deleted, its folder or those above perhaps with it.

    The lowest folder that is left must be listed without what was in it, and be on the `device` that the file's was on.
    """
    missing = None
    for above in place.parents:
        try:
            names = {inside.name for inside in above.iterdir()}
            same = device in (None, above.stat().st_dev)
        except FileNotFoundError:
            missing = above
            continue
        except OSError:  # unreadable, or its disk is
            return False
        return same and (missing is None or missing.name not in names)
    return False


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another at the same place."""
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino

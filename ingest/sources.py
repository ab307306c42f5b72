"""Which PDFs there are to take in: files, and what folders hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A PDF to take in: where it is, the name it goes by, and whether a later file at that place replaces it."""

    path: Path
    name: str
    lasting: bool = True


def discover(paths: Iterable[Path], recursive: bool = False) -> tuple[list[Source], list[str]]:
    """The PDFs at `paths`, folders opened (subfolders too if `recursive`); and a line for each path without any."""
    sources: dict[Path, Source] = {}
    problems: list[str] = []
    for path in paths:
        if path.is_dir():
            before = len(problems)
            found = [p for p in sorted(_files(path, recursive, problems)) if p.suffix.lower() == ".pdf" and p.is_file()]
            if not found and len(problems) == before:
                hint = "" if recursive else "; --recursive looks into subfolders"
                problems.append(f"{path}: no PDF in this folder{hint}")
        elif path.is_file():
            found = [path]
        else:
            found = []
            problems.append(f"{path}: no such file or folder")
        sources.update({p.resolve(): Source(p, p.name) for p in found})
    return list(sources.values()), problems


def _files(folder: Path, recursive: bool, problems: list[str]) -> Iterator[Path]:
    """The files in a folder; what cannot be looked into adds a line to `problems`."""

    def tell(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder cannot be looked into ({error.strerror})")

    for here, folders, names in os.walk(folder, onerror=tell):
        if not recursive:
            folders.clear()
        yield from (Path(here) / name for name in names)

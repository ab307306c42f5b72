"""The files of a library: the PDFs themselves and the pictures of their figures, all under names of our own making."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from octavo.ingest.reader import UnreadableError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = "copy-", ".part"  # around what makes the name of a file that is being copied unique


class StorageError(RuntimeError):
    """A library's folder cannot be written; the message says why and what to do."""


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turns what a disk refuses into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write to {folder}: {error.strerror}. What is in the library stays; "
            "when there is room, or leave to write, the same command goes on"
        ) from error


class Files:
    """The `files` and `images` folders under `root`, keyed by the SHA-256 of each PDF."""

    def __init__(self, root: Path) -> None:
        self.pdfs = root / "files"
        self.images = root / "images"
        self.pdfs.mkdir(parents=True, exist_ok=True)
        self.images.mkdir(exist_ok=True)

    def pdf(self, sha256: str) -> Path:
        return self.pdfs / f"{sha256}.pdf"

    def image(self, sha256: str, name: str) -> Path:
        """Where the picture of an element (`Element.image`) is."""
        return self.images / sha256 / name

    def add(self, path: Path) -> str:
        """Copies a PDF in and returns its SHA-256; whole or not at all. Raises UnreadableError and StorageError."""
        digest = hashlib.sha256()
        prefix, suffix = _UNFINISHED
        with (
            storing(self.pdfs),
            tempfile.NamedTemporaryFile(dir=self.pdfs, prefix=prefix, suffix=suffix, delete=False) as copy,
        ):
            try:
                for block in _blocks(path):
                    digest.update(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
                Path(copy.name).replace(self.pdf(digest.hexdigest()))
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
        return digest.hexdigest()

    def store_pictures(self, sha256: str, pictures: Mapping[str, bytes]) -> None:
        """Keeps a document's pictures in place of those it had. Raises StorageError."""
        folder = self.images / sha256
        shutil.rmtree(folder, ignore_errors=True)
        if pictures:
            with storing(folder):
                folder.mkdir()
                for name, png in pictures.items():
                    (folder / name).write_bytes(png)

    def remove(self, sha256: str) -> None:
        self.pdf(sha256).unlink(missing_ok=True)
        shutil.rmtree(self.images / sha256, ignore_errors=True)

    def remove_strays(self, known: Iterable[str]) -> None:
        """Removes what belongs to no document of `known`, left by a process that died; only what has names of ours."""
        keep = set(known)
        for sha256 in self.kept() - keep:
            self.remove(sha256)
        for path in self.pdfs.glob(f"{_UNFINISHED[0]}*{_UNFINISHED[1]}"):
            path.unlink(missing_ok=True)
        for path in self.images.iterdir():
            if _SHA256.fullmatch(path.name) and path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)

    def kept(self) -> set[str]:
        """The SHA-256 of the PDFs that are here."""
        return {path.stem for path in self.pdfs.glob("*.pdf") if _SHA256.fullmatch(path.stem)}


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error

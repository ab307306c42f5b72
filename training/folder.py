"""The folder of a training: its settings, its checkpoints, and a finished model that appears as a whole.

Knows nothing of what is trained. A folder is finished when it has the file that loaders look for, which comes last.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_RUN = "run.json"
_STAGING = ".unfinished"


class TrainingFolderError(RuntimeError):
    """A folder that cannot take this training; the message is one line that says what to do."""


class TrainingFolder:
    """`path` with `run.json`, `checkpoints/` and, in the end, the model's files, of which `marker` is the last."""

    def __init__(self, path: Path, marker: str) -> None:
        self.path, self.marker = path.absolute(), marker
        self.checkpoints = self.path / "checkpoints"

    @property
    def finished(self) -> bool:
        return (self.path / self.marker).is_file()

    def claim(self, settings: Mapping[str, Any], resume: bool) -> None:
        """Takes the folder for a training with these settings, or goes on with one of the very same settings.

        Raises TrainingFolderError where something else is in it, or a training that nobody asked to go on with.
        """
        if self.path.exists() and not self.path.is_dir():
            raise TrainingFolderError(f"{self.path}: is a file; name a folder for the model")
        run = self.path / _RUN
        if not run.is_file():
            if self.path.is_dir() and any(self.path.iterdir()):
                raise TrainingFolderError(f"{self.path}: the folder is not empty; name another for the model")
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(run, json.dumps(dict(settings), indent=1))
        elif not resume:
            what = "a finished model" if self.finished else "an unfinished training, which --resume goes on with"
            raise TrainingFolderError(f"{self.path}: the folder holds {what}; name another")
        elif differing := _differing(json.loads(run.read_text(encoding="utf-8")), settings):
            raise TrainingFolderError(f"{self.path}: cannot go on with other settings than it began with: {differing}")

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint that is whole; what a crash left of one is removed."""
        numbered = [path for path in self.checkpoints.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]
        found = sorted(numbered, key=lambda path: int(path.name.rpartition("-")[2]))
        for checkpoint in reversed(found):
            try:
                json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))  # written last
                return checkpoint
            except (OSError, ValueError):
                shutil.rmtree(checkpoint)
        return None

    def finish(self, write: Callable[[Path], None]) -> None:
        """Lets `write` fill a folder with the model's files, then moves them in, `marker` last.

        `config.json` comes just before it, since a loader may make do with that.
        """
        staging = self.path / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        write(staging)
        if not (staging / self.marker).is_file():
            raise RuntimeError(f"the model was written without {self.marker}")
        for source in sorted(staging.iterdir(), key=self._place):
            target = self.path / source.name
            if target.is_dir():
                shutil.rmtree(target)
            source.replace(target)
        staging.rmdir()

    def _place(self, path: Path) -> tuple[bool, bool, str]:
        return path.name == self.marker, path.name == "config.json", path.name


def write_whole(path: Path, text: str) -> None:
    """Writes `text` to `path` so that no reader, and no crash, finds half of it."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _differing(began: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(dict(now)))
    return ", ".join(
        f"{key} {began.get(key)!r}, now {plain.get(key)!r}" for key in plain if began.get(key) != plain.get(key)
    )

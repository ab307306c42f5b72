"""What an evaluation found, question by question, in a JSON Lines file that an interrupted run goes on with.

The first line holds the settings; a file is only ever added to by a run with the same ones.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from octavo.evaluation.metrics import Page


class ResultsError(ValueError):
    """A results file that this run cannot go on with; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it was given: text, pages cited in order, what wrote it, its notes, and the seconds it took."""

    text: str
    citations: tuple[Page, ...]
    generator: str
    notes: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way found for one question (its id): the pages of each item, best first, in `seconds`; the answer."""

    question: str
    way: str
    retrieved: tuple[tuple[Page, ...], ...]
    seconds: float
    reply: Reply | None


class Results:
    """The outcomes in a file, by question and way. Used as a context: the file is locked against a second run.

    Raises ResultsError when the file holds a run with other settings (unless `fresh`: then it is begun anew), is in
    use, or is no results file; and OSError.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], fresh: bool = False) -> None:
        self._path = path
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        self._file: IO[bytes] = path.open("a+b")
        try:
            self._open(json.loads(json.dumps(settings)), fresh)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __contains__(self, key: object) -> bool:
        return key in self._outcomes

    def __getitem__(self, key: tuple[str, str]) -> Outcome:
        return self._outcomes[key]

    def __len__(self) -> int:
        return len(self._outcomes)

    def add(self, outcome: Outcome, scores: Mapping[str, float | None]) -> None:
        """Keeps an outcome; its scores stand beside it for readers, and are made anew from the rest when read."""
        self._write(asdict(outcome) | {"scores": dict(scores)})
        self._outcomes[outcome.question, outcome.way] = outcome

    def _open(self, settings: dict[str, Any], fresh: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResultsError(f"{self._path} is being written by another evaluation: wait until it ends") from None
        self._file.seek(0)
        data = b"" if fresh else self._file.read()
        whole = data[: data.rfind(b"\n") + 1]  # a run that was killed may leave half a line
        self._file.truncate(len(whole))
        lines = whole.decode("utf-8", "replace").split("\n")[:-1]
        if len(lines) < 2:  # begun, but nothing found yet
            self._file.truncate(0)
            self._write({"settings": settings})
            return
        try:
            kept = json.loads(lines[0])["settings"]
            outcomes = [_outcome(json.loads(line)) for line in lines[1:]]
        except (ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"{self._path} holds no results: name another folder with --out") from error
        if kept != settings:
            raise ResultsError(
                f"{self._path} holds a run with other settings ({_difference(kept, settings)}): "
                "name another folder with --out, or begin anew with --fresh"
            )
        self._outcomes = {(o.question, o.way): o for o in outcomes}

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._file.flush()


def _outcome(line: dict[str, Any]) -> Outcome:
    reply = line["reply"]
    return Outcome(
        line["question"],
        line["way"],
        tuple(_pages(item) for item in line["retrieved"]),
        line["seconds"],
        reply
        and Reply(
            reply["text"], _pages(reply["citations"]), reply["generator"], tuple(reply["notes"]), reply["seconds"]
        ),
    )


def _pages(pages: list[list[Any]]) -> tuple[Page, ...]:
    return tuple((document, page) for document, page in pages)


def _difference(kept: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    keys = [key for key in {**kept, **now} if kept.get(key) != now.get(key)]
    return "; ".join(f"{key} {kept.get(key)} there, {now.get(key)} now" for key in keys)

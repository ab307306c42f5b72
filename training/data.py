"""Questions with the reports that answer them: reading, checking, and splitting them by report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSAGE_KEYS = ("report", "positive", "passage")
SHARES = (0.70, 0.15, 0.15)
_LEAST = 2  # reports of a split: with one there is nothing to tell apart


class TrainingDataError(ValueError):
    """A file that cannot be trained on; the message is one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question and a report, which answers it or not; `labelled` says whether the file itself said so."""

    question: str
    report: str
    right: bool
    labelled: bool


@dataclass(frozen=True, slots=True)
class Split:
    """Distinct questions and distinct reports. `right[q]` and `wrong[q]` are positions in `reports`.

    `wrong` holds what the data names as wrong; every report that is not right counts as wrong when ranks are measured.
    """

    questions: tuple[str, ...]
    reports: tuple[str, ...]
    right: tuple[frozenset[int], ...]
    wrong: tuple[frozenset[int], ...]

    @property
    def pairs(self) -> int:
        """Right pairs of a question and a report."""
        return sum(len(reports) for reports in self.right)


@dataclass(frozen=True, slots=True)
class Splits:
    """What is learned from, what is watched meanwhile, and what is reported on. No report is in two of them."""

    train: Split
    dev: Split
    test: Split

    @property
    def shared_questions(self) -> int:
        """Questions of the test split whose very words are in the train split too, about other reports."""
        return len(set(self.test.questions) & set(self.train.questions))


def read_rows(files: Sequence[Path], on_blank: Callable[[str], None] = lambda _: None) -> list[Row]:
    """The rows of JSON Lines files: {"question", "report"}, with "positive" or "passage" as other names of a report.

    A "label" of 1 or 0 says whether the report answers the question; without one it does. White space is made single,
    so that reports that differ in it alone are one. A line whose question or report is an empty text is left out, and
    `on_blank` told its place; any other fault is an error. Raises TrainingDataError and OSError.
    """
    rows = [row for file in files for row in _read(file, on_blank)]
    labels = {row.right for row in rows}
    names = ", ".join(file.name for file in files)
    if not rows:
        raise TrainingDataError(f"{names}: no line has both a question and a report")
    if any(row.labelled for row in rows) and len(labels) == 1:
        raise TrainingDataError(
            f"{names}: one class only, every line has label {int(labels.pop())}: give lines of both labels, or no "
            "labels, and the other questions' reports are the negatives"
        )
    if len({row.report for row in rows}) == 1:
        raise TrainingDataError(f"{names}: one class only, every line has the same report: give several reports")
    said: dict[tuple[str, str], bool] = {}
    for row in rows:
        if said.setdefault((row.question, row.report), row.right) != row.right:
            raise TrainingDataError(f"{names}: labels 1 and 0 for the same pair, of the question {row.question[:80]!r}")
    return rows


def split_by_report(rows: Iterable[Row], seed: int, shares: Sequence[float] = SHARES) -> Splits:
    """The rows in three parts by a seeded hash of their reports: about 70% of the reports, 15% and 15%.

    The hash makes the parts independent of the order of files and lines. A question about reports of several parts is
    in each of them, with the reports of that part. Raises TrainingDataError for too few reports.
    """
    rows = list(rows)
    right = _shuffled({row.report for row in rows if row.right}, seed)
    other = _shuffled({row.report for row in rows} - set(right), seed)
    held = [max(_LEAST, round(share * len(right))) for share in shares[1:]]
    if len(right) < sum(held) + _LEAST:
        raise TrainingDataError(
            f"{len(right)} distinct reports that answer a question are too few to split into train, dev and test: "
            f"give at least {_LEAST * len(shares)}"
        )
    edges = [0, len(right) - sum(held), len(right) - held[1], len(right)]
    parts = []
    for n in range(3):
        first, last = (round(edge / len(right) * len(other)) for edge in edges[n : n + 2])
        parts.append(_part(rows, {*right[edges[n] : edges[n + 1]], *other[first:last]}))
    return Splits(*parts)


def digest(rows: Iterable[Row]) -> str:
    """What identifies the data, whatever its files are called."""
    lines = sorted(json.dumps([row.question, row.report, row.right]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_lines(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a JSON Lines file, each with its place ("name, line n"). Raises TrainingDataError, OSError."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TrainingDataError(f"{file.name}: not text in UTF-8 (byte {error.start})") from None
    entries = []
    for number, line in enumerate(lines, 1):
        place = f"{file.name}, line {number}"
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise TrainingDataError(f"{place}: not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(entry, dict):
            raise TrainingDataError(f"{place}: an object is needed, such as {{'question': ..., 'report': ...}}")
        entries.append((place, entry))
    if not entries:
        raise TrainingDataError(f"{file.name}: the file is empty")
    return entries


def text_of(place: str, entry: Mapping[str, Any], *keys: str) -> str:
    """The text under the first of `keys` that is there, its white space made single. Raises TrainingDataError."""
    value = next((entry[key] for key in keys if key in entry), None)
    if not isinstance(value, str):
        names = " or ".join(f'"{key}"' for key in keys)
        raise TrainingDataError(f"{place}: no text under {names}")
    return " ".join(value.split())


def _read(file: Path, on_blank: Callable[[str], None]) -> Iterable[Row]:
    for place, entry in read_lines(file):
        label = entry.get("label", 1)
        if isinstance(label, str) or label not in (0, 1):
            raise TrainingDataError(f"{place}: the label must be 0 or 1, not {label!r}")
        question, report = text_of(place, entry, "question"), text_of(place, entry, *PASSAGE_KEYS)
        if question and report:
            yield Row(question, report, bool(label), "label" in entry)
        else:
            on_blank(place)


def _shuffled(reports: Iterable[str], seed: int) -> list[str]:
    return sorted(reports, key=lambda report: hashlib.sha256(f"{seed}\0{report}".encode()).digest())


def _part(rows: Iterable[Row], reports: set[str]) -> Split:
    inside = [row for row in rows if row.report in reports]
    ordered = tuple(sorted(reports))
    place = {report: n for n, report in enumerate(ordered)}
    questions = tuple(dict.fromkeys(row.question for row in inside if row.right))
    number = {question: n for n, question in enumerate(questions)}
    sides: dict[bool, list[set[int]]] = {True: [set() for _ in questions], False: [set() for _ in questions]}
    for row in inside:
        if row.question in number:
            sides[row.right][number[row.question]].add(place[row.report])
    return Split(questions, ordered, tuple(map(frozenset, sides[True])), tuple(map(frozenset, sides[False])))

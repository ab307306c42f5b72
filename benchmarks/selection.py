"""The rules that choose evidence, measured: evidence kept, chunks sent to the generator, and promises kept.

    python benchmarks/selection.py LIBRARY QUESTIONS... [--absent QUESTIONS...] [--data DATA] [--lose 0.1 0.2 0.3]

Each question is searched once. `all`, `gap` and `ratio` are judged on all QUESTIONS; `calibrated` on a third of them
after calibrating on the others, over many random splits, so that what is lost can be held against what was promised;
where a split refuses the promise, all are kept, as whoever is refused would. What is promised is exact for the number
n of questions that set the cut, floor(lose (n + 1)) / (n + 1), and bounds what is lost though it was promised.
--absent: questions that LIBRARY's documents do not answer, for which nothing ought to be kept: files like QUESTIONS, or
CSV with a column `Question`. Questions whose documents LIBRARY lacks are left out. Intervals are 95%: bootstrap over
questions; of `calibrated` the middle 95% of the splits.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from octavo import Library, Settings, calibrating
from octavo.evaluation import answers
from octavo.evaluation.questions import Question, QuestionsError, read_questions, resolve
from octavo.evaluation.statistics import mean_interval
from octavo.retrieval.calibration import CalibrationError, Searched, calibrate
from octavo.retrieval.model import Mode
from octavo.retrieval.selection import select_gap, select_ratio

SCORE = 3  # its place among the signals


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one rule: for each question whether evidence is kept and how many hits are; for absent ones how many."""

    evidence: list[float]
    hits: list[int]
    absent: list[int]
    refused: bool = False


def read(path: Path, data: Path | None) -> Iterator[Question]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            for n, row in enumerate(csv.DictReader(file)):
                yield Question(f"{path.stem}-{n}", row["Question"], "", frozenset())
    elif path.parent.name == "answers":
        for known in answers.read_questions(path, data):
            yield Question(known.id, known.question, "", known.evidence)
    else:
        yield from read_questions(path)


def there(questions: Sequence[Question], documents: dict[str, int]) -> Iterator[Question]:
    """The questions whose documents the library has, under the names that it has them by."""
    for question in questions:
        try:
            yield from resolve([question], documents, "questions")
        except QuestionsError:
            continue


def search(library: Library, questions: Sequence[Question], mode: Mode, k: int) -> list[Searched]:
    hits = [library.search(question.text, k, mode=mode, domain=None) for question in questions]
    return [calibrating.searched(library, question, some) for question, some in zip(questions, hits, strict=True)]


def by_number(found: Sequence[Searched], absent: Sequence[Searched], count: str, value: float, k: int) -> Kept:
    """What a rule over scores keeps of the first `k` hits."""

    def number(scores: NDArray[np.float64]) -> int:
        if count == "gap":
            return select_gap(scores[:k].tolist(), value)
        return select_ratio(scores[:k].tolist(), value, k) if count == "ratio" else min(k, len(scores))

    kept = [number(some.signals[:, SCORE]) for some in found]
    evidence = [float(some.evidence[:n].any()) for some, n in zip(found, kept, strict=True)]
    return Kept(evidence, kept, [number(some.signals[:, SCORE]) for some in absent])


def calibrated(found: Sequence[Searched], absent: Sequence[Searched], lose: float, k: int, seed: int) -> Kept:
    """What a calibration on two thirds keeps of the others: all, where it refuses the promise."""
    order = np.random.default_rng(seed).permutation(len(found))
    test, known = [found[n] for n in order[: len(found) // 3]], [found[n] for n in order[len(found) // 3 :]]
    try:
        made = calibrate(known, lose, k, seed)
    except CalibrationError:
        evidence = [float(some.evidence.any()) for some in test]
        return Kept(evidence, [k] * len(test), [k] * len(absent), refused=True)

    def passes(some: Searched) -> NDArray[np.bool_]:
        return made.probabilities(some.signals) >= made.cut(some.domain)[1].least

    masks = [passes(some) for some in test]
    evidence = [float((some.evidence & mask).any()) for some, mask in zip(test, masks, strict=True)]
    return Kept(evidence, [int(mask.sum()) for mask in masks], [int(passes(some).sum()) for some in absent])


def show(name: str, columns: Sequence[tuple[float, float, float]]) -> None:
    print(f"| {name} | {' | '.join(f'{mean:.3f} ({low:.3f} to {high:.3f})' for mean, low, high in columns)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("questions", type=Path, nargs="+")
    parser.add_argument("--absent", type=Path, nargs="+", default=[])
    parser.add_argument("--absent-every", type=int, default=1, help="only each so many-th of the absent questions")
    parser.add_argument("--data", type=Path, help="where benchmarks/answers takes some of its questions from")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="text")
    parser.add_argument("-k", type=int, default=50, help="hits that `calibrated` chooses among")
    parser.add_argument("--lose", type=float, nargs="+", default=[0.1, 0.2, 0.3])
    parser.add_argument("--splits", type=int, default=500)
    options = parser.parse_args()
    k, mode = options.k, Mode(options.mode)
    with Library(settings=Settings(library=options.library)) as library:
        documents = {info.name: info.pages for info in library.documents()}
        asked = list(there([q for path in options.questions for q in read(path, options.data)], documents))
        others = [q for path in options.absent for q in read(path, options.data)]
        others = [q for q in others if not any(True for _ in there([q], documents) if q.evidence)]
        others = others[:: options.absent_every]
        found, absent = search(library, asked, mode, k), search(library, others, mode, k)
    print(f"{len(documents)} documents, {mode}: {len(found)} questions, {len(absent)} absent")
    for depth in (10, 20, k):
        hit = mean_interval([float(some.evidence[:depth].any()) for some in found])
        print(f"evidence among the first {depth}: {hit.mean:.3f} ({hit.low:.3f} to {hit.high:.3f})")
    print("| rule | evidence kept | chunks | chunks, absent | nothing kept, absent |\n|---|---|---|---|---|")
    rules = [("all", 0.0, 10), ("all", 0.0, k), ("gap", 0.15, 10), ("gap", 0.05, 10), ("ratio", 1.2, 10)]
    for rule, value, depth in [*rules, ("ratio", 1.05, 10)]:
        kept = by_number(found, absent, rule, value, depth)
        parts = (kept.evidence, kept.hits, kept.absent, [float(not n) for n in kept.absent])
        estimates = [mean_interval(part) for part in parts]
        name = f"{rule}, {value:g} of {depth}" if value else f"{rule} {depth}"
        show(name, [(e.mean, e.low, e.high) for e in estimates])
    for lose in options.lose:
        splits = [calibrated(found, absent, lose, k, seed) for seed in range(options.splits)]
        rows = []
        for kept in splits:
            nothing = [float(not n) for n in kept.absent] or [0.0]
            rows.append([np.mean(kept.evidence), np.mean(kept.hits), np.mean(kept.absent or [0]), np.mean(nothing)])
        n = (len(found) - len(found) // 3) // 2
        refused = sum(kept.refused for kept in splits)
        broken = np.mean([0.0 if kept.refused else 1 - np.mean(kept.evidence) for kept in splits])
        low, high = np.percentile(rows, (2.5, 97.5), axis=0)
        promise = f"promised {floor(lose * (n + 1)) / (n + 1):.3f}, lost though promised {broken:.3f}"
        name = f"calibrated, lose {lose:g}: by {n} questions {promise}, refused {refused} of {len(splits)} times"
        show(name, list(zip(np.mean(rows, axis=0), low, high, strict=True)))


if __name__ == "__main__":
    main()

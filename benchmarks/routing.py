"""Documents first, measured: the right document first, what is found with and without, and how long a search takes.

    python benchmarks/routing.py LIBRARY QUESTIONS.jsonl [--by company] [--seed 0] [--half development] [-k 10]

The questions are split by what `--by` names into two halves, so that rules made on one can be judged on the other. Of
each question with its document in LIBRARY: whether that document comes first, and among three, by card and what is
found; recall of evidence pages at k when everything is searched alike, documents first, and inside the right documents.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from octavo import Library, Settings
from octavo.evaluation.metrics import page_metrics
from octavo.evaluation.protocol import pages_of
from octavo.evaluation.questions import Question, read_questions, resolve
from octavo.evaluation.statistics import Estimate, mean_interval, share_interval
from octavo.retrieval.library_domains import Where
from octavo.retrieval.model import Mode
from octavo.retrieval.tuning import Tuning, Weights

WAYS = {"everywhere": "everything alike", "first": "documents first", "inside": "inside the right"}


def halves(questions: Sequence[Question], path: Path, by: str, seed: int) -> dict[str, list[Question]]:
    """The questions by half: what `by` names in their lines is shuffled, and its first half is for development."""
    groups = [str(json.loads(line)[by]) for line in path.read_text().splitlines() if line.strip()]
    names = sorted(set(groups))
    random.Random(seed).shuffle(names)  # noqa: S311
    mine = set(names[: len(names) // 2])
    pairs = list(zip(questions, groups, strict=True))
    return {
        "development": [question for question, group in pairs if group in mine],
        "held out": [question for question, group in pairs if group not in mine],
    }


class Bench:
    """What is asked of one library."""

    def __init__(self, library: Library, k: int, weights: Weights) -> None:
        self.library, self.k, self.where = library, k, Where(tuning=Tuning(weights=weights))
        self.names = {info.sha256: info.name for info in library.documents()}
        self.hashes = {name: sha256 for sha256, name in self.names.items()}
        self.seconds: dict[str, list[float]] = {"everywhere": [], "first": []}

    def place(self, question: Question) -> int:
        """At which place, from 0, a document of the question's evidence comes."""
        self.library.engine.documents_first = True
        looked = [where.document for where in self.library.engine.find(question.text, Mode.TEXT, self.k)[1]]
        order = [self.names[sha256] for sha256 in self.library.engine.route(question.text).odds]
        order = list(dict.fromkeys([*looked, *order]))
        return min(order.index(document) for document, _ in question.evidence)

    def recalls(self, question: Question, mode: Mode) -> dict[str, float]:
        engine, right = self.library.engine, [self.hashes[document] for document, _ in question.evidence]
        found: dict[str, float] = {}
        for way in WAYS:
            engine.documents_first = way == "first"
            started = perf_counter()
            hits, _ = engine.find(question.text, mode, self.k, right if way == "inside" else None, self.where)
            if mode is Mode.TEXT and way in self.seconds:
                self.seconds[way].append(perf_counter() - started)
            found[way] = page_metrics([pages_of(hit) for hit in hits], question.evidence, self.k)["recall"]
        return found


def told(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--by", default="company")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", choices=["development"], help="leave the other half alone")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--weights", type=float, nargs=3, default=(1, 1, 1), metavar=("DENSE", "BM25", "IMAGE"))
    parser.add_argument("--mode", action="append", choices=[mode.value for mode in Mode])
    options = parser.parse_args()
    with Library(settings=Settings(library=options.library, documents_first=True)) as library:
        there = {info.name: info.pages for info in library.documents()}
        asked = resolve(read_questions(options.questions), there, options.questions.name)
        parts = halves(asked, options.questions, options.by, options.seed)
        parts = {"development": parts["development"]} if options.half else {**parts, "all": asked}
        library.search("What is this about?")  # loads models and indexes
        dense, bm25, image = options.weights
        bench = Bench(library, options.k, Weights(dense=dense, bm25=bm25, image=image))
        places = {q.id: bench.place(q) for q in asked if any(q in part for part in parts.values())}
        print(f"{len(there)} documents, {len(library.index.vectors)} text chunks")
        for part, some in parts.items():
            for label, most in (("first", 1), ("among three", 3)):
                share = share_interval([float(places[q.id] < most) for q in some])
                print(f"{part}, {len(some)} questions: right document {label} {told(share)}")
        for mode in map(Mode, options.mode or Mode):
            found = {key: bench.recalls(q, mode) for key, q in ((q.id, q) for q in asked) if key in places}
            for part, some in parts.items():
                cells = [f"{WAYS[way]} {told(mean_interval([found[q.id][way] for q in some]))}" for way in WAYS]
                gained = mean_interval([found[q.id]["first"] - found[q.id]["everywhere"] for q in some])
                print(f"{mode}, {part}: recall@{options.k} {', '.join(cells)}; gained {told(gained)}")
        for way, seconds in bench.seconds.items():
            half, most = (1000 * np.percentile(seconds, share) for share in (50, 95)) if seconds else (0, 0)
            print(f"a search in text, {WAYS[way]}: {half:.0f} ms in the median, {most:.0f} ms at 95 %")


if __name__ == "__main__":
    main()

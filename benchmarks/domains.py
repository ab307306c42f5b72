"""Domains, measured: which one a document and a question are taken for, how often that is unsure, and what it finds.

    python benchmarks/domains.py COPY --data DATA --domain finance=financebench/pdfs,sec10q --domain aviation=ntsb \\
        --told medicine=medical/radiology_iuxray.jsonl --questions financebench/questions.jsonl

COPY is a library to work on, whose domains are set anew. Each --domain is one of its documents, those that lie in the
folders of DATA. --told is a domain of texts alone: of each file's lines {"question", "report"}, 60 reports are
examples, and 40 questions on others are asked. Documents are identified by what was learnt from four fifths of all,
themselves not among them, and by the eight domains that come with Octavo; questions by all documents. Without
--questions nothing is searched. Intervals are 95%.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selection import read, there

from octavo import Library, Settings
from octavo.evaluation.metrics import page_metrics
from octavo.evaluation.protocol import pages_of
from octavo.evaluation.statistics import mean_interval, share_interval
from octavo.retrieval.domains import MOSTLY, SURE, DomainIdentifier, default_examples, read_examples, sure
from octavo.retrieval.model import Mode

FOLDS, ASKED, EXAMPLES = 5, 40, 60


def show(name: str, truth: Sequence[str], odds: Sequence[Mapping[str, float]], least: float) -> None:
    """One line: the likeliest right, the share unsure, and of those that are not the share that is right."""
    first = [float(next(iter(some)) == own) for own, some in zip(truth, odds, strict=True)]
    found = [sure(some, least) for some in odds]
    right = [float(own == true) for own, true in zip(found, truth, strict=True) if own]
    parts = [share_interval(first), share_interval([float(not own) for own in found]), share_interval(right)]
    cells = " | ".join(f"{part.mean:.3f} ({part.low:.3f} to {part.high:.3f})" for part in parts)
    print(f"| {name}, {len(truth)} | {cells} |")


def told(path: Path) -> tuple[list[str], list[str]]:
    """Examples of a domain of texts, and questions on other texts of it; by a fixed seed."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    reports, generator = sorted({row["report"] for row in rows}), random.Random(0)  # noqa: S311
    generator.shuffle(reports)
    examples = set(reports[: min(EXAMPLES, len(reports) // 2)])
    questions = sorted({row["question"] for row in rows if row["report"] not in examples})
    generator.shuffle(questions)
    return sorted(examples), questions[:ASKED]


def by_folds(
    documents: Mapping[str, Sequence[NDArray[np.float32]]], others: Mapping[str, Sequence[NDArray[np.float32]]]
) -> tuple[list[str], list[Mapping[str, float]]]:
    """(domain, what it is taken for) of each document, by what was learnt from documents of other folds."""
    truth: list[str] = []
    odds: list[Mapping[str, float]] = []
    generator = np.random.default_rng(0)
    fold = {domain: generator.permutation(len(some)) % FOLDS for domain, some in documents.items()}
    for held in range(FOLDS):
        known = {d: [v for v, f in zip(some, fold[d], strict=True) if f != held] for d, some in documents.items()}
        identifier = DomainIdentifier({**known, **others})
        for domain, some in documents.items():
            for vectors in (v for v, f in zip(some, fold[domain], strict=True) if f == held):
                truth.append(domain)
                odds.append(identifier.of_document(vectors))
    return truth, odds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--domain", action="append", required=True, metavar="NAME=FOLDER,...")
    parser.add_argument("--told", action="append", default=[], metavar="NAME=FILE,...")
    parser.add_argument("--questions", type=Path, nargs="+", default=[])
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="text")
    parser.add_argument("-k", type=int, default=10)
    options = parser.parse_args()
    folders = {name: found.split(",") for name, _, found in (each.partition("=") for each in options.domain)}
    files = {name: found.split(",") for name, _, found in (each.partition("=") for each in options.told)}
    with Library(settings=Settings(library=options.library)) as library:
        pages = {info.name: info.pages for info in library.documents()}
        named = {
            path.name: name for name, some in folders.items() for f in some for path in (options.data / f).glob("*.pdf")
        }
        named = {document: name for document, name in named.items() if document in pages}
        hashes = {info.name: info.sha256 for info in library.documents()}
        documents = {
            name: [library.engine.domains.vectors([hashes[d]]) for d in sorted(named) if named[d] == name]
            for name in folders
        }
        texts = {name: [told(options.data / file) for file in some] for name, some in files.items()}
        others = {
            name: [library.embedder.encode([text]) for examples, _ in some for text in examples]
            for name, some in texts.items()
        }
        counts = ", ".join(f"{name} {len(some)}" for name, some in documents.items())
        print(f"{counts} documents\n| what | right | unsure | right where sure |\n|---|---|---|---|")
        truth, odds = by_folds(documents, others)
        show("documents", truth, odds, MOSTLY)

        identifier = DomainIdentifier({**documents, **others})
        asked = list(there([q for path in options.questions for q in read(path, options.data)], pages))
        pairs = [(named[min(q.evidence)[0]], q.text) for q in asked]
        pairs += [(name, text) for name, some in texts.items() for _, questions in some for text in questions]
        known = [(own, identifier.probabilities(library.embedder.embed_query(text))) for own, text in pairs]
        for name in [None, *folders, *files]:
            some = [pair for pair in known if name in (None, pair[0])]
            if some:
                show(f"questions{f' on {name}' if name else ''}", *zip(*some, strict=True), SURE)

        eight = read_examples(default_examples())
        by_eight = DomainIdentifier(
            {name: [library.embedder.encode([text]) for text in some] for name, some in eight.items()}
        )
        for name, some in documents.items():
            placed = Counter(sure(by_eight.of_document(vectors), MOSTLY) or "none" for vectors in some)
            print(f"{name} by the eight of UniDoc-Bench: {', '.join(f'{n} {own}' for own, n in placed.most_common())}")
        if not asked:
            return
        for name in folders:
            library.set_domain(name, [document for document, own in named.items() if own == name])
        print("| search | recall |\n|---|---|")
        for first in (False, True):
            library.engine.documents_first = first
            found = {}
            for way in ("everywhere", "auto", "its domain"):
                domains = [None if way == "everywhere" else "auto" if way == "auto" else own for own, _ in pairs]
                hits = [
                    library.search(q.text, options.k, mode=options.mode, domain=d)
                    for q, d in zip(asked, domains, strict=False)
                ]
                found[way] = [
                    page_metrics([pages_of(hit) for hit in some], q.evidence, options.k)["recall"]
                    for q, some in zip(asked, hits, strict=True)
                ]
                gained = [a - b for a, b in zip(found[way], found["everywhere"], strict=True)]
                mean, gain = (
                    f"{part.mean:.3f} ({part.low:.3f} to {part.high:.3f})"
                    for part in (mean_interval(found[way]), mean_interval(gained))
                )
                print(f"| {'documents first, ' if first else ''}{way} | {mean}, gained {gain} |")


if __name__ == "__main__":
    main()

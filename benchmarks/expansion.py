"""What belongs to hits, measured at an equal number of chunks: is more of the evidence before the generator?

    python benchmarks/expansion.py LIBRARY QUESTIONS.jsonl [-k 5 10] [--most 2 4 8]

For each question: the first k hits; these with what `expand` brings, at most so many chunks; and in the place of what
is brought as many hits more (`more`). So is the neighbour, the chunk before or after a hit that shares its first
element (`cut`). Measured are the recall of evidence pages, the share of the evidence text's numbers that a model which
reads whole hits is shown, where QUESTIONS have `evidence_text`, and the words of that. 95% intervals over questions.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from octavo import Library, Settings
from octavo.evaluation.metrics import page_metrics
from octavo.evaluation.protocol import pages_of
from octavo.evaluation.questions import Question, read_questions, resolve
from octavo.evaluation.statistics import mean_interval
from octavo.generation.policy import HIT_CHARACTERS
from octavo.generation.prompts import render_hit
from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.expansion import expand
from octavo.retrieval.model import Hit

_NUMBER = re.compile(r"\d[\d,.]*\d")

Measured = tuple[float, float, float]
Bring = Callable[[Catalogue, Sequence[Hit], int], list[Hit]]


def numbers(path: Path) -> list[set[str]]:
    """The numbers of each question's evidence, as it is quoted in its line."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    quoted = [" ".join(some.get("evidence_text", "") for some in line["evidence"]) for line in lines]
    return [set(_NUMBER.findall(text)) for text in quoted]


def neighbours(catalogue: Catalogue, hits: Sequence[Hit], most: int) -> list[Hit]:
    """The chunks beside each hit in which the paragraph or table goes on that it is cut from."""
    found: dict[int, Hit] = {}
    for hit in hits:
        ids = [(hit.chunk.id or 0) + step for step in (-1, 1)]
        same = [s.chunk.id for s in catalogue.chunks(ids) if s.chunk.element_ids[0] == hit.chunk.element_ids[0]]
        found |= {key: hit for key in same if key and key not in {other.chunk.id for other in hits}}
    return [
        Hit(s.chunk, s.document, s.sha256, s.elements, found[s.chunk.id or -1].score)
        for s in catalogue.chunks(list(found)[:most])
    ]


def measure(question: Question, wanted: set[str], hits: Sequence[Hit]) -> Measured:
    recall = page_metrics([pages_of(hit) for hit in hits], question.evidence, len(hits))["recall"]
    documents = {document for document, _ in question.evidence}
    shown = [(hit.document, render_hit(hit, HIT_CHARACTERS, question.text)) for hit in hits]
    seen = set(_NUMBER.findall(" ".join(text for document, text in shown if document in documents)))
    words = sum(len(text.split()) for _, text in shown)
    return recall, len(wanted & seen) / len(wanted) if wanted else 0.0, float(words)


def show(name: str, brought: float, found: Sequence[Measured], against: Sequence[Measured] | None = None) -> None:
    cells = []
    for column in range(2):
        told = f"{mean_interval([one[column] for one in found]).mean:.3f}"
        if against:
            e = mean_interval([a[column] - b[column] for a, b in zip(found, against, strict=True)])
            told += f", {e.mean:+.3f} ({e.low:+.3f} to {e.high:+.3f})"
        cells.append(told)
    words = sum(one[2] for one in found) / len(found)
    print(f"| {name} | {brought:.1f} | {' | '.join(cells)} | {words:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("-k", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--most", type=int, nargs="+", default=[2, 4, 8])
    options = parser.parse_args()
    ways: dict[str, Bring] = {"links": expand, "cut": neighbours}
    with Library(settings=Settings(library=options.library)) as library:
        there = {info.name: info.pages for info in library.documents()}
        asked = resolve(read_questions(options.questions), there, options.questions.name)
        wanted, catalogue = numbers(options.questions), library.catalogue
        deepest = max(options.k) + max(options.most)
        hits = [library.search(question.text, deepest, domain=None) for question in asked]
        print("| | chunks brought | recall of pages | numbers of the evidence | words |\n|---|---|---|---|---|")
        for k in options.k:
            lists = list(zip(asked, wanted, hits, strict=True))
            show(f"{k} hits", 0, [measure(q, some, found[:k]) for q, some, found in lists])
            for name, bring in ways.items():
                for most in options.most:
                    brought = [bring(catalogue, found[:k], most) for found in hits]
                    mean = sum(map(len, brought)) / len(brought)
                    pairs = list(zip(lists, brought, strict=True))
                    more = [measure(q, some, found[: k + len(new)]) for (q, some, found), new in pairs]
                    got = [measure(q, some, [*found[:k], *new]) for (q, some, found), new in pairs]
                    show(f"{k} hits and {name}, at most {most}", mean, got, more)
                    show("as many hits more", mean, more)


if __name__ == "__main__":
    main()

"""Asks a library the questions of benchmarks/answers and scores what it says.

    python benchmarks/answers.py --library FOLDER --data ../shared/data --out answers.jsonl

The library must hold the documents of the questions (`octavo ingest`). `--oracle` gives the generator every chunk of
the pages that hold the answer in place of what a search finds: what is then wrong is the reading, not the retrieval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from tqdm import tqdm

from octavo.evaluation.answers import KnownAnswer, Page, Score, read_questions, report, score
from octavo.ingest.store.schema import ChunkRow, DocumentRow
from octavo.library import Library
from octavo.retrieval.model import Hit, Selection
from octavo.settings import Settings

QUESTIONS = Path(__file__).parent / "answers" / "questions.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, help="a library with the questions' documents")
    parser.add_argument("--generator", choices=["extractive", "local", "openai"], default="extractive")
    parser.add_argument("--questions", type=Path, default=QUESTIONS, help="a JSON Lines file; see answers/README.md")
    parser.add_argument("--data", type=Path, help="folder of the CSV files that questions are taken from")
    parser.add_argument("--out", type=Path, help="JSON Lines file for the result of each question")
    parser.add_argument("--oracle", action="store_true", help="answer from the pages of evidence, without a search")
    chosen = parser.parse_args()
    try:
        questions = read_questions(chosen.questions, chosen.data)
    except ValueError as error:
        parser.error(str(error))
    kind = EvidenceLibrary if chosen.oracle else Library
    with kind(chosen.library, Settings(generator=chosen.generator)) as library:
        missing = {name for q in questions for name, _ in q.evidence} - {info.name for info in library.documents()}
        if missing:
            parser.error(f"the library lacks {len(missing)} documents: {', '.join(sorted(missing))}")
        if isinstance(library, EvidenceLibrary):
            library.evidence = {q.question: q.evidence for q in questions}
        results = [_result(library, question) for question in tqdm(questions, desc="questions", unit="q")]
    if chosen.out:
        chosen.out.write_text("".join(json.dumps(line) + "\n" for _, line in results), encoding="utf-8")
    print(report([scored for scored, _ in results]))


def _result(library: Library, question: KnownAnswer) -> tuple[Score, dict[str, Any]]:
    start = perf_counter()
    answer = library.ask(question.question)
    seconds = perf_counter() - start
    scored = score(question, answer.text, [(c.document, c.page) for c in answer.citations])
    citations = [{"document": c.document, "page": c.page, "type": c.type, "bbox": c.bbox} for c in answer.citations]
    found = sorted({(hit.document, hit.page) for hit in answer.selection.kept} & question.evidence)
    line = asdict(scored) | {
        "question": question.question,
        "answer": answer.text,
        "citations": citations,
        "facts": question.facts,
        "evidence": sorted(question.evidence),
        "evidence_found": found,
        "notes": answer.notes,
        "seconds": round(seconds, 3),
    }
    return scored, line


class EvidenceLibrary(Library):
    """A library that answers from the pages of evidence instead of searching. `evidence`: pages by question."""

    evidence: Mapping[str, frozenset[Page]] = {}

    def select(self, query: str, documents: Sequence[str] = ()) -> Selection:
        """All chunks of the pages of evidence, in reading order."""
        on_pages = tuple_(DocumentRow.name, ChunkRow.page).in_(sorted(self.evidence[query]))
        ids = select(ChunkRow.id).join(DocumentRow).where(on_pages, ~ChunkRow.picture).order_by(ChunkRow.id)
        with Session(self.catalogue.engine) as session:
            stored = self.catalogue.chunks(list(session.scalars(ids)))
        return Selection(tuple(Hit(s.chunk, s.document, s.sha256, s.elements, 1.0, ("evidence",)) for s in stored))


if __name__ == "__main__":
    main()

"""`make demo`: sample PDFs, a library of them, three cited answers with the cited pages drawn.

Run from anywhere; everything it makes lies beside it. A second run finds its work done.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

from octavo import Library
from octavo.ingest.pipeline import Progress
from octavo.ingest.text import counts
from octavo.pictures import draw_citations

HERE = Path(__file__).parent
PDFS, LIBRARY, ANSWERS = HERE / "pdfs", HERE / "library", HERE / "answers"
QUESTIONS = 3  # the first ones: answered by a paragraph, a table's cell and a figure


def main() -> None:
    start = monotonic()
    if not (PDFS / "truth.json").is_file():
        print("Making sample PDFs from public-domain data ...", flush=True)
        subprocess.run([sys.executable, str(HERE / "make_samples.py")], check=True)  # noqa: S603 - our own script
    with Library(LIBRARY) as library:
        print(f"Reading the PDFs in {shown(PDFS)} ...", flush=True)
        report = library.ingest([PDFS], on_progress=tell)
        if report.failed:
            sys.exit("\n".join(f"{info.name}: {info.error}" for info in report.failed))
        for info in library.documents():
            print(f"  {info.name}: {counts(page=info.pages, element=info.elements, chunk=info.chunks)}")
        lines = (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        for question in [json.loads(line) for line in lines[:QUESTIONS]]:
            answer = library.ask(question["question"])
            print(f"\n{question['question']}\n  {answer.text}")
            for c in answer.citations:
                box = ", ".join(f"{value:.0f}" for value in c.bbox)
                print(f"  [{c.number}] {c.document}, page {c.page}, {c.type} at ({box})")
            for path in draw_citations(library, answer, ANSWERS):
                print(f"      {shown(path)}")
    print(f"\nDone in {monotonic() - start:.0f} s. The chat over these documents:")
    print(f"  .venv/bin/octavo serve --library {shown(LIBRARY)}")


def tell(progress: Progress) -> None:
    if progress.document:
        print(f"  {progress.done}/{progress.documents} {progress.document.name}", flush=True)


def shown(path: Path) -> str:
    """The path as seen from where the user stands."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()

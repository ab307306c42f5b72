"""Write the sample PDFs, the truth about them, and questions with known answers.

    python examples/make_samples.py [--out FOLDER]

Without `--out` the PDFs and `truth.json` go to `pdfs/` beside this script and `questions.jsonl` next to it; with it,
all go to FOLDER. The same packages give the same bytes on every run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ledger import Ledger, Question, Report
from pages import set_report
from reports import economy, pacific, states, sunspots, visits

HERE = Path(__file__).resolve().parent
DEMO = [("states-crime-schooling.pdf", "text"), ("pacific-temperatures.pdf", "table"), ("sunspot-cycles.pdf", "figure")]


def truth_of(ledger: Ledger) -> dict[str, Any]:
    """What the pages of one PDF hold, as `README.md` describes it."""
    return {
        "pages": ledger.pages,
        "tables": list(ledger.tables.values()),
        "figures": ledger.figures,
        "headings": ledger.headings,
        "paragraphs": ledger.paragraphs,
        "footnotes": ledger.footnotes,
        "mentions": ledger.mentions,
        "page_mentions": ledger.page_mentions,
    }


def evidence_page(question: Question, ledger: Ledger) -> int:
    """The page, from 1, on which the answer stands."""
    if question.kind == "text":
        pages = [part["page"] for part in ledger.paragraphs if question.where[0] in part["text"]]
    elif question.kind == "table":
        table = ledger.tables[question.where[0]]
        [row] = [place for place, cells in enumerate(table["rows"]) if cells[0] == question.where[1]]
        pages = [box["page"] for box in table["boxes"] if box["rows"][0] <= row < box["rows"][1]]
    else:
        pages = [figure["page"] for figure in ledger.figures if figure["label"] == question.where[0]]
    if len(pages) != 1:
        raise ValueError(f"{question.question!r} has its evidence on pages {pages}; it must be on exactly one")
    return int(pages[0])


def check_figures_only(questions: list[Question], ledgers: list[Ledger]) -> None:
    """Fail if the words of a chart that only the chart should say are said in a text, table or caption."""
    said = [part["text"] for ledger in ledgers for part in ledger.paragraphs]
    said += [" ".join(row) for ledger in ledgers for table in ledger.tables.values() for row in table["rows"]]
    said += [item["caption"] for ledger in ledgers for item in [*ledger.tables.values(), *ledger.figures]]
    for question in questions:
        if question.kind == "figure" and any(question.where[1] in text for text in said):
            raise ValueError(f"{question.where[1]!r} is said outside its figure")


def order(item: tuple[Report, Ledger, Question]) -> tuple[int, str]:
    """The demo's three questions first, the others by document."""
    key = (item[0].name, item[2].kind)
    return (DEMO.index(key) if key in DEMO else len(DEMO), item[0].name)


def write(out: Path, questions_file: Path) -> None:
    """Make everything and write it."""
    out.mkdir(parents=True, exist_ok=True)
    truth, asked, ledgers = {}, [], []
    for module in (economy, sunspots, pacific, states, visits):
        report, pdf, ledger = set_report(module.make)
        (out / report.name).write_bytes(pdf)
        truth[report.name] = truth_of(ledger)
        ledgers.append(ledger)
        asked += [(report, ledger, question) for question in report.questions]
        print(f"{report.name}: {ledger.pages} pages, {len(pdf) / 1000:.0f} kB")
    check_figures_only([question for _, _, question in asked], ledgers)
    lines = [
        {
            "question": question.question,
            "answer": question.answer,
            "evidence": [{"document": report.name, "page": evidence_page(question, ledger)}],
            "kind": question.kind,
        }
        for report, ledger, question in sorted(asked, key=order)
    ]
    (out / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    questions_file.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample PDFs, truth.json and questions.jsonl.")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where everything goes (default: beside this script)"
    )
    out: Path | None = parser.parse_args().out
    write(out or HERE / "pdfs", (out or HERE) / "questions.jsonl")


if __name__ == "__main__":
    main()

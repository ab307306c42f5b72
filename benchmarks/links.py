"""Precision and recall of each type of link, on made reports (truth known) and on labelled pages of real ones.

    python benchmarks/links.py [--seed 1001] [--documents 16] [--development]
    python benchmarks/links.py --real ../shared/data

Elements come from the reader. A read element stands for the true one that it lies on (IoU of at least .5, or .7 of it
within; headings, tables and figures only where it is read as one). Links are judged between elements that were found;
those lost with an element are counted apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from octavo.ingest.geometry import covered, iou
from octavo.ingest.links import found_links
from octavo.ingest.links.confidence import CONFIDENCE, Found
from octavo.ingest.model import Box, Element, LinkType, ParsedDocument
from octavo.ingest.parse import assemble
from octavo.ingest.reader import Outline, PageContent, PageReader
from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.traces import upright

ROOT = Path(__file__).resolve().parent.parent
LABELS = Path(__file__).parent / "links"
_DRAWS = 1000
_TYPES = [str(kind) for kind in LinkType]
_TYPED = ("heading", "table", "figure")  # found only where they are read as what they are


@dataclass(frozen=True, slots=True)
class Place:
    """A true element: what and where it is."""

    id: str
    type: str
    page: int
    bbox: Box


@dataclass(frozen=True, slots=True)
class Known:
    """The truth about a document: links as (source, target, type); `open` are (source, type) that are not judged."""

    places: list[Place]
    links: set[tuple[str, str, str]]
    open: set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One link, true or found. `outcome`: right, wrong, missed, lost (an end was not found as an element)."""

    type: str
    outcome: str
    source: str
    target: str
    evidence: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--documents", type=int, default=16)
    parser.add_argument("--development", action="store_true", help="reports of the kind that links were developed on")
    parser.add_argument(
        "--real", type=Path, metavar="DATA", help="the labelled pages, in this folder of real documents"
    )
    parser.add_argument("--reader", choices=BACKENDS, default="pymupdf")
    chosen = parser.parse_args()
    reader = make_reader(chosen.reader, ocr=False)
    if chosen.real:
        groups = [labelled(path, chosen.real, reader) for path in tqdm(sorted(LABELS.glob("*.json")), unit="window")]
    else:
        groups = made(chosen.seed, chosen.documents, reader, held_out=not chosen.development)
    print(report(groups))


def made(seed: int, documents: int, reader: PageReader, *, held_out: bool) -> list[list[Judged]]:
    """The judged links of each report that the generator makes."""
    with TemporaryDirectory() as folder:
        script = [sys.executable, str(ROOT / "examples" / "make_reports.py"), "--out", folder]
        more = ["--seed", str(seed), "--documents", str(documents), *(["--held-out"] if held_out else [])]
        subprocess.run([*script, *more], check=True, stdout=subprocess.DEVNULL)
        truth = json.loads(Path(folder, "truth.json").read_text())
        return [
            judge(read(reader, Path(folder, name), 1, known["pages"]), known_of(known))
            for name, known in tqdm(truth.items(), unit="report")
        ]


@dataclass(frozen=True, slots=True)
class Read:
    """A document as read, and its links with the evidence for each."""

    document: ParsedDocument
    found: list[Found]


def read(reader: PageReader, path: Path, first: int, last: int) -> Read:
    """Pages `first` to `last` as a document of their own."""
    return linked(reader.read(path, "r", first, last))


def linked(contents: Sequence[PageContent]) -> Read:
    """The document of these pages."""
    document = assemble(Outline(len(contents), ""), contents)
    traces = {content.page.number: content.traces for content in contents}
    return Read(document, list(found_links(document.pages, upright(document.elements, traces), traces)))


def known_of(known: dict[str, Any]) -> Known:
    """The truth as truth.json and the labels have it."""
    places = [Place(e["id"], e["type"], e["page"], tuple(e["bbox"])) for e in known["elements"]]
    links = {(link["source"], link["target"], link["type"]) for link in known["links"]}
    return Known(places, links, {(source, kind) for source, kind in known.get("open", ())})


def labelled(path: Path, data: Path, reader: PageReader) -> list[Judged]:
    """The judged links of a labelled window of a real document."""
    known = json.loads(path.read_text())
    return judge(read(reader, data / known["document"], *known["pages"]), known_of(known))


def judge(read: Read, known: Known) -> list[Judged]:
    """Each true link, and each found one between elements that are true, with how it came out.

    Where what a link should lead to was not found, what it leads to instead is not judged.
    """
    stands_for = match(known.places, read.document.elements)
    seen = set(stands_for.values())
    lost = {(source, kind) for source, target, kind in known.links if target not in seen}
    found: dict[tuple[str, str, str], str] = {}
    for link in read.found:
        source, target, kind = stands_for.get(link.source), stands_for.get(link.target), str(link.type)
        if source and target and source != target and (source, kind) not in known.open:
            known_as = found.get((source, target, kind), link.evidence)
            found[source, target, kind] = max(link.evidence, known_as, key=CONFIDENCE.__getitem__)
    judged = []
    for source, target, kind in sorted(known.links | set(found)):
        evidence = found.get((source, target, kind), "")
        if (source, target, kind) not in known.links:
            outcome = "" if (source, kind) in lost else "wrong"
        elif evidence:
            outcome = "right"
        else:
            outcome = "missed" if {source, target} <= seen else "lost"
        if outcome:
            judged.append(Judged(kind, outcome, source, target, evidence))
    return judged


def match(places: Sequence[Place], elements: Sequence[Element]) -> dict[str, str]:
    """The id of the true element that each read one is, or is a piece of; those less than half found left out."""
    pieces: dict[str, list[Element]] = defaultdict(list)
    for element in elements:
        there = [p for p in places if p.page == element.page and (p.type not in _TYPED or p.type == element.type)]
        best = max(there, key=lambda p: iou(p.bbox, element.bbox), default=None)
        if best and (iou(best.bbox, element.bbox) >= 0.5 or covered(element.bbox, best.bbox) >= 0.7):
            pieces[best.id].append(element)
    boxes = {p.id: p.bbox for p in places}
    whole = {name for name, parts in pieces.items() if sum(covered(boxes[name], e.bbox) for e in parts) >= 0.5}
    return {e.id: name for name in whole for e in pieces[name]}


def report(groups: Sequence[Sequence[Judged]]) -> str:
    """Tables in Markdown: scores by type with intervals (95%, documents drawn again), and what confidence holds."""
    lines = [
        "| type | true | lost with an element | right | wrong | missed | precision | recall | F1 | 95% "
        "| F1, the lost missed |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(kind, groups) for kind in _TYPES),
        "",
        "| evidence | confidence | links | right | share |",
        "|---|---|---|---|---|",
        *_calibration([one for group in groups for one in group]),
    ]
    return "\n".join(lines)


def _row(kind: str, groups: Sequence[Sequence[Judged]]) -> str:
    counts = [Counter(one.outcome for one in group if one.type == kind) for group in groups]
    whole = sum(counts, Counter())
    random = Random(0)  # noqa: S311 - a bootstrap
    draws = sorted(_scores(sum(random.choices(counts, k=len(counts)), Counter()))[2] for _ in range(_DRAWS))
    low, high = draws[int(0.025 * _DRAWS)], draws[int(0.975 * _DRAWS)]
    precision, recall, f1 = _scores(whole)
    true = whole["right"] + whole["missed"] + whole["lost"]
    whole["missed"] += whole["lost"]
    with_lost = _scores(whole)[2]
    whole["missed"] -= whole["lost"]
    return (
        f"| {kind} | {true} | {whole['lost']} | {whole['right']} | {whole['wrong']} | {whole['missed']} "
        f"| {precision:.3f} | {recall:.3f} | **{f1:.3f}** | {low:.3f} to {high:.3f} | {with_lost:.3f} |"
    )


def _scores(counts: Counter[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of links between elements that were found."""
    right, wrong, missed = counts["right"], counts["wrong"], counts["missed"]
    precision = right / (right + wrong) if right + wrong else 0.0
    recall = right / (right + missed) if right + missed else 0.0
    return precision, recall, 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 0.0


def _calibration(judged: Sequence[Judged]) -> Iterator[str]:
    levels: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        if one.evidence:
            levels[one.evidence][one.outcome] += 1
    for evidence in CONFIDENCE:
        right, made = levels[evidence]["right"], levels[evidence].total()
        share = f"{right / made:.2f}" if made else ""
        yield f"| {evidence} | {CONFIDENCE[evidence]:.2f} | {made} | {right} | {share} |"


if __name__ == "__main__":
    main()

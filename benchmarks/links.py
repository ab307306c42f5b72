"""Precision and recall of each type of link, on made reports (truth known) and on labelled pages of real ones.

    python benchmarks/links.py [--seed 1001] [--documents 16] [--development]
    python benchmarks/links.py --real ../shared/data

Elements come from the reader. A read element stands for the true one that it lies on (IoU of at least .5, or .7 of it
within); links are judged between elements that were found, and those lost with an element are counted apart.
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

from octavo.ingest.geometry import area, covered, intersection
from octavo.ingest.model import Box, Element, LinkType, ParsedDocument
from octavo.ingest.parse import assemble
from octavo.ingest.reader import Outline, PageReader
from octavo.ingest.readers import BACKENDS, make_reader

ROOT = Path(__file__).resolve().parent.parent
LABELS = Path(__file__).parent / "links"
_DRAWS = 1000
_TYPES = [str(kind) for kind in LinkType]


@dataclass(frozen=True, slots=True)
class Place:
    """A true element: where it is."""

    id: str
    page: int
    bbox: Box


@dataclass(frozen=True, slots=True)
class Judged:
    """One link, true or found. `outcome`: right, wrong, missed, lost (an end was not found as an element)."""

    type: str
    outcome: str
    confidence: float = 0.0
    source: str = ""
    target: str = ""


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
        windows = tqdm(sorted(LABELS.glob("*.json")), unit="window")
        groups = [judge(*labelled(path, chosen.real, reader)) for path in windows]
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
            judge(read(reader, Path(folder, name), 1, known["pages"]), *known_links(known))
            for name, known in tqdm(truth.items(), unit="report")
        ]


def read(reader: PageReader, path: Path, first: int, last: int) -> ParsedDocument:
    """Pages `first` to `last` as a document of their own."""
    return assemble(Outline(last, ""), reader.read(path, "r", first, last))


def known_links(known: dict[str, Any]) -> tuple[list[Place], set[tuple[str, str, str]]]:
    """Places and links (source, target, type) as truth.json has them."""
    places = [Place(e["id"], e["page"], tuple(e["bbox"])) for e in known["elements"]]
    return places, {(link["source"], link["target"], link["type"]) for link in known["links"]}


def labelled(
    path: Path, data: Path, reader: PageReader
) -> tuple[ParsedDocument, list[Place], set[tuple[str, str, str]]]:
    """A labelled window of a real document, read, with its true elements and links."""
    known = json.loads(path.read_text())
    return read(reader, data / known["document"], *known["pages"]), *known_links(known)


def judge(document: ParsedDocument, places: Sequence[Place], links: set[tuple[str, str, str]]) -> list[Judged]:
    """Each true link, and each found one between elements that are true, with how it came out."""
    stands_for = match(places, document.elements)
    found: dict[tuple[str, str, str], float] = {}
    for link in document.links:
        source, target = stands_for.get(link.source), stands_for.get(link.target)
        if source and target and source != target:
            key = (source, target, str(link.type))
            found[key] = max(link.confidence, found.get(key, 0.0))
    seen = set(stands_for.values())
    judged = []
    for key in sorted(links | set(found)):
        source, target, kind = key
        if key in found:
            judged.append(Judged(kind, "right" if key in links else "wrong", found[key], source, target))
        else:
            judged.append(Judged(kind, "missed" if {source, target} <= seen else "lost", 0.0, source, target))
    return judged


def match(places: Sequence[Place], elements: Sequence[Element]) -> dict[str, str]:
    """The id of the true element that each read one is, or is a piece of; those less than half found left out."""
    pieces: dict[str, list[Element]] = defaultdict(list)
    for element in elements:
        there = [p for p in places if p.page == element.page]
        best = max(there, key=lambda p: _overlap(p.bbox, element.bbox), default=None)
        if best and (_overlap(best.bbox, element.bbox) >= 0.5 or covered(element.bbox, best.bbox) >= 0.7):
            pieces[best.id].append(element)
    boxes = {p.id: p.bbox for p in places}
    whole = {name for name, parts in pieces.items() if sum(covered(boxes[name], e.bbox) for e in parts) >= 0.5}
    return {e.id: name for name in whole for e in pieces[name]}


def _overlap(a: Box, b: Box) -> float:
    shared = area(intersection(a, b))
    return shared / (area(a) + area(b) - shared) if shared else 0.0


def report(groups: Sequence[Sequence[Judged]]) -> str:
    """Tables in Markdown: scores by type with intervals (95%, documents drawn again), and what confidence holds."""
    lines = [
        "| type | true | lost with an element | right | wrong | missed | precision | recall | F1 | 95% |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row(kind, groups) for kind in _TYPES),
        "",
        "| type | confidence | links | right | share |",
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
    return (
        f"| {kind} | {true} | {whole['lost']} | {whole['right']} | {whole['wrong']} | {whole['missed']} "
        f"| {precision:.3f} | {recall:.3f} | **{f1:.3f}** | {low:.3f} to {high:.3f} |"
    )


def _scores(counts: Counter[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of links between elements that were found."""
    right, wrong, missed = counts["right"], counts["wrong"], counts["missed"]
    precision = right / (right + wrong) if right + wrong else 0.0
    recall = right / (right + missed) if right + missed else 0.0
    return precision, recall, 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 0.0


def _calibration(judged: Sequence[Judged]) -> Iterator[str]:
    levels: dict[tuple[str, float], Counter[str]] = defaultdict(Counter)
    for one in judged:
        if one.outcome in ("right", "wrong"):
            levels[one.type, one.confidence][one.outcome] += 1
    for (kind, confidence), counts in sorted(levels.items()):
        made = counts.total()
        yield f"| {kind} | {confidence:.2f} | {made} | {counts['right']} | {counts['right'] / made:.2f} |"


if __name__ == "__main__":
    main()

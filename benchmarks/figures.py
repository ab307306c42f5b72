"""Figures found on real pages, beside PyMuPDF4LLM's `to_json`, against boxes marked on renderings.

    python benchmarks/figures.py ../shared/data [--set third] [--readers octavo pymupdf4llm] [--misses]

The truth, benchmarks/figures/truth.json, holds coordinates alone (points, origin top left) of every figure on 556 pages
that the developers looked at. A figure is found by a box that overlaps it at an IoU of .7 or more, each by one. Boxes
on what is marked optional (a logo that stands once, a cover) count neither way. Intervals: 95 %, pages drawn again
1,000 times.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf4llm

from octavo.ingest.geometry import covered, iou
from octavo.ingest.model import Box, ElementType
from octavo.ingest.reader import PageReader
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader
from octavo.ingest.readers.pdfium.reader import PdfiumReader

TRUTH = Path(__file__).parent / "figures" / "truth.json"
LEAST_IOU = 0.7
DRAWS = 1000


@dataclass(frozen=True)
class Count:
    """Of one page: kinds of the figures found and missed, boxes that are none."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    false: int


def ours(reader: PageReader, path: Path, page: int) -> list[Box]:
    content = reader.read(path, "x", page, page)[0]
    return [element.bbox for element in content.elements if element.type is ElementType.FIGURE]


def theirs(path: Path, page: int) -> list[Box]:
    with pymupdf.open(path) as document:
        layout = json.loads(pymupdf4llm.to_json(document, pages=[page - 1], use_ocr=False))
    boxes = layout["pages"][0]["boxes"]
    return [(b["x0"], b["y0"], b["x1"], b["y1"]) for b in boxes if b["boxclass"] == "picture"]


READERS: dict[str, Callable[[Path, int], list[Box]]] = {
    "octavo": partial(ours, PyMuPDFReader(ocr=False)),
    "octavo-pdfium": partial(ours, PdfiumReader(ocr=False)),
    "pymupdf4llm": theirs,
}


def count(found: list[Box], figures: list[dict[str, Any]]) -> Count:
    """Boxes against a page's figures, the pairs that overlap most first."""
    marked = [figure for figure in figures if figure["kind"] != "optional"]
    optional = [tuple(figure["bbox"]) for figure in figures if figure["kind"] == "optional"]
    pairs = [(iou(box, tuple(f["bbox"])), i, j) for i, box in enumerate(found) for j, f in enumerate(marked)]
    used: dict[int, int] = {}
    for overlap, i, j in sorted(pairs, reverse=True):
        if overlap >= LEAST_IOU and i not in used and j not in used.values():
            used[i] = j
    rest = [box for i, box in enumerate(found) if i not in used]
    false = [box for box in rest if not any(max(covered(box, o), iou(box, o)) > 0.5 for o in optional)]
    kinds = [figure["kind"] for figure in marked]
    missed = tuple(kind for j, kind in enumerate(kinds) if j not in used.values())
    return Count(tuple(kinds[j] for j in used.values()), missed, len(false))


def f1(counts: list[Count]) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean."""
    found = sum(len(c.found) for c in counts)
    precision = found / max(1, found + sum(c.false for c in counts))
    recall = found / max(1, found + sum(len(c.missed) for c in counts))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def interval(counts: list[Count]) -> tuple[float, float]:
    """The 95 % interval of F1, pages drawn again."""
    rng = np.random.default_rng(0)
    drawn = sorted(f1([counts[i] for i in rng.integers(len(counts), size=len(counts))])[2] for _ in range(DRAWS))
    return drawn[DRAWS // 40], drawn[-DRAWS // 40]


def recall(counts: list[Count], kind: str) -> str:
    found, missed = sum(c.found.count(kind) for c in counts), sum(c.missed.count(kind) for c in counts)
    return f"{found} of {found + missed}"


def lines(counts: dict[tuple[str, str], list[Count]]) -> Iterator[str]:
    yield "| pages | reader | precision | recall | F1 | 95 % | drawings | images |"
    yield "|---|---|---|---|---|---|---|---|"
    for (part, name), pages in counts.items():
        scores = " | ".join(f"{score:.3f}" for score in f1(pages))
        low, high = interval(pages)
        kinds = " | ".join(recall(pages, kind) for kind in ("vector", "raster"))
        yield f"| {part} ({len(pages)}) | {name} | {scores} | {low:.3f} to {high:.3f} | {kinds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", choices=["first", "second", "third"], help="these pages alone")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--misses", action="store_true", help="name the pages on which a reader is wrong")
    options = parser.parse_args()

    paths = {path.name: path for path in options.data.rglob("*.pdf")}
    counts: dict[tuple[str, str], list[Count]] = defaultdict(list)
    for page in json.loads(TRUTH.read_text()):
        if options.set in (None, page["set"]):
            for name in options.readers:
                boxes = READERS[name](paths[page["document"]], page["page"])
                result = count(boxes, page["figures"])
                counts[page["set"], name].append(result)
                if options.misses and (result.missed or result.false):
                    print(name, page["document"], page["page"], [tuple(map(round, b)) for b in boxes], page["figures"])
    print("\n".join(lines(counts)))


if __name__ == "__main__":
    pymupdf.use_layout(True)
    main()

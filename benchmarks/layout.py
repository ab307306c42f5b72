"""The light layout model beside the full one: what each costs, and how far they agree on pages of plain paragraphs.

    python benchmarks/layout.py ../shared/data [--pages 200] [--seed 11]

Draws pages at random from all PDFs under the folder. A region is the same when the other model sees one of its kind in
its place (intersection over union above .7). Time is processor time, so other work on the machine hardly counts.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from time import process_time
from typing import Any

from octavo.ingest.geometry import iou
from octavo.ingest.model import Box
from octavo.ingest.readers.mupdf import layout
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import MuPDFPage

Seen = list[tuple[str, Box]]


def timed(model: Any, page: pymupdf.Page) -> tuple[float, Seen]:
    """Seconds, and the regions that the model sees."""
    start = process_time()
    groups = model(page)
    return process_time() - start, [(group["class_name"], tuple(group["group_bbox"])) for group in groups]


def same(one: tuple[str, Box], others: Seen) -> bool:
    kind, box = one
    return any(k == kind and iou(box, b) > 0.7 for k, b in others)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    draw = random.Random(options.seed)  # noqa: S311 - a choice, not a secret
    paths = sorted(options.folder.rglob("*.pdf"))
    full_time = light_time = chosen_time = 0.0
    plain = doubted = missed = regions = agreed = 0
    for _ in range(options.pages):
        with pymupdf.open(draw.choice(paths)) as document:
            shown = MuPDFPage(document[draw.randrange(document.page_count)])
            page, drawn = shown.page, shown.drawn()
            full_spent, full = timed(layout.full_regions, page)
            light_spent, light = timed(layout.light_regions, page)
        full_time, light_time = full_time + full_spent, light_time + light_spent
        if not layout.is_plain(drawn):
            chosen_time += full_spent
            continue
        plain, chosen_time = plain + 1, chosen_time + light_spent
        if any(kind in layout.SHOWN for kind, _ in light):
            doubted, chosen_time = doubted + 1, chosen_time + full_spent
            continue
        missed += any(kind in layout.SHOWN for kind, _ in full)
        regions += len(full)
        agreed += sum(same(region, light) for region in full)
    print("| | ms a page |\n|---|---|")
    for name, spent in (
        ("full model", full_time),
        ("light model", light_time),
        ("the one that is chosen", chosen_time),
    ):
        print(f"| {name} | {1000 * spent / options.pages:.0f} |")
    print(f"\n{options.pages} pages, {plain} of plain paragraphs; on {doubted} of these the full model was asked too.")
    print(f"On the others: {missed} with a table or picture missed, {agreed} of {regions} regions the same.")


if __name__ == "__main__":
    main()

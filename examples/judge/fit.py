"""Fits the judge of table readings to pages whose tables are known.

    python examples/judge/pages.py FOLDER
    python examples/judge/fit.py FOLDER ingest/tables/judge.json

Reads FOLDER's pages, lays every reading over every region, and fits boosted trees that tell from what shows of a
reading how like the truth it is. The last quarter of the pages is kept apart and scored.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from sklearn.ensemble import HistGradientBoostingRegressor

from octavo.ingest.geometry import iou
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import MuPDFPage
from octavo.ingest.readers.page import look
from octavo.ingest.sheet import Sheet
from octavo.ingest.tables.find import blocks, considered, doubt, least

Rows = tuple[tuple[str, ...], ...]
Example = tuple[str, dict[str, float], float]
"""A region's name, what shows of one reading of it, and how like the truth that reading is."""


def _align(
    a: Sequence[Any], b: Sequence[Any], lone: Callable[[Any], float], pair: Callable[[Any, Any], float]
) -> float:
    """The least cost of turning `a` into `b`; `lone` is what it costs to add or drop one."""
    costs = [0.0]
    for y in b:
        costs.append(costs[-1] + lone(y))
    for x in a:
        diagonal, costs[0] = costs[0], costs[0] + lone(x)
        for j, y in enumerate(b, 1):
            above = costs[j]
            costs[j] = min(above + lone(x), costs[j - 1] + lone(y), diagonal + pair(x, y))
            diagonal = above
    return costs[-1]


@lru_cache(maxsize=1 << 18)
def _row_cost(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    return _align(a, b, lambda _: 1.0, lambda x, y: 0.0 if x == y else Levenshtein.normalized_distance(x, y))


def likeness(a: Rows, b: Rows) -> float:
    """1 less the edit distance between two tables as trees of rows of cells, as a share of the larger's size."""
    size = max(1 + sum(1 + len(row) for row in rows) for rows in (a, b))
    return 1 - _align(a, b, lambda row: 1.0 + len(row), _row_cost) / size


def examples(sheet: Sheet, truth: Sequence[dict[str, Any]], page: str) -> Iterator[Example]:
    """The readings of a sheet's regions, which are named after `page`. One that is no table is like nothing."""
    for n, seen in enumerate(blocks(sheet)):
        box = seen.region.bbox
        true = max(truth, key=lambda one: iou(box, one["box"]), default=None)
        if true is not None and iou(box, true["box"]) < 0.3:
            true = None
        for table, shown in considered(seen):
            yield f"{page} {n}", shown, likeness(tuple(map(tuple, true["rows"])), table.rows) if true else 0.0


def read(path: Path) -> list[list[Example]]:
    """The examples of each page of a file."""
    truths = json.loads(path.with_suffix(".json").read_text())
    with pymupdf.open(path) as document:
        pages = zip(document, truths, strict=True)
        return [
            list(examples(look(MuPDFPage(page), ocr=False)[0], truth, f"{path.name} {n}"))
            for n, (page, truth) in enumerate(pages)
        ]


def trees(model: HistGradientBoostingRegressor, names: Sequence[str]) -> dict[str, Any]:
    """The fitted trees as plain lists: a node is [feature, threshold, left, right], a leaf its value."""
    grown = []
    for (tree,) in model._predictors:  # scikit-learn has no public way to them
        leaf, inner = ("value",), ("feature_idx", "num_threshold", "left", "right")
        nodes = [[node[key].item() for key in (leaf if node["is_leaf"] else inner)] for node in tree.nodes]
        grown.append([round(n[0], 5) if len(n) == 1 else [n[0], round(n[1], 5), *n[2:]] for n in nodes])
    return {"features": list(names), "base": round(float(model._baseline_prediction.item()), 5), "trees": grown}


def fit(found: Sequence[Example], names: Sequence[str]) -> HistGradientBoostingRegressor:
    model = HistGradientBoostingRegressor(
        max_iter=400,
        learning_rate=0.06,
        max_leaf_nodes=48,
        min_samples_leaf=20,
        l2_regularization=1.0,
        max_features=0.2,
        random_state=0,
    )
    return model.fit([[seen[name] for name in names] for _, seen, _ in found], [like for _, _, like in found])


def report(model: HistGradientBoostingRegressor, found: Sequence[Example], names: Sequence[str]) -> str:
    """How like the truth the chosen reading of each table is beside the best one, and what is said of other regions."""
    marks = model.predict([[seen[name] for name in names] for _, seen, _ in found])
    regions: dict[str, list[tuple[float, float, bool]]] = {}
    for (n, seen, like), mark in zip(found, marks, strict=True):
        regions.setdefault(n, []).append((float(mark) - doubt(seen), like, mark > least(seen)))
    tables = [one for one in regions.values() if max(like for _, like, _ in one) > 0]
    others = [one for one in regions.values() if max(like for _, like, _ in one) == 0]
    chosen, best = (
        np.mean([max(one)[1] for one in tables]),
        np.mean([max(like for _, like, _ in one) for one in tables]),
    )
    kept, false = sum(max(one)[2] for one in tables), sum(max(one)[2] for one in others)
    return (
        f"{len(tables)} tables: chosen {chosen:.3f}, best {best:.3f}, kept {kept}; {len(others)} others: kept {false}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = [page for pages in pool.map(read, sorted(options.folder.glob("*.pdf"))) for page in pages]
    cut = 3 * len(found) // 4
    kept, apart = ([example for page in pages for example in page] for pages in (found[:cut], found[cut:]))
    names = sorted(kept[0][1])
    print(report(fit(kept, names), apart, names))
    options.target.write_text(json.dumps(trees(fit([*kept, *apart], names), names)))


if __name__ == "__main__":
    main()

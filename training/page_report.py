"""How well pictures find their own texts, and the report of a page encoder's training: json, md and curves.png."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from octavo.ingest.directions import unit
from octavo.ingest.text import count, counts
from octavo.training.pages import SPLITS, Crops
from octavo.training.ranking import Estimate

_DRAWS = 2000
_SIDE = 16  # of a thumbnail, pixels
_AT = (1, 10)


@dataclass(frozen=True, slots=True)
class Found:
    """Of the `crops` of one kind: recall of the own text among theirs at 1 and at 10, by each way of finding it."""

    crops: int
    chance: dict[str, float]
    thumbnail: dict[str, Estimate]
    encoder: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class PageReport:
    """What was trained on what, the test split's figures by kind of crop, and the dev split's on the way.

    `chosen` is the step whose weights were kept. `seconds` are of this process, drawing included.
    """

    plan: Mapping[str, Any]
    data: Mapping[str, Any]
    figures: Mapping[str, Found]
    history: Sequence[Mapping[str, float]]
    chosen: int
    seconds: float


def ranks(pictures: NDArray[np.float32], texts: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each picture how many texts are nearer than its own, (n,); both (n, dimensions), unit vectors."""
    scores = pictures @ texts.T
    return np.asarray((scores > np.diag(scores)[:, None] + 1e-6).sum(axis=1))  # equal texts are all its own


def thumbnails(train: Crops, test: Crops) -> NDArray[np.float32]:
    """What a page encoder must beat: vectors of `test` by ridge regression on thumbnails of 16 x 16 and their sizes."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), Ridge(alpha=100.0))
    model.fit(_thumbs(train), train.targets)
    return unit(np.asarray(model.predict(_thumbs(test)), np.float32))


def _thumbs(crops: Crops) -> NDArray[np.float32]:
    small = [Image.fromarray(p).resize((_SIDE, _SIDE), Image.Resampling.BOX) for p in crops.pictures]
    sizes = np.log([picture.shape for picture in crops.pictures])
    return np.hstack([np.asarray(small, np.float32).reshape(len(small), -1), sizes])


def measure(test: Crops, encoder: NDArray[np.float32], thumbnail: NDArray[np.float32], seed: int) -> dict[str, Found]:
    """The figures of each kind of crop, and of all, with 95% bootstrap intervals over documents."""
    kinds = np.array(test.kinds)
    figures = {}
    for kind in ("all", *sorted(set(test.kinds))):
        of = np.flatnonzero((kinds == kind) | (kind == "all"))
        documents = [test.documents[n] for n in of.tolist()]
        found = [recalls(ranks(vectors[of], test.targets[of]), documents, seed) for vectors in (thumbnail, encoder)]
        chance = {f"recall@{k}": min(1.0, k / len(of)) for k in _AT}
        figures[kind] = Found(len(of), chance, *found)
    return figures


def recalls(ranked: NDArray[np.int64], documents: Sequence[str], seed: int) -> dict[str, Estimate]:
    """Shares of pictures whose own text is the first, and among ten, with 95% bootstrap intervals over documents.

    `ranked` as `ranks` gives it, (n,); `documents` says whose each picture is.
    """
    names, of = np.unique(documents, return_inverse=True)
    crops = np.bincount(of)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=_DRAWS)
    shares = {}
    for k in _AT:
        found = np.bincount(of, ranked < k)
        low, high = np.percentile(draws @ found / (draws @ crops), [2.5, 97.5])
        shares[f"recall@{k}"] = Estimate(float((ranked < k).mean()), float(low), float(high))
    return shares


def table(figures: Mapping[str, Found]) -> list[str]:
    """The lines of a Markdown table of the figures."""
    lines = [
        "| crops | | chance, at 1 and 10 | thumbnail, at 1 | at 10 | encoder, at 1 | at 10 |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, found in figures.items():
        chance = " and ".join(f"{value:.4f}" for value in found.chance.values())
        cells = [f"{share:.3f}" for by in (found.thumbnail, found.encoder) for share in by.values()]
        lines.append(f"| {kind} | {found.crops} | {chance} | {' | '.join(cells)} |")
    return lines


def write_report(folder: Path, report: PageReport) -> None:
    """Writes report.json, report.md and curves.png into `folder`."""
    (folder / "report.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    _draw_curves(folder / "curves.png", report)


def markdown(report: PageReport) -> str:
    """The report as a page: settings, data, figures with intervals, history."""
    data = report.data
    splits = ", ".join(
        f"{name} {counts(crop=data[name]['crops'])} of {count(data[name]['documents'], 'document')}" for name in SPLITS
    )
    history = [
        f"| {line['step']}{' (kept)' if line['step'] == report.chosen else ''} | {line['loss']:.4f} | "
        f"{line['recall@10']:.4f} |"
        for line in report.history
    ]
    return "\n".join(
        [
            f"# A page encoder in the space of {report.plan['texts']}",
            "",
            f"Settings: {', '.join(f'{key} {value}' for key, value in report.plan.items())}.",
            f"Data: {count(data['pages'], 'page')}, split by document: {splits}.",
            "",
            f"## Test split: recall of a crop's own text among those of its kind ({report.seconds:.0f} s in all)",
            "",
            *table(report.figures),
            "",
            "Brackets: 95% bootstrap intervals over documents. Thumbnail: ridge regression on 16 x 16 pixels and size.",
            "",
            "## Dev split on the way",
            "",
            "| step | loss | recall@10 |",
            "|---|---|---|",
            *history,
            "",
        ]
    )


def _draw_curves(path: Path, report: PageReport) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    steps = [line["step"] for line in report.history]
    for axes, name, title in zip(
        figure.subplots(1, 2), ("loss", "recall@10"), ("train: loss", "dev: recall@10"), strict=True
    ):
        axes.plot(steps, [line[name] for line in report.history], color="#1f5fbf", marker="o", ms=3)
        axes.axvline(report.chosen, color="#8a8a8a", lw=1, ls="--")
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.25)
    figure.savefig(path)

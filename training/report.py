"""The report of a training: `report.json`, `report.md` and `roc.png`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from octavo.ingest.text import count, counts
from octavo.training.ranking import Comparison, Ranking

_TITLES = {"auc": "AUC", "mrr": "MRR", "ndcg@10": "nDCG@10", "recall@10": "Recall@10"}
_COLOURS = {"before": "#8a8a8a", "after": "#1f5fbf"}


@dataclass(frozen=True, slots=True)
class Report:
    """What was trained on what, the test split's figures before and after, and the dev split's on the way.

    `history` has a line for each evaluation, the first of the model as it came; `chosen` is the step whose weights were
    kept. `seconds` are of this process.
    """

    plan: Mapping[str, Any]
    data: Mapping[str, Any]
    figures: Mapping[str, Comparison]
    history: Sequence[Mapping[str, float]]
    chosen: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"notes": self.notes()}

    def notes(self) -> list[str]:
        """What a reader of the figures should know beside them."""
        notes = []
        metric = str(self.plan["metric"])
        chosen = next(line for line in self.history if line["step"] == self.chosen)
        if chosen[metric] <= self.history[0][metric]:
            notes.append(
                f"On the dev split no checkpoint was better than the model it began with ({metric} "
                f"{chosen[metric]:.4f} at best, {self.history[0][metric]:.4f} before)."
            )
        if left_out := self.data["left_out"]:
            notes.append(f"Left out, since a text in it is empty: {', '.join(left_out)}.")
        if shared := self.data["test_questions_worded_as_in_train"]:
            notes.append(
                f"{shared} of the test split's questions are worded as questions of the train split, about other "
                "reports."
            )
        return notes


def write_report(folder: Path, report: Report, before: Ranking, after: Ranking) -> None:
    """Writes the three files into `folder`; the rankings are the test split's."""
    (folder / "report.json").write_text(json.dumps(report.as_dict(), indent=1), encoding="utf-8")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    draw_roc(folder / "roc.png", {"before": before, "after": after})


def markdown(report: Report) -> str:
    """The report as a page: settings, data, figures with intervals, history, notes."""
    plan, data, test = report.plan, report.data, report.data["test"]
    splits = ", ".join(
        f"{name} {count(data[name]['questions'], 'question')} about {count(data[name]['reports'], 'report')}"
        for name in ("train", "dev", "test")
    )
    history = ["| step | epoch | " + " | ".join(_TITLES.values()) + " |", "|" + "---|" * (len(_TITLES) + 2)]
    for line in report.history:
        mark = " (kept)" if line["step"] == report.chosen else ""
        values = " | ".join(f"{line[name]:.4f}" for name in _TITLES)
        history.append(f"| {line['step']}{mark} | {line['epoch']:.2f} | {values} |")
    settings = ", ".join(f"{key} {value}" for key, value in plan.items() if key not in ("model", "loss"))
    return "\n".join(
        [
            f"# {plan['model']} trained with the {plan['loss']} loss",
            "",
            f"Settings: {settings}.",
            f"Data: {', '.join(data['files'])}, split by report: {splits}.",
            "",
            f"## Test split: {counts(question=test['questions'], report=test['reports'])}",
            "",
            *table(report.figures),
            "",
            "Brackets: 95% bootstrap intervals over questions; that of the difference is paired. AUC is over all pairs "
            "of all questions, the others are means over questions. `roc.png` has both curves.",
            *(f"\n{note}" for note in report.notes()),
            "",
            "## Dev split on the way",
            "",
            *history,
            "",
        ]
    )


def table(figures: Mapping[str, Comparison]) -> list[str]:
    """The lines of a Markdown table of figures before and after."""
    lines = ["| | before | after | difference |", "|---|---|---|---|"]
    for name, figure in figures.items():
        lines.append(f"| {_TITLES[name]} | {figure.before:.4f} | {figure.after:.4f} | {figure.difference:+.4f} |")
    return lines


def draw_roc(path: Path, rankings: Mapping[str, Ranking]) -> None:
    """Draws ROC curves in one picture, with an even axis and with one that shows the few highest scores."""
    from matplotlib.figure import Figure
    from sklearn.metrics import roc_curve

    from octavo.training.roc import auc

    figure = Figure(figsize=(10, 4.6), dpi=150, layout="constrained")
    even, close = figure.subplots(1, 2, sharey=True)
    least = 1.0
    for name, ranking in rankings.items():
        right, scores = ranking.right.ravel(), ranking.scores.ravel()
        false, true, _ = roc_curve(right, scores, drop_intermediate=False)
        least = min(least, 1 / (~right).sum())
        area = auc(scores[right], scores[~right])
        for axes in (even, close):
            axes.step(false, true, where="post", color=_COLOURS[name], lw=1.8, label=f"{name}: AUC {area:.4f}")
    even.set(xlim=(-0.01, 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="true positive rate")
    close.set(xscale="log", xlim=(least, 1), xlabel="false positive rate, logarithmic")
    chance = np.geomspace(least, 1, 200)
    for axes in (even, close):
        axes.plot(chance, chance, color="#bbbbbb", lw=1, ls="--", zorder=0, label="chance")
        axes.grid(alpha=0.25)
    even.legend(loc="lower right", frameon=False)
    figure.suptitle("ROC over all (question, report) pairs of the test split")
    figure.savefig(path)

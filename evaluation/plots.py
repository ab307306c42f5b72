"""The pictures of an evaluation, as PNG bytes: legible on a phone, with colours that the colour-blind tell apart.

Colours are those of Okabe and Ito (2008); ways also differ by marker, line or hatching.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from octavo.evaluation.statistics import Estimate
from octavo.evaluation.summary import METRICS, Group, Summary

_SIZE, _DPI = (5.0, 3.8), 160  # inches: 800 pixels wide, and a letter of 12 points is 12 pixels on a phone's 360
_LOOK: dict[Any, Any] = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "hatch.linewidth": 0.6,
}
_INK = "#222222"


class _Style(NamedTuple):
    colour: str
    marker: str
    line: str
    hatch: str


_STYLES = {
    "text": _Style("#0072B2", "o", "-", ""),
    "image": _Style("#E69F00", "s", "--", "///"),
    "fusion": _Style("#009E73", "^", "-.", "..."),
    "joint": _Style("#CC79A7", "D", ":", "xxx"),
}
_OTHER = _Style("#555555", "v", "-", "++")


def recall_plot(summary: Summary) -> bytes:
    """Recall at 1 to k by way."""
    figure, axes = _axes()
    ranks = np.arange(1, summary.k + 1)
    for name, way in summary.ways.items():
        style = _style(name)
        axes.plot(
            ranks,
            way.recall_at,
            color=style.colour,
            linestyle=style.line,
            linewidth=2.2,
            marker=style.marker,
            markevery=max(1, summary.k // 10),
            markersize=6,
            label=name,
        )
    axes.set_xlabel("items retrieved")
    axes.set_ylabel("recall of evidence pages")
    axes.set_xlim(0.5, summary.k + 0.5)
    axes.set_ylim(0, _top([max(way.recall_at) for way in summary.ways.values()]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    _legend(figure, axes)
    return _png(figure)


def metrics_plot(summary: Summary, names: Sequence[str]) -> bytes:
    """Bars of these metrics by way, with their 95% intervals."""
    estimates = {way: [found.metrics.get(name) for name in names] for way, found in summary.ways.items()}
    return _bars([METRICS[name].replace(" (", "\n(").replace(" ", "\n", 1) for name in names], estimates)


def groups_plot(groups: Sequence[Group], name: str) -> bytes:
    """Bars of one metric by group of questions and way, with their 95% intervals."""
    ways = list(groups[0].ways)
    estimates = {way: [group.ways[way].get(name) for group in groups] for way in ways}
    labels = [f"{_wrapped(group.value)}\n(n = {group.n})" for group in groups]
    return _bars(labels, estimates, METRICS[name])


def _bars(labels: Sequence[str], estimates: dict[str, list[Estimate | None]], title: str = "") -> bytes:
    """Upright bars for few labels; lying ones, where long labels have room, for many."""
    lying = len(labels) > 4 or max(len(line) for label in labels for line in label.split("\n")) > 12
    figure, axes = _axes(max(_SIZE[1], 0.32 * len(labels) * len(estimates) + 1.2) if lying else _SIZE[1])
    thick = 0.8 / len(estimates)
    places = np.arange(len(labels))
    for number, (way, found) in enumerate(estimates.items()):
        at = places + (number - (len(estimates) - 1) / 2) * thick
        means = [e.mean if e else 0.0 for e in found]
        reach = [[e.mean - e.low if e else 0.0 for e in found], [e.high - e.mean if e else 0.0 for e in found]]
        style = _style(way)
        if lying:
            axes.barh(at, means, thick * 0.94, color=style.colour, hatch=style.hatch, edgecolor="white", label=way)
            axes.errorbar(means, at, xerr=reach, fmt="none", elinewidth=1.1, ecolor=_INK, capsize=2.5)
        else:
            axes.bar(at, means, thick * 0.94, color=style.colour, hatch=style.hatch, edgecolor="white", label=way)
            axes.errorbar(at, means, yerr=reach, fmt="none", elinewidth=1.1, ecolor=_INK, capsize=2.5)
    highest = _top([e.high for found in estimates.values() for e in found if e])
    if lying:
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.set_xlim(0, highest)
        axes.set_xlabel(title)
        axes.grid(axis="x")
    else:
        axes.set_xticks(places, labels)
        axes.set_ylim(0, highest)
        axes.set_ylabel(title)
        axes.grid(axis="y")
    _legend(figure, axes)
    return _png(figure)


def _axes(height: float = _SIZE[1]) -> tuple[Figure, Axes]:
    with rc_context(_LOOK):
        figure = Figure(figsize=(_SIZE[0], height), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots()


def _legend(figure: Figure, axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4, frameon=False, fontsize=12, handlelength=2.2)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with rc_context(_LOOK):
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _top(values: Sequence[float]) -> float:
    """An upper limit a little above the highest value, at most 1.02."""
    return min(1.02, max([*values, 0.1]) * 1.08)


def _style(way: str) -> _Style:
    return _STYLES.get(way, _OTHER)


def _wrapped(label: str) -> str:
    return textwrap.fill(label.replace("_", " "), 14)

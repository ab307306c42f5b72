"""Charts in the reports' style, drawn by matplotlib as a one-page PDF; a raster chart is that page turned into pixels.

Lengths are PDF points (1/72 inch).
"""

from __future__ import annotations

import io
import logging
from typing import Literal

import matplotlib
import pymupdf
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Helvetica calls its normal weight "medium", which matplotlib would report at every chart.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

GREY, INK, PALE = "#667078", "#22262b", "#dfe4e8"
DOTS_PER_INCH = 200

matplotlib.rcParams.update(
    {
        # The PDF standard Helvetica: the same face as captions and tables, on every machine.
        "pdf.use14corefonts": True,
        "font.family": "sans-serif",
        "font.sans-serif": ["Helvetica"],
        "axes.unicode_minus": False,
        "font.size": 7.5,
        "axes.labelsize": 7.5,
        "xtick.labelsize": 7.5,
        "ytick.labelsize": 7.5,
        "text.color": INK,
        "axes.labelcolor": GREY,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.6,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.0,
        "lines.linewidth": 1.3,
        "lines.solid_capstyle": "round",
    }
)


def sheet(width: float, height: float, *, grid: Literal["x", "y", "none"] = "y") -> tuple[Figure, Axes]:
    """An empty chart of that size in points, with light lines along the values."""
    figure = Figure(figsize=(width / 72, height / 72), layout=ConstrainedLayoutEngine(w_pad=0.045, h_pad=0.045))
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    if grid != "none":
        axes.grid(axis=grid, color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def say(axes: Axes, text: str, point: tuple[float, float], at: tuple[float, float], *, side: str = "left") -> None:
    """Words beside a point of the data; `at` is where they stand, in data units."""
    axes.annotate(
        text,
        point,
        at,
        ha=side,
        va="center",
        fontsize=8,
        fontweight="bold",
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 2, "shrinkB": 3},
    )
    axes.plot(*point, "o", color=INK, markersize=3)


def vector(figure: Figure) -> bytes:
    """The chart as a PDF of one page."""
    target = io.BytesIO()
    figure.savefig(target, format="pdf", metadata={"CreationDate": None})
    return target.getvalue()


def raster(page: bytes) -> bytes:
    """That PDF's page as a PNG."""
    with pymupdf.open(stream=page) as document:
        return bytes(document[0].get_pixmap(dpi=DOTS_PER_INCH).tobytes("png"))

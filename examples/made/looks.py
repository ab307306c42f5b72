"""How a made report looks: faces, sizes, columns, captions, numbering, tables; and how its sentences name things.

Two pools that share nothing of fonts, page layouts or wordings: what is developed on the one is measured on the other.
Lengths are PDF points (1/72 inch).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import matplotlib
import reportlab
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_MATPLOTLIB = Path(matplotlib.get_data_path(), "fonts", "ttf")
_REPORTLAB = Path(reportlab.__file__).parent / "fonts"
_FILES = {
    "STIX": (_MATPLOTLIB / "STIXGeneral.ttf", _MATPLOTLIB / "STIXGeneralBol.ttf"),
    "DejaVu": (_MATPLOTLIB / "DejaVuSans.ttf", _MATPLOTLIB / "DejaVuSans-Bold.ttf"),
    "Vera": (_REPORTLAB / "Vera.ttf", _REPORTLAB / "VeraBd.ttf"),
    "DejaVuSerif": (_MATPLOTLIB / "DejaVuSerif.ttf", _MATPLOTLIB / "DejaVuSerif-Bold.ttf"),
}
for _name, _pair in _FILES.items():
    for _face, _file in zip((_name, f"{_name}-Bold"), _pair, strict=True):
        pdfmetrics.registerFont(TTFont(_face, str(_file)))
    pdfmetrics.registerFontFamily(_name, normal=_name, bold=f"{_name}-Bold", italic=_name, boldItalic=f"{_name}-Bold")


@dataclass(frozen=True)
class Wording:
    """Sentences that name something: `{it}` stands for "Table 3", "Appendix B", "page 12", or "table below"."""

    named: tuple[str, ...]
    near: tuple[str, ...]
    page: tuple[str, ...]
    elsewhere: tuple[str, ...]  # things of other documents, which must not be linked


@dataclass(frozen=True)
class Look:
    """Everything about a report that is not its words."""

    columns: int
    paper: tuple[float, float]
    face: str
    head_face: str
    size: float
    labels: tuple[str, str]  # what tables and figures are called in captions
    short: str  # and figures in sentences
    after_label: str
    above: tuple[bool, bool]  # captions of tables, of figures
    centred: bool
    heads: tuple[float, float, float]  # heading sizes as multiples of `size`; equal ones differ by caps and face
    numbered: bool
    numbers: Literal["plain", "dotted", "roman"]
    rules: Literal["ruled", "grid", "plain", "zebra"]
    repeat: bool
    continued: str  # what the caption of a further part adds; "" for no caption
    wide: Literal["landscape", "rotated", "sideways", "none"]  # how the page of the wide table is made
    turned: int  # /Rotate of every other page
    offset: int  # printed page number less the page's own
    aside: bool
    footnotes: bool
    indent: bool
    wording: Wording


_DEVELOPMENT = Wording(
    named=(
        "{it} shows how far the change went.",
        "As shown in {it}, the difference is small.",
        "The details are given elsewhere (see {it}).",
        "The change was sudden ({it}).",
        "According to {it}, nothing else moved as much.",
    ),
    near=("The {below} gives the figures in full.", "The following {kind} has the details."),
    page=("The method is described elsewhere (see page {n}).", "More is said on page {n}."),
    elsewhere=(
        "Table 2 of the earlier survey had it otherwise.",
        "The manual says so on page 3 of its second edition.",
    ),
)
_HELD_OUT = Wording(
    named=(
        "This is set out in {it} and was to be expected.",
        "{it} compares it with the plan.",
        "Readers will find the series in {it}.",
        "No other cause is known (cf. {it}).",
        "With the exceptions listed in {it}, the records are complete.",
        "{it}, drawn from the same records, puts this in context.",
    ),
    near=("What the {below} leaves out is minor.", "This is broken down in the following {kind}."),
    page=("Turn to page {n} for the background.", "The definition on page {n} applies (p. {n}).", "See page {n}."),
    elsewhere=(
        "Figure 1 in the 2009 review told another story.",
        "The statute has the definition in Appendix B to its first part.",
        "An audit had noted this on page 2 of its letter.",
    ),
)


def draw_look(random: Random, held_out: bool) -> Look:
    """A look of the pool, by chance."""
    draw = random.choice
    face = draw(("Times-Roman", "Vera", "DejaVuSerif") if held_out else ("Helvetica", "STIX", "DejaVu"))
    columns = draw((1, 2, 2, 3))
    broad = face in ("DejaVu", "Vera", "DejaVuSerif")
    size = draw(((9.6, 10.4) if held_out else (9.2, 10.8)) if columns < 3 else ((8.2,) if held_out else (8.6,)))
    labels = (
        (("Table", "Figure"), ("TABLE", "FIGURE"), ("Table", "Fig."), ("Exhibit", "Exhibit"), ("Table", "Chart"))
        if held_out
        else (("Table", "Figure"), ("Table", "Fig."), ("Table", "Figure"), ("Exhibit", "Exhibit"))
    )
    label = draw(labels)
    return Look(
        columns=columns,
        paper=draw((A4, LETTER)),
        face=face,
        head_face=draw(("Helvetica-Bold", f"{face}-Bold" if face != "Times-Roman" else "Times-Bold")),
        size=size - (0.8 if broad else 0),
        labels=label,
        short=draw(("Figure", "Fig.")) if label[1].startswith(("Fig", "FIG")) else label[1],
        after_label=draw((" — ", " | ", "\N{EN SPACE}") if held_out else (". ", ": ")),
        above=(draw((True, True, False)), draw((True, False, False))),
        centred=draw((True, False)),
        heads=draw(((1.7, 1.3, 1.0), (1.3, 1.12, 1.0)) if held_out else ((1.5, 1.2, 1.0), (1.9, 1.4, 1.15))),
        numbered=draw((True, False)),
        numbers=draw(("plain", "dotted", "roman") if label[0] != "Exhibit" else ("plain",)),
        rules=draw(("ruled", "zebra", "grid") if held_out else ("ruled", "grid", "plain")),
        repeat=draw((True, False)),
        continued=draw(("", "(cont’d)", "— continued") if held_out else ("", "(continued)", "(continued)")),
        wide=draw(("landscape", "rotated", "sideways", "none")),
        turned=draw((0, 0, 90, 270)),
        offset=draw((0, 0, 11, -1) if held_out else (0, 0, 36)),
        aside=draw((True, False)),
        footnotes=draw((True, False)),
        indent=draw((True, False)),
        wording=_HELD_OUT if held_out else _DEVELOPMENT,
    )

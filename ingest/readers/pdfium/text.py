"""The words of a page, from what pdfium tells of its characters. Knows nothing of what the words say."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import degrees, hypot
from typing import Any

import pypdfium2.raw as pdfium

from octavo.ingest.geometry import union
from octavo.ingest.model import Box
from octavo.ingest.readers.page import usual_turn
from octavo.ingest.sheet import Word
from octavo.ingest.text import clean
from octavo.ingest.textlayer.hidden import PAINTED, Colour, Piece

View = Callable[[float, float, float, float], Box]
"""From a box as pdfium has it (left, bottom, right, top; origin bottom left) to one on the page as displayed."""

_HEAVY = 600  # weight of a font
_FORCED = 1 << 18  # flag of a font that is to be drawn bold
_BOLD = re.compile(r"bold|black|heavy|demi(?!light)", re.IGNORECASE)  # in a font's name
_LINE_GAP = 2.0  # in sizes; two words drawn farther apart are not of one line
_TOUCH = 0.1  # in sizes; characters drawn nearer than that are of one word
_SPACE = 0.15  # in sizes; characters drawn farther apart than that are not
_STROKED = {pdfium.FPDF_TEXTRENDERMODE_STROKE, pdfium.FPDF_TEXTRENDERMODE_STROKE_CLIP}
_UNPAINTED = {pdfium.FPDF_TEXTRENDERMODE_INVISIBLE}
_SAMPLED = 5  # each so-many-th letter tells in which direction text runs
_LINE_END_HYPHEN = "\x02\ufffe"  # what pdfium makes of a hyphen at the end of a line


@dataclass(frozen=True, slots=True)
class _Style:
    """What the characters of one text object share; `upright`: drawn along the x axis, `sideways`: along the y axis.

    `colour` is None for those that paint nothing.
    """

    size: float
    bold: bool
    colour: Colour | None
    upright: bool
    sideways: bool


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    bbox: Box
    style: _Style


def words(text: Any, view: View) -> Iterator[tuple[Word, list[Piece]]]:
    """The words of a pypdfium2 text page, in the order in which they are drawn, each with its parts by colour.

    A box is as wide as the characters' advances and as high as what is drawn of them.
    """
    line, last = 0, None
    for run, opens_line in _runs(text, view):
        box, style = union(c.bbox for c in run), run[0].style
        if last and (opens_line or _gaps(last, box, style)[0] > _LINE_GAP):
            line += 1
        last = box
        if word := clean("".join(c.text for c in run)):
            yield Word(box, word, style.size, style.bold, line), list(_pieces(run))


def _pieces(run: Sequence[_Character]) -> Iterator[Piece]:
    """The parts of a word that are painted alike, but a hyphen at a line's end, which at times is not painted."""
    for colour, group in groupby(run, key=lambda c: c.style.colour):
        part = list(group)
        said = clean("".join(c.text for c in part))
        if any(map(str.isalnum, said)):
            yield Piece(union(c.bbox for c in part), said, part[0].style.size, colour)


def turn_of(text: Any, rotation: int) -> int:
    """By how many degrees clockwise a page displayed with `rotation` is to be turned for most letters to be upright."""
    letters: Counter[int] = Counter()
    for n in range(0, text.count_chars(), _SAMPLED):
        if not pdfium.FPDFText_IsGenerated(text, n):
            angle = round(degrees(pdfium.FPDFText_GetCharAngle(text, n)) / 90) * 90
            letters[(-angle - rotation) % 360] += 1
    return usual_turn(letters)


def _runs(text: Any, view: View) -> Iterator[tuple[list[_Character], bool]]:
    """Characters with no space between them, and whether they open a line.

    pdfium ends a line before a raised "2": what touches goes on in its word.
    """
    run: list[_Character] = []
    between, opens_line = "", False
    for character in _characters(text, view):
        if isinstance(character, str):
            between += character
            continue
        along, across = _gaps(run[-1].bbox, character.bbox, character.style) if run else (0.0, 0.0)
        if run and (" " in between or (max(along, across) > _TOUCH if between else along > _SPACE)):
            yield run, opens_line
            run, opens_line = [], "\n" in between
        run.append(character)
        between = ""
    if run:
        yield run, opens_line


def _gaps(a: Box, b: Box, style: _Style) -> tuple[float, float]:
    """How far apart the two are drawn, in sizes: along their line and across it; below 0 where they overlap."""
    x, y = (max(b[n] - a[n + 2], a[n] - b[n + 2]) / max(style.size, 1e-3) for n in (0, 1))
    return (y, x) if style.sideways else (x, y)


def _characters(text: Any, view: View) -> Iterator[_Character | str]:
    """Each character, or the space or the end of a line ("\\n") that stands between two."""
    left, right, bottom, top = edges = [ctypes.c_double() for _ in range(4)]
    tight, loose = [ctypes.byref(edge) for edge in edges], pdfium.FS_RECTF()
    styles: dict[int | None, _Style] = {}
    for n in range(text.count_chars()):
        letter = chr(pdfium.FPDFText_GetUnicode(text, n))
        if pdfium.FPDFText_IsGenerated(text, n) or (letter.isspace() and not "\x1c" <= letter <= "\x1f"):
            yield "\n" if letter in "\r\n" else " "
            continue
        pdfium.FPDFText_GetCharBox(text, n, *tight)
        pdfium.FPDFText_GetLooseCharBox(text, n, ctypes.byref(loose))
        key = ctypes.cast(pdfium.FPDFText_GetTextObject(text, n), ctypes.c_void_p).value
        style = styles.get(key) or styles.setdefault(key, _style(text, n))
        drawn = left.value < right.value and bottom.value < top.value
        narrow, low = drawn and not style.upright, drawn and not style.sideways
        box = view(
            left.value if narrow else loose.left,
            bottom.value if low else loose.bottom,
            right.value if narrow else loose.right,
            top.value if low else loose.top,
        )
        hyphen = letter in _LINE_END_HYPHEN
        yield _Character("-" if hyphen else letter, box, style)
        if hyphen:
            yield "\n"


def _style(text: Any, n: int) -> _Style:
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text, n, ctypes.byref(matrix))
    slant = 0.01 * hypot(matrix.a, matrix.b)
    return _Style(
        pdfium.FPDFText_GetFontSize(text, n) * hypot(matrix.c, matrix.d),
        _is_bold(text, n),
        _colour(text, n),
        abs(matrix.b) <= slant,
        abs(matrix.a) <= slant,
    )


def _colour(text: Any, n: int) -> Colour | None:
    mode = pdfium.FPDFTextObj_GetTextRenderMode(pdfium.FPDFText_GetTextObject(text, n))
    colour_of = pdfium.FPDFText_GetStrokeColor if mode in _STROKED else pdfium.FPDFText_GetFillColor
    red, green, blue, alpha = values = [ctypes.c_uint() for _ in range(4)]
    told = colour_of(text, n, *map(ctypes.byref, values))
    if mode in _UNPAINTED or (told and alpha.value <= PAINTED):
        return None
    return (red.value, green.value, blue.value) if told else (0, 0, 0)


def _is_bold(text: Any, n: int) -> bool:
    flags, name = ctypes.c_int(), ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text, n, name, len(name), ctypes.byref(flags))
    heavy = pdfium.FPDFText_GetFontWeight(text, n) >= _HEAVY or flags.value & _FORCED
    return bool(heavy or _BOLD.search(name.value.decode(errors="replace")))

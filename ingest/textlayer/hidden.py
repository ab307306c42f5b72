"""Text that a reader of the displayed page does not see: the classical way of slipping instructions to a model.

Whether text shows is asked of the pixels: the page is rendered with its text and without, and where both are the same
the text shows nothing, in whatever way it was hidden. Knows no PDF library: backends give pieces of text and pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby, pairwise
from math import ceil, sqrt
from operator import attrgetter, itemgetter
from textwrap import shorten
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from octavo.ingest.geometry import area, covered, intersection, middle, union
from octavo.ingest.model import Box
from octavo.ingest.sheet import Hidden, Word
from octavo.ingest.text import page_ranges

Colour: TypeAlias = tuple[int, int, int]
Pixels: TypeAlias = npt.NDArray[np.uint8]
Render: TypeAlias = Callable[[float, bool], tuple[Pixels, Pixels]]
"""At so many pixels a point, in colour or grey: the page as displayed, and without text; (height, width, 3 or 1)."""

PAINTED = 12
"""Levels of 255 of opacity, at and below which text counts as not painted: no reader makes out less."""

_TINY = 2.0  # points
_GLANCE, _LOOK = 72, 200  # dpi
_MOST_PIXELS = 4_000_000  # of a page looked at; a larger one is looked at more coarsely
_CLEAR = 48  # levels of 255 at a glance: enough for text to show, whatever a closer look would say
_FAINT = 16  # levels of 255 at a close look: no reader makes out less
_PRINTED = 64  # levels of 255 between the darkest and the lightest where a scan has a word
_SCAN = 0.5  # of the page, that an image covers whose text is the page's
_CONTESTED = 0.3  # of a piece's pixels, on which text of another colour stands too
_TALL = 1.8  # times its size: higher, and a piece is not of one line
_OVERPRINTED = 0.5  # of a piece's place, in which other text of its colour was drawn later
_WHITE = 235  # levels of 255
_BAND = (0.25, 0.75)  # of a line's height: where every letter and digit has ink, and no neighbouring line has
_TOUCH = 0.15  # in sizes of type
_MOST_WARNINGS = 12  # of a document
_QUOTED = 200  # characters of hidden text in a warning
_GREY = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or that part of one that is painted alike; `colour` in 8-bit RGB, None where nothing is painted.

    `line` counts the drawn lines, None where a backend does not tell. `shown` is False where the file keeps it from
    display by itself: it is in a layer that is off.
    """

    bbox: Box
    text: str
    size: float
    colour: Colour | None = (0, 0, 0)
    line: int | None = field(default=None, compare=False)
    shown: bool = True


def split_hidden(
    words: Sequence[Word],
    glanced: Sequence[Piece],
    exact: Callable[[], Sequence[Piece]],
    width: float,
    height: float,
    images: Sequence[Box],
    render: Render,
) -> tuple[list[Word], list[Hidden]]:
    """The words of a page that show, and what is hidden on it; its size in points.

    `glanced` are the words' parts by colour as they are had fast, enough for nearly every page, `exact()` as they are.
    """
    inside = [n for n, piece in enumerate(glanced) if not _outside(piece, width, height)]
    unclear = (
        any(glanced[n].colour is None for n in inside)
        or any(_overprinted(glanced, inside, width, height))
        or (inside and _unseen(glanced, inside, *render(_scale(_GLANCE, width, height), False), width, _CLEAR, _BAND))
    )
    if not unclear and len(inside) == len(glanced):
        return list(words), []
    pieces = exact()
    ways = [_outside(piece, width, height) for piece in pieces]
    if unclear:
        _look_closely(pieces, ways, width, height, images, render)
    kept = without(words, [piece for piece, way in zip(pieces, ways, strict=True) if way])
    return kept, list(_hidden_runs(pieces, ways))


def _look_closely(
    pieces: Sequence[Piece], ways: list[str | None], width: float, height: float, images: Sequence[Box], render: Render
) -> None:
    """Adds to `ways` how each piece is hidden that has None so far and does not show ("white", "invisible").

    Text that shows nothing itself but stands on the print of a scanned page is taken for the text of that print, which
    an earlier OCR has read.
    """
    page = (0.0, 0.0, width, height)
    for n in _overprinted(pieces, [n for n, way in enumerate(ways) if not way], width, height):
        ways[n] = "under other text"
    shown, bare = render(_scale(_LOOK, width, height), True)
    scans = [box for box in images if area(intersection(box, page)) >= _SCAN * area(page)]
    for n in _unseen(pieces, [n for n, way in enumerate(ways) if not way], shown, bare, width, _FAINT):
        beneath = bare[_pixels(pieces[n].bbox, bare.shape[1] / width)].reshape(-1, 3)
        printed = beneath.size and int(np.ptp(beneath, axis=0).max()) > _PRINTED
        if not (printed and any(covered(pieces[n].bbox, scan) > 0.5 for scan in scans)):
            ways[n] = _how(pieces[n], beneath)


def _hidden_runs(pieces: Sequence[Piece], ways: Sequence[str | None]) -> Iterator[Hidden]:
    """What is hidden, neighbours in drawing order that are hidden alike as one.

    A hidden copy of text that shows in the same place says nothing new and is not told.
    """
    shown: dict[str, list[Box]] = {}
    for piece, way in zip(pieces, ways, strict=True):
        if not way:
            shown.setdefault(piece.text, []).append(piece.bbox)
    told = [
        (piece, way)
        for piece, way in zip(pieces, ways, strict=True)
        if way and not any(covered(piece.bbox, box) > 0.5 for box in shown.get(piece.text, ()))
    ]
    for how, group in groupby(told, key=itemgetter(1)):
        run = [piece for piece, _ in group]
        yield Hidden(union(piece.bbox for piece in run), _joined(run), how)


def warnings_of(hidden: Mapping[int, Sequence[Hidden]]) -> Iterator[str]:
    """What a document's owner is told of the text hidden on its pages: a line for each page and way, shortened."""
    lines = []
    for page, found in hidden.items():
        for how, runs in groupby(sorted(found, key=attrgetter("how")), key=attrgetter("how")):
            text = shorten(" ".join(run.text for run in runs), _QUOTED, placeholder="…")
            lines.append((page, f"page {page}: hidden text ({how}): {text!r}"))
    yield from (line for _, line in lines[:_MOST_WARNINGS])
    if rest := sorted({page for page, _ in lines[_MOST_WARNINGS:]}):
        yield f"more hidden text on page {page_ranges(rest)}"


def without(words: Sequence[Word], hidden: Sequence[Piece]) -> list[Word]:
    """The words less the hidden pieces; a word of which a part is hidden keeps the rest."""
    kept = dict(enumerate(words))
    left, top, right, bottom = np.array([word.bbox for word in words]).reshape(-1, 4).T
    for piece in hidden:
        x0, y0, x1, y1 = piece.bbox
        touching = np.flatnonzero((left < x1) & (x0 < right) & (top < y1) & (y0 < bottom)).tolist()
        holders = [
            (word.text != piece.text, area(word.bbox), n)
            for n in touching
            if (word := kept.get(n)) and piece.text in word.text and covered(piece.bbox, word.bbox) > 0.5
        ]
        if holders:
            *_, n = min(holders)
            rest = _less(kept.pop(n), piece)
            if rest:
                kept[n] = rest
    return [kept[n] for n in sorted(kept)]


def _scale(dpi: int, width: float, height: float) -> float:
    return min(dpi / 72, sqrt(_MOST_PIXELS / (width * height)))


def _outside(piece: Piece, width: float, height: float) -> str | None:
    if not piece.shown:
        return "in a layer that is off"
    x, y = middle(piece.bbox)
    if not (0 <= x <= width and 0 <= y <= height):
        return "off the page"
    return "tiny" if piece.size < _TINY else None


def _overprinted(pieces: Sequence[Piece], asked: Sequence[int], width: float, height: float) -> Iterator[int]:
    """Those asked for, by number, in whose place another text of their size and colour was drawn later.

    No picture tells them from it: whether something between the two covers them or not, nobody reads them.
    """
    scale = _scale(_GLANCE, width, height)
    top = np.full((ceil(scale * height), ceil(scale * width)), -1, np.int32)  # of each pixel the piece drawn last
    places = [_pixels(piece.bbox, scale, _BAND) for piece in pieces]
    for n in asked:
        x0, y0, x1, y1 = pieces[n].bbox
        if x1 - x0 < pieces[n].size * len(pieces[n].text) and y1 - y0 < _TALL * pieces[n].size:  # else of far letters
            top[places[n]] = n
    for n in asked:
        over = top[places[n]]
        if np.count_nonzero(over != n) > _OVERPRINTED * over.size:
            later, pixels = np.unique(over[over > n], return_counts=True)
            covered_by = sum(int(k) for m, k in zip(later, pixels, strict=True) if _is_other(pieces[m], pieces[n]))
            if covered_by > _OVERPRINTED * over.size:
                yield n


def _is_other(over: Piece, piece: Piece) -> bool:
    """Whether one text says something else than another as large and in the same colour; a shadow does not.

    Nor do the pieces of one line, which overlap where a style begins within a word.
    """
    alike = over.text in piece.text or piece.text in over.text or over.line == piece.line is not None
    return not alike and over.colour == piece.colour and 0.5 < over.size / piece.size < 2


def _unseen(
    pieces: Sequence[Piece],
    asked: Sequence[int],
    shown: Pixels,
    bare: Pixels,
    width: float,
    enough: int,
    band: tuple[float, float] = (0, 1),
) -> list[int]:
    """Those asked for, by number, without which the page looks the same: nowhere in the box `enough` levels away.

    `band` is the part of a box's height that is looked at. Where text of another colour stands in the same place, the
    page must differ towards the piece's own colour.
    """
    scale = shown.shape[1] / width
    change = shown.astype(np.int16) - bare
    differs = reduce(np.logical_or, np.moveaxis(np.abs(change) >= enough, 2, 0))  # any(axis=2) takes ten times as long
    places = [_pixels(piece.bbox, scale, band) for piece in pieces]
    owners = {colour: n for n, colour in enumerate({piece.colour for piece in pieces})}
    first, last = np.zeros(differs.shape, np.int16), np.zeros(differs.shape, np.int16)
    for layer, step in ((last, 1), (first, -1)) if len(owners) > 1 else ():
        for place, piece in zip(places[::step], pieces[::step], strict=True):
            layer[place] = owners[piece.colour]

    def shows(place: tuple[slice, slice], colour: Colour) -> bool:
        if not differs[place].any():
            return False
        others = (first[place] != owners[colour]) | (last[place] != owners[colour])
        if np.count_nonzero(others) < _CONTESTED * others.size:
            return True
        own = np.array(colour) if change.shape[2] == 3 else _GREY @ colour
        towards = (change[place] * (own - bare[place])).sum(axis=2) > (enough / 2) ** 2
        return bool((differs[place] & towards).any())

    return [n for n in asked if (colour := pieces[n].colour) is None or not shows(places[n], colour)]


def _how(piece: Piece, beneath: Pixels) -> str:
    if piece.colour is None:
        return "invisible"
    background = np.median(beneath, axis=0) if beneath.size else np.full(3, 255)
    if np.abs(background - piece.colour).max() > 2 * _FAINT:
        return "covered or cut off"
    return "white" if min(piece.colour) >= _WHITE else "in the colour of its background"


def _joined(run: Sequence[Piece]) -> str:
    """The text of a run; pieces that touch are of one word."""
    text = run[0].text
    for last, piece in pairwise(run):
        level = abs(piece.bbox[3] - last.bbox[3]) < piece.size
        touches = level and abs(piece.bbox[0] - last.bbox[2]) < _TOUCH * piece.size
        text += piece.text if touches else f" {piece.text}"
    return text


def _less(word: Word, piece: Piece) -> Word | None:
    """The word without the piece, which stands at one of its ends or within; None when nothing is left."""
    rest = word.text.replace(piece.text, "", 1)
    x0, y0, x1, y1 = word.bbox
    at_start, at_end = word.text.startswith(piece.text), word.text.endswith(piece.text)
    box = (piece.bbox[2] if at_start else x0, y0, piece.bbox[0] if at_end and not at_start else x1, y1)
    return replace(word, text=rest, bbox=box) if rest else None


def _pixels(box: Box, scale: float, band: tuple[float, float] = (0, 1)) -> tuple[slice, slice]:
    """The rows and columns of a picture that the box touches, or that part of its height."""
    x0, top, x1, bottom = (max(0.0, v * scale) for v in box)
    y0, y1 = (top + share * (bottom - top) for share in band)
    return slice(int(y0), ceil(y1)), slice(int(x0), ceil(x1))

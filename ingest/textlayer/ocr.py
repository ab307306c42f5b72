"""Text from pictures: words with boxes by RapidOCR, and whether a picture says what a text layer says.

Knows pixels only: no PDF library, no page. What it needs comes with the package `rapidocr`, models included.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from octavo.ingest.geometry import around, union
from octavo.ingest.lines import drawn_lines
from octavo.ingest.model import Box
from octavo.ingest.sheet import Word
from octavo.ingest.text import clean
from octavo.ingest.textlayer.hidden import Pixels

DPI = 150
LONGEST = 2000
"""Pixels on the longer side of a picture; the engine would shrink more to that."""

_SETTINGS = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # as the layout models: one process, one core
    "Global.log_level": "critical",
    "Global.use_cls": False,  # of single lines; the page as a whole is turned here
    "Det.limit_type": "max",
    "Det.limit_side_len": 1120,  # lines are found as well at 100 dpi, and in half the time
    "Rec.rec_batch_num": 1,  # lines of unlike lengths in one batch cost what the longest costs
}
_MARGIN = 0.22  # of a line's height, that the engine leaves around the print on each side
_TYPE = 0.7  # of a line's height: the size of its type
_TALL = 1.5  # heights to widths: a line that runs up or down
_LEGIBLE = 0.8  # a lower mean confidence is that of text upside down
_INK = 24  # levels of 255 darker than what is around
_ACROSS, _DOWN = 30.0, 18.0  # points; a shorter line is part of a letter
_THICK = 4.0  # points; what is thicker is no rule
_CHECKED = 5  # lines of a text layer, that the picture is asked for
_ALIKE = 0.5  # in normalised edit distance: the same line, read with whatever errors


class _Line(NamedTuple):
    """Text with its confidence in [0, 1]; the corners of its box; and of its words, boxes in pixels."""

    text: str
    score: float
    corners: npt.NDArray[np.float32]
    pieces: list[tuple[str, Box]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a picture says; its words stand on the picture as it is upright, after `turns` quarter turns to the left."""

    words: tuple[Word, ...]
    turns: int = 0


def available() -> bool:
    return importlib.util.find_spec("rapidocr") is not None


def recognise(picture: Pixels, dpi: float) -> Reading:
    """The words of an RGB picture (height, width, 3), boxes in points, from the top of the page down."""
    found, turns = _read(picture), 0
    sideways = [line for line in found if _is_tall(line)]
    if _weight(sideways) > 0.5 * _weight(found):
        turns = 1 if _confidence(sideways) > _LEGIBLE else 3
        found = _read(np.rot90(picture, turns))
    elif found and _confidence(found) < _LEGIBLE:
        again = _read(np.rot90(picture, 2))
        if _confidence(again) > max(_LEGIBLE, _confidence(found)):
            found, turns = again, 2
    return Reading(tuple(_words(found, 72 / dpi)), turns)


def agrees(words: Sequence[Word], picture: Pixels, dpi: float) -> bool:
    """Whether the longest lines of `words` say what stands in their places on the picture (height, width, 3)."""
    longest = sorted(drawn_lines(words), key=lambda line: -sum(len(w.text) for w in line))[:_CHECKED]
    alike = 0
    for line in longest:
        x0, y0, x1, y1 = (round(v * dpi / 72) for v in union(w.bbox for w in line))
        crop = picture[max(0, y0 - 2) : y1 + 3, max(0, x0 - 2) : x1 + 3]
        if crop.size:
            read = _engine()(crop[:, :, ::-1], use_det=False)
            seen, said = (_bare("".join(texts)) for texts in (read.txts or (), (w.text for w in line)))
            alike += Levenshtein.normalized_similarity(seen, said) > _ALIKE
    return 2 * alike > len(longest)


def rules(picture: Pixels, dpi: float) -> Iterator[Box]:
    """The horizontal and vertical lines of an RGB picture, each as a thin box in points."""
    import cv2

    grey, point = np.ascontiguousarray(picture.min(axis=2)), dpi / 72
    for along, length in ((1, _ACROSS), (0, _DOWN)):
        thick, long = np.ones(2, int), np.ones(2, int)
        thick[1 - along], long[along] = _THICK * point, length * point
        thin = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones(thick, np.uint8)) > _INK
        lines = cv2.morphologyEx(thin.astype(np.uint8), cv2.MORPH_OPEN, np.ones(long, np.uint8))
        for x, y, width, height, _ in cv2.connectedComponentsWithStats(lines)[2][1:].tolist():
            yield x / point, y / point, (x + width) / point, (y + height) / point


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params=_SETTINGS)


def _read(picture: Pixels) -> list[_Line]:
    result = _engine()(np.ascontiguousarray(picture[:, :, ::-1]), use_det=True, return_word_box=True)
    if result.boxes is None:
        return []
    return [
        _Line(text, float(score), corners, [(text, around(box)) for text, _, box in pieces])
        for text, score, corners, pieces in zip(
            result.txts, result.scores, result.boxes, result.word_results, strict=True
        )
    ]


def _words(lines: Sequence[_Line], scale: float) -> Iterator[Word]:
    for n, line in enumerate(lines):
        height = min(_sides(line))
        margin = _MARGIN * height
        left, right = float(line.corners[:, 0].min()) + margin, float(line.corners[:, 0].max()) - margin
        for text, (x0, y0, x1, y1) in _cut(line):
            if word := clean(text):
                box = max(x0, left), y0 + margin, min(x1, right), y1 - margin
                points = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
                yield Word(points, word, float(round(_TYPE * scale * height)), line=n)


def _cut(line: _Line) -> Iterator[tuple[str, Box]]:
    """The words of a line, each around the pieces (words or single characters) that the engine has boxes of."""
    ends = np.cumsum([len(text) for text, _ in line.pieces])
    done = 0
    for word in line.text.split():
        first, last = np.searchsorted(ends, [done, done + len(word) - 1], side="right")
        if boxes := [box for _, box in line.pieces[first : last + 1]]:
            yield word, union(boxes)
        done += len(word)


def _is_tall(line: _Line) -> bool:
    width, height = _sides(line)
    return height > _TALL * width


def _sides(line: _Line) -> tuple[float, float]:
    """Width and height of a line's box, which may lie aslant."""
    top_left, top_right, _, bottom_left = line.corners
    return float(np.linalg.norm(top_right - top_left)), float(np.linalg.norm(bottom_left - top_left))


def _weight(lines: Sequence[_Line]) -> int:
    return sum(len(line.text) for line in lines)


def _confidence(lines: Sequence[_Line]) -> float:
    return sum(line.score * len(line.text) for line in lines) / max(1, _weight(lines))


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))

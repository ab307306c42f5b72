"""The one door to PyMuPDF, behind which its layout models run in half the time, with the same results.

PyMuPDF makes its models' sessions while it is imported, and has no option for how. Each gets a spinning thread for
every core, which beside other workers and the embedder only gets in their way; it gives all memory back after each
page, so that a third of the time goes into fetching it again; and its largest model spends a quarter of its time in an
operation that onnxruntime has no fast form of. So onnxruntime's sessions are ours while PyMuPDF makes its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers.sessions import OneThreadSession
from octavo.ingest.text import printable

_original = onnxruntime.InferenceSession


class _Session(OneThreadSession):
    """Takes no options. A model keeps its memory if its input has one size always; PyMuPDF lets none keep it."""

    def __init__(self, model: str | Path, **_: object) -> None:
        read = leaky(onnx.load(model))
        sizes = [size for given in read.graph.input for size in given.type.tensor_type.shape.dim[1:]]
        super().__init__(read.SerializeToString(), arena=all(size.dim_value for size in sizes))


def leaky(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with each PRelu of a single slope as the LeakyRelu that it is, which onnxruntime joins to its Conv."""
    constants = {constant.name: constant for constant in model.graph.initializer}
    for node in model.graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is not None and numpy_helper.to_array(slope).size == 1:
            node.op_type = "LeakyRelu"
            node.attribute.append(helper.make_attribute("alpha", float(numpy_helper.to_array(slope).item())))
            del node.input[1]
    return model


@contextmanager
def own_sessions() -> Iterator[None]:
    """In this context sessions of onnxruntime are ours, whoever makes them."""
    onnxruntime.InferenceSession = _Session
    try:
        yield
    finally:
        onnxruntime.InferenceSession = _original


def resized(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The image (height, width, channels) at another `size` (width, height), by bilinear interpolation."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


_made_by_others = "pymupdf" in sys.modules

with own_sessions():
    import pymupdf
    import pymupdf.layout
    from pymupdf.layout.onnx import ImageFeatureExtractorV1, TableGridExtractorV2

    if _made_by_others:
        pymupdf._get_layout = None
        pymupdf.layout.activate()

for _module in (ImageFeatureExtractorV1, TableGridExtractorV2):
    _module.resize_image = resized  # theirs, in numpy, says that it equals OpenCV's, and takes forty times as long

__all__ = ["in_words", "leaky", "own_sessions", "pymupdf", "resized", "upright"]

_ERROR = re.compile(r"code=(\d+): *(.*)")  # as MuPDF's errors read, whether they come as its own or as RuntimeError
_DAMAGED = "is damaged", "mend it"
_MATTERS = {  # what is the matter with a PDF and what may help, by MuPDF's codes
    pymupdf.mupdf.FZ_ERROR_FORMAT: _DAMAGED,
    pymupdf.mupdf.FZ_ERROR_SYNTAX: _DAMAGED,
    pymupdf.mupdf.FZ_ERROR_LIMIT: ("is too much for the reader", "simplify it"),
    pymupdf.mupdf.FZ_ERROR_UNSUPPORTED: ("uses what the reader does not know", "do without"),
}
_DETAIL = 100  # characters of what MuPDF says


@contextmanager
def in_words() -> Iterator[None]:
    """MuPDF's errors in words for the owner of the PDF, its own behind them. Raises UnreadableError, MemoryError.

    Those that tell nothing of the PDF, as of a false call, go on as they are.
    """
    try:
        yield
    except (RuntimeError, pymupdf.mupdf.FzErrorBase) as error:
        told = _ERROR.match(str(error))
        if told is None:
            raise
        code, detail = int(told[1]), printable(told[2])[:_DETAIL].strip()
        if code == pymupdf.mupdf.FZ_ERROR_SYSTEM:
            raise (MemoryError() if "alloc" in detail else UnreadableError(f"cannot be read: {detail}")) from error
        if code not in _MATTERS:
            raise
        matter, hope = _MATTERS[code]
        raise UnreadableError(f"the PDF {matter}; saving it anew from a PDF viewer may {hope} ({detail})") from error


def upright(page: pymupdf.Page, turn: int = 0) -> pymupdf.Page:
    """The page with its rotation, and `turn` degrees clockwise more, taken into its content, in memory.

    Its coordinates are then those of the page as displayed. The media box becomes what is shown first, since PyMuPDF's
    `remove_rotation` loses the crop box.
    """
    rotation = (page.rotation + turn) % 360
    if not rotation:
        page.set_rotation(0)
        return page
    page.set_rotation(0)
    shown = page.rect * ~page.transformation_matrix
    box = "[{:g} {:g} {:g} {:g}]".format(*shown.normalize())
    for key in ("MediaBox", "CropBox"):
        page.parent.xref_set_key(page.xref, key, box)
    page.set_rotation(rotation)
    page.remove_rotation()
    return page

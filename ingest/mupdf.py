"""The one door to PyMuPDF, through which its layout models get one thread each.

PyMuPDF makes its models' sessions while it is imported, each with a spinning thread for every core, and has no option
for it. Beside other workers and the embedder these threads only get in each other's way: with one thread, two workers
on two cores read 1.6 times as fast. So the default of onnxruntime's options is another while sessions are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import onnxruntime

from octavo.ingest.sessions import OneThread

_options = onnxruntime.SessionOptions


@contextmanager
def one_thread_sessions() -> Iterator[None]:
    """Sessions of onnxruntime that are made with default options in this context have one thread."""
    onnxruntime.SessionOptions = OneThread
    try:
        yield
    finally:
        onnxruntime.SessionOptions = _options


with one_thread_sessions():
    import pymupdf

__all__ = ["one_thread_sessions", "pymupdf", "upright"]


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

"""The one door to PyMuPDF, through which its layout models get one thread each.

PyMuPDF makes the models' sessions while it is imported, each with a spinning thread for every core, and has no option
for it. Beside other workers and the embedder these threads only get in each other's way: with one thread, two workers
on two cores read 1.6 times as fast. So the default of onnxruntime's options is another during that import.
"""

from __future__ import annotations

import onnxruntime

_options = onnxruntime.SessionOptions


class _OneThread(_options):  # type: ignore[misc, valid-type]
    def __init__(self) -> None:
        super().__init__()
        self.intra_op_num_threads = 1
        self.add_session_config_entry("session.intra_op.allow_spinning", "0")


onnxruntime.SessionOptions = _OneThread
try:
    import pymupdf
finally:
    onnxruntime.SessionOptions = _options

__all__ = ["pymupdf", "upright"]


def upright(page: pymupdf.Page, turn: int = 0) -> pymupdf.Page:
    """A page without rotation that shows what `page` shows, turned by `turn` degrees clockwise; `page` itself if it does.

    Coordinates of text and drawings are then those of the page as displayed. PyMuPDF's own `remove_rotation` loses the
    crop box on the way.
    """
    if not (page.rotation or turn):
        return page
    width, height = page.rect.br if turn in (0, 180) else (page.rect.height, page.rect.width)
    whole, number, rotation = page.parent, page.number, page.rotation
    page.set_rotation(0)  # in memory; `show_pdf_page` scales a rotated page wrongly
    drawn = pymupdf.open().new_page(width=width, height=height)
    drawn.show_pdf_page(drawn.rect, whole, number, rotate=-(rotation + turn))
    return drawn

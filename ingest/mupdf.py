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

__all__ = ["pymupdf"]

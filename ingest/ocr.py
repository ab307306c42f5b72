"""OCR for pages without a text layer: PyMuPDF4LLM's plug-in for RapidOCR writes what it reads into the page."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import redirect_stdout

from octavo.ingest.mupdf import pymupdf

_DPI = 150
_THREADS = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}  # as the layout models: one process, one core


def recognise(page: pymupdf.Page) -> bool:
    """Gives `page` (in memory) a text layer; whether it has words now. Without `rapidocr` it stays as it is."""
    if importlib.util.find_spec("rapidocr") is None:
        return False
    with redirect_stdout(sys.stderr):  # the plug-in speaks up where `--json` has the floor
        from pymupdf4llm.ocr import rapidocr_391_backend as backend
        from pymupdf4llm.ocr.exec_ocr_interface import exec_ocr_full

        if backend.ENGINE is None:
            backend.ENGINE = backend.RapidOCR(params=_THREADS)
        page.remove_rotation()
        exec_ocr_full(page, backend.full_ocr, dpi=_DPI)
    return bool(page.get_text("words"))

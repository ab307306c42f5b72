"""The layout model's outputs become the boxes that the model's own package makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from octavo.ingest.readers.pdfium.door import open_page, open_pdf, picture
from octavo.ingest.readers.pdfium.layout import _HEIGHT, _LEAST_SCORE, _SAME, _WIDTH, _model, detect


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number", "least"), [("DOC2022.pdf", 64, 30), ("GSA2022.pdf", 30, 15)])
def test_detections_are_those_of_the_models_own_package(data: Path, name: str, number: int, least: int) -> None:
    """On a picture of the size that the model sees: the package scales others more coarsely."""
    original = pytest.importorskip("rapid_layout.model_handler.pp.main")
    with open_pdf(data / "agency" / name) as document:
        seen = picture(open_page(document, number), 1.5).convert("RGB").resize((_WIDTH, _HEIGHT))
    session, classes = _model()
    source = session.get_inputs()[0].name
    handler = original.PPModelHandler(classes, _LEAST_SCORE, _SAME, lambda pixels: session.run(None, {source: pixels}))
    theirs = handler(np.asarray(seen))
    ours = detect(seen, _WIDTH, _HEIGHT)
    assert len(ours) == len(theirs.boxes) >= least
    for kind, box, score in zip(theirs.class_names, theirs.boxes, theirs.scores, strict=True):
        same = [s for s in ours if s.kind == kind and np.abs(np.subtract(s.bbox, box)).max() < 1]
        assert any(abs(s.score - score) < 1e-3 for s in same)

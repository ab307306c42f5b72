"""The door to PyMuPDF: its models run faster behind it, and see what they saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession

from octavo.ingest.readers.mupdf.door import leaky, pymupdf, resized
from octavo.ingest.readers.sessions import OneThreadSession


@pytest.fixture
def picture(samples: Path) -> np.ndarray:
    with pymupdf.open(samples / "sunspot-cycles.pdf") as document:
        drawn = document[0].get_pixmap(dpi=100)
    return np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3)


def test_the_model_that_looks_at_pages_gives_the_same_without_prelu(picture: np.ndarray) -> None:
    path = Path(pymupdf.__file__).parent / "layout" / "resources" / "onnx" / "feature_imf1.onnx"
    model = leaky(onnx.load(path))
    assert "PRelu" in {node.op_type for node in onnx.load(path).graph.node}
    assert "PRelu" not in {node.op_type for node in model.graph.node}
    page = resized(picture, (300, 300)).mean(axis=2, dtype=np.float32)[None, None] / 255
    theirs = InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": page})
    ours = OneThreadSession(model.SerializeToString()).run(None, {"input": page})
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_pages_are_shrunk_as_pymupdf_shrinks_them(picture: np.ndarray) -> None:
    from pymupdf.layout.common_util import resize_image

    theirs, ours = resize_image(picture, (300, 360)).astype(int), resized(picture, (300, 360)).astype(int)
    assert np.abs(theirs - ours).max() <= 1  # the one cuts fractions off, the other rounds


def test_pymupdf_s_models_have_one_thread_each() -> None:
    from octavo.ingest.readers.mupdf.layout import _light_model

    session = _light_model()._model.session
    assert isinstance(session, OneThreadSession)
    assert session.get_session_options().intra_op_num_threads == 1

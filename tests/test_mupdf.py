"""The door to PyMuPDF: its models run faster behind it, and see what they saw."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession

from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers.mupdf.door import in_words, leaky, pymupdf, resized
from octavo.ingest.readers.mupdf.layout import full_regions
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader
from octavo.ingest.readers.sessions import OneThreadSession
from tests import hostile


@pytest.fixture
def picture(samples: Path) -> np.ndarray:
    with pymupdf.open(samples / "sunspot-cycles.pdf") as document:
        drawn = document[0].get_pixmap(dpi=100)
    return np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3)


@pytest.mark.slow
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


def sessions(model: Any) -> list[object]:
    """Those that a model of PyMuPDF's holds: its own, of its grids of tables, and where it looks at pictures."""
    own = model._model
    looking = [own.feature_extractor._session] if own.feature_extractor else []
    return [own.session, own.table_grid_extractor._grid_sess, *looking]


@pytest.mark.parametrize("first", ["import pymupdf", "import pymupdf4llm", "pass"])
@pytest.mark.slow
def test_pymupdf_s_models_are_ours_whoever_imported_it_first(first: str) -> None:
    code = f"""{first}
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.layout import _light_model
from tests.test_mupdf import sessions
full = pymupdf._get_layout.__closure__[0].cell_contents
print([type(session).__bases__[0].__name__ for model in (full, _light_model()) for session in sessions(model)])"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent
    )
    made = ast.literal_eval(done.stdout)
    assert made == ["OneThreadSession"] * 6


@pytest.mark.slow
def test_regions_are_those_that_pymupdf_finds_by_itself(data: Path) -> None:
    path = data / "icdar2013" / "eu-004.pdf"
    code = f"""import pymupdf
pymupdf.use_layout(True)
for page in pymupdf.open({str(path)!r}):
    page.get_layout(return_raw=True, do_sort=False)
    print([(g["class_name"], tuple(round(float(v), 1) for v in g["group_bbox"])) for g in page.layout_information])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    theirs = [ast.literal_eval(line) for line in done.stdout.splitlines()]
    with pymupdf.open(path) as document:
        ours = [
            [(g["class_name"], tuple(round(float(v), 1) for v in g["group_bbox"])) for g in full_regions(page)]
            for page in document
        ]
    assert ours == theirs
    assert len(ours) > 5


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "circular_page_tree",
            "the PDF is damaged; saving it anew from a PDF viewer may mend it (cycle in parent chain)",
        ),
        ("false_count", "the PDF is damaged; saving it anew from a PDF viewer may mend it (Invalid number of pages)"),
        (
            "saved_states",
            "the PDF is too much for the reader; saving it anew from a PDF viewer may simplify it "
            "(too many nested graphics states)",
        ),
    ],
)
def test_a_pdf_that_fails_says_what_to_do_and_what_mupdf_found(tmp_path: Path, name: str, told: str) -> None:
    path = hostile.write(tmp_path, name)
    with pytest.raises(UnreadableError) as error:
        PyMuPDFReader().read(path, "x", 1, 1, simple=True)
    assert str(error.value) == told


def test_what_a_pdf_makes_mupdf_say_cannot_move_the_cursor() -> None:
    with pytest.raises(UnreadableError) as error, in_words():
        raise RuntimeError("code=8: cannot find ExtGState resource '\x1b[2J'")
    assert str(error.value).endswith("(cannot find ExtGState resource '\ufffd[2J')")


def test_memory_that_runs_out_in_mupdf_is_told_as_such() -> None:
    with pytest.raises(MemoryError), in_words():
        raise RuntimeError("code=2: malloc (16 bytes) failed")


def test_a_file_that_the_system_does_not_give_is_not_called_damaged() -> None:
    with pytest.raises(UnreadableError) as error, in_words():
        raise RuntimeError("code=2: cannot open report.pdf: Permission denied")
    assert str(error.value) == "cannot be read: cannot open report.pdf: Permission denied"


@pytest.mark.parametrize(
    "message",
    ["code=1: no such thing", "code=3: library failed", "code=4: invalid page number", "code=10: aborted"],
)
def test_errors_that_tell_nothing_of_the_pdf_go_on_as_they_are(message: str) -> None:
    with pytest.raises(RuntimeError) as error, in_words():
        raise RuntimeError(message)
    assert str(error.value) == message


@pytest.mark.parametrize("code", [7, 8])
def test_only_what_is_no_good_pdf_is_called_damaged(code: int) -> None:
    with (
        pytest.raises(UnreadableError, match="the PDF is damaged; saving it anew from a PDF viewer may mend it"),
        in_words(),
    ):
        raise RuntimeError(f"code={code}: expected object number")


def test_mupdf_s_own_error_of_the_system_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^cannot be read: .*nowhere.pdf: No such file"), in_words():
        pymupdf.mupdf.fz_read_file(str(tmp_path / "nowhere.pdf"))

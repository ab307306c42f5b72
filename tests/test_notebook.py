"""The notebook runs from its first cell to its last, and is kept with the pictures that it draws."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "evaluation.ipynb"


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def pictures(notebook: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


@pytest.fixture(scope="module")
def kept() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_kept_as_it_ran(kept: NotebookNode) -> None:
    counts = [cell.execution_count for cell in kept.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert pictures(kept) == 4
    assert not [output for output in outputs(kept) if output.output_type == "error" or output.get("name") == "stderr"]


def test_the_kept_notebook_is_small_and_tells_nothing_of_the_machine_it_ran_on(kept: NotebookNode) -> None:
    text = NOTEBOOK.read_text()
    assert len(text) < 500_000
    assert str(ROOT) not in text
    assert os.path.expanduser("~/") not in "".join(str(output) for output in outputs(kept))  # noqa: PTH111


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_notebook_runs_on_the_sample_library(
    kept: NotebookNode, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALUATION_PDFS", str(samples))
    monkeypatch.setenv("EVALUATION_OUT", str(tmp_path))
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    done = NotebookClient(kept, timeout=1500, kernel_name="python3", resources=resources).execute()
    assert pictures(done) == 4
    assert {path.name for path in (tmp_path / "results").iterdir()} >= {"results.jsonl", "report.md", "report.html"}
    assert (tmp_path / "model" / "roc.png").read_bytes().startswith(b"\x89PNG")

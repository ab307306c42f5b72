"""A short slice of `benchmarks/fuzz.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from octavo.ingest.readers import BACKENDS


@pytest.mark.slow
@pytest.mark.parametrize("reader", BACKENDS)
def test_mutated_pdfs_are_read_or_refused_with_a_reason(samples: Path, reader: str) -> None:
    options = ["--reader", reader, "--minutes", "0.25", "--seeds", "3"]
    command = [sys.executable, "benchmarks/fuzz.py", *options, samples]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith("no hang, no crash, none empty")

"""The made pages that the judge of tables learns from: what their truth says is what they show."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pymupdf

PAGES = Path(__file__).parents[1] / "examples" / "judge" / "pages.py"


def letters(text: str) -> Counter[str]:
    return Counter(ch for ch in text if ch.isalnum())


def test_each_table_shows_the_letters_of_its_truth_in_its_box_and_no_others(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PAGES, tmp_path, "--pages", "8"], check=True)
    [made] = tmp_path.glob("*.pdf")
    pages = json.loads(made.with_suffix(".json").read_text())
    with pymupdf.open(made) as document:
        shown = [
            (letters("".join(map("".join, table["rows"]))), letters(page.get_text(clip=table["box"])))
            for page, tables in zip(document, pages, strict=True)
            for table in tables
        ]
    assert len(shown) > 10
    assert all(truth == drawn for truth, drawn in shown)

"""The docs say what the code does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from octavo.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_of_the_command_line_is_its_help() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make_cli.py"))
    assert (ROOT / "docs" / "cli.md").read_text() == make["page"](), "run: python docs/make_cli.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_the_project_that_is_named_is_there(page: Path) -> None:
    folders = "app|ingest|retrieval|generation|training|evaluation|kernels|ui|tests|benchmarks|examples|docs|notebooks"
    named = re.findall(rf"(?<![\w./-])((?:{folders})/[\w./-]+\.(?:py|md|json|jsonl|ipynb))\b", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`OCTAVO_{name.upper()}`" not in text] == []


def test_every_setting_named_in_the_docs_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r"OCTAVO_([A-Z_]+[A-Z])", page.read_text())}
    asked_by_tests = {"KILLS"}
    assert named - {name.upper() for name in Settings.model_fields} == asked_by_tests

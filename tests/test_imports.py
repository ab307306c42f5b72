"""Imports run one way, downwards."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = {"kernels": 0, "ingest": 1, "retrieval": 2, "generation": 3, "evaluation": 4, "training": 4, "app": 5, "ui": 6}
FILES = [path for folder in LEVELS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The folders that a module imports from."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names if name == "octavo" or name.startswith("octavo.")]
    return {part[1] if len(part) > 1 and part[1] in LEVELS else "app" for part in parts}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_from_its_own_folder_or_one_below(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    above = {folder for folder in imported(path) if folder != own and LEVELS[folder] >= LEVELS[own]}
    assert not above


def test_the_rooms_of_ingest_import_one_way_too() -> None:
    words = dict.fromkeys(
        ("model", "geometry", "text", "sheet", "lines", "runs", "traces", "reader", "periods", "card", "directions"), 0
    )
    rooms = {**words, "textlayer": 1, "tables": 1, "store": 1, "figures": 2, "links": 2, "pages": 3, "readers": 4}
    top = max(rooms.values()) + 1  # parse, pipeline and the others that use them all
    for path in sorted((ROOT / "ingest").rglob("*.py")):
        own = path.relative_to(ROOT / "ingest").parts[0].removesuffix(".py")
        found = set(
            re.findall(r"^\s*from octavo\.ingest\.(\w+)|^\s*from octavo\.ingest import (\w+)", path.read_text(), re.M)
        )
        above = {room for room in map("".join, found) if room != own and rooms.get(room, top) > rooms.get(own, top)}
        assert not above, path


def test_every_folder_of_modules_is_installed() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.relative_to(ROOT).parent.parts for path in FILES}
    packages = {".".join(("octavo", *(part for part in folder if part != "app"))) for folder in folders}
    assert packages == set(setup["packages"])


MODELS = ("torch", "transformers", "sentence_transformers", "sklearn", "streamlit")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("octavo.cli", (*MODELS, "langchain_core", "sqlalchemy", "numpy")),
        ("octavo.shelf", (*MODELS, "langchain_core", "faiss")),
        ("octavo.library", MODELS),
    ],
)
def test_what_opens_fast_loads_no_more_than_it_needs(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

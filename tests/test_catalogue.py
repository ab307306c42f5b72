"""The catalogue keeps what it is given, and its schema is what the migrations make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from octavo.ingest.catalogue import Catalogue
from octavo.ingest.model import State
from octavo.ingest.schema import Base


def test_the_migrations_make_the_tables_that_the_code_declares(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    with catalogue.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_kill_during_the_first_opening_leaves_a_library_that_opens(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    script = (
        "import os; from alembic import op; from octavo.ingest.catalogue import Catalogue\n"
        "made, create = [], op.create_table\n"
        "def dying(*a, **k): made.append(1); len(made) == 4 and os._exit(9); return create(*a, **k)\n"
        f"op.create_table = dying; Catalogue({url!r})"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert Catalogue(url).documents() == []


def test_sqlite_runs_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    with catalogue.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_failed_document_is_queued_again_and_a_ready_one_is_not(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    catalogue.queue("a" * 64, "one.pdf", 10, None)
    catalogue.fail("a" * 64, "it broke")
    assert catalogue.queue("a" * 64, "one.pdf", 10, None).state is State.QUEUED
    catalogue.finish("a" * 64)
    assert catalogue.queue("a" * 64, "one.pdf", 10, None).state is State.READY


def test_vectors_come_back_in_the_order_asked_for(library: Any) -> None:
    model = library.embedder.name
    ids = library.catalogue.ready_ids(model, pictures=False)[:3]
    (kept, forwards), (_, backwards) = (
        library.catalogue.vectors(model, ids),
        library.catalogue.vectors(model, ids[::-1]),
    )
    assert kept == ids
    assert np.array_equal(forwards, backwards[::-1])
    assert np.allclose(np.linalg.norm(forwards, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_chunk_id_that_was_deleted_never_comes_back(own_library: Any, samples: Path) -> None:
    before = max(own_library.catalogue.ready_ids(own_library.embedder.name, pictures=False))
    for info in own_library.documents():
        own_library.delete(info.name)
    own_library.ingest([samples / "sunspot-cycles.pdf"])
    assert min(own_library.catalogue.ready_ids(own_library.embedder.name, pictures=False)) > before


def test_conversations_are_kept_newest_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    catalogue = Catalogue(url)
    first, second = catalogue.start_conversation("First"), catalogue.start_conversation("Second")
    catalogue.add_message(first, "user", "What?")
    catalogue.add_message(first, "assistant", "That.", {"answer": "That."})
    catalogue.close()
    again = Catalogue(url)
    assert again.conversations() == [(second, "Second"), (first, "First")]
    assert [(m.role, m.text, m.answer) for m in again.messages(first)] == [
        ("user", "What?", None),
        ("assistant", "That.", {"answer": "That."}),
    ]

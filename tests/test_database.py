"""The catalogue by URL: where the URL comes from, what is said of one that cannot serve, a library on PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from octavo import Library
from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.store.database import CatalogueError, _reading, open_database, parse_url
from octavo.library import LibraryError
from octavo.settings import Settings

_WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from octavo.cli import main
main(["ingest", "."])
"""


def complaint(url: str) -> str:
    """What opening a catalogue there raises."""
    with pytest.raises(CatalogueError) as caught:
        Catalogue(url)
    return str(caught.value)


def test_the_url_is_octavos_own_before_the_one_that_all_programs_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().database_url is None
    monkeypatch.setenv("DATABASE_URL", "postgresql://shared/db")
    assert Settings().database_url == "postgresql://shared/db"
    monkeypatch.setenv("OCTAVO_DATABASE_URL", "postgresql://own/db")
    assert Settings().database_url == "postgresql://own/db"


@pytest.mark.parametrize("url", ["postgres://me@host/db", "postgresql://me@host/db", "postgresql+psycopg://me@host/db"])
def test_every_spelling_of_postgresql_is_taken(url: str) -> None:
    dialect = parse_url(url).get_dialect()
    assert (dialect.name, dialect.driver) == ("postgresql", "psycopg")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("me:s3cret@host", "the database URL is none: take postgresql://USER:PASSWORD@HOST/NAME"),
        ("postgresql://me:s3cret", "the database URL is none: take postgresql://USER:PASSWORD@HOST/NAME"),
        ("mysql://me:s3cret@host/db", "a catalogue lies in PostgreSQL or SQLite, not in mysql"),
        (
            "postgresql+pg8000://me:s3cret@host/db",
            "no driver for postgresql+pg8000:// (No module named 'pg8000'): take postgresql:// "
            "and pip install 'octavo[postgres]'",
        ),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_its_password(url: str, said: str) -> None:
    assert complaint(url) == said


def test_a_server_that_is_not_there_is_one_line_without_the_password() -> None:
    said = complaint("postgresql://me:s3cret@127.0.0.1:1/octavo")
    assert said.startswith('cannot open the catalogue: connection failed: connection to server at "127.0.0.1", port 1')
    assert "s3cret" not in said


@pytest.mark.slow
def test_a_wrong_password_is_one_line_without_it(postgres: Any, postgres_url: str) -> None:
    rules = postgres.pgdata / "pg_hba.conf"
    rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
    postgres.psql("CREATE ROLE guarded LOGIN PASSWORD 'right'; SELECT pg_reload_conf();")
    guarded = postgres_url.replace("postgres:@", "guarded:{}@")
    assert "permission denied" in complaint(guarded.format("right"))  # let in, to a database that is not its own
    said = complaint(guarded.format("s3cret"))
    assert 'password authentication failed for user "guarded"' in said
    assert "s3cret" not in said


@pytest.mark.slow
def test_a_missing_driver_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_DRIVER],
        env={"OCTAVO_LIBRARY": str(tmp_path), "OCTAVO_DATABASE_URL": "postgresql://me:s3cret@host/octavo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("pip install 'octavo[postgres]'\n")
    assert "s3cret" not in done.stderr


def test_a_folder_keeps_to_its_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, other = tmp_path / "library", f"sqlite:///{tmp_path / 'other.sqlite'}"
    for _ in range(2):
        Library(folder).close()
    monkeypatch.setenv("DATABASE_URL", other)
    with pytest.raises(LibraryError, match="library belongs to another catalogue: look at OCTAVO_DATABASE_URL"):
        Library(folder)
    Library(tmp_path / "other").close()
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(LibraryError, match="other belongs to another catalogue"):
        Library(tmp_path / "other")


def test_a_folder_from_before_there_were_identities_keeps_its_pdfs(own_library: Any, tmp_path: Path) -> None:
    (own_library.folder / "catalogue.id").unlink()
    other = Settings(library=own_library.folder, database_url=f"sqlite:///{tmp_path / 'other.sqlite'}")
    with pytest.raises(LibraryError, match="one folder and one catalogue make a library"):
        Library(settings=other)
    with Library(own_library.folder) as again:
        assert again.files.kept() == {info.sha256 for info in again.documents()}


def test_a_catalogue_in_use_takes_no_second_folder(own_library: Any, tmp_path: Path) -> None:
    url = str(own_library.catalogue.engine.url)
    with pytest.raises(LibraryError, match="second has none of the PDFs of the catalogue"):
        Library(settings=Settings(library=tmp_path / "second", database_url=url))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "theirs.sqlite") as theirs:
        theirs.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        theirs.execute("INSERT INTO alembic_version VALUES ('deadbeef')")
    assert "another program's tables are in the database" in complaint(f"sqlite:///{tmp_path / 'theirs.sqlite'}")


@pytest.mark.slow
def test_a_busy_catalogue_is_one_line_and_opened_for_writing_once_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octavo.ingest.store.database._BUSY_SECONDS", 1)
    path = tmp_path / "catalogue.sqlite"
    url = f"sqlite:///{path}"
    open_database(url).dispose()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert complaint(url) == (
            "cannot open the catalogue: another process has been writing to it for 1 seconds: "
            "try again when it is done (database is locked)"
        )
        other.rollback()
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE written (n INTEGER)")
    engine.dispose()


def test_only_a_file_that_cannot_be_written_is_taken_for_immutable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, log = tmp_path / "catalogue.sqlite", tmp_path / "catalogue.sqlite-wal"
    path.touch()
    unwritable: set[Path] = set()  # root may write what is marked as read-only
    monkeypatch.setattr("os.access", lambda path, _: path not in unwritable)
    assert list(_reading(path, full=False)) == ["mode=ro"]
    for one in (path, tmp_path):  # the side files would be made in the folder
        unwritable = {one}
        assert list(_reading(path, full=False)) == ["mode=ro", "mode=ro&immutable=1"]
    log.touch()
    assert list(_reading(path, full=False)) == ["mode=ro"]
    unwritable = {log}
    assert list(_reading(path, full=False)) == ["mode=ro", "mode=ro&immutable=1"]


def test_on_a_full_disk_a_file_is_immutable_where_nobody_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.touch()
    assert list(_reading(path, full=True)) == ["mode=ro", "mode=ro&immutable=1"]
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE written (n INTEGER)")
        assert list(_reading(path, full=True)) == ["mode=ro"]


def test_a_file_that_is_no_database_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"no database at all" * 100)
    assert complaint(f"sqlite:///{tmp_path}/catalogue.sqlite") == "cannot open the catalogue: file is not a database"


@pytest.mark.slow
def test_a_library_on_postgresql(library: Any, samples: Path, postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(library=tmp_path / "library", database_url=postgres_url)
    question = "What were total net sales in the third quarter?"
    with Library(settings=settings) as own:
        report = own.ingest([samples])
        assert not report.failed
        assert not (own.folder / "catalogue.sqlite").exists()
        assert [i.name for i in own.documents()] == [i.name for i in library.documents()]
    with Library(settings=settings) as own:
        found = own.search(question)
        assert [(h.document, h.page, h.chunk.text) for h in found] == [
            (h.document, h.page, h.chunk.text) for h in library.search(question)
        ]
        gone = found[0].document
        own.delete(gone)
        assert gone not in {hit.document for hit in own.search(question)}
    with Library(settings=settings) as own:
        assert gone not in {info.name for info in own.documents()}
        assert own.ask(question).text

"""The database under the catalogue: from a URL to an engine, its schema brought up to date.

Knows nothing of documents. SQLite and PostgreSQL are known; a password is never in a message.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, DatabaseError

_SECONDS = 10  # that a server may take to answer
_MIGRATION = {  # one process at a time: what waits finds the tables made
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(7165)",
}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL}
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}  # the second: not even for the side files
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SHARED = 2**15  # bytes at least of the -shm file while a process has a SQLite file open
_BUSY_SECONDS = 30  # that another process may write before this one gives up


class CatalogueError(RuntimeError):
    """The database cannot be reached or is not a catalogue."""


def open_database(url: str) -> Engine:
    """An engine for the database at a SQLAlchemy URL, with the schema of this version. Raises CatalogueError.

    A SQLite file that cannot be written, or lies on a disk that is full, is opened for reading; one that another
    process is writing to is not: its engine would outlive the other's lock.
    """
    parsed = parse_url(url)
    engine = _engine(parsed)
    try:
        _migrate(engine)
    except CommandError as error:
        engine.dispose()
        why = "another program's tables are in the database, or a newer Octavo's: name another, or upgrade"
        raise CatalogueError(f"cannot open the catalogue: {why} ({error})") from error
    except DatabaseError as error:
        engine.dispose()
        code = getattr(error.orig, "sqlite_errorcode", 0)
        family, full = code & 0xFF, code in _NO_ROOM
        if family in _BUSY:
            why = f"another process has been writing to it for {_BUSY_SECONDS} seconds: try again when it is done"
            raise CatalogueError(f"cannot open the catalogue: {why} ({error.orig})") from error
        for how in _reading(Path(parsed.database or ""), full) if full or family in _UNWRITABLE else ():
            engine = create_engine(f"sqlite:///file:{quote(str(parsed.database))}?{how}&uri=true")
            if _is_current(engine):
                return engine
            engine.dispose()
        raise CatalogueError(f"cannot open the catalogue: {error.orig}") from error
    return engine


def _reading(path: Path, full: bool) -> Iterator[str]:
    """Ways to open a SQLite file that cannot be written, or whose disk is `full`."""
    yield "mode=ro"  # beside a process that has it open
    log, shared = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    alone = not shared.exists() or shared.stat().st_size < _SHARED  # a failed opening leaves a shorter one
    writable = os.access(path, os.W_OK) and os.access(log if log.exists() else path.parent, os.W_OK)
    if not writable or (full and alone):
        yield "mode=ro&immutable=1"  # alone, on a medium without its side files


def parse_url(url: str) -> URL:
    """The URL of a database that can hold a catalogue; `postgres://` is taken too. Raises CatalogueError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose messages may hold the password
        raise CatalogueError("the database URL is none: take postgresql://USER:PASSWORD@HOST/NAME") from None
    if parsed.drivername == "postgres":  # libpq's other name for it
        parsed = parsed.set(drivername="postgresql")
    if parsed.get_backend_name() not in _MIGRATION:
        raise CatalogueError(f"a catalogue lies in PostgreSQL or SQLite, not in {parsed.get_backend_name()}")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url, connect_args={"connect_timeout": _SECONDS}, pool_pre_ping=True)
        except ImportError as error:
            raise CatalogueError(
                f"no driver for {url.drivername}:// ({error}): take postgresql:// and pip install 'octavo[postgres]'"
            ) from error
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {1000 * _BUSY_SECONDS}")

    return engine


def _is_current(engine: Engine) -> bool:
    """Whether a database that is open for reading alone has the schema of this version."""
    with suppress(DatabaseError), engine.connect() as connection:
        head = ScriptDirectory.from_config(_config()).get_current_head()
        return MigrationContext.configure(connection).get_current_revision() == head
    return False


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _migrate(engine: Engine) -> None:
    """Brings the schema up to date in one transaction: a process killed meanwhile leaves what was there before."""
    config = _config()
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":  # left alone, sqlite3 opens no transaction before a CREATE TABLE
            driver.isolation_level = None
        connection.exec_driver_sql(_MIGRATION[engine.dialect.name])
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        if engine.dialect.name == "sqlite":
            driver.isolation_level = ""

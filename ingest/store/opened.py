"""An open catalogue: its database, and what was chosen for the library as a whole."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from octavo.ingest.model import State
from octavo.ingest.store.database import open_database
from octavo.ingest.store.records import Redact
from octavo.ingest.store.rows import CHANGES, touch
from octavo.ingest.store.schema import ChoiceRow, DocumentRow

_IDENTITY = "identity"  # the choice that a migration made, once


class OpenCatalogue:
    """What `Catalogue` is made of; see there for the arguments."""

    def __init__(self, url: str, redact: Redact = lambda answer, gone: answer) -> None:
        self.engine = open_database(url)
        self.redact = redact

    def close(self) -> None:
        self.engine.dispose()

    @property
    def identity(self) -> str:
        """What tells this catalogue from every other, wherever it lies."""
        return self.choice(_IDENTITY) or ""

    def stamp(self) -> tuple[int, int]:
        """The number of ready documents, and one that changes with whatever a search could find or leave out."""
        ready = select(func.count()).select_from(DocumentRow).where(DocumentRow.state == State.READY)
        with Session(self.engine) as session:
            changes = session.get(ChoiceRow, CHANGES)
            return session.scalar(ready) or 0, int(changes.value) if changes else 0

    def choice(self, name: str) -> str | None:
        """What was chosen as `name` for this library."""
        with Session(self.engine) as session:
            row = session.get(ChoiceRow, name)
            return row.value if row else None

    def choose(self, name: str, value: str) -> None:
        with Session(self.engine) as session, session.begin():
            session.merge(ChoiceRow(name=name, value=value))
            touch(session)

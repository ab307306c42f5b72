"""What is said of documents beside their text: cards, as read and as put right, and domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from octavo.ingest.card import Card, make_card
from octavo.ingest.model import State
from octavo.ingest.store.documents import Documents
from octavo.ingest.store.rows import document_row, to_card, touch
from octavo.ingest.store.schema import DocumentRow


class Cards(Documents):
    """The part of `Catalogue` that says what documents are, and where they belong."""

    def cards(self) -> list[tuple[str, str, Card]]:
        """(SHA-256, name, card) of each ready document that has one, as it was put right."""
        with Session(self.engine) as session:
            rows = session.scalars(select(DocumentRow).where(DocumentRow.state == State.READY))
            return [(row.sha256, row.name, card) for row in rows if (card := to_card(row))]

    def add_cards(self) -> None:
        """Gives the ready documents that an older version took in their cards, from what it read of them."""
        query = select(DocumentRow.sha256).where(DocumentRow.state == State.READY, DocumentRow.card.is_(None))
        with Session(self.engine) as session:
            missing = list(session.scalars(query))
        for sha256 in missing:
            parsed = self.parsed(sha256)
            with Session(self.engine) as session, session.begin():
                row = document_row(session, sha256)
                row.card = asdict(make_card(parsed, Path(row.name).stem))
                touch(session)

    def correct(self, sha256: str, facts: Mapping[str, str], anew: bool = False) -> None:
        """Puts facts of a document's card right; `anew` takes what was put right before back first."""
        with Session(self.engine) as session, session.begin():
            row = document_row(session, sha256)
            row.corrections = ({} if anew else row.corrections or {}) | dict(facts)
            touch(session)

    def domains(self) -> dict[str, str | None]:
        """The domain of each ready document (SHA-256), None for none; quicker than `documents`."""
        query = select(DocumentRow.sha256, DocumentRow.domain).where(DocumentRow.state == State.READY)
        with Session(self.engine) as session:
            return dict(session.execute(query.order_by(DocumentRow.id)).tuples().all())

    def set_domain(self, documents: Mapping[str, str | None]) -> None:
        """Gives each document (SHA-256) its domain; None takes it away."""
        with Session(self.engine) as session, session.begin():
            for sha256, domain in documents.items():
                document_row(session, sha256).domain = domain

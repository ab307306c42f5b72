"""Conversations in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from octavo.ingest.store.opened import OpenCatalogue
from octavo.ingest.store.records import Message
from octavo.ingest.store.schema import ConversationRow, MessageRow


class Conversations(OpenCatalogue):
    """The part of `Catalogue` that keeps what was asked and answered."""

    def conversations(self) -> list[tuple[int, str]]:
        """(id, title) of every conversation, newest first."""
        with Session(self.engine) as session:
            rows = session.scalars(select(ConversationRow).order_by(ConversationRow.id.desc()))
            return [(row.id, row.title) for row in rows]

    def start_conversation(self, title: str) -> int:
        with Session(self.engine) as session, session.begin():
            row = ConversationRow(title=title)
            session.add(row)
            session.flush()
            return row.id

    def delete_conversation(self, conversation: int) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(delete(MessageRow).where(MessageRow.conversation_id == conversation))
            session.execute(delete(ConversationRow).where(ConversationRow.id == conversation))

    def messages(self, conversation: int) -> list[Message]:
        """A conversation's messages, oldest first."""
        query = select(MessageRow).where(MessageRow.conversation_id == conversation).order_by(MessageRow.id)
        with Session(self.engine) as session:
            return [Message(row.role, row.text, row.answer) for row in session.scalars(query)]

    def add_message(self, conversation: int, role: str, text: str, answer: Mapping[str, Any] | None = None) -> None:
        row = MessageRow(conversation_id=conversation, role=role, text=text, answer=dict(answer) if answer else None)
        with Session(self.engine) as session, session.begin():
            session.add(row)

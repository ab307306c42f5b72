"""Documents in the catalogue: entered, read, ready, under which names, and gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from octavo.ingest.card import make_card
from octavo.ingest.model import Chunk, Link, LinkType, Page, ParsedDocument, State
from octavo.ingest.store import names
from octavo.ingest.store.opened import OpenCatalogue
from octavo.ingest.store.records import DocumentInfo, Gone
from octavo.ingest.store.rows import (
    by_name,
    clear,
    counted,
    counting,
    document_row,
    element_values,
    insert_chunks,
    insert_rows,
    to_element,
    to_info,
    touch,
)
from octavo.ingest.store.schema import ChunkRow, DocumentRow, ElementRow, LinkRow, MessageRow, NameRow, PageRow

_HASH_DIGITS = 6  # of a SHA-256 that may stand for a document


class Documents(OpenCatalogue):
    """The part of `Catalogue` that enters documents, takes them from state to state, and deletes them."""

    def documents(self) -> list[DocumentInfo]:
        """All documents by name."""
        with Session(self.engine) as session:
            counts: list[dict[int, int]] = [
                dict(session.execute(count.group_by(row.document_id)).tuples().all()) for row, count in counting()
            ]
            rows = sorted(session.scalars(select(DocumentRow)), key=by_name)
            return [to_info(row, *(count.get(row.id, 0) for count in counts)) for row in rows]

    def document(self, sha256: str) -> DocumentInfo | None:
        with Session(self.engine) as session:
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            return None if row is None else counted(session, row)

    def find(self, document: str) -> list[DocumentInfo]:
        """The documents that go by that name; if there are none, those whose SHA-256 begins so (at least 6 digits)."""
        named = select(DocumentRow).where(DocumentRow.names.any(NameRow.name == document)).order_by(DocumentRow.id)
        hashed = select(DocumentRow).where(DocumentRow.sha256.startswith(document.lower(), autoescape=True))
        with Session(self.engine) as session:
            rows = list(session.scalars(named))
            if not rows and len(document) >= _HASH_DIGITS:
                rows = sorted(session.scalars(hashed), key=by_name)
            return [counted(session, row) for row in rows]

    def parsed(self, sha256: str) -> ParsedDocument:
        """Pages, elements and links of a document, in reading order. Raises NoResultFound."""
        with Session(self.engine) as session:
            row = document_row(session, sha256)
            pages = session.scalars(select(PageRow).where(PageRow.document_id == row.id).order_by(PageRow.number))
            elements = session.scalars(
                select(ElementRow).where(ElementRow.document_id == row.id).order_by(ElementRow.position)
            )
            links = session.scalars(
                select(LinkRow)
                .join(ElementRow, ElementRow.id == LinkRow.source)
                .where(ElementRow.document_id == row.id)
                .order_by(ElementRow.position, LinkRow.target, LinkRow.type)
            )
            return ParsedDocument(
                tuple(Page(p.number, p.width, p.height) for p in pages),
                tuple(map(to_element, elements)),
                tuple(Link(k.source, k.target, LinkType(k.type), k.confidence) for k in links),
                row.title,
                tuple(row.warnings),
            )

    # From state to state

    def queue(self, sha256: str, name: str, size: int, source: str | None) -> DocumentInfo:
        """Enters a document by a name, or readies one that failed for another try; others keep their state.

        What was not ready of another file at `source` goes; what was stays until this one takes its place (`finish`).
        """
        with Session(self.engine) as session, session.begin():
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            if row is None:
                row = DocumentRow(sha256=sha256, size=size, state=State.QUEUED)
                session.add(row)
            elif row.state == State.FAILED:
                row.state, row.error = State.QUEUED, None
            names.give(row, name, source)
            session.flush()
            for other in names.withdraw(session, [source], sha256, ready=False)[0] if source else ():
                self._remove(session, other)
        info = self.document(sha256)
        assert info is not None  # noqa: S101 - entered above
        return info

    def fail(self, sha256: str, error: str) -> None:
        """Marks a document failed for the reason `error`; what was kept of its pages goes."""
        with Session(self.engine) as session, session.begin():
            row = document_row(session, sha256)
            clear(session, row.id)
            row.state, row.error = State.FAILED, error

    def store_parsed(self, sha256: str, parsed: ParsedDocument, chunks: Sequence[Chunk]) -> None:
        """Keeps all that was read of a document, in place of what was there before: queued -> parsed.

        Its card is made from it; what was put right on the one before stays so.
        """
        with Session(self.engine) as session, session.begin():
            row = document_row(session, sha256)
            clear(session, row.id)
            row.state, row.error, row.title, row.warnings = State.PARSED, None, parsed.title, list(parsed.warnings)
            row.card = asdict(make_card(parsed, Path(row.name).stem))
            insert_rows(session, PageRow, [asdict(page) | {"document_id": row.id} for page in parsed.pages])
            insert_rows(session, ElementRow, [element_values(e, n, row.id) for n, e in enumerate(parsed.elements)])
            insert_rows(session, LinkRow, [asdict(link) for link in parsed.links])
            insert_chunks(session, row, chunks)

    def finish(self, sha256: str, sources: Collection[str] = ()) -> list[tuple[str, str]]:
        """Marks a document whose chunks all have vectors: parsed -> ready.

        In the same step it takes the place of what was at `sources` before; gives back the documents that go with
        that, as (name, SHA-256).
        """
        with Session(self.engine) as session, session.begin():
            session.execute(update(DocumentRow).where(DocumentRow.sha256 == sha256).values(state=State.READY))
            return self._take(session, sources, sha256)[0]

    def pictureless(self) -> list[tuple[str, str]]:
        """(name, SHA-256) of ready documents that an older version took in without their pictures."""
        have = exists().where(ChunkRow.document_id == DocumentRow.id, ChunkRow.picture)
        query = select(DocumentRow.name, DocumentRow.sha256).where(DocumentRow.state == State.READY, ~have)
        with Session(self.engine) as session:
            return list(session.execute(query).tuples())

    def add_chunks(self, sha256: str, chunks: Sequence[Chunk]) -> None:
        """Adds chunks to what is kept of a document."""
        with Session(self.engine) as session, session.begin():
            insert_chunks(session, document_row(session, sha256), chunks)

    # Names

    def name(self, sha256: str, name: str, source: str | None) -> None:
        """Gives a document another name. Raises NoResultFound."""
        with Session(self.engine) as session, session.begin():
            names.give(document_row(session, sha256), name, source)

    def unname(self, sha256: str, name: str) -> None:
        """Takes a name from a document that has others. Raises NoResultFound, and ValueError if it is the only one."""
        with Session(self.engine) as session, session.begin():
            row = document_row(session, sha256)
            left = [own for own in row.names if own.name != name]
            if not left:
                raise ValueError(f"{name!r} is the only name of {sha256}")
            row.names = left
            touch(session)

    def sources(self) -> set[str]:
        """The places of all files that documents were read from."""
        with Session(self.engine) as session:
            return set(session.scalars(select(NameRow.source).where(NameRow.source.is_not(None))))

    # What goes

    def delete(self, sha256: str) -> None:
        """Removes a document and every row that hangs on it. Raises NoResultFound."""
        with Session(self.engine) as session, session.begin():
            self._remove(session, document_row(session, sha256))
            touch(session)

    def forget(self, sources: Collection[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
        """Takes the names of files that are gone.

        Gives back the documents that go with that, as (name, SHA-256), and the names that go from documents that stay,
        as (name, name that is left, SHA-256); where the name is the same, its file's place, or "".
        """
        with Session(self.engine) as session, session.begin():
            return self._take(session, sources)

    def _take(
        self, session: Session, sources: Collection[str], besides: str | None = None
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
        """Takes the names of files, and the documents that go with them; gives back what `forget` does."""
        rows, lost = names.withdraw(session, sources, besides)
        going = [(row.name, row.sha256) for row in rows]
        for row in rows:
            self._remove(session, row)
        touch(session)
        return going, lost

    def _remove(self, session: Session, row: DocumentRow) -> None:
        """Deletes a document with all that hangs on it, and what answers in conversations quote of it."""
        chunks = session.scalars(select(ChunkRow.id).where(ChunkRow.document_id == row.id))
        gone = Gone(row.sha256, frozenset(own.name for own in row.names), frozenset(chunks))
        for message in session.scalars(select(MessageRow).where(MessageRow.role == "assistant")):
            if message.answer:
                redacted = self.redact(message.answer, gone)
                if redacted is not message.answer:
                    message.answer = redacted
        clear(session, row.id)
        session.delete(row)

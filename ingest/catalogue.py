"""The catalogue: the truth about a library, in SQL.

Everything else (the indexes, the pictures) can be made again from it and the PDFs. It knows no models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from alembic import command
from alembic.config import Config
from numpy.typing import NDArray
from sqlalchemy import create_engine, delete, event, func, insert, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from octavo.ingest.model import Chunk, Element, ElementType, Link, LinkType, Page, ParsedDocument, Span, State, Table
from octavo.ingest.schema import (
    ChunkElementRow,
    ChunkRow,
    ConversationRow,
    DocumentRow,
    ElementRow,
    EmbeddingRow,
    LinkRow,
    MessageRow,
    PageRow,
)

_PARAMETERS = 900  # values in one IN (...), below every database's limit


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document of the library with the numbers of what is kept of it. `size` in bytes."""

    name: str
    sha256: str
    state: State
    pages: int
    elements: int
    chunks: int
    error: str | None
    title: str
    size: int
    source: str | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with its document and its elements, as a hit needs it."""

    chunk: Chunk
    document: str
    sha256: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation: `role` is "user" or "assistant", `answer` is what `octavo ask --json` prints."""

    role: str
    text: str
    answer: dict[str, Any] | None


class Catalogue:
    """Reads and writes the catalogue at a SQLAlchemy URL; brings its schema up to date on opening.

    Each method is one transaction. Safe to use from several threads. Raises CatalogueError.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        try:
            _migrate(self.engine)
        except OperationalError as error:
            raise CatalogueError(f"cannot open the catalogue: {error.orig}") from error

    def close(self) -> None:
        self.engine.dispose()

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All documents by name."""
        with Session(self.engine) as session:
            counts: list[dict[int, int]] = [
                dict(session.execute(select(row.document_id, func.count()).group_by(row.document_id)).tuples().all())
                for row in (PageRow, ElementRow, ChunkRow)
            ]
            rows = session.scalars(select(DocumentRow).order_by(DocumentRow.name, DocumentRow.id))
            return [_info(row, *(count.get(row.id, 0) for count in counts)) for row in rows]

    def document(self, sha256: str) -> DocumentInfo | None:
        with Session(self.engine) as session:
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            if row is None:
                return None
            counts = (
                session.scalar(select(func.count()).select_from(table).where(table.document_id == row.id)) or 0
                for table in (PageRow, ElementRow, ChunkRow)
            )
            return _info(row, *counts)

    def stamp(self) -> tuple[int, ...]:
        """Numbers that change whenever a document becomes ready or goes."""
        ready = select(func.count(), func.sum(DocumentRow.id), func.max(DocumentRow.id)).where(
            DocumentRow.state == State.READY
        )
        with Session(self.engine) as session:
            return tuple(value or 0 for value in session.execute(ready).one())

    def queue(self, sha256: str, name: str, size: int, source: str | None) -> DocumentInfo:
        """Enters a document, or readies one that failed for another try; others keep their state."""
        with Session(self.engine) as session, session.begin():
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            if row is None:
                session.add(DocumentRow(sha256=sha256, name=name, size=size, source=source, state=State.QUEUED))
            else:
                if source and not (row.source and Path(row.source).is_file()):  # a copy elsewhere changes nothing
                    row.name, row.source = name, source
                if row.state == State.FAILED:
                    row.state, row.error = State.QUEUED, None
        info = self.document(sha256)
        assert info is not None  # noqa: S101 - entered above
        return info

    def superseded(self, source: str, sha256: str) -> list[str]:
        """SHA-256 of documents that were read from `source` before it held `sha256`."""
        with Session(self.engine) as session:
            others = DocumentRow.source == source, DocumentRow.sha256 != sha256
            return list(session.scalars(select(DocumentRow.sha256).where(*others)))

    def fail(self, sha256: str, error: str) -> None:
        """Marks a document failed for the reason `error`; what was kept of its pages goes."""
        with Session(self.engine) as session, session.begin():
            row = session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()
            _clear(session, row.id)
            row.state, row.error = State.FAILED, error

    def store_parsed(self, sha256: str, parsed: ParsedDocument, chunks: Sequence[Chunk]) -> None:
        """Keeps all that was read of a document, in place of what was there before: queued -> parsed."""
        with Session(self.engine) as session, session.begin():
            row = session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()
            _clear(session, row.id)
            row.state, row.error, row.title, row.warnings = State.PARSED, None, parsed.title, list(parsed.warnings)
            _insert(session, PageRow, [asdict(page) | {"document_id": row.id} for page in parsed.pages])
            _insert(session, ElementRow, [_element_row(e, n, row.id) for n, e in enumerate(parsed.elements)])
            _insert(session, LinkRow, [asdict(link) for link in parsed.links])
            kept = [
                ChunkRow(document_id=row.id, type=c.type, page=c.page, context=c.context, text=c.text) for c in chunks
            ]
            session.add_all(kept)
            session.flush()
            members = [
                {"chunk_id": stored.id, "position": n, "element_id": element}
                for stored, chunk in zip(kept, chunks, strict=True)
                for n, element in enumerate(chunk.element_ids)
            ]
            _insert(session, ChunkElementRow, members)

    def delete(self, sha256: str) -> None:
        """Removes a document and every row that hangs on it."""
        with Session(self.engine) as session, session.begin():
            row = session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()
            _clear(session, row.id)
            session.delete(row)

    def parsed(self, sha256: str) -> ParsedDocument:
        """Pages, elements and links of a document, in reading order."""
        with Session(self.engine) as session:
            row = session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()
            pages = session.scalars(select(PageRow).where(PageRow.document_id == row.id).order_by(PageRow.number))
            elements = session.scalars(
                select(ElementRow).where(ElementRow.document_id == row.id).order_by(ElementRow.position)
            )
            links = session.scalars(
                select(LinkRow)
                .join(ElementRow, ElementRow.id == LinkRow.source)
                .where(ElementRow.document_id == row.id)
            )
            return ParsedDocument(
                tuple(Page(p.number, p.width, p.height) for p in pages),
                tuple(map(_element, elements)),
                tuple(Link(k.source, k.target, LinkType(k.type), k.confidence) for k in links),
                row.title,
                tuple(row.warnings),
            )

    # Chunks and vectors

    def unembedded(self, model: str, sha256: str | None = None) -> list[Chunk]:
        """Chunks that have no vector of `model`, of one document or of all."""
        have = select(EmbeddingRow.chunk_id).where(EmbeddingRow.model == model)
        query = select(ChunkRow).where(ChunkRow.id.not_in(have)).order_by(ChunkRow.id)
        if sha256 is not None:
            query = query.join(DocumentRow).where(DocumentRow.sha256 == sha256)
        with Session(self.engine) as session:
            return [_chunk(row) for row in session.scalars(query)]

    def store_vectors(self, model: str, ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Keeps the vectors, shape (len(ids), dimensions), float32, of chunks."""
        rows = [
            {"chunk_id": key, "model": model, "vector": vector.astype("<f4").tobytes()}
            for key, vector in zip(ids, vectors, strict=True)
        ]
        with Session(self.engine) as session, session.begin():
            _insert(session, EmbeddingRow, rows)

    def finish(self, sha256: str) -> None:
        """Marks a document whose chunks all have vectors: parsed -> ready."""
        with Session(self.engine) as session, session.begin():
            session.execute(update(DocumentRow).where(DocumentRow.sha256 == sha256).values(state=State.READY))

    def ready_ids(self, model: str, documents: Sequence[str] | None = None) -> list[int]:
        """Ids, ascending, of ready documents' chunks with a vector of `model`; of `documents` (SHA-256) if given."""
        query = (
            select(ChunkRow.id)
            .join(DocumentRow)
            .join(EmbeddingRow, (EmbeddingRow.chunk_id == ChunkRow.id) & (EmbeddingRow.model == model))
            .where(DocumentRow.state == State.READY)
            .order_by(ChunkRow.id)
        )
        if documents is not None:
            query = query.where(DocumentRow.sha256.in_(documents))
        with Session(self.engine) as session:
            return list(session.scalars(query))

    def vectors(self, model: str, ids: Sequence[int]) -> NDArray[np.float32]:
        """The vectors of chunks in the order of `ids`, shape (len(ids), dimensions), float32."""
        found: dict[int, bytes] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                query = select(EmbeddingRow.chunk_id, EmbeddingRow.vector).where(
                    EmbeddingRow.model == model, EmbeddingRow.chunk_id.in_(some)
                )
                found.update(session.execute(query).tuples().all())
        return np.frombuffer(b"".join(found[key] for key in ids), "<f4").reshape(len(ids), -1).astype(np.float32)

    def chunks(self, ids: Sequence[int]) -> list[StoredChunk]:
        """The chunks of `ids`, in that order, with their documents and elements; ids that are gone are left out."""
        found: dict[int, StoredChunk] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                elements: dict[int, list[Element]] = defaultdict(list)
                members = (
                    select(ChunkElementRow.chunk_id, ElementRow)
                    .join(ElementRow)
                    .where(ChunkElementRow.chunk_id.in_(some))
                    .order_by(ChunkElementRow.position)
                )
                for key, row in session.execute(members):
                    elements[key].append(_element(row))
                query = select(ChunkRow, DocumentRow).join(DocumentRow).where(ChunkRow.id.in_(some))
                for chunk, document in session.execute(query):
                    own = tuple(elements[chunk.id])
                    found[chunk.id] = StoredChunk(_chunk(chunk, own), document.name, document.sha256, own)
        return [found[key] for key in ids if key in found]

    def texts(self, ids: Sequence[int]) -> list[str]:
        """The indexed texts of chunks, in the order of `ids`."""
        found: dict[int, str] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                for row in session.scalars(select(ChunkRow).where(ChunkRow.id.in_(some))):
                    found[row.id] = _chunk(row).indexed_text
        return [found[key] for key in ids]

    # Links

    def linked_chunks(self, elements: Sequence[str]) -> list[tuple[int, str, LinkType]]:
        """Chunks of what the elements are linked to, as (chunk id, the element that led there, type of the link).

        A mention leads to the table or figure it names, a table to the part before or after it.
        """
        forward = select(LinkRow.target.label("there"), LinkRow.source.label("here"), LinkRow.type).where(
            LinkRow.source.in_(elements), LinkRow.type.in_([LinkType.MENTION_OF, LinkType.CONTINUES])
        )
        backward = select(LinkRow.source.label("there"), LinkRow.target.label("here"), LinkRow.type).where(
            LinkRow.target.in_(elements), LinkRow.type == LinkType.CONTINUES
        )
        pairs = forward.union(backward).subquery()
        query = (
            select(ChunkElementRow.chunk_id, pairs.c.here, pairs.c.type)
            .join(pairs, pairs.c.there == ChunkElementRow.element_id)
            .where(ChunkElementRow.position == 0)
            .order_by(ChunkElementRow.chunk_id)
        )
        with Session(self.engine) as session:
            return [(chunk, here, LinkType(kind)) for chunk, here, kind in session.execute(query)]

    def continued_from(self, element: str) -> Element | None:
        """The first part of the table that `element` continues, None when it continues none."""
        with Session(self.engine) as session:
            found = None
            step = select(LinkRow.target).where(LinkRow.type == LinkType.CONTINUES)
            while target := session.scalar(step.where(LinkRow.source == (found or element))):
                found = target
            row = session.get(ElementRow, found) if found else None
            return _element(row) if row else None

    # Conversations

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


def _batched(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[i : i + _PARAMETERS] for i in range(0, len(ids), _PARAMETERS)]


class CatalogueError(RuntimeError):
    """The database cannot be reached or is not a catalogue."""


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA busy_timeout = 30000")

    return engine


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _clear(session: Session, document: int) -> None:
    """Deletes what was read of a document; rows that hang on these go by the foreign keys."""
    for table in (ChunkRow, ElementRow, PageRow):
        session.execute(delete(table).where(table.document_id == document))


def _insert(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), list(rows))


def _info(row: DocumentRow, pages: int, elements: int, chunks: int) -> DocumentInfo:
    return DocumentInfo(
        row.name,
        row.sha256,
        State(row.state),
        pages,
        elements,
        chunks,
        row.error,
        row.title,
        row.size,
        row.source,
        tuple(row.warnings or ()),
    )


def _chunk(row: ChunkRow, elements: Sequence[Element] = ()) -> Chunk:
    ids = tuple(element.id for element in elements)
    return Chunk(ElementType(row.type), row.page, row.context, row.text, ids, row.id)


def _element_row(element: Element, position: int, document: int) -> dict[str, Any]:
    return {
        "id": element.id,
        "document_id": document,
        "position": position,
        "type": element.type,
        "page": element.page,
        "bbox": list(element.bbox),
        "text": element.text,
        "level": element.level,
        "table": asdict(element.table) if element.table else None,
        "image": element.image,
    }


def _element(row: ElementRow) -> Element:
    x0, y0, x1, y1 = row.bbox
    return Element(
        row.id, ElementType(row.type), row.page, (x0, y0, x1, y1), row.text, row.level, _table(row.table), row.image
    )


def _table(stored: dict[str, Any] | None) -> Table | None:
    if stored is None:
        return None
    return Table(
        tuple(map(tuple, stored["rows"])),
        tuple(tuple(tuple(box) if box else None for box in row) for row in stored["cells"]),
        tuple(Span(**span) for span in stored["spans"]),
        stored["header_rows"],
    )

"""The catalogue: the truth about a library, in SQL.

Everything else (the indexes, the pictures) can be made again from it and the PDFs. It knows no models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from octavo.ingest.card import Card, corrected, make_card
from octavo.ingest.model import Chunk, Element, ElementType, Link, LinkType, Page, ParsedDocument, Span, State, Table
from octavo.ingest.store import names
from octavo.ingest.store.database import open_database
from octavo.ingest.store.schema import (
    ChoiceRow,
    ChunkElementRow,
    ChunkRow,
    ConversationRow,
    DocumentRow,
    ElementRow,
    EmbeddingRow,
    LinkRow,
    MessageRow,
    NameRow,
    PageRow,
)

T = TypeVar("T")
_HASH_DIGITS = 6  # of a SHA-256 that may stand for a document
_CHANGES = "changes"  # the choice that counts them
_IDENTITY = "identity"  # the choice that a migration made, once
_PARAMETERS = 900  # values in one IN (...), below every database's limit


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document with the numbers of what the library keeps of it; `sha256` "" if never entered. `size` in bytes.

    `name` is the first of its `names`; `sources` are the places of files that bear them. `corrected` names the facts of
    its `card` that were put right.
    """

    name: str
    sha256: str
    state: State
    pages: int
    elements: int
    chunks: int
    error: str | None
    title: str
    size: int
    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    domain: str | None = None
    card: Card | None = None
    corrected: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Gone:
    """A document that is being deleted, by all that a kept answer may know it by; `chunks` are ids."""

    sha256: str
    names: frozenset[str]
    chunks: frozenset[int]


Redact: TypeAlias = Callable[[dict[str, Any], Gone], dict[str, Any]]
"""A kept answer without what it quotes of a document; the same object where that is nothing."""


class Catalogue:
    """Reads and writes the catalogue at a SQLAlchemy URL; brings its schema up to date on opening.

    `redact` takes the quotes of a deleted document out of kept answers, whose form is for the caller to know; without
    it they stay. Each method is one transaction. Safe to use from several threads. Raises CatalogueError.
    """

    def __init__(self, url: str, redact: Redact = lambda answer, gone: answer) -> None:
        self.engine = open_database(url)
        self.redact = redact

    def close(self) -> None:
        self.engine.dispose()

    @property
    def identity(self) -> str:
        """What tells this catalogue from every other, wherever it lies."""
        return self.choice(_IDENTITY) or ""

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All documents by name."""
        with Session(self.engine) as session:
            counts: list[dict[int, int]] = [
                dict(session.execute(count.group_by(row.document_id)).tuples().all()) for row, count in _counts()
            ]
            rows = sorted(session.scalars(select(DocumentRow)), key=_by_name)
            return [_info(row, *(count.get(row.id, 0) for count in counts)) for row in rows]

    def document(self, sha256: str) -> DocumentInfo | None:
        with Session(self.engine) as session:
            row = session.scalar(select(DocumentRow).where(DocumentRow.sha256 == sha256))
            return None if row is None else _counted(session, row)

    def find(self, document: str) -> list[DocumentInfo]:
        """The documents that go by that name; if there are none, those whose SHA-256 begins so (at least 6 digits)."""
        named = select(DocumentRow).where(DocumentRow.names.any(NameRow.name == document)).order_by(DocumentRow.id)
        hashed = select(DocumentRow).where(DocumentRow.sha256.startswith(document.lower(), autoescape=True))
        with Session(self.engine) as session:
            rows = list(session.scalars(named))
            if not rows and len(document) >= _HASH_DIGITS:
                rows = sorted(session.scalars(hashed), key=_by_name)
            return [_counted(session, row) for row in rows]

    def stamp(self) -> tuple[int, int]:
        """The number of ready documents, and one that changes with whatever a search could find or leave out."""
        ready = select(func.count()).select_from(DocumentRow).where(DocumentRow.state == State.READY)
        with Session(self.engine) as session:
            changes = session.get(ChoiceRow, _CHANGES)
            return session.scalar(ready) or 0, int(changes.value) if changes else 0

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

    def name(self, sha256: str, name: str, source: str | None) -> None:
        """Gives a document another name."""
        with Session(self.engine) as session, session.begin():
            names.give(_row(session, sha256), name, source)

    def fail(self, sha256: str, error: str) -> None:
        """Marks a document failed for the reason `error`; what was kept of its pages goes."""
        with Session(self.engine) as session, session.begin():
            row = _row(session, sha256)
            _clear(session, row.id)
            row.state, row.error = State.FAILED, error

    def store_parsed(self, sha256: str, parsed: ParsedDocument, chunks: Sequence[Chunk]) -> None:
        """Keeps all that was read of a document, in place of what was there before: queued -> parsed.

        Its card is made from it; what was put right on the one before stays so.
        """
        with Session(self.engine) as session, session.begin():
            row = _row(session, sha256)
            _clear(session, row.id)
            row.state, row.error, row.title, row.warnings = State.PARSED, None, parsed.title, list(parsed.warnings)
            row.card = asdict(make_card(parsed, Path(row.name).stem))
            _insert(session, PageRow, [asdict(page) | {"document_id": row.id} for page in parsed.pages])
            _insert(session, ElementRow, [_element_row(e, n, row.id) for n, e in enumerate(parsed.elements)])
            _insert(session, LinkRow, [asdict(link) for link in parsed.links])
            _insert_chunks(session, row, chunks)

    def pictureless(self) -> list[tuple[str, str]]:
        """(name, SHA-256) of ready documents that an older version took in without their pictures."""
        have = exists().where(ChunkRow.document_id == DocumentRow.id, ChunkRow.picture)
        query = select(DocumentRow.name, DocumentRow.sha256).where(DocumentRow.state == State.READY, ~have)
        with Session(self.engine) as session:
            return list(session.execute(query).tuples())

    def add_chunks(self, sha256: str, chunks: Sequence[Chunk]) -> None:
        """Adds chunks to what is kept of a document."""
        with Session(self.engine) as session, session.begin():
            _insert_chunks(session, _row(session, sha256), chunks)

    def unname(self, sha256: str, name: str) -> None:
        """Takes a name from a document that has others."""
        with Session(self.engine) as session, session.begin():
            row = _row(session, sha256)
            row.names = [own for own in row.names if own.name != name]
            _touch(session)

    def delete(self, sha256: str) -> None:
        """Removes a document and every row that hangs on it."""
        with Session(self.engine) as session, session.begin():
            self._remove(session, _row(session, sha256))
            _touch(session)

    def parsed(self, sha256: str) -> ParsedDocument:
        """Pages, elements and links of a document, in reading order."""
        with Session(self.engine) as session:
            row = _row(session, sha256)
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
                tuple(map(_element, elements)),
                tuple(Link(k.source, k.target, LinkType(k.type), k.confidence) for k in links),
                row.title,
                tuple(row.warnings),
            )

    # Chunks and vectors

    def unembedded(self, model: str, pictures: bool, sha256: str | None = None) -> list[Chunk]:
        """Chunks that have no vector of `model`, pictures or texts, of one document or of all."""
        have = exists().where(EmbeddingRow.chunk_id == ChunkRow.id, EmbeddingRow.model == model)
        query = select(ChunkRow).where(~have, ChunkRow.picture == pictures).order_by(ChunkRow.id)
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
            _touch(session)

    def finish(self, sha256: str, sources: Collection[str] = ()) -> list[tuple[str, str]]:
        """Marks a document whose chunks all have vectors: parsed -> ready.

        In the same step it takes the place of what was at `sources` before; gives back the documents that go with
        that, as (name, SHA-256).
        """
        with Session(self.engine) as session, session.begin():
            session.execute(update(DocumentRow).where(DocumentRow.sha256 == sha256).values(state=State.READY))
            return self._take(session, sources, sha256)[0]

    def forget(self, sources: Collection[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Takes the names of files that are gone.

        Gives back the documents that go with that, as (name, SHA-256), and the names that go from documents that stay,
        as (name, name that is left).
        """
        with Session(self.engine) as session, session.begin():
            taken = [self._take(session, some) for some in _batched(list(sources))]
        return [gone for documents, _ in taken for gone in documents], [one for _, lost in taken for one in lost]

    def sources(self) -> set[str]:
        """The places of all files that documents were read from."""
        with Session(self.engine) as session:
            return set(session.scalars(select(NameRow.source).where(NameRow.source.is_not(None))))

    def texts_under(self, pictures: Sequence[int]) -> dict[int, list[int]]:
        """For each of these pictures the ids of the text chunks that tell of what it shows."""
        shown, told = aliased(ChunkElementRow), aliased(ChunkElementRow)
        found: dict[int, list[int]] = defaultdict(list)
        with Session(self.engine) as session:
            for some in _batched(pictures):
                query = (
                    select(shown.chunk_id, told.chunk_id)
                    .join(told, told.element_id == shown.element_id)
                    .join(ChunkRow, ChunkRow.id == told.chunk_id)
                    .where(shown.chunk_id.in_(some), ~ChunkRow.picture)
                    .distinct()
                    .order_by(shown.chunk_id, told.chunk_id)
                )
                for picture, text in session.execute(query):
                    found[picture].append(text)
        return found

    def dimensions(self, model: str) -> int:
        """The length of this model's vectors; 0 where there are none."""
        with Session(self.engine) as session:
            vector = session.scalar(select(EmbeddingRow.vector).where(EmbeddingRow.model == model).limit(1))
            return len(vector) // 4 if vector else 0

    def forget_vectors(self, model: str) -> None:
        """Deletes the vectors of a model."""
        with Session(self.engine) as session, session.begin():
            session.execute(delete(EmbeddingRow).where(EmbeddingRow.model == model))
            _touch(session)

    def ready_ids(self, model: str, pictures: bool, documents: Sequence[str] | None = None) -> list[int]:
        """Ids, ascending, of ready documents' chunks with a vector of `model`; of `documents` (SHA-256) if given.

        Those of pictures, or those of texts.
        """
        query = (
            select(ChunkRow.id)
            .join(DocumentRow)
            .join(EmbeddingRow, (EmbeddingRow.chunk_id == ChunkRow.id) & (EmbeddingRow.model == model))
            .where(DocumentRow.state == State.READY, ChunkRow.picture == pictures)
            .order_by(ChunkRow.id)
        )
        with Session(self.engine) as session:
            if documents is None:
                return list(session.scalars(query))
            found = [session.scalars(query.where(DocumentRow.sha256.in_(some))) for some in _batched(list(documents))]
            return sorted(key for some in found for key in some)

    def vectors(self, model: str, ids: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Those of `ids` that are still there, in that order, and their vectors, shape (n, dimensions), float32."""
        found: dict[int, bytes] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                query = select(EmbeddingRow.chunk_id, EmbeddingRow.vector).where(
                    EmbeddingRow.model == model, EmbeddingRow.chunk_id.in_(some)
                )
                found.update(session.execute(query).tuples().all())
        kept = [key for key in ids if key in found]
        joined = np.frombuffer(b"".join(found[key] for key in kept), "<f4").astype(np.float32)
        return kept, joined.reshape(len(kept), -1 if kept else 0)

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
                    if not own:  # its document was deleted between the two queries
                        continue
                    found[chunk.id] = StoredChunk(_chunk(chunk, own), document.name, document.sha256, own)
        return [found[key] for key in ids if key in found]

    def texts(self, ids: Sequence[int]) -> tuple[list[int], list[str]]:
        """Those of `ids` that are still there, in that order, and the indexed texts of these chunks."""
        found: dict[int, str] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                for row in session.scalars(select(ChunkRow).where(ChunkRow.id.in_(some))):
                    found[row.id] = _chunk(row).indexed_text
        kept = [key for key in ids if key in found]
        return kept, [found[key] for key in kept]

    def places(self, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """(document's row, page) of each chunk that is still there."""
        found: dict[int, tuple[int, int]] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                query = select(ChunkRow.id, ChunkRow.document_id, ChunkRow.page).where(ChunkRow.id.in_(some))
                found.update({key: (document, page) for key, document, page in session.execute(query)})
        return found

    def page_pictures(self, ids: Sequence[int]) -> dict[int, int]:
        """For each of these chunks the picture of the page that it begins on, in the order of `ids`."""
        whole = aliased(ChunkRow)
        found: dict[int, int] = {}
        with Session(self.engine) as session:
            for some in _batched(ids):
                query = (
                    select(ChunkRow.id, whole.id)
                    .join(whole, (whole.document_id == ChunkRow.document_id) & (whole.page == ChunkRow.page))
                    .where(ChunkRow.id.in_(some), whole.picture, whole.type == ElementType.PAGE)
                )
                found.update(session.execute(query).tuples().all())
        return {key: found[key] for key in ids if key in found}

    # Cards

    def cards(self) -> list[tuple[str, str, Card]]:
        """(SHA-256, name, card) of each ready document that has one, as it was put right."""
        with Session(self.engine) as session:
            rows = session.scalars(select(DocumentRow).where(DocumentRow.state == State.READY))
            return [(row.sha256, row.name, card) for row in rows if (card := _card(row))]

    def add_cards(self) -> None:
        """Gives the ready documents that an older version took in their cards, from what it read of them."""
        query = select(DocumentRow.sha256).where(DocumentRow.state == State.READY, DocumentRow.card.is_(None))
        with Session(self.engine) as session:
            missing = list(session.scalars(query))
        for sha256 in missing:
            parsed = self.parsed(sha256)
            with Session(self.engine) as session, session.begin():
                row = _row(session, sha256)
                row.card = asdict(make_card(parsed, Path(row.name).stem))
                _touch(session)

    def correct(self, sha256: str, facts: Mapping[str, str], anew: bool = False) -> None:
        """Puts facts of a document's card right; `anew` takes what was put right before back first."""
        with Session(self.engine) as session, session.begin():
            row = _row(session, sha256)
            row.corrections = ({} if anew else row.corrections or {}) | dict(facts)
            _touch(session)

    # Domains and choices

    def set_domain(self, documents: Mapping[str, str | None]) -> None:
        """Gives each document (SHA-256) its domain; None takes it away."""
        with Session(self.engine) as session, session.begin():
            for sha256, domain in documents.items():
                _row(session, sha256).domain = domain

    def choice(self, name: str) -> str | None:
        """What was chosen as `name` for this library."""
        with Session(self.engine) as session:
            row = session.get(ChoiceRow, name)
            return row.value if row else None

    def choose(self, name: str, value: str) -> None:
        with Session(self.engine) as session, session.begin():
            session.merge(ChoiceRow(name=name, value=value))
            _touch(session)

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
            .join(ChunkRow, ChunkRow.id == ChunkElementRow.chunk_id)
            .where(ChunkElementRow.position == 0, ~ChunkRow.picture)
            .order_by(ChunkElementRow.chunk_id, pairs.c.here, pairs.c.type)
        )
        with Session(self.engine) as session:
            return [(chunk, here, LinkType(kind)) for chunk, here, kind in session.execute(query)]

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

    # What goes

    def _take(
        self, session: Session, sources: Collection[str], besides: str | None = None
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Takes the names of files, and the documents that go with them; gives back what `forget` does."""
        rows, lost = names.withdraw(session, sources, besides)
        going = [(row.name, row.sha256) for row in rows]
        for row in rows:
            self._remove(session, row)
        _touch(session)
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
        _clear(session, row.id)
        session.delete(row)


def _batched(ids: Sequence[T]) -> list[Sequence[T]]:
    return [ids[i : i + _PARAMETERS] for i in range(0, len(ids), _PARAMETERS)]


def _by_name(row: DocumentRow) -> tuple[str, int]:
    """By code points: databases collate as their locale has it."""
    return row.name, row.id


def _row(session: Session, sha256: str) -> DocumentRow:
    """The document that must be there. Raises NoResultFound."""
    return session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()


def _touch(session: Session) -> None:
    """Notes that something changed, for those who keep what they read."""
    row = session.get(ChoiceRow, _CHANGES) or ChoiceRow(name=_CHANGES, value="0")
    row.value = str(int(row.value) + 1)
    session.add(row)


def _clear(session: Session, document: int) -> None:
    """Deletes what was read of a document; rows that hang on these go by the foreign keys."""
    for table in (ChunkRow, ElementRow, PageRow):
        session.execute(delete(table).where(table.document_id == document))


def _insert(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), list(rows))


def _counted(session: Session, row: DocumentRow) -> DocumentInfo:
    """One document with its numbers; `Catalogue.documents` counts for all at once."""
    counts = (
        dict(session.execute(count.where(table.document_id == row.id).group_by(table.document_id)).tuples().all())
        for table, count in _counts()
    )
    return _info(row, *(count.get(row.id, 0) for count in counts))


def _counts() -> list[tuple[Any, Any]]:
    """Tables with the query that counts their rows by document; a picture shows what a chunk has told already."""
    pages, elements, chunks = (select(row.document_id, func.count()) for row in (PageRow, ElementRow, ChunkRow))
    return [(PageRow, pages), (ElementRow, elements), (ChunkRow, chunks.where(~ChunkRow.picture))]


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
        tuple(dict.fromkeys(own.name for own in row.names)),
        tuple(own.source for own in row.names if own.source),
        tuple(row.warnings or ()),
        row.domain,
        _card(row),
        tuple(row.corrections or ()),
    )


def _card(row: DocumentRow) -> Card | None:
    """The card of a document, as it was put right."""
    return None if row.card is None else corrected(Card(**row.card), row.corrections or {})


def _chunk(row: ChunkRow, elements: Sequence[Element] = ()) -> Chunk:
    ids = tuple(element.id for element in elements)
    return Chunk(ElementType(row.type), row.page, row.context, row.text, ids, row.id, row.picture)


def _insert_chunks(session: Session, document: DocumentRow, chunks: Sequence[Chunk]) -> None:
    kept = [
        ChunkRow(document_id=document.id, type=c.type, page=c.page, context=c.context, text=c.text, picture=c.picture)
        for c in chunks
    ]
    session.add_all(kept)
    session.flush()
    members = [
        {"chunk_id": stored.id, "position": n, "element_id": element}
        for stored, chunk in zip(kept, chunks, strict=True)
        for n, element in enumerate(chunk.element_ids)
    ]
    _insert(session, ChunkElementRow, members)


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

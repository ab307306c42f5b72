"""Between the rows of the catalogue's tables and the objects that the rest of Octavo knows; within a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from octavo.ingest.card import Card, corrected
from octavo.ingest.model import Chunk, Element, ElementType, Span, State, Table
from octavo.ingest.store.records import DocumentInfo
from octavo.ingest.store.schema import (
    ChoiceRow,
    ChunkElementRow,
    ChunkRow,
    DocumentRow,
    ElementRow,
    PageRow,
)

T = TypeVar("T")
CHANGES = "changes"  # the choice that counts them
_PARAMETERS = 900  # values in one IN (...), below every database's limit


def batched(ids: Sequence[T]) -> list[Sequence[T]]:
    """In parts that one query takes."""
    return [ids[i : i + _PARAMETERS] for i in range(0, len(ids), _PARAMETERS)]


def by_name(row: DocumentRow) -> tuple[str, int]:
    """By code points: databases collate as their locale has it."""
    return row.name, row.id


def document_row(session: Session, sha256: str) -> DocumentRow:
    """The document that must be there. Raises NoResultFound."""
    return session.scalars(select(DocumentRow).where(DocumentRow.sha256 == sha256)).one()


def touch(session: Session) -> None:
    """Notes that something changed, for those who keep what they read."""
    row = session.get(ChoiceRow, CHANGES) or ChoiceRow(name=CHANGES, value="0")
    row.value = str(int(row.value) + 1)
    session.add(row)


def clear(session: Session, document: int) -> None:
    """Deletes what was read of a document; rows that hang on these go by the foreign keys."""
    for table in (ChunkRow, ElementRow, PageRow):
        session.execute(delete(table).where(table.document_id == document))


def insert_rows(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), list(rows))


def counted(session: Session, row: DocumentRow) -> DocumentInfo:
    """One document with its numbers; `Catalogue.documents` counts for all at once."""
    counts = (
        dict(session.execute(count.where(table.document_id == row.id).group_by(table.document_id)).tuples().all())
        for table, count in counting()
    )
    return to_info(row, *(count.get(row.id, 0) for count in counts))


def counting() -> list[tuple[Any, Any]]:
    """Tables with the query that counts their rows by document; a picture shows what a chunk has told already."""
    pages, elements, chunks = (select(row.document_id, func.count()) for row in (PageRow, ElementRow, ChunkRow))
    return [(PageRow, pages), (ElementRow, elements), (ChunkRow, chunks.where(~ChunkRow.picture))]


def to_info(row: DocumentRow, pages: int, elements: int, chunks: int) -> DocumentInfo:
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
        to_card(row),
        tuple(row.corrections or ()),
    )


def to_card(row: DocumentRow) -> Card | None:
    """The card of a document, as it was put right."""
    return None if row.card is None else corrected(Card(**row.card), row.corrections or {})


def to_chunk(row: ChunkRow, elements: Sequence[Element] = ()) -> Chunk:
    ids = tuple(element.id for element in elements)
    return Chunk(ElementType(row.type), row.page, row.context, row.text, ids, row.id, row.picture)


def insert_chunks(session: Session, document: DocumentRow, chunks: Sequence[Chunk]) -> None:
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
    insert_rows(session, ChunkElementRow, members)


def element_values(element: Element, position: int, document: int) -> dict[str, Any]:
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


def to_element(row: ElementRow) -> Element:
    x0, y0, x1, y1 = row.bbox
    return Element(
        row.id, ElementType(row.type), row.page, (x0, y0, x1, y1), row.text, row.level, _to_table(row.table), row.image
    )


def _to_table(stored: dict[str, Any] | None) -> Table | None:
    if stored is None:
        return None
    return Table(
        tuple(map(tuple, stored["rows"])),
        tuple(tuple(tuple(box) if box else None for box in row) for row in stored["cells"]),
        tuple(Span(**span) for span in stored["spans"]),
        stored["header_rows"],
    )

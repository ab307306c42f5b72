"""The catalogue's tables. A change here needs a migration in `ingest/store/migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, Index, Integer, LargeBinary, String, TypeDecorator, select
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship


def now() -> datetime:
    """UTC, and without its zone, since PostgreSQL would turn it into the server's."""
    return datetime.now(UTC).replace(tzinfo=None)


class Text(TypeDecorator[str]):
    """Text without the NUL characters that PostgreSQL refuses; models and file names may have them."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else value.replace("\0", "")


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class NameRow(Base):
    """A name that a document goes by; its first is the one it is shown by."""

    __tablename__ = "names"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(index=True)
    source: Mapped[str | None] = mapped_column(index=True)  # where it was read from; a new file there replaces it


class DocumentRow(Base):
    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"))  # bytes
    state: Mapped[str]
    error: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="")
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    added: Mapped[datetime] = mapped_column(default=now)
    domain: Mapped[str | None] = mapped_column(index=True)  # what its questions are about; None: not known
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # as read; None: not yet
    corrections: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # facts of it put right
    name: Mapped[str] = column_property(
        select(NameRow.name)
        .where(NameRow.document_id == id)
        .order_by(NameRow.id)
        .limit(1)
        .correlate_except(NameRow)
        .scalar_subquery()
    )
    names: Mapped[list[NameRow]] = relationship(
        lazy="selectin", order_by="NameRow.id", cascade="all, delete-orphan", passive_deletes=True
    )
    __table_args__ = ({"sqlite_autoincrement": True},)


class PageRow(Base):
    __tablename__ = "pages"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    width: Mapped[float]
    height: Mapped[float]


class ElementRow(Base):
    __tablename__ = "elements"
    id: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]  # in reading order
    type: Mapped[str]
    page: Mapped[int]
    bbox: Mapped[list[Any]]
    text: Mapped[str]
    level: Mapped[int]
    table: Mapped[dict[str, Any] | None]
    image: Mapped[str | None]


class LinkRow(Base):
    __tablename__ = "links"
    source: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"), primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    confidence: Mapped[float]
    __table_args__ = (Index("ix_links_target", "target"),)


class ChunkRow(Base):
    __tablename__ = "chunks"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), index=True)
    type: Mapped[str]
    page: Mapped[int]
    context: Mapped[str]
    text: Mapped[str]
    picture: Mapped[bool] = mapped_column(default=False)  # found by what it looks like, not by its words
    __table_args__ = ({"sqlite_autoincrement": True},)  # ids are FAISS ids too: one once deleted never comes back


class ChunkElementRow(Base):
    __tablename__ = "chunk_elements"
    chunk_id: Mapped[int] = mapped_column(ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    element_id: Mapped[str] = mapped_column(ForeignKey("elements.id", ondelete="CASCADE"), index=True)


class EmbeddingRow(Base):
    __tablename__ = "embeddings"
    chunk_id: Mapped[int] = mapped_column(ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # float32, little endian, unit length


class PatchRow(Base):
    """The vectors of a picture's patches, where a model gives it more than one."""

    __tablename__ = "patches"
    chunk_id: Mapped[int] = mapped_column(ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    vectors: Mapped[bytes] = mapped_column(LargeBinary)  # float16, little endian, one after the other, unit length


class ChoiceRow(Base):
    """What was chosen for this library by a command, where the settings say nothing else."""

    __tablename__ = "choices"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class ConversationRow(Base):
    __tablename__ = "conversations"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class MessageRow(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]  # "user" or "assistant"
    text: Mapped[str]
    answer: Mapped[dict[str, Any] | None]  # the answer as `octavo ask --json` prints it
    created: Mapped[datetime] = mapped_column(default=now)

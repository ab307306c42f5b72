"""Chunks in the catalogue: their vectors, their places, their elements, and the links between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from octavo.ingest.model import Chunk, Element, ElementType, LinkType, State
from octavo.ingest.store.opened import OpenCatalogue
from octavo.ingest.store.records import Linked, StoredChunk
from octavo.ingest.store.rows import batched, insert_rows, to_chunk, to_element, touch
from octavo.ingest.store.schema import (
    ChunkElementRow,
    ChunkRow,
    DocumentRow,
    ElementRow,
    EmbeddingRow,
    LinkRow,
    PatchRow,
)


class Chunks(OpenCatalogue):
    """The part of `Catalogue` that indexes are made from, and that hits are read from. Chunks go by their ids."""

    # Vectors

    def unembedded(self, model: str, pictures: bool, documents: Sequence[str] | None = None) -> list[Chunk]:
        """Chunks that have no vector of `model`, pictures or texts, of `documents` (SHA-256) or of all."""
        have = exists().where(EmbeddingRow.chunk_id == ChunkRow.id, EmbeddingRow.model == model)
        query = select(ChunkRow).where(~have, ChunkRow.picture == pictures).order_by(ChunkRow.id)
        with Session(self.engine) as session:
            if documents is None:
                return [to_chunk(row) for row in session.scalars(query)]
            query = query.join(DocumentRow)
            some = [session.scalars(query.where(DocumentRow.sha256.in_(part))) for part in batched(documents)]
            return [to_chunk(row) for rows in some for row in rows]

    def store_vectors(
        self,
        model: str,
        ids: Sequence[int],
        vectors: NDArray[np.float32],
        patches: Sequence[NDArray[np.float32]] = (),
    ) -> None:
        """Keeps the vectors, shape (len(ids), dimensions), float32, of chunks.

        With `patches`, one for each id, also the vectors of their patches, shape (n, dimensions), in float16.
        """
        rows = [
            {"chunk_id": key, "model": model, "vector": vector.astype("<f4").tobytes()}
            for key, vector in zip(ids, vectors, strict=True)
        ]
        parts = [
            {"chunk_id": key, "model": model, "vectors": many.astype("<f2").tobytes()}
            for key, many in zip(ids, patches, strict=bool(patches))
        ]
        with Session(self.engine) as session, session.begin():
            insert_rows(session, EmbeddingRow, rows)
            insert_rows(session, PatchRow, parts)
            touch(session)

    def vectors(self, model: str, ids: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Those of `ids` that are still there, in that order, and their vectors, shape (n, dimensions), float32."""
        found: dict[int, bytes] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                query = select(EmbeddingRow.chunk_id, EmbeddingRow.vector).where(
                    EmbeddingRow.model == model, EmbeddingRow.chunk_id.in_(some)
                )
                found.update(session.execute(query).tuples().all())
        kept = [key for key in ids if key in found]
        joined = np.frombuffer(b"".join(found[key] for key in kept), "<f4").astype(np.float32)
        return kept, joined.reshape(len(kept), -1 if kept else 0)

    def patches(self, model: str, ids: Sequence[int], dimensions: int) -> dict[int, NDArray[np.float32]]:
        """The vectors of the patches of each of `ids` that has some, shape (n, dimensions), float32."""
        found: dict[int, NDArray[np.float32]] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                query = select(PatchRow.chunk_id, PatchRow.vectors).where(
                    PatchRow.model == model, PatchRow.chunk_id.in_(some)
                )
                for key, vectors in session.execute(query):
                    found[key] = np.frombuffer(vectors, "<f2").astype(np.float32).reshape(-1, dimensions)
        return found

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
            found = [session.scalars(query.where(DocumentRow.sha256.in_(some))) for some in batched(list(documents))]
            return sorted(key for some in found for key in some)

    def dimensions(self, model: str) -> int:
        """The length of this model's vectors; 0 where there are none."""
        with Session(self.engine) as session:
            vector = session.scalar(select(EmbeddingRow.vector).where(EmbeddingRow.model == model).limit(1))
            return len(vector) // 4 if vector else 0

    def forget_vectors(self, model: str) -> None:
        """Deletes the vectors of a model."""
        with Session(self.engine) as session, session.begin():
            for table in (EmbeddingRow, PatchRow):
                session.execute(delete(table).where(table.model == model))
            touch(session)

    # What hits are read from

    def chunks(self, ids: Sequence[int], elements: bool = True) -> list[StoredChunk]:
        """The chunks of `ids`, in that order, with their documents and elements; ids that are gone are left out.

        Without `elements` they come without these and their ids, in a fraction of the time.
        """
        found: dict[int, StoredChunk] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                members: dict[int, list[Element]] = defaultdict(list)
                rows = (
                    select(ChunkElementRow.chunk_id, ElementRow)
                    .join(ElementRow)
                    .where(ChunkElementRow.chunk_id.in_(some))
                    .order_by(ChunkElementRow.position)
                )
                for key, row in session.execute(rows) if elements else ():
                    members[key].append(to_element(row))
                query = select(ChunkRow, DocumentRow.name, DocumentRow.sha256).join(DocumentRow)
                for chunk, name, sha256 in session.execute(query.where(ChunkRow.id.in_(some))):
                    own = tuple(members[chunk.id])
                    if elements and not own:  # its document was deleted between the two queries
                        continue
                    found[chunk.id] = StoredChunk(to_chunk(chunk, own), name, sha256, own)
        return [found[key] for key in ids if key in found]

    def texts(self, ids: Sequence[int]) -> tuple[list[int], list[str]]:
        """Those of `ids` that are still there, in that order, and the indexed texts of these chunks."""
        found: dict[int, str] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                for row in session.scalars(select(ChunkRow).where(ChunkRow.id.in_(some))):
                    found[row.id] = to_chunk(row).indexed_text
        kept = [key for key in ids if key in found]
        return kept, [found[key] for key in kept]

    def places(self, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """(document's row, page) of each chunk that is still there."""
        found: dict[int, tuple[int, int]] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                query = select(ChunkRow.id, ChunkRow.document_id, ChunkRow.page).where(ChunkRow.id.in_(some))
                found.update({key: (document, page) for key, document, page in session.execute(query)})
        return found

    def texts_under(self, pictures: Sequence[int]) -> dict[int, list[int]]:
        """For each of these pictures the ids of the text chunks that tell of what it shows."""
        shown, told = aliased(ChunkElementRow), aliased(ChunkElementRow)
        found: dict[int, list[int]] = defaultdict(list)
        with Session(self.engine) as session:
            for some in batched(pictures):
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

    def page_pictures(self, ids: Sequence[int]) -> dict[int, int]:
        """For each of these chunks the picture of the page that it begins on, in the order of `ids`."""
        whole = aliased(ChunkRow)
        found: dict[int, int] = {}
        with Session(self.engine) as session:
            for some in batched(ids):
                query = (
                    select(ChunkRow.id, whole.id)
                    .join(whole, (whole.document_id == ChunkRow.document_id) & (whole.page == ChunkRow.page))
                    .where(ChunkRow.id.in_(some), whole.picture, whole.type == ElementType.PAGE)
                )
                found.update(session.execute(query).tuples().all())
        return {key: found[key] for key in ids if key in found}

    def linked_chunks(self, elements: Sequence[str]) -> list[Linked]:
        """Chunks of what these elements name, and of what they go on from or in.

        A chunk of several paragraphs is one of each; that of a table or figure is none of its caption or unit.
        """
        row, alone = LinkRow, ChunkRow.type.in_([ElementType.TABLE, ElementType.FIGURE])
        named_or_before = row.source, row.target, row.type.in_([LinkType.MENTION_OF, LinkType.CONTINUES])
        after = row.target, row.source, row.type == LinkType.CONTINUES
        found: list[Linked] = []
        with Session(self.engine) as session:
            for some in batched(elements):
                for here, there, kinds in (named_or_before, after):
                    query = (
                        select(here, there, row.type, row.confidence, ChunkRow.id)
                        .join(ChunkElementRow, ChunkElementRow.element_id == there)
                        .join(ChunkRow, ChunkRow.id == ChunkElementRow.chunk_id)
                        .where(here.in_(some), kinds, ~ChunkRow.picture, (ChunkElementRow.position == 0) | ~alone)
                    )
                    found += [
                        Linked(a, b, LinkType(kind), sure, key) for a, b, kind, sure, key in session.execute(query)
                    ]
        return found

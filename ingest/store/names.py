"""The names of documents, and the places of the files that bear them; works within a session of the catalogue.

The same bytes under several names are one document. What lies at a place is one document too: a changed file there
takes the place from the document that had it, and a document that has lost its last name goes.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from octavo.ingest.model import State
from octavo.ingest.store.rows import batched
from octavo.ingest.store.schema import DocumentRow, NameRow


def give(document: DocumentRow, name: str, source: str | None) -> None:
    """Gives `document` a name; of a file that was moved to `source` the name follows."""
    own = document.names
    for fits in (
        lambda row: row.source == source and (source or row.name == name),
        lambda row: source and row.source and not Path(row.source).is_file(),
        lambda row: source and row.source is None and row.name == name,
    ):
        if row := next(filter(fits, own), None):
            row.name, row.source = name, source or row.source
            return
    own.append(NameRow(name=name, source=source))


def withdraw(
    session: Session, sources: Collection[str], besides: str | None = None, ready: bool = True
) -> tuple[list[DocumentRow], list[tuple[str, str, str]]]:
    """Takes the names of the files at `sources` from all documents, or all but that of SHA-256 `besides`.

    Without `ready` those that answer questions keep theirs. Gives back the documents to which no other name is left,
    which still have these and are for the caller to delete; and of the others each name with what is left (`_other`)
    and the document's SHA-256.
    """
    gone, affected = set(sources), dict[int, DocumentRow]()
    for some in batched(list(gone)):  # a document's names may be in several
        query = select(DocumentRow).where(
            DocumentRow.names.any(NameRow.source.in_(some)), DocumentRow.sha256 != (besides or "")
        )
        if not ready:
            query = query.where(DocumentRow.state != State.READY)
        affected |= {document.id: document for document in session.scalars(query)}
    going, lost = [], []
    for document in affected.values():
        left = [row for row in document.names if row.source not in gone]
        if not left:
            going.append(document)
        else:
            lost += [
                (row.name, _other(left[0], row.name), document.sha256) for row in document.names if row not in left
            ]
            document.names = left
    return going, lost


def _other(left: NameRow, name: str) -> str:
    """The name that is left; where it is the same, its file's place, "" without a file."""
    return left.name if left.name != name else left.source or ""

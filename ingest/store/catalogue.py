"""The catalogue: the truth about a library, in SQL.

Everything else (the indexes, the pictures) can be made again from it and the PDFs. It knows no models.
"""

from __future__ import annotations

from octavo.ingest.store.cards import Cards
from octavo.ingest.store.chunks import Chunks
from octavo.ingest.store.conversations import Conversations
from octavo.ingest.store.records import DocumentInfo, Gone, Message, Redact, StoredChunk

__all__ = ["Catalogue", "DocumentInfo", "Gone", "Message", "Redact", "StoredChunk"]


class Catalogue(Cards, Chunks, Conversations):
    """Reads and writes the catalogue at a SQLAlchemy URL; brings its schema up to date on opening.

    `redact` takes the quotes of a deleted document out of kept answers, whose form is for the caller to know; without
    it they stay. Each method is one transaction. Safe to use from several threads. Raises CatalogueError.
    """

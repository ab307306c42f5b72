"""What the catalogue gives back: documents with their numbers, chunks with their elements, messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from octavo.ingest.card import Card
from octavo.ingest.model import Chunk, Element, LinkType, State


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


class Linked(NamedTuple):
    """A chunk, by its id, of an element `there` that a link of `type` ties to the element `here`, whichever way."""

    here: str
    there: str
    type: LinkType
    confidence: float
    chunk: int


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

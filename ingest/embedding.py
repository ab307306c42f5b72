"""Vectors for what has none yet. Knows no model: a `Space` says how its vectors are made.

Texts come before pictures, since a picture's vector may be made from those of the texts that tell of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.directions import middles
from octavo.ingest.geometry import union
from octavo.ingest.model import Box, Chunk, ElementType
from octavo.ingest.render import page_png
from octavo.ingest.store.catalogue import Catalogue, StoredChunk
from octavo.ingest.store.files import Files

Vectors = NDArray[np.float32]

_TEXTS_AT_ONCE = 512  # sorted by length together
_PICTURES_AT_ONCE = 64
PICTURE_DPI = 110


@dataclass(frozen=True, slots=True)
class Picture:
    """A page, table or figure to embed.

    `text` stands under it; `under`, shape (n, dimensions), are the vectors, in the same space, of the text chunks that
    tell of it. `png` renders it, for those who look.
    """

    text: str
    under: Vectors
    png: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Space:
    """A space of unit vectors, float32: its model's name in the catalogue, and how texts and pictures come into it.

    A space without `pictures` holds texts alone, one without `texts` pictures alone; with
    `documents` (SHA-256) what is of these alone. With `patches` in the place of `pictures` a picture has several
    vectors, (n, dimensions), which are kept beside their mean direction.
    """

    model: str
    texts: Callable[[Sequence[str]], Vectors] | None = None
    pictures: Callable[[Sequence[Picture]], Vectors] | None = None
    documents: Sequence[str] | None = None
    patches: Callable[[Sequence[Picture]], Sequence[Vectors]] | None = None


class Embedding:
    """Gives the chunks of a catalogue their vectors in each of `spaces`."""

    def __init__(self, catalogue: Catalogue, files: Files, spaces: Sequence[Space]) -> None:
        self.catalogue, self.files, self.spaces = catalogue, files, spaces

    def missing(self, sha256: str | None = None) -> int:
        """How many vectors are missing, of one document or of all."""
        return sum(
            len(self._unembedded(space, pictures, sha256))
            for space in self.spaces
            for pictures, made in ((False, space.texts), (True, space.pictures or space.patches))
            if made
        )

    def fill(self, sha256: str | None = None) -> Iterator[int]:
        """Makes and stores them, and yields after each commit how many it has made."""
        for space in self.spaces:
            if space.texts:
                yield from self._fill_texts(space, space.texts, sha256)
            if space.pictures or space.patches:
                yield from self._fill_pictures(space, sha256)

    def _fill_texts(
        self, space: Space, encode: Callable[[Sequence[str]], Vectors], sha256: str | None
    ) -> Iterator[int]:
        texts = self._unembedded(space, False, sha256)
        texts.sort(key=lambda chunk: len(chunk.indexed_text))  # equal lengths side by side waste no padding
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[start : start + _TEXTS_AT_ONCE]
            vectors = encode([chunk.indexed_text for chunk in some])
            self.catalogue.store_vectors(space.model, [chunk.id for chunk in some if chunk.id], vectors)
            yield len(some)

    def _fill_pictures(self, space: Space, sha256: str | None) -> Iterator[int]:
        keys = [chunk.id for chunk in self._unembedded(space, True, sha256) if chunk.id]
        for start in range(0, len(keys), _PICTURES_AT_ONCE):
            shown = self.catalogue.chunks(keys[start : start + _PICTURES_AT_ONCE])
            pictures = self._pictures(space.model, shown)
            patches = space.patches(pictures) if space.patches else ()
            vectors = space.pictures(pictures) if space.pictures else middles(patches)
            self.catalogue.store_vectors(space.model, [s.chunk.id for s in shown if s.chunk.id], vectors, patches)
            yield len(shown)

    def _unembedded(self, space: Space, pictures: bool, sha256: str | None) -> list[Chunk]:
        held = space.documents
        if sha256 is not None:
            held = [sha256] if held is None or sha256 in held else []
        return self.catalogue.unembedded(space.model, pictures, held)

    def _pictures(self, model: str, shown: Sequence[StoredChunk]) -> list[Picture]:
        told = self.catalogue.texts_under([s.chunk.id for s in shown if s.chunk.id])
        keys, vectors = self.catalogue.vectors(model, sorted({key for some in told.values() for key in some}))
        row = {key: n for n, key in enumerate(keys)}
        return [
            Picture(
                s.chunk.text,
                vectors[[row[key] for key in told.get(s.chunk.id or -1, ()) if key in row]],
                partial(chunk_png, self.files, s),
            )
            for s in shown
        ]


def chunk_png(files: Files, stored: StoredChunk) -> bytes:
    """What a chunk shows, as PNG bytes: its page, or its table or figure with the caption. Raises UnreadableError."""
    return page_png(files.pdf(stored.sha256), stored.chunk.page, clip=shown_box(stored), dpi=PICTURE_DPI)


def shown_box(stored: StoredChunk) -> Box | None:
    """The box, in points, of what a chunk shows on its page; None: all of it."""
    page = stored.chunk.page
    return None if stored.chunk.type is ElementType.PAGE else union(e.bbox for e in stored.elements if e.page == page)

"""What a page encoder learns from: crops of a library's pages, and the vectors of the text that lies under each.

Crops are pages, tables and figures, as the library's pictures show them, and its paragraphs and lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from octavo.ingest.directions import middles
from octavo.ingest.embedding import PICTURE_DPI, shown_box
from octavo.ingest.model import Box, ElementType
from octavo.ingest.reader import UnreadableError
from octavo.ingest.render import page_png
from octavo.ingest.store.catalogue import Catalogue, StoredChunk
from octavo.ingest.store.files import Files
from octavo.retrieval.page_network import pixels
from octavo.training.data import TrainingDataError

SPLITS = ("train", "dev", "test")
_HELD = 0.15  # of the documents for dev, and for test
_LEAST = 8  # pixels of a crop's shorter side: less shows no line of text


@dataclass(frozen=True, slots=True)
class Place:
    """Where a crop is: page `page` (from 1) of the document `sha256`, `box` in points; None: all of it."""

    sha256: str
    page: int
    box: Box | None
    kind: str


@dataclass(frozen=True, slots=True)
class Crops:
    """Grey pictures, uint8 (height, width) each, and unit vectors of their texts, (n, dimensions).

    `kinds` are page, table, figure and text, `documents` their documents (SHA-256).
    """

    pictures: Sequence[NDArray[np.uint8]]
    kinds: Sequence[str]
    documents: Sequence[str]
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pictures)

    def some(self, most: int, seed: int) -> Crops:
        """At most so many of them, drawn by seed."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(self))[:most])
        pictures, kinds, documents = (
            [values[n] for n in rows] for values in (self.pictures, self.kinds, self.documents)
        )
        return Crops(pictures, kinds, documents, self.targets[rows])


def places(catalogue: Catalogue, texts: str, pictures: str) -> tuple[list[Place], NDArray[np.float32]]:
    """All crops of the ready documents, and their texts' vectors in the space `texts`, of shape (n, dimensions).

    A paragraph has its chunk's vector, a picture the mean direction of those of the chunks that tell of it.
    `pictures` names a space that holds the pictures.
    """
    found: list[Place] = []
    under: list[list[int]] = []
    ready = catalogue.ready_ids(texts, pictures=False)
    for stored in catalogue.chunks(ready):
        alone = {element.page for element in stored.elements} == {stored.chunk.page}
        if alone and stored.chunk.type not in (ElementType.TABLE, ElementType.FIGURE) and stored.chunk.id:
            found.append(_place(stored))
            under.append([stored.chunk.id])
    shown = catalogue.chunks(catalogue.ready_ids(pictures, pictures=True))
    told = catalogue.texts_under([stored.chunk.id for stored in shown if stored.chunk.id])
    embedded = set(ready)
    for stored in shown:
        if ids := [key for key in told.get(stored.chunk.id or -1, ()) if key in embedded]:
            found.append(_place(stored))
            under.append(ids)
    keys, vectors = catalogue.vectors(texts, sorted({key for ids in under for key in ids}))
    row = {key: n for n, key in enumerate(keys)}
    return found, middles([vectors[[row[key] for key in ids]] for ids in under])


def _place(stored: StoredChunk) -> Place:
    kind = str(stored.chunk.type) if stored.chunk.picture else "text"
    return Place(stored.sha256, stored.chunk.page, shown_box(stored), kind)


def split_by_document(documents: Sequence[str], seed: int) -> dict[str, str]:
    """The split of each document (SHA-256): 70% train, 15% dev, 15% test, in the order of a seeded hash.

    Raises TrainingDataError for fewer than three.
    """
    if len(documents) < 3:
        raise TrainingDataError(
            f"the library has {len(documents)} documents to learn from: a train, a dev and a test split need three"
        )
    drawn = sorted(documents, key=lambda document: hashlib.sha256(f"{seed} {document}".encode()).digest())
    held = max(1, round(_HELD * len(drawn)))
    names = ["dev"] * held + ["test"] * held
    return dict(zip(drawn, names + ["train"] * (len(drawn) - len(names)), strict=True))


def draw(
    files: Files,
    found: Sequence[Place],
    targets: NDArray[np.float32],
    pages: Sequence[tuple[str, int]],
    dpi: int,
    on_page: Callable[[], None] = lambda: None,
) -> Crops:
    """The crops of `found` on `pages` (SHA-256, number), drawn at `dpi`; none of pages that cannot be drawn."""
    on: dict[tuple[str, int], list[int]] = {}
    for n, place in enumerate(found):
        on.setdefault((place.sha256, place.page), []).append(n)
    pictures: list[NDArray[np.uint8]] = []
    kept: list[int] = []
    for document, number in pages:
        try:
            png = page_png(files.pdf(document), number, dpi=PICTURE_DPI)
        except UnreadableError:
            continue
        page = pixels(Image.open(BytesIO(png)), PICTURE_DPI, dpi)
        for n in on[document, number]:
            crop = cut(page, found[n].box, dpi)
            if min(crop.shape) >= _LEAST:
                pictures.append(crop)
                kept.append(n)
        on_page()
    return Crops(pictures, [found[n].kind for n in kept], [found[n].sha256 for n in kept], targets[kept])


def cut(page: NDArray[np.uint8], box: Box | None, dpi: int) -> NDArray[np.uint8]:
    """The part of a page's picture in `box`, points; a view."""
    if box is None:
        return page
    x0, y0, x1, y1 = (max(0, round(value * dpi / 72)) for value in box)
    return page[y0:y1, x0:x1]

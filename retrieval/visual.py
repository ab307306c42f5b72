"""Pictures to vectors: from the text under them, or from their pixels by a multimodal model or a page encoder.

All are one interface, `PictureEmbedder`, and put questions and texts into the space of their pictures.
"""

from __future__ import annotations

import io
import json
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from octavo.ingest.directions import middles
from octavo.ingest.embedding import PICTURE_DPI, Picture, Space
from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.text import reason_of
from octavo.kernels.device import resolve_device
from octavo.retrieval.embedder import (
    Embedder,
    ModelMissingError,
    SentenceEmbedder,
    model_digest,
)

PAGE_ENCODER = "octavo page encoder"  # the `kind` in its config.json

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from octavo.retrieval.page_network import PageNetwork


class PictureEmbedder(Embedder):
    """An embedder whose space holds pictures too."""

    @property
    def space(self) -> str | None:
        """The name under which texts in the space of these pictures are kept: its own, another embedder's, or none."""
        return self.name

    @abstractmethod
    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Vectors of shape (len(pictures), dimensions), float32, each of length 1."""

    @property
    def kept(self) -> Space:
        """What a catalogue keeps of pictures, and of texts where they have a place in this space alone."""
        return Space(self.name, self.encode if self.space == self.name else None, self.encode_pictures)

    def ranked(
        self, question: str, found: Sequence[tuple[int, float]], catalogue: Catalogue
    ) -> tuple[str, list[tuple[int, float]]]:
        """What pictures are scored by, in a word, and (chunk id, score), best first, of those `found` by cosine."""
        return "cosine", list(found)


class AmongTexts(PictureEmbedder):
    """Pictures in the space of `texts`, which embeds what is no picture."""

    def __init__(self, texts: Embedder) -> None:
        self.texts = texts

    @property
    def space(self) -> str:
        return self.texts.name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.texts.encode(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.texts.embed_query(text)


class TextUnderPictures(AmongTexts):
    """Pictures by the text under them; no pixel is looked at.

    A picture's vector is the mean direction of the text chunks that tell of it, so that a page longer than the model
    reads at once is whole in it; one that no chunk tells of is embedded by its own text.
    """

    @property
    def name(self) -> str:
        return self.texts.name

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        untold = [picture.text for picture in pictures if not len(picture.under)]
        own = iter(self.texts.encode(untold)) if untold else iter(())
        return middles([picture.under if len(picture.under) else next(own)[None] for picture in pictures])


class VisualEmbedder(SentenceEmbedder, PictureEmbedder):
    """Pictures by their pixels: any sentence-transformers model for texts and images (CLIP, SigLIP, EmbeddingGemma 2).

    `model` is a folder or a hub name. Raises ModelMissingError on first use, also for a model that takes no images.
    """

    def _load(self) -> SentenceTransformer:
        try:
            encoder = super()._load()
        except ModelMissingError as error:
            if "Unrecognized configuration" not in str(error):
                raise
            raise ModelMissingError(f"{error} A model of the ColPali family? name it late:{self.model}") from error
        if not encoder.supports("image"):
            raise ModelMissingError(f"the visual embedder {self.model!r} takes no images: name a multimodal model")
        return encoder

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        return self._unit_vectors(self._loaded().encode_document, as_images(pictures))


class PageEncoder(AmongTexts):
    """Pictures by their pixels by a network of Octavo's own (`octavo train-pages`).

    `folder` holds it. Pictures are read one by one, so that a vector depends on its picture alone. Safe to use from
    several threads. Raises ModelMissingError and DeviceError on first use, also where it was taught another space.
    """

    def __init__(self, folder: str, texts: Embedder, device: str = "auto") -> None:
        super().__init__(texts)
        self.folder, self.device = Path(folder), device
        self._lock = Lock()

    @cached_property
    def name(self) -> str:
        return f"pages {model_digest(self.folder)[:12]}"

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        from octavo.retrieval.page_network import encode, pixels

        with self._lock:
            network = self._network
        images = (Image.open(io.BytesIO(picture.png())) for picture in pictures)
        greys = (pixels(image, PICTURE_DPI, network.config.dpi) for image in images)
        return encode(network, greys)

    @cached_property
    def _network(self) -> PageNetwork:
        from safetensors import SafetensorError

        from octavo.retrieval.page_network import PageNetwork

        try:
            network = PageNetwork.load(self.folder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelMissingError(f"cannot load the page encoder {str(self.folder)!r}: {reason_of(error)}") from error
        if network.config.texts != self.texts.name:
            raise ModelMissingError(
                f"the page encoder {str(self.folder)!r} was taught the space of {network.config.texts!r}, and the "
                f"library's texts are in that of {self.texts.name!r}: train one with `octavo train-pages`"
            )
        return network.to(resolve_device(self.device))


def as_images(pictures: Sequence[Picture]) -> list[dict[str, Image.Image]]:
    """`pictures` in colour, as inputs that a multimodal model of sentence-transformers reads."""
    return [{"image": Image.open(io.BytesIO(picture.png())).convert("RGB")} for picture in pictures]


def is_page_encoder(folder: Path) -> bool:
    """Whether `octavo train-pages` made what is in `folder`."""
    with suppress(OSError, ValueError, AttributeError):
        return bool(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("kind") == PAGE_ENCODER)
    return False

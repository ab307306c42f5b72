"""Ranking hits anew by a model that reads question and text together (a cross-encoder).

Slower than vectors, and closer to what is asked: it is for the few candidates that a search has found.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from langchain_core.cross_encoders import BaseCrossEncoder

from octavo.kernels.device import resolve_device
from octavo.retrieval.embedder import ModelMissingError, loading, model_name
from octavo.retrieval.model import Hit

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16


class SentenceReranker(BaseCrossEncoder):
    """A sentence-transformers CrossEncoder with one output, by its folder or hub name; loaded on first use.

    Scores are logistic, between 0 and 1, whatever the model's own activation. `device` as `octavo.kernels.device` has
    it. Safe to use from several threads. Raises ModelMissingError and DeviceError on first use.
    """

    def __init__(self, model: str, device: str = "auto") -> None:
        self.model, self.device = model, device
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """What identifies the model: for a folder its files, wherever they lie."""
        return model_name(self.model)

    @cached_property
    def _encoder(self) -> CrossEncoder:
        device, weights = str(resolve_device(self.device)), {"use_safetensors": True}
        with loading("reranker", self.model) as here:
            from sentence_transformers import CrossEncoder
            from torch.nn import Sigmoid

            encoder: CrossEncoder = CrossEncoder(
                self.model, device=device, local_files_only=here, model_kwargs=weights, activation_fn=Sigmoid()
            )
        if encoder.num_labels != 1:
            raise ModelMissingError(f"the reranker {self.model!r} has {encoder.num_labels} outputs, not one score")
        return encoder

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """How well each (question, text) fits, 0 to 1."""
        with self._lock:
            encoder = self._encoder
        return [float(score) for score in encoder.predict(text_pairs, batch_size=_BATCH, show_progress_bar=False)]


def rerank(question: str, hits: Sequence[Hit], reranker: BaseCrossEncoder) -> list[Hit]:
    """The hits by the reranker's scores, best first, each with the place that it had among its reasons."""
    scores = reranker.score([(question, hit.chunk.indexed_text) for hit in hits]) if hits else []
    ranked = [
        replace(hit, score=score, why=(*hit.why, f"reranked: score {score:.3f}, before rank {rank}"))
        for rank, (hit, score) in enumerate(zip(hits, scores, strict=True), 1)
    ]
    return sorted(ranked, key=lambda hit: -hit.score)

"""The embedded model gives on every device the vectors that its weights give in float32: means of its last states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from octavo.retrieval.embedder import SentenceEmbedder, embedded_folder

TEXTS = ["Total net sales rose by 5.3 percent.", "Sunspots", "A table of tides. " * 40, ""]


@pytest.mark.slow
def test_vectors_are_those_of_the_model_in_float32(device: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    model = AutoModel.from_pretrained(embedded_folder(), dtype=torch.float32)
    inputs = tokenizer(TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    expected = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy()

    embedder = SentenceEmbedder(device=device)
    vectors = embedder.encode(TEXTS)
    assert embedder._encoder.device.type == device
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert ((vectors * expected).sum(axis=1) > 0.999).all()
    assert np.allclose(embedder.embed_query(TEXTS[0]), vectors[0], atol=5e-3)

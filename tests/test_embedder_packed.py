"""A packed BERT gives the vectors of its sentence-transformers model, whatever stands beside a text."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers.processors import Sequence
from transformers import AutoTokenizer, BertConfig, BertModel

from octavo.ingest.directions import unit
from octavo.kernels.device import has_bfloat16
from octavo.retrieval.embedder import EMBEDDED, SentenceEmbedder, embedded_folder, load_model
from octavo.retrieval.packed import packed

CPU = torch.device("cpu")
TEXTS = [
    "Total net sales rose by 5.3 percent.",
    "",
    "A table of tides. " * 80,  # longer than the model reads
    "Überschuß 東京 🙂",
    "Total net sales fell by 4.1 percent.",
    "12 | 1,234.5 | (6) | n/a\n" * 20,
]


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    return load_model(EMBEDDED, torch.float32, CPU)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A BERT of other sizes, its weights random, as a folder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 96, "intermediate_size": 200, "num_attention_heads": 6, "num_hidden_layers": 2}
    BertModel(BertConfig(**sizes, initializer_range=0.2)).save_pretrained(tmp_path / "bert")
    AutoTokenizer.from_pretrained(embedded_folder()).save_pretrained(tmp_path / "bert")
    modules = [Transformer(str(tmp_path / "bert"), max_seq_length=64), Pooling(96, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(tmp_path / "small"))
    return tmp_path / "small"


def test_float32_weights_give_the_same_vectors(plain: SentenceTransformer) -> None:
    fast = packed(plain)
    assert fast
    assert np.allclose(unit(fast.encode(TEXTS)), plain.encode(TEXTS), atol=2e-6)


@pytest.mark.skipif(not has_bfloat16(), reason="this processor multiplies no bfloat16")
def test_bfloat16_weights_give_nearly_the_same_vectors(plain: SentenceTransformer) -> None:
    fast = packed(load_model(EMBEDDED, torch.bfloat16, CPU))
    assert fast
    assert (unit(fast.encode(TEXTS)) * plain.encode(TEXTS)).sum(axis=1).min() > 0.9998


def test_a_model_of_other_sizes_without_normalisation_is_packed_too(small: Path) -> None:
    plain = load_model(str(small), torch.float32, CPU)
    fast = packed(plain)
    assert fast
    assert np.allclose(fast.encode(TEXTS), plain.encode(TEXTS), atol=1e-5)


def test_a_text_without_tokens_is_zero(small: Path) -> None:
    plain = load_model(str(small), torch.float32, CPU)
    plain.tokenizer.backend_tokenizer.post_processor = Sequence([])  # no marks before and after a text
    fast = packed(plain)
    assert fast
    assert np.allclose(fast.encode(TEXTS), plain.encode(TEXTS), atol=1e-5)
    assert not fast.encode([""]).any()


def test_a_vector_does_not_hang_on_the_texts_beside_it(plain: SentenceTransformer) -> None:
    fast = packed(plain)
    assert fast
    together = fast.encode(TEXTS * 4)
    assert np.allclose(together, np.concatenate([fast.encode([text]) for text in TEXTS] * 4), atol=1e-5)
    assert fast.encode([]).shape == (0, 384)


def test_each_of_its_threads_works_alone_and_no_other_thread_is_touched(plain: SentenceTransformer) -> None:
    before = torch.get_num_threads()
    fast = packed(plain)
    assert fast
    with fast.alone() as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
    seen: list[int] = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert (torch.get_num_threads(), seen) == (before, [before])


@pytest.mark.parametrize("what", ["pooling", "prompt", "activation"])
def test_a_model_that_it_would_not_equal_keeps_its_own_way(small: Path, what: str) -> None:
    model = load_model(str(small), torch.float32, CPU)
    if what == "pooling":
        model[1].pooling_mode = "max"
    elif what == "prompt":
        model.prompts["query"] = "search for: "
    else:
        model[0].auto_model.config.hidden_act = "relu"
    assert packed(model) is None


def test_an_embedder_answers_questions_as_it_embeds_texts() -> None:
    embedder = SentenceEmbedder(device="cpu")
    assert np.allclose(embedder.embed_query(TEXTS[0]), embedder.encode(TEXTS)[0], atol=5e-3)
    assert np.allclose(np.linalg.norm(embedder.encode(TEXTS), axis=1), 1, atol=1e-6)

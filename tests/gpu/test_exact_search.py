"""Exact search finds on every device what a product of all vectors finds, whatever was added and taken away before."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.store import FaissStore

COUNT, WIDTH = 5000, 48


@pytest.fixture
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def store(device: str, vectors: np.ndarray) -> FaissStore:
    if device == "cuda" and not hasattr(faiss, "StandardGpuResources"):
        pytest.skip("this FAISS is built without GPUs: pip install 'octavo[gpu]' in the place of 'octavo[cpu]'")
    store = FaissStore(SentenceEmbedder(), device=device)
    store.add_vectors(range(COUNT), vectors)
    return store


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, left: np.ndarray | None = None) -> list[int]:
    """The reference: keys of the largest products, in float64."""
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    return [int(key) for key in order if left is None or left[key]][:k]


def found(store: FaissStore, query: np.ndarray, k: int, among: list[int] | None = None) -> list[int]:
    return [key for key, _ in store.nearest(query.tolist(), k, among)]


@pytest.mark.parametrize("k", [1, 10, 2048, 2049])
def test_the_nearest_are_those_of_the_largest_products(store: FaissStore, vectors: np.ndarray, k: int) -> None:
    for query in vectors[:3]:
        assert found(store, query, k) == nearest(vectors, query, k)


def test_scores_are_cosines(store: FaissStore, vectors: np.ndarray) -> None:
    pairs = store.nearest(vectors[7].tolist(), 20)
    assert np.allclose([score for _, score in pairs], [vectors[key] @ vectors[7] for key, _ in pairs], atol=1e-5)


def test_a_search_runs_where_the_device_says(store: FaissStore, vectors: np.ndarray, device: str) -> None:
    store.nearest(vectors[0].tolist(), 3)
    assert (store._copy is not None) == (device == "cuda")


def test_what_was_removed_is_found_no_more_and_what_was_replaced_anew(store: FaissStore, vectors: np.ndarray) -> None:
    query = vectors[0]
    first, second, *_ = found(store, query, 5)
    store.remove_vectors([first])
    assert found(store, query, 1) == [second]
    store.add_vectors([COUNT + 1], query[None])
    assert found(store, query, 1) == [COUNT + 1]
    store.add_vectors([COUNT + 1], -query[None])
    assert found(store, query, 1) == [second]


def test_a_filter_finds_among_its_keys_alone(store: FaissStore, vectors: np.ndarray) -> None:
    among = list(range(1, COUNT, 7))
    left = np.zeros(COUNT, bool)
    left[among] = True
    assert found(store, vectors[0], 12, among) == nearest(vectors, vectors[0], 12, left)


def test_a_snapshot_is_the_same_file_on_every_device(
    store: FaissStore, vectors: np.ndarray, device: str, tmp_path: Path
) -> None:
    store.nearest(vectors[0].tolist(), 3)
    store.save(tmp_path / "vectors.faiss")
    again = FaissStore(SentenceEmbedder(), device="cpu")
    again.load(tmp_path / "vectors.faiss")
    assert found(again, vectors[3], 9) == nearest(vectors, vectors[3], 9)

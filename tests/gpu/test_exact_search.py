"""Exact search on a copy of the vectors finds what a product of all finds, whatever was added and taken away before.

The copies are torch's, on the CPU (in two shares) and on all GPUs, and FAISS's on all GPUs; all are in float16.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch

from octavo.retrieval.gpu import FaissCopy, faiss_gpus, move
from octavo.retrieval.passing import Among
from octavo.retrieval.torch_copy import TorchCopy
from octavo.retrieval.vectors import Vectors

COUNT, WIDTH = 5000, 48
ON_GPUS = pytest.mark.gpu


@pytest.fixture
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture(params=["torch-cpu", pytest.param("torch-cuda", marks=ON_GPUS), pytest.param("faiss", marks=ON_GPUS)])
def index(request: pytest.FixtureRequest, vectors: np.ndarray) -> Vectors:
    """All vectors under the keys 0, 1, ..."""
    if request.param == "torch-cuda" and not torch.cuda.is_available():
        pytest.skip(f"needs an NVIDIA GPU and a torch built for CUDA; this one is {torch.__version__}")
    if request.param == "faiss" and not faiss_gpus():
        built = "for GPUs, and sees none" if hasattr(faiss, "StandardGpuResources") else "without GPUs"
        pytest.skip(f"this FAISS is built {built}: pip install 'octavo[gpu]' in the place of 'octavo[cpu]'")
    copies = {
        "torch-cpu": partial(TorchCopy, devices=["cpu", "cpu"]),
        "torch-cuda": partial(TorchCopy, devices=[f"cuda:{n}" for n in range(torch.cuda.device_count())]),
        "faiss": partial(FaissCopy, gpus=faiss_gpus()),
    }
    index = Vectors(move=copies[request.param])
    index.add(range(COUNT), vectors)
    return index


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, left: np.ndarray | None = None) -> list[int]:
    """The reference: keys of the largest products, in float64."""
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    return [int(key) for key in order if left is None or left[key]][:k]


def found(index: Vectors, query: np.ndarray, k: int, among: Among | None = None) -> list[int]:
    return index.search(query[None], k, among)[0][0].tolist()


@pytest.mark.parametrize("k", [1, 10, 1024, 1025])
def test_the_nearest_are_those_of_the_largest_products(index: Vectors, vectors: np.ndarray, k: int) -> None:
    for query in vectors[:3]:
        assert found(index, query, k) == nearest(vectors, query, k)


def test_scores_are_cosines_in_float32(index: Vectors, vectors: np.ndarray) -> None:
    keys, cosines = index.search(vectors[7:8], 20)
    assert np.allclose(cosines[0], vectors[keys[0]] @ vectors[7], atol=1e-6)


def test_many_queries_at_once_find_what_each_finds_alone(index: Vectors, vectors: np.ndarray) -> None:
    keys = index.search(vectors[:100], 5)[0]
    assert keys.tolist() == [found(index, query, 5) for query in vectors[:100]]


def test_a_search_runs_on_the_copy(index: Vectors, vectors: np.ndarray) -> None:
    assert index._moved is None
    index.search(vectors[:1], 3)
    assert type(index._moved) in (TorchCopy, FaissCopy)


def test_what_was_removed_is_found_no_more_and_what_was_replaced_anew(index: Vectors, vectors: np.ndarray) -> None:
    query = vectors[0]
    first, second, *_ = found(index, query, 5)
    index.remove([first])
    assert found(index, query, 1) == [second]
    index.add([COUNT + 1], query[None])
    assert found(index, query, 1) == [COUNT + 1]
    index.add([COUNT + 1], -query[None])
    assert found(index, query, 1) == [second]


def test_rows_of_removed_vectors_are_not_copied(index: Vectors, vectors: np.ndarray) -> None:
    lists = Vectors("ivf", index.move)  # keeps the rows of a few
    lists.add(range(COUNT), vectors)
    lists.remove(range(0, COUNT, 10))
    left = np.arange(COUNT) % 10 > 0
    for query in vectors[:3]:
        assert found(lists, query, 12) == nearest(vectors, query, 12, left)


def test_a_filter_finds_among_its_keys_alone(index: Vectors, vectors: np.ndarray) -> None:
    among = list(range(1, COUNT, 7))
    left = np.zeros(COUNT, bool)
    left[among] = True
    assert found(index, vectors[0], 12, Among(among)) == nearest(vectors, vectors[0], 12, left)


def test_what_is_saved_is_the_same_file(index: Vectors, vectors: np.ndarray, tmp_path: Path) -> None:
    index.search(vectors[:1], 3)
    index.save(tmp_path / "copied.faiss")
    plain = Vectors()
    plain.add(range(COUNT), vectors)
    plain.save(tmp_path / "plain.faiss")
    assert (tmp_path / "copied.faiss").read_bytes() == (tmp_path / "plain.faiss").read_bytes()


def test_the_device_cpu_makes_no_copy(vectors: np.ndarray) -> None:
    assert move(vectors, "cpu") is None


@pytest.mark.gpu
def test_a_gpu_that_is_there_is_used(vectors: np.ndarray) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU and a torch built for CUDA")
    assert type(move(vectors, "auto")) is (FaissCopy if faiss_gpus() else TorchCopy)
    assert type(move(vectors, "cuda:0")) is (FaissCopy if faiss_gpus() else TorchCopy)

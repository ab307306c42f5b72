"""The nearest of many vectors, by every type of index: what is compared, what passes, what stays after changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from octavo.retrieval import vectors as module
from octavo.retrieval.passing import Among
from octavo.retrieval.vectors import Vectors

COUNT, WIDTH = 5000, 32


def unit(drawn: np.ndarray) -> np.ndarray:
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """Unit vectors in 250 clusters, neighbours side by side."""
    random = np.random.default_rng(0)
    return unit(np.repeat(random.normal(size=(250, WIDTH)), 20, axis=0) + 0.4 * random.normal(size=(COUNT, WIDTH)))


@pytest.fixture(params=["exact", "ivf"])
def index(request: pytest.FixtureRequest, points: np.ndarray) -> Vectors:
    """All points under the keys 10, 11, ..."""
    index = Vectors(request.param)
    index.add(range(10, COUNT + 10), points)
    return index


def nearest(points: np.ndarray, query: np.ndarray, k: int, rows: Sequence[int] | None = None) -> list[int]:
    """The reference: keys of the largest products."""
    rows = range(len(points)) if rows is None else rows
    return [rows[n] + 10 for n in np.argsort(-(points[rows] @ query), kind="stable")[:k]]


def found(index: Vectors, query: np.ndarray, k: int, among: Among | None = None) -> list[int]:
    return index.search(query[None], k, among)[0][0].tolist()


def test_the_type_is_the_one_that_was_asked_for(index: Vectors) -> None:
    assert index.type.split()[0] == index.index_type


def test_the_nearest_are_those_of_the_largest_products(index: Vectors, points: np.ndarray) -> None:
    for query in points[:5]:
        assert found(index, query, 5) == nearest(points, query, 5)


def test_many_queries_at_once_find_what_each_finds_alone(index: Vectors, points: np.ndarray) -> None:
    keys, cosines = index.search(points[:50], 7)
    assert keys.shape == cosines.shape == (50, 7)
    assert keys.tolist() == [found(index, query, 7) for query in points[:50]]


def test_scores_are_exact_cosines_best_first(index: Vectors, points: np.ndarray) -> None:
    keys, cosines = index.search(points[:1], 10)
    assert np.allclose(cosines[0], points[keys[0] - 10] @ points[0], atol=1e-6)
    assert all(a >= b for a, b in pairwise(cosines[0].tolist()))


def test_equals_come_by_their_keys(index: Vectors, points: np.ndarray) -> None:
    index.add([5, 7, 6], points[[3, 3, 3]])
    assert found(index, points[3], 4) == [5, 6, 7, 13]


def test_no_more_are_found_than_there_are() -> None:
    index = Vectors()
    assert index.search(np.ones((2, 3), np.float32), 4)[0].shape == (2, 0)
    index.add([1], np.eye(3, dtype=np.float32)[:1])
    assert index.search(np.eye(3, dtype=np.float32), 4)[0].tolist() == [[1], [1], [1]]


@pytest.mark.parametrize("every", [2, 3, 1000])
def test_a_filter_is_applied_inside_the_search(index: Vectors, points: np.ndarray, every: int) -> None:
    rows = list(range(0, COUNT, every))
    among = Among(row + 10 for row in rows)
    for query in points[100:105]:
        assert found(index, query, 4, among) == nearest(points, query, 4, rows)


def test_a_filter_finds_what_passes_far_from_the_query(
    index: Vectors, points: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EXACT_AMONG", 0)  # so that it looks through lists that hold nothing that passes
    rows = np.argsort(points @ points[0])[:500].tolist()
    assert found(index, points[0], 5, Among(row + 10 for row in rows)) == nearest(points, points[0], 5, rows)


def test_fewer_that_pass_leave_the_last_keys_empty(index: Vectors, points: np.ndarray) -> None:
    assert sorted(found(index, points[0], 4, Among([20, 30, 9]))) == [-1, -1, 20, 30]


def test_a_filter_is_looked_up_again_after_a_change(index: Vectors, points: np.ndarray) -> None:
    among = Among([500, 501])
    assert found(index, points[490], 2, among) == [500, 501]
    index.remove([500])
    assert found(index, points[490], 2, among) == [501, -1]


def test_what_was_removed_is_found_no_more(index: Vectors, points: np.ndarray) -> None:
    gone = range(0, COUNT, 5)
    index.remove(row + 10 for row in gone)
    assert len(index) == COUNT * 4 // 5
    rows = [row for row in range(COUNT) if row % 5]
    assert index.keys().tolist() == [row + 10 for row in rows]
    for query in points[:5]:
        assert found(index, query, 5) == nearest(points, query, 5, rows)


def test_adding_a_key_again_replaces_its_vector(index: Vectors, points: np.ndarray) -> None:
    index.add([10], points[777:778])
    assert len(index) == COUNT
    assert found(index, points[777], 2) == [10, 787]


def test_vectors_come_back_in_the_order_asked_for(index: Vectors, points: np.ndarray) -> None:
    assert np.array_equal(index.get([15, 9, 12]), points[[5, 2]])


def test_lists_are_made_anew_once_a_quarter_is_removed(points: np.ndarray) -> None:
    index = Vectors("ivf")
    index.add(range(COUNT), points)
    index.remove(range(COUNT // 5))
    assert index._rows.ntotal == COUNT
    index.remove(range(COUNT // 5, COUNT // 3))
    assert index._rows.ntotal == len(index) == COUNT - COUNT // 3
    assert index.type.startswith("ivf")


def test_lists_are_made_anew_once_there_are_four_times_as_many(points: np.ndarray) -> None:
    index = Vectors("ivf")
    index.add(range(1000), points[:1000])
    before = index._lists.nlist
    index.add(range(1000, COUNT), points[1000:])
    assert (before, index._lists.nlist) == (51, 113)


def test_the_type_goes_by_the_number_of_vectors(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROSSING", 2000)
    index = Vectors()
    index.add(range(1999), points[:1999])
    assert index.type == "exact"
    index.add([1999], points[1999:2000])
    assert index.type.startswith("ivf")


def test_lists_go_when_too_few_are_left(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROSSING", 4000)
    index = Vectors()
    index.add(range(COUNT), points)
    types = []
    for left in (3900, 2900):
        index.remove(range(left, COUNT))
        types.append(index.type.split()[0])
    assert types == ["ivf", "exact"]  # not at once, lest they come and go


def test_searches_go_on_while_an_index_is_made(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Vectors("ivf")
    seen = []

    def while_made(*_: object) -> int:
        seen.append(found(index, points[3], 5))
        return 50

    monkeypatch.setattr(module, "choose_effort", while_made)
    index.add(range(10, COUNT + 10), points)
    assert seen == [nearest(points, points[3], 5)]


def test_of_a_key_given_twice_the_last_vector_stays(index: Vectors, points: np.ndarray) -> None:
    index.add([5, 5], points[[700, 900]])
    assert len(index) == COUNT + 1
    assert np.array_equal(index.get([5]), points[[900]])


def test_as_many_vectors_as_keys_are_asked_for(index: Vectors, points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 vectors for 2 keys"):
        index.add([1, 2], points[:1])
    assert len(index) == COUNT


def test_a_device_that_fails_is_told_of_and_searched_without(
    points: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    def full(matrix: np.ndarray) -> None:
        raise RuntimeError("out of memory\nwith a long trace")

    index = Vectors("exact", full)
    index.add(range(10, COUNT + 10), points)
    assert found(index, points[3], 5) == nearest(points, points[3], 5)
    assert [record.message for record in caplog.records] == [
        "searching without a copy of the vectors on the device: out of memory"
    ]


def test_a_file_gives_the_same_answers(index: Vectors, points: np.ndarray, tmp_path: Path) -> None:
    index.remove([12, 13])
    index.save(tmp_path / "vectors.faiss")
    again = Vectors(index.index_type)
    again.load(tmp_path / "vectors.faiss")
    assert (again.type, again.keys().tolist()) == (index.type, index.keys().tolist())
    assert again.search(points[:20], 9)[0].tolist() == index.search(points[:20], 9)[0].tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.faiss"]


def test_a_file_of_another_type_becomes_the_one_asked_for(index: Vectors, points: np.ndarray, tmp_path: Path) -> None:
    index.save(tmp_path / "vectors.faiss")
    other = Vectors({"exact": "ivf", "ivf": "exact"}[index.index_type])
    other.load(tmp_path / "vectors.faiss")
    assert other.type.split()[0] == other.index_type
    assert found(other, points[3], 5) == nearest(points, points[3], 5)


def test_vectors_of_another_dimension_are_refused(index: Vectors) -> None:
    with pytest.raises(ValueError, match="vectors of 3 dimensions do not fit an index of 32"):
        index.add([1], np.ones((1, 3), np.float32))


@pytest.mark.parametrize("width", [7, 16, 101, 600])
def test_any_dimension_can_be_cut_into_lists(width: int) -> None:
    drawn = unit(np.random.default_rng(0).normal(size=(1000, width)))
    index = Vectors("ivf")
    index.add(range(1000), drawn)
    assert index.type.startswith("ivf")
    assert [found(index, query, 1) for query in drawn[:20]] == [[n] for n in range(20)]

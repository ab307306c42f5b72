"""`octavo train-pages`: crops of the samples' pages, the loss, the figures, and a training from end to end."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.numpy import load_file

from octavo.cli import main
from octavo.ingest.embedding import chunk_png
from octavo.ingest.model import ElementType
from octavo.retrieval.page_network import pixels
from octavo.training.data import TrainingDataError
from octavo.training.page_report import PageReport, measure, ranks
from octavo.training.page_trainer import PagePlan, Spaces, batches, contrastive, padded, train
from octavo.training.pages import Crops, cut, draw, places, split_by_document

pytestmark = pytest.mark.usefixtures("one_thread")
MINILM = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def found(library: Any) -> Any:
    return places(library.catalogue, MINILM, MINILM)


def test_crops_are_the_librarys_pictures_and_its_paragraphs(library: Any, found: Any) -> None:
    catalogue = library.catalogue
    texts = catalogue.chunks(catalogue.ready_ids(MINILM, pictures=False))
    alone = [s for s in texts if s.chunk.type not in ("table", "figure") and len({e.page for e in s.elements}) == 1]
    shown = catalogue.chunks(catalogue.ready_ids(MINILM, pictures=True))
    expected = ["text"] * len(alone) + [str(stored.chunk.type) for stored in shown]
    assert sorted(place.kind for place in found[0]) == sorted(expected)


def test_a_pictures_target_is_the_vector_that_the_default_gives_it_and_a_paragraphs_its_own(
    library: Any, found: Any
) -> None:
    crops, targets = found
    catalogue = library.catalogue
    for pictures in (False, True):
        _, vectors = catalogue.vectors(MINILM, catalogue.ready_ids(MINILM, pictures))
        own = targets[[n for n, place in enumerate(crops) if (place.kind != "text") == pictures]]
        np.testing.assert_allclose((own @ vectors.T).max(axis=1), 1, atol=1e-5)


def test_a_crop_of_a_drawn_page_is_what_the_library_shows_of_the_table(library: Any) -> None:
    catalogue = library.catalogue
    shown = catalogue.chunks(catalogue.ready_ids(MINILM, pictures=True))
    table = next(stored for stored in shown if stored.chunk.type is ElementType.TABLE)
    page = library.page_picture(table.sha256, table.chunk.page)
    own = [e.bbox for e in table.elements if e.page == table.chunk.page]
    box = min(b[0] for b in own), min(b[1] for b in own), max(b[2] for b in own), max(b[3] for b in own)
    crop = cut(pixels(Image.open(BytesIO(page)), 110, 72), box, 72)
    single = pixels(Image.open(BytesIO(chunk_png(library.files, table))), 110, 72)
    assert np.abs(np.array(crop.shape) - single.shape).max() <= 1
    assert crop.mean() == pytest.approx(single.mean(), abs=3)


def test_pages_that_cannot_be_drawn_are_left_out(library: Any, found: Any, tmp_path: Path) -> None:
    from octavo.ingest.store.files import Files

    pages = sorted({(place.sha256, place.page) for place in found[0]})[:1]
    there = draw(library.files, *found, pages, 72)
    assert len(there) == sum((place.sha256, place.page) == pages[0] for place in found[0])
    Files(tmp_path).pdf(pages[0][0]).write_bytes(b"no PDF")
    assert len(draw(Files(tmp_path), *found, pages, 72)) == 0


def test_documents_are_split_by_seed_whatever_their_order() -> None:
    names = [f"{n:064x}" for n in range(20)]
    split = split_by_document(names, seed=0)
    assert [list(split.values()).count(part) for part in ("train", "dev", "test")] == [14, 3, 3]
    assert split_by_document(names[::-1], seed=0) == split
    assert split_by_document(names, seed=1) != split


def test_three_documents_are_the_least() -> None:
    assert sorted(split_by_document(["a", "b", "c"], seed=0).values()) == ["dev", "test", "train"]
    with pytest.raises(TrainingDataError, match="2 documents to learn from"):
        split_by_document(["a", "b"], seed=0)


def test_the_loss_is_the_mean_of_both_softmaxes() -> None:
    pictures, texts = torch.eye(2), torch.tensor([[1.0, 0], [0.6, 0.8]])
    scores = np.array([[2.0, 1.2], [0.0, 1.6]])
    own = np.diag(scores)
    by_row, by_column = (own - np.log(np.exp(scores).sum(axis)) for axis in (1, 0))
    expected = -(by_row.mean() + by_column.mean()) / 2
    assert contrastive(pictures, texts, scale=2).item() == pytest.approx(expected, abs=1e-6)


def made(sizes: list[tuple[int, int]], dimensions: int = 8) -> Crops:
    """Crops of these sizes, each with a target of its own direction, of two documents."""
    rng = np.random.default_rng(0)
    targets = np.eye(len(sizes), dimensions, dtype=np.float32)
    pictures = [rng.integers(0, 256, size, np.uint8) for size in sizes]
    return Crops(pictures, ["text"] * len(sizes), ["ab"[n % 2] for n in range(len(sizes))], targets)


def test_an_epoch_has_each_crop_at_most_once_and_another_order_than_the_next() -> None:
    crops, plan = made([(8 + n, 20) for n in range(7)]), PagePlan(batch_size=3)
    first, second = batches(crops, plan, 0), batches(crops, plan, 1)
    assert [len(rows) for rows in first] == [3, 3]
    assert len({row for rows in first for row in rows}) == 6
    assert np.array_equal(first, batches(crops, plan, 0))
    assert not np.array_equal(first, second)


def test_a_batch_is_filled_up_with_white() -> None:
    grey, sizes = padded([np.zeros((1, 2), np.uint8), np.zeros((2, 1), np.uint8)])
    assert grey.tolist() == [[[0, 0], [255, 255]], [[0, 255], [0, 255]]]
    assert sizes.tolist() == [[1, 2], [2, 1]]


def test_a_rank_counts_the_texts_that_are_nearer_than_the_own_and_not_those_alike() -> None:
    texts = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    pictures = np.array([[0.6, 0.8], [0.8, 0.6], [0, 1]], np.float32)
    assert ranks(pictures, texts).tolist() == [2, 1, 0]


def test_the_figures_stand_beside_chance() -> None:
    crops = made([(8, 8)] * 4)
    right, wrong = crops.targets, np.roll(crops.targets, 1, axis=0)
    found = measure(crops, encoder=right, thumbnail=wrong, seed=0)["text"]
    assert found.chance == {"recall@1": 0.25, "recall@10": 1.0}
    assert (found.encoder["recall@1"].value, found.thumbnail["recall@1"].value) == (1.0, 0.0)


PLAN = PagePlan(pages=100, epochs=3, batch_size=8)


def run(library: Any, out: Path, **how: Any) -> PageReport:
    return train(library.catalogue, library.files, Spaces(MINILM, MINILM), out, PLAN, **how)


@pytest.fixture(scope="module")
def trained(library: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder trained without a disturbance."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("pages") / "encoder"
    run(library, out)
    torch.set_num_threads(threads)
    return out


@pytest.mark.slow
def test_a_training_leaves_an_encoder_and_a_report_and_no_pickle(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {
        *("config.json", "model.safetensors", "report.json", "report.md", "curves.png", "run.json", "checkpoints"),
    }
    suffixes = {path.suffix for path in trained.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors", ".md", ".png"}


@pytest.mark.slow
def test_the_crops_that_it_learns_from_are_told_apart_better_from_epoch_to_epoch(trained: Path) -> None:
    losses = [line["loss"] for line in json.loads((trained / "report.json").read_text())["history"]]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_a_training_cut_off_and_resumed_ends_with_the_same_weights(library: Any, trained: Path, tmp_path: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    epoch = report["history"][0]["step"]

    def cut_off(step: int, steps: int) -> None:
        if step == epoch + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(library, tmp_path / "out", on_step=cut_off)
    assert not (tmp_path / "out" / "config.json").exists()
    seen: list[int] = []
    run(library, tmp_path / "out", resume=True, on_step=lambda step, steps: seen.append(step))
    assert seen[0] == epoch + 1
    again, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "out", trained))
    assert all(np.array_equal(again[name], value) for name, value in whole.items())
    assert json.loads((tmp_path / "out" / "report.json").read_text())["history"] == report["history"]


def command(library: Any, *arguments: object) -> Any:
    return CliRunner().invoke(main, ["train-pages", "--library", str(library.folder), *map(str, arguments)])


@pytest.mark.slow
def test_the_command_prints_one_json_document(library: Any, tmp_path: Path) -> None:
    result = command(library, "--out", tmp_path / "out", "--epochs", 1, "--batch-size", 8, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["model"] == str(tmp_path / "out")
    assert told["plan"]["texts"] == MINILM
    assert set(told["figures"]["all"]) == {"crops", "chance", "thumbnail", "encoder"}
    assert result.stderr == ""


@pytest.mark.slow
def test_going_on_with_other_settings_is_refused(library: Any, trained: Path) -> None:
    result = command(library, "--out", trained, "--seed", 7, "--resume")
    assert result.exit_code == 1
    assert "cannot go on with other settings than it began with: " in result.stderr


def test_a_library_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["train-pages", "--library", str(tmp_path / "none"), "--out", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "no library at" in result.stderr


def test_a_library_without_documents_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(
        main, ["train-pages", "--library", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "the library has 0 documents to learn from" in result.stderr
    assert not (tmp_path / "out").exists()

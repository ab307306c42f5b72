"""Pictures by the page encoder's network, which here has random weights and few channels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from octavo import Library, Settings
from octavo.ingest.embedding import Picture, chunk_png
from octavo.retrieval.embedder import ModelMissingError
from octavo.retrieval.looking import picture_embedder
from octavo.retrieval.page_network import PageConfig, PageNetwork, encode, ink, pixels
from octavo.retrieval.visual import PageEncoder, TextUnderPictures, VisualEmbedder

pytestmark = pytest.mark.usefixtures("one_thread")
MINILM = "all-MiniLM-L6-v2"
QUESTION = "What was the highest yearly sunspot number?"


@pytest.fixture
def network() -> PageNetwork:
    torch.manual_seed(0)
    return PageNetwork(PageConfig(MINILM, 384, widths=(8, 8, 16))).eval()


@pytest.fixture
def folder(network: PageNetwork, tmp_path: Path) -> Path:
    (tmp_path / "encoder").mkdir()
    network.save(tmp_path / "encoder")
    return tmp_path / "encoder"


@pytest.fixture
def looking(own_library: Any, folder: Path) -> Iterator[Any]:
    """The samples' library with its pictures embedded by the encoder in `folder`."""
    with Library(own_library.folder, Settings(visual_embedder=str(folder))) as library:
        library.reindex()
        yield library


def noise(height: int, width: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def test_a_picture_is_read_in_grey_at_the_networks_resolution() -> None:
    red = Image.new("RGB", (220, 110), (255, 0, 0))
    grey = pixels(red, drawn=110, dpi=72)
    assert grey.shape == (72, 144)
    assert np.all(grey == 76)  # .299 of 255


def test_ink_is_1_where_a_page_is_black() -> None:
    assert ink(np.array([[[255, 0, 51]]], np.uint8)).tolist() == [[[[0, 1, pytest.approx(0.8)]]]]


def test_vectors_have_length_1_whatever_the_pictures_size(network: PageNetwork) -> None:
    vectors = encode(network, [noise(792, 612), noise(20, 300), noise(8, 8)])
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_pictures_vector_does_not_depend_on_its_neighbours(network: PageNetwork) -> None:
    alone = encode(network, [noise(40, 90)])
    among = encode(network, [noise(100, 20, seed=1), noise(40, 90), noise(9, 9, seed=2)])
    assert np.array_equal(alone[0], among[1])


def test_white_that_fills_up_a_batch_counts_for_nothing(network: PageNetwork) -> None:
    small = noise(320, 480)
    wide = np.full((2, 480, 640), 255, np.uint8)
    wide[0, :320, :480], wide[1] = small, noise(480, 640, seed=1)
    with torch.inference_mode():
        batch = network(ink(wide), torch.tensor([[320, 480], [480, 640]]))
        alone = network(ink(small[None]))
        as_if_whole = network(ink(wide[:1]))
    assert float(batch[0] @ alone[0]) > 0.9999
    assert float(as_if_whole[0] @ alone[0]) < 0.999


def test_a_saved_network_gives_the_same_vectors(network: PageNetwork, folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    again = PageNetwork.load(folder)
    assert again.config == network.config
    assert np.array_equal(encode(again, [noise(50, 60)]), encode(network, [noise(50, 60)]))


def test_the_setting_names_a_page_encoder_by_its_folder(library: Any, folder: Path) -> None:
    assert isinstance(picture_embedder(str(folder), library.embedder), PageEncoder)
    assert isinstance(picture_embedder("sentence-transformers/clip-ViT-B-32", library.embedder), VisualEmbedder)
    assert isinstance(picture_embedder(None, library.embedder), TextUnderPictures)


def test_other_weights_are_another_space(library: Any, network: PageNetwork, folder: Path) -> None:
    before = PageEncoder(str(folder), library.embedder).name
    network.head.weight.data += 1
    network.save(folder)
    assert PageEncoder(str(folder), library.embedder).name != before


def test_pictures_are_embedded_and_texts_stay_as_they_are(looking: Any) -> None:
    pictures = looking.catalogue.ready_ids(looking.looker.name, pictures=True)
    assert pictures == looking.catalogue.ready_ids(MINILM, pictures=True)
    assert looking.catalogue.ready_ids(looking.looker.name, pictures=False) == []
    assert looking.index.joint is looking.index.vectors


def test_the_image_way_ranks_by_what_the_pictures_look_like(looking: Any, network: PageNetwork) -> None:
    hits = looking.search(QUESTION, k=1000, mode="image")
    shown = looking.catalogue.chunks([hit.chunk.id for hit in hits])
    greys = [pixels(Image.open(BytesIO(chunk_png(looking.files, one))), 110, 48) for one in shown]
    cosines = encode(network, greys) @ np.asarray(looking.embedder.embed_query(QUESTION), np.float32)
    assert [hit.score for hit in hits] == pytest.approx(cosines.tolist(), abs=1e-5)


@pytest.mark.parametrize("mode", ["fusion", "joint"])
def test_the_ways_of_both_kinds_find_both(looking: Any, mode: str) -> None:
    assert {hit.chunk.picture for hit in looking.search(QUESTION, k=1000, mode=mode)} == {True, False}


def failing(folder: Path, library: Any) -> str:
    with pytest.raises(ModelMissingError) as raised:
        PageEncoder(str(folder), library.embedder).encode_pictures([Picture("", np.zeros((0, 384)), lambda: b"")])
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_an_encoder_taught_another_space_says_what_to_do(library: Any, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"texts": "weights 123"}
    (folder / "config.json").write_text(json.dumps(config))
    message = failing(folder, library)
    assert "was taught the space of 'weights 123'" in message
    assert "train one with `octavo train-pages`" in message


def test_damaged_weights_are_one_line(library: Any, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"half")
    assert failing(folder, library).startswith(f"cannot load the page encoder '{folder}': ")

"""Pictures as vectors: from the text under them, or from their pixels by small models of the real architectures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from octavo import Library, Settings
from octavo.ingest.embedding import Picture
from octavo.ingest.model import ElementType
from octavo.library import LibraryError
from octavo.retrieval.embedder import ModelMissingError, SentenceEmbedder
from octavo.retrieval.visual import TextUnderPictures, VisualEmbedder
from tests.tiny_models import clip_model, sentence_model, siglip_model

WORDS = ["a red square", "a blue circle", "yearly sunspot number"]


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 80), colour).save(file, "PNG")
    return file.getvalue()


def picture(text: str = "", under: np.ndarray | None = None, colour: str = "red") -> Picture:
    return Picture(text, np.empty((0, 0), np.float32) if under is None else under, lambda: png(colour))


@pytest.fixture(scope="module", params=[clip_model, siglip_model], ids=["CLIP", "SigLIP"])
def visual(request: Any, tmp_path_factory: pytest.TempPathFactory) -> VisualEmbedder:
    make: Callable[..., Path] = request.param
    return VisualEmbedder(str(make(tmp_path_factory.mktemp("visual") / "model", WORDS)))


def test_texts_and_pictures_come_into_one_space(visual: VisualEmbedder) -> None:
    pictures, texts = visual.encode_pictures([picture(), picture(colour="blue")]), visual.encode(WORDS)
    assert pictures.shape == (2, visual.dimensions)
    assert texts.shape == (3, visual.dimensions)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([pictures, texts]), axis=1), 1, atol=1e-5)


def test_pixels_make_the_vector(visual: VisualEmbedder) -> None:
    red, again, blue = visual.encode_pictures([picture("x"), picture("y"), picture("x", colour="blue")])
    np.testing.assert_allclose(red, again, atol=1e-6)
    assert not np.allclose(red, blue, atol=1e-3)


def test_a_text_longer_than_the_model_reads_is_cut(visual: VisualEmbedder) -> None:
    assert visual.encode(["sunspot " * 500]).shape == (1, visual.dimensions)


def test_a_text_that_looks_like_an_image_is_read_and_not_fetched(visual: VisualEmbedder, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png("red"))
    address = str(tmp_path / "secret.png")
    (vector,) = visual.encode([address])
    (pixels,) = visual.encode_pictures([picture()])
    assert not np.allclose(vector, pixels, atol=1e-3)
    assert np.allclose(vector, visual.embed_query(address), atol=1e-5)


def test_a_multimodal_model_for_texts_reads_such_a_text_too(visual: VisualEmbedder, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png("red"))
    texts = SentenceEmbedder(visual.model)
    (pixels,) = visual.encode_pictures([picture()])
    assert not np.allclose(texts.embed_query(str(tmp_path / "secret.png")), pixels, atol=1e-3)


def test_a_model_for_texts_alone_is_no_visual_embedder(tmp_path: Path) -> None:
    folder = sentence_model(tmp_path, WORDS)
    with pytest.raises(ModelMissingError, match="takes no images"):
        VisualEmbedder(str(folder)).encode(["a"])


def test_a_picture_without_pixels_is_the_mean_direction_of_what_tells_of_it(library: Any) -> None:
    looker = TextUnderPictures(library.embedder)
    under = library.embedder.encode(WORDS)
    (told,) = looker.encode_pictures([picture("anything", under)])
    np.testing.assert_allclose(told, under.mean(axis=0) / np.linalg.norm(under.mean(axis=0)), atol=1e-6)


def test_a_picture_that_no_chunk_tells_of_is_its_own_text(library: Any) -> None:
    looker = TextUnderPictures(library.embedder)
    (untold, _) = looker.encode_pictures([picture("a red square"), picture("x", library.embedder.encode(WORDS))])
    np.testing.assert_allclose(untold, library.embedder.encode(["a red square"])[0], atol=1e-3)


@pytest.fixture(scope="module")
def seen(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A library of one document whose pictures a small CLIP has looked at."""
    clip = clip_model(tmp_path_factory.mktemp("clip") / "model", WORDS)
    settings = Settings(library=tmp_path_factory.mktemp("seen"), visual_embedder=str(clip))
    with Library(settings=settings) as library:
        assert not library.ingest([samples / "sunspot-cycles.pdf"]).failed
        yield library


@pytest.mark.slow
def test_a_visual_embedder_serves_the_picture_ways_and_the_texts_keep_their_own(seen: Any) -> None:
    stores = seen.index.vectors, seen.index.pictures, seen.index.joint
    assert [store.vectors.dimensions for store in stores] == [384, 24, 24]
    types = {hit.chunk.type for hit in seen.search("sunspot", k=100, mode="image")}
    assert types == {ElementType.PAGE, ElementType.TABLE, ElementType.FIGURE}
    assert {hit.chunk.picture for hit in seen.search("sunspot", k=100, mode="joint")} == {True, False}


@pytest.mark.slow
def test_without_its_visual_embedder_a_library_asks_for_vectors_of_the_text_under(seen: Any) -> None:
    with Library(seen.folder, Settings(library=seen.folder)) as plain:
        with pytest.raises(LibraryError, match="octavo index"):
            plain.search("sunspot", mode="image")
        plain.reindex()
        assert plain.search("sunspot", mode="image")

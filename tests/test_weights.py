"""Loading models by name: what comes back, and what is said of a name that serves nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from octavo.generation import weights
from octavo.generation.weights import LocalModelError, embedded_folder, is_vision, load
from tests import tiny_models

CPU = torch.device("cpu")


def test_a_text_model_comes_with_its_tokenizer(text_folder: Path) -> None:
    loaded = load(str(text_folder), CPU, torch.float32)
    assert type(loaded.model).__name__ == "LlamaForCausalLM"
    assert not loaded.model.training
    assert not loaded.vision
    assert loaded.processor.decode(loaded.processor.encode("Why?")) == "Why?"


def test_one_that_sees_comes_with_its_processor(seeing_folder: Path) -> None:
    loaded = load(str(seeing_folder), CPU)
    assert type(loaded.model).__name__ == "Qwen2_5_VLForConditionalGeneration"
    assert loaded.vision
    assert loaded.processor.image_processor.merge_size == 2


def test_whether_a_model_sees_is_known_without_its_weights(text_folder: Path, seeing_folder: Path) -> None:
    assert (is_vision(str(text_folder)), is_vision(str(seeing_folder))) == (False, True)


@pytest.mark.parametrize("bfloat16", [True, False])
def test_on_a_processor_the_weights_are_as_it_multiplies_them(
    text_folder: Path, bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octavo.generation.weights.has_bfloat16", lambda: bfloat16)
    assert load(str(text_folder), CPU).model.dtype == (torch.bfloat16 if bfloat16 else torch.float32)


def damaged(folder: Path, into: Path, **config: Any) -> Path:
    shutil.copytree(folder, into)
    path = into / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return into


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match=r"holds no model \(no config.json\)"):
        load(str(tmp_path), CPU)


def test_so_is_one_that_holds_an_adapter_alone(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(LocalModelError, match="holds an adapter, not a whole model"):
        load(str(tmp_path), CPU)


def test_a_folder_without_weights_is_named(text_folder: Path, tmp_path: Path) -> None:
    folder = damaged(text_folder, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    with pytest.raises(LocalModelError, match="holds no weights as safetensors"):
        load(str(folder), CPU)


def test_a_pickle_is_not_read(text_folder: Path, tmp_path: Path) -> None:
    folder = damaged(text_folder, tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(LocalModelError, match="no other format is read"):
        load(str(folder), CPU)


def test_half_a_weights_file_is_refused(text_folder: Path, tmp_path: Path) -> None:
    folder = damaged(text_folder, tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LocalModelError, match="cannot load the model"):
        load(str(folder), CPU)


def test_a_model_with_a_weight_missing_is_refused(text_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = damaged(text_folder, tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(LocalModelError, match=r"misshapen, 1 in all, such as model\.layers\.1\.mlp\.up_proj"):
        load(str(folder), CPU)


def test_weights_that_are_another_one_are_not_missing(tmp_path: Path) -> None:
    """Gemma 3 keeps its embedding and its head as one."""
    from safetensors import safe_open

    folder = tiny_models.gemma3_vision_model(tmp_path)
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert not [name for name in file.keys() if "lm_head" in name]  # noqa: SIM118 - no mapping
    assert load(str(folder), CPU).vision


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"intermediate_size": 96}, "missing or misshapen, 6 in all"),
        ({"num_attention_heads": 0}, "cannot load the model"),
        ({"hidden_size": "wide"}, "cannot load the model"),
        ({"quantization_config": {"quant_method": "awq", "bits": 5, "group_size": 32}}, "neither in AWQ's GEMM layout"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_one_line(
    text_folder: Path, tmp_path: Path, config: dict[str, Any], problem: str
) -> None:
    folder = damaged(text_folder, tmp_path / "model", **config)
    with pytest.raises(LocalModelError, match=problem) as caught:
        load(str(folder), CPU)
    assert "\n" not in str(caught.value)


def test_the_home_of_nobody_is_one_line() -> None:
    with pytest.raises(LocalModelError, match="~nobody-of-that-name/model: there is no such user"):
        load("~nobody-of-that-name/model", CPU)


def test_an_architecture_that_is_not_known_is_named(text_folder: Path, tmp_path: Path) -> None:
    folder = damaged(text_folder, tmp_path / "model", model_type="octopus")
    with pytest.raises(LocalModelError, match="octopus") as caught:
        load(str(folder), CPU)
    assert "\n" not in str(caught.value)


def test_a_model_that_writes_nothing_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.clip_model(tmp_path / "clip", ["a picture"])
    with pytest.raises(LocalModelError, match="a clip does not write text"):
        load(str(folder), CPU)


def test_code_of_a_folder_is_not_run(text_folder: Path, tmp_path: Path) -> None:
    folder = damaged(
        text_folder,
        tmp_path / "model",
        model_type="own",
        auto_map={"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"},
    )
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\nclass Own: pass\n")
    with pytest.raises(LocalModelError):
        load(str(folder), CPU)
    assert not ran.exists()


@pytest.mark.parametrize("name", ["models/absent/deeper", "/no/such/folder", "no such model", "../up"])
def test_a_name_that_no_hub_could_know_is_refused_at_once(name: str) -> None:
    with pytest.raises(LocalModelError, match="no such folder, nor a name that a hub could know"):
        load(name, CPU)


def test_a_name_that_a_hub_lacks_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(LocalModelError, match="cannot load the model 'octavo/absent'") as caught:
        load("octavo/absent", CPU)
    assert "\n" not in str(caught.value)


def test_without_the_package_gguf_the_embedded_model_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ImportError("gguf")

    monkeypatch.setattr(weights, "embedded_path", lambda: tmp_path / "embedded.gguf")
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", fails)
    with pytest.raises(LocalModelError, match=r"needs the package gguf: pip install 'octavo\[embedded\]'"):
        embedded_folder()
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_the_embedded_model_in_torch_goes_on_as_it_does_in_llama_cpp() -> None:
    pytest.importorskip("gguf")
    from octavo.generation.local import LlamaCppChat

    loaded = load("embedded", CPU, torch.float32)
    ids = loaded.processor("One, two, three, four,", return_tensors="pt")
    written = loaded.model.generate(**ids, max_new_tokens=8, do_sample=False)[0, ids["input_ids"].shape[1] :]
    text = loaded.processor.decode(written)
    assert text == LlamaCppChat(max_tokens=8).invoke("One, two, three, four,").text == " five, six, seven, eight,"


@pytest.mark.slow
def test_the_embedded_folder_holds_what_the_gguf_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the gguf package's own dequantization: quantized matrices, and a norm, which GGUF keeps one higher."""
    gguf = pytest.importorskip("gguf")
    from safetensors import safe_open

    path = tmp_path / "embedded.gguf"
    path.symlink_to(weights.embedded_path())
    monkeypatch.setattr(weights, "embedded_path", lambda: path)
    folder = embedded_folder()
    assert {entry.name for entry in tmp_path.iterdir()} == {"embedded", "embedded.gguf"}  # nothing half made is left
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    with safe_open(folder / "model.safetensors", "pt") as file:
        for ours, theirs, higher in (
            ("model.layers.3.mlp.down_proj.weight", "blk.3.ffn_down.weight", 0),
            ("model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight", 0),
            ("model.norm.weight", "output_norm.weight", 1),
        ):
            tensor = tensors[theirs]
            expected = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
            assert torch.equal(file.get_tensor(ours) + higher, expected)

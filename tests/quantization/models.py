"""Models of the real classes, of two layers and random weights, and batches for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from octavo.generation.quantization.families import DECODERS

TEXT = sorted(DECODERS.keys() - {"qwen2_5_vl_text"})  # families of models that read text alone
SIZE: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IMAGE = 90  # the id of an image token
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def text_model(family: str, **changes: Any) -> Any:
    """A model of a family of `families.DECODERS`."""
    import transformers as t

    config, model = {
        "gemma": (t.GemmaConfig, t.GemmaForCausalLM),
        "gemma2": (t.Gemma2Config, t.Gemma2ForCausalLM),
        "gemma3_text": (t.Gemma3TextConfig, t.Gemma3ForCausalLM),
        "llama": (t.LlamaConfig, t.LlamaForCausalLM),
        "mistral": (t.MistralConfig, t.MistralForCausalLM),
        "qwen2": (t.Qwen2Config, t.Qwen2ForCausalLM),
        "qwen3": (t.Qwen3Config, t.Qwen3ForCausalLM),
    }[family]
    more = {} if family == "qwen2" else {"head_dim": 16}
    if family in ("gemma2", "gemma3_text"):
        more |= {"sliding_window": 8, "query_pre_attn_scalar": 16}
    torch.manual_seed(0)
    return _lively(model(config(**SIZE | more | changes)))


def seeing_model(family: str, text: str = "llama") -> Any:
    """A model of a family of `families.VISION`; `text` is the decoder behind LLaVA's eyes."""
    import transformers as t

    torch.manual_seed(0)
    if family == "llava":
        decoder = {"llama": t.LlamaConfig, "qwen2": t.Qwen2Config}[text](**SIZE)
        tower = t.CLIPVisionConfig(image_size=32, patch_size=8, **TOWER)
        config: Any = t.LlavaConfig(
            vision_config=tower, text_config=decoder, image_token_index=IMAGE, image_seq_length=16
        )
        return _lively(t.LlavaForConditionalGeneration(config))
    if family == "gemma3":
        decoder = t.Gemma3TextConfig(**SIZE, head_dim=16, query_pre_attn_scalar=16, sliding_window=8)
        tower = t.SiglipVisionConfig(image_size=32, patch_size=8, **TOWER)
        config = t.Gemma3Config(text_config=decoder, vision_config=tower, mm_tokens_per_image=4, image_token_id=IMAGE)
        return _lively(t.Gemma3ForConditionalGeneration(config))
    tower_config = {"hidden_size": 32, "intermediate_size": 64, "depth": 2, "num_heads": 2, "out_hidden_size": 64}
    config = t.Qwen2_5_VLConfig(
        text_config=SIZE | {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]}},
        vision_config=tower_config | {"patch_size": 4, "fullatt_block_indexes": [1], "window_size": 16},
        image_token_id=IMAGE,
        vision_start_token_id=91,
        vision_end_token_id=92,
    )
    return _lively(t.Qwen2_5_VLForConditionalGeneration(config))


def text_batches(count: int = 2, length: int = 24, seed: int = 0) -> list[dict[str, Tensor]]:
    draw = torch.Generator().manual_seed(seed)
    return [{"input_ids": torch.randint(3, 80, (1, length), generator=draw)} for _ in range(count)]


def seeing_batch(family: str, seed: int = 0, prompt: int = 0) -> dict[str, Tensor]:
    """A picture, `prompt` tokens of a question, and 8 of the answer with their labels."""
    draw = torch.Generator().manual_seed(seed)
    pictures = {"llava": 16, "gemma3": 4, "qwen2_5_vl": 4}[family]
    ids = torch.randint(3, 80, (1, pictures + prompt + 8), generator=draw)
    ids[:, :pictures] = IMAGE
    labels = ids.clone()
    labels[:, : pictures + prompt] = -100
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    if family == "qwen2_5_vl":
        patches = torch.randn(16, 3 * 2 * 4 * 4, generator=draw)
        kinds = (ids == IMAGE).int()
        return batch | {
            "pixel_values": patches,
            "image_grid_thw": torch.tensor([[1, 4, 4]]),
            "mm_token_type_ids": kinds,
        }
    if family == "gemma3":
        batch["token_type_ids"] = (ids == IMAGE).int()
    return batch | {"pixel_values": torch.randn(1, 3, 32, 32, generator=draw)}


@torch.no_grad()
def logits(model: Any, batch: dict[str, Tensor]) -> Tensor:
    result: Tensor = model(**{name: value for name, value in batch.items() if name != "labels"}).logits
    return result


def _lively(model: Any) -> Any:
    """The model with norms and biases that are not what they are made as, so that folding has something to change."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            elif "layers" in name:
                parameter.mul_(3)
    return model.eval()

"""Models of real classes, so small that a test trains them in a second; made on the spot, with random weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def word_tokenizer(texts: Iterable[str], special: Iterable[str]) -> Any:
    """A `tokenizers.Tokenizer` of whole words and punctuation, all those of `texts`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=list(special), show_progress=False))
    return tokenizer


_BERT = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


def bert_config(tokenizer: Any, length: int, **more: Any) -> Any:
    """A BERT of two layers and 32 dimensions that reads `length` tokens."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=length,
        pad_token_id=0,
        **more,
    )


def sentence_model(folder: Path, texts: Iterable[str], dropout: float = 0.1) -> Path:
    """A sentence-transformers folder: BERT of two layers and 32 dimensions, mean pooling."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel, PreTrainedTokenizerFast

    tokenizer = word_tokenizer(texts, _BERT.values())
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **_BERT).save_pretrained(folder / "bert")
    torch.manual_seed(0)
    BertModel(bert_config(tokenizer, 64, hidden_dropout_prob=dropout)).save_pretrained(folder / "bert")
    body = Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[body, Pooling(32)], device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"


def cross_encoder(folder: Path, texts: Iterable[str], outputs: int = 1) -> Path:
    """A CrossEncoder's folder: BERT of two layers and 32 dimensions with `outputs` scores for a pair of texts."""
    import torch
    from tokenizers.processors import BertProcessing
    from transformers import BertForSequenceClassification, PreTrainedTokenizerFast

    tokenizer = word_tokenizer(texts, _BERT.values())
    cls, sep = ((token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = BertProcessing(sep, cls)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **_BERT).save_pretrained(folder)
    torch.manual_seed(0)
    config = bert_config(tokenizer, 128, num_labels=outputs, initializer_range=0.5)  # or all scores would be alike
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def clip_model(folder: Path, texts: Iterable[str]) -> Path:
    """A CLIP of two layers and 24 dimensions for texts and images of 32 pixels."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor

    tokenizer, text, vision = _towers(texts)
    config = CLIPConfig(
        text_config=text | {"projection_dim": 24}, vision_config=vision | {"projection_dim": 24}, projection_dim=24
    )
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _save(folder, CLIPModel(config), CLIPProcessor(image_processor=images, tokenizer=tokenizer))


def siglip_model(folder: Path, texts: Iterable[str]) -> Path:
    """A SigLIP of two layers and 32 dimensions for texts and images of 32 pixels."""
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel, SiglipProcessor

    tokenizer, text, vision = _towers(texts)
    config = SiglipConfig(text_config=text | {"projection_size": 32}, vision_config=vision)
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return _save(folder, SiglipModel(config), SiglipProcessor(image_processor=images, tokenizer=tokenizer))


def _towers(texts: Iterable[str]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A tokenizer, and the configurations of a text and a vision tower."""
    import torch
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
    tokenizer = word_tokenizer(texts, special.values())
    begin, end = (tokenizer.token_to_id(token) for token in ("[BOS]", "[EOS]"))
    tokenizer.post_processor = TemplateProcessing("[BOS] $A [EOS]", special_tokens=[("[BOS]", begin), ("[EOS]", end)])
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"pad_token_id": 0, "bos_token_id": begin, "eos_token_id": end}
    text = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": 32, **ids, **small}
    torch.manual_seed(0)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **special)
    return fast, text, {"image_size": 32, "patch_size": 8, **small}


def _save(folder: Path, model: Any, processor: Any) -> Path:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def chat_model(folder: Path, texts: Iterable[str], template: bool = True) -> Path:
    """A Llama of two layers and 32 dimensions with its tokenizer, with a chat template or as a base model."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
    words = word_tokenizer(texts, [*special.values(), "[USER]", "[ASSISTANT]"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=128, **special)
    if template:
        tokenizer.chat_template = (
            "[BOS]{% for m in messages %}{{ '[USER] ' if m.role == 'user' else '[ASSISTANT] ' }}{{ m.content }}"
            "{{ ' [EOS] ' }}{% endfor %}{% if add_generation_prompt %}[ASSISTANT] {% endif %}"
        )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def seeing_model(folder: Path, texts: Iterable[str]) -> Path:
    """A LLaVA with a vision tower and a language model of two layers each, and its processor."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
    words = word_tokenizer(texts, [*special.values(), "[USER]", "[ASSISTANT]", "<image>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=256, **special)
    template = (
        "[BOS]{% for m in messages %}{{ '[USER] ' if m.role == 'user' else '[ASSISTANT] ' }}{% for part in m.content %}"
        "{{ '<image> ' if part.type == 'image' else part.text }}{% endfor %}{{ ' [EOS] ' }}{% endfor %}"
        "{% if add_generation_prompt %}[ASSISTANT] {% endif %}"
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=32, patch_size=8, **small),
        text_config=LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=256, **small),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


# Vision-language models for generation: their tokenizer knows every byte, their text width is 64.

_SPECIAL = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>"}
_TEXT = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_VISION = {"hidden_size": 32, "intermediate_size": 64}
_TURNS = (
    "{{% for m in messages %}}<{{{{ m.role }}}}>{{% if m.content is string %}}{{{{ m.content }}}}{{% else %}}"
    "{{% for part in m.content %}}{{{{ '{image}' if part.type == 'image' else part.text }}}}{{% endfor %}}{{% endif %}}"
    "<eos>{{% endfor %}}{{% if add_generation_prompt %}}<assistant>{{% endif %}}"
)


def byte_tokenizer(*tokens: str, template: str | None = None, **named: str) -> Any:
    """A tokenizer with a token for every byte, the special ones, `tokens`, and the `named` ones as its attributes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = [*_SPECIAL.values(), "<system>", "<user>", "<assistant>", *tokens, *named.values()]
    vocabulary = {token: number for number, token in enumerate([*special, *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, extra_special_tokens=named, **_SPECIAL)
    fast.chat_template = template
    return fast


def text_model(folder: Path, template: bool = True) -> Path:
    """A Llama whose tokenizer knows every byte, with a chat template or as a base model."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer(template=_TURNS.format(image="") if template else None)
    torch.manual_seed(0)
    config = LlamaConfig(num_key_value_heads=2, max_position_embeddings=4096, **_TEXT, **_ids(tokenizer))
    return _save(folder, LlamaForCausalLM(config), tokenizer)


def llava_model(folder: Path) -> Path:
    """A LLaVA-1.5: pictures of 28 pixels in 16 tokens each."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = byte_tokenizer(image_token="<image>")  # noqa: S106
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer=tokenizer,
        patch_size=7,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_TURNS.format(image="<image>"),
    )
    torch.manual_seed(0)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            image_size=28, patch_size=7, num_hidden_layers=2, num_attention_heads=2, **_VISION
        ),
        text_config=LlamaConfig(num_key_value_heads=2, max_position_embeddings=4096, **_TEXT, **_ids(tokenizer)),
        image_token_index=tokenizer.image_token_id,
        image_seq_length=16,
    )
    return _save(folder, LlavaForConditionalGeneration(config), processor)


def qwen_vl_model(folder: Path) -> Path:
    """A Qwen2.5-VL: a token for each 28 by 28 pixels."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tokenizer = _qwen_tokenizer()
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        text_config=_TEXT
        | _ids(tokenizer)
        | {"num_key_value_heads": 2, "max_position_embeddings": 4096}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 2, 2]}},
        vision_config=_VISION
        | {"depth": 2, "num_heads": 2, "out_hidden_size": 64, "fullatt_block_indexes": [1], "window_size": 56},
        **_qwen_ids(tokenizer),
    )
    return _save_qwen(folder, Qwen2_5_VLForConditionalGeneration(config), "Qwen2_5_VLProcessor", tokenizer, 14)


def qwen3_vl_model(folder: Path) -> Path:
    """A Qwen3-VL: a token for each 32 by 32 pixels, features of one vision layer added to the first text layer."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tokenizer = _qwen_tokenizer()
    torch.manual_seed(0)
    config = Qwen3VLConfig(
        text_config=_TEXT
        | _ids(tokenizer)
        | {"num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 4096}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 2, 2]}},
        vision_config=_VISION
        | {"depth": 2, "num_heads": 2, "out_hidden_size": 64, "deepstack_visual_indexes": [0]}
        | {"num_position_embeddings": 64},
        **_qwen_ids(tokenizer),
    )
    return _save_qwen(folder, Qwen3VLForConditionalGeneration(config), "Qwen3VLProcessor", tokenizer, 16)


def gemma3_vision_model(folder: Path) -> Path:
    """A Gemma 3 with its vision tower: pictures of 56 pixels in 16 tokens each; every other layer slides."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessorPil, Gemma3Processor

    tokenizer = byte_tokenizer(
        image_token="<image_soft_token>",  # noqa: S106
        boi_token="<start_of_image>",  # noqa: S106
        eoi_token="<end_of_image>",  # noqa: S106
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        chat_template=_TURNS.format(image="<start_of_image>"),
        image_seq_length=16,
    )
    torch.manual_seed(0)
    config = Gemma3Config(
        text_config=_TEXT
        | _ids(tokenizer)
        | {"num_key_value_heads": 2, "head_dim": 16, "query_pre_attn_scalar": 16, "max_position_embeddings": 4096}
        | {"sliding_window": 32, "layer_types": ["sliding_attention", "full_attention"]},
        vision_config=_VISION | {"image_size": 56, "patch_size": 7, "num_hidden_layers": 2, "num_attention_heads": 2},
        mm_tokens_per_image=16,
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
    )
    model = Gemma3ForConditionalGeneration(config)
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)  # made as zeros
    return _save(folder, model, processor)


def colpali_model(folder: Path) -> Path:
    """A ColPali: pictures of 32 pixels in 16 patches, vectors of 24 dimensions."""
    import torch
    from transformers import (
        ColPaliConfig,
        ColPaliForRetrieval,
        ColPaliProcessor,
        PaliGemmaConfig,
        SiglipImageProcessorPil,
    )

    tokenizer = byte_tokenizer(image_token="<image>")  # noqa: S106
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    images.image_seq_length = 16
    torch.manual_seed(0)
    model = PaliGemmaConfig(
        text_config=_TEXT | _ids(tokenizer) | {"model_type": "gemma", "num_key_value_heads": 2, "head_dim": 16},
        vision_config=_VISION
        | {"image_size": 32, "patch_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 64},
        image_token_index=tokenizer.image_token_id,
        projection_dim=64,
    )
    return _save(
        folder,
        ColPaliForRetrieval(ColPaliConfig(vlm_config=model, embedding_dim=24)),
        ColPaliProcessor(image_processor=images, tokenizer=tokenizer),
    )


def _ids(tokenizer: Any) -> dict[str, int]:
    names = ("pad_token_id", "bos_token_id", "eos_token_id")
    return {"vocab_size": len(tokenizer), **{name: getattr(tokenizer, name) for name in names}}


def _qwen_tokenizer() -> Any:
    return byte_tokenizer(
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
        "<|video_pad|>",
        template=_TURNS.format(image="<|vision_start|><|image_pad|><|vision_end|>"),
    )


def _qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{token}|>") for name, token in names.items()}


def _save_qwen(folder: Path, model: Any, processor: str, tokenizer: Any, patch: int) -> Path:
    """As such folders are published; a whole processor, with its video part, cannot be made without torchvision."""
    from transformers import Qwen2VLImageProcessorPil

    pictures = Qwen2VLImageProcessorPil(patch_size=patch)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    settings = pictures.to_dict() | {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": processor}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def gguf_seeing_model(folder: Path) -> tuple[Path, Path]:
    """The Llama of `text_model` as a GGUF file with a chat template, and a LLaVA projector: 16 tokens a picture."""
    import gguf
    import numpy as np

    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    tokenizer = byte_tokenizer()
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    width, wide, rows = _TEXT["hidden_size"], _TEXT["intermediate_size"], len(tokens)

    def add(writer: Any, name: str, *shape: int, ones: bool = False) -> None:
        values = np.ones(shape) if ones else random.normal(0, 0.1, shape)
        writer.add_tensor(name, values.astype(np.float32))

    model = gguf.GGUFWriter(folder / "model.gguf", "llama")
    model.add_context_length(4096)
    model.add_embedding_length(width)
    model.add_block_count(2)
    model.add_feed_forward_length(wide)
    model.add_head_count(4)
    model.add_head_count_kv(4)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_vocab_size(rows)
    model.add_rope_dimension_count(width // 4)
    model.add_tokenizer_model("gpt2")
    model.add_tokenizer_pre("gpt-2")
    model.add_token_list(tokens)
    control = set(tokenizer.all_special_tokens) | {"<system>", "<user>", "<assistant>"}
    model.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t in tokens])
    model.add_token_merges(["a b"])
    model.add_bos_token_id(tokenizer.bos_token_id)
    model.add_eos_token_id(tokenizer.eos_token_id)
    model.add_add_bos_token(False)
    model.add_chat_template(_TURNS.format(image=""))
    add(model, "token_embd.weight", rows, width)
    add(model, "output.weight", rows, width)
    add(model, "output_norm.weight", width, ones=True)
    for block in (f"blk.{n}" for n in range(2)):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(model, f"{block}.{name}.weight", width, width)
        for name in ("ffn_gate", "ffn_up"):
            add(model, f"{block}.{name}.weight", wide, width)
        add(model, f"{block}.ffn_down.weight", width, wide)
        for name in ("attn_norm", "ffn_norm"):
            add(model, f"{block}.{name}.weight", width, ones=True)
    _close(model)

    seen, fed = _VISION["hidden_size"], _VISION["intermediate_size"]
    sight = gguf.GGUFWriter(folder / "mmproj.gguf", "clip")
    sight.add_bool("clip.has_vision_encoder", True)
    sight.add_string("clip.projector_type", "mlp")
    sight.add_bool("clip.use_gelu", False)
    for name, value in {
        "image_size": 28,
        "patch_size": 7,
        "embedding_length": seen,
        "feed_forward_length": fed,
        "projection_dim": width,
        "block_count": 2,
        "attention.head_count": 2,
    }.items():
        sight.add_uint32(f"clip.vision.{name}", value)
    sight.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    sight.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    sight.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    add(sight, "v.class_embd", seen)
    add(sight, "v.patch_embd.weight", seen, 3, 7, 7)
    add(sight, "v.position_embd.weight", 17, seen)
    for name in ("v.pre_ln", *(f"v.blk.{n}.{ln}" for n in range(2) for ln in ("ln1", "ln2"))):
        add(sight, f"{name}.weight", seen, ones=True)
        add(sight, f"{name}.bias", seen)
    for block in (f"v.blk.{n}" for n in range(2)):
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            add(sight, f"{block}.{name}.weight", seen, seen)
            add(sight, f"{block}.{name}.bias", seen)
        for name, (out, into) in {"ffn_up": (fed, seen), "ffn_down": (seen, fed)}.items():
            add(sight, f"{block}.{name}.weight", out, into)
            add(sight, f"{block}.{name}.bias", out)
    for name, into in {"mm.0": seen, "mm.2": width}.items():
        add(sight, f"{name}.weight", width, into)
        add(sight, f"{name}.bias", width)
    _close(sight)
    return folder / "model.gguf", folder / "mmproj.gguf"


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

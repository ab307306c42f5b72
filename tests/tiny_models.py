"""Models of real classes, so small that a test trains them in a second; made on the spot, with random weights."""

from __future__ import annotations

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


def sentence_model(folder: Path, texts: Iterable[str], dropout: float = 0.1) -> Path:
    """A sentence-transformers folder: BERT of two layers and 32 dimensions, mean pooling."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = word_tokenizer(texts, special.values())
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special).save_pretrained(folder / "bert")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        pad_token_id=0,
    )
    BertModel(config).save_pretrained(folder / "bert")
    body = Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[body, Pooling(32)], device="cpu").save_pretrained(str(folder / "model"))
    return folder / "model"


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

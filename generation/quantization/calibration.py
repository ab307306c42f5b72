"""Batches to quantize by: windows of a text, or pairs of a picture and its caption. Knows nothing of libraries."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from octavo.generation.quantization.families import QuantizationError
from octavo.generation.quantization.tokens import IGNORED

WINDOWS, LENGTH = 16, 512  # sequences of a text, and their tokens
PAIRS = 128  # of picture and caption, as in MBQ
_CHARACTERS = 8 * LENGTH  # more than LENGTH tokens in most languages; what is left over is not used
_ASK = "Describe the picture."


def windows(tokenizer: Any, text: str, seed: int, count: int = WINDOWS) -> list[dict[str, Tensor]]:
    """Up to `count` batches, each of one window of up to LENGTH tokens, drawn by `seed` from all over the text.

    No two overlap; each begins as the tokenizer begins a text. Raises QuantizationError for an empty text.
    """
    slots = range(max(1, len(text) // _CHARACTERS))
    batches = []
    for slot in random.Random(seed).sample(slots, min(count, len(slots))):  # noqa: S311 - a choice, not a secret
        piece = text[slot * _CHARACTERS : (slot + 1) * _CHARACTERS].strip()
        ids = tokenizer(piece, return_tensors="pt", truncation=True, max_length=LENGTH)["input_ids"]
        if ids.shape[1] > 1:
            batches.append({"input_ids": ids})
    if not batches:
        raise QuantizationError("the calibration text is empty: give some pages of what the model is to read")
    return batches


def captioned(processor: Any, pairs: Iterable[tuple[bytes, str]]) -> list[dict[str, Tensor]]:
    """A batch for each picture (PNG, JPEG) and its caption, which is the answer.

    `labels` are the caption's tokens and what ends it, and -100 elsewhere.
    """
    return [_pair(processor, *pair) for pair in pairs]


def _pair(processor: Any, picture: bytes, caption: str) -> dict[str, Tensor]:
    with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG")) as image:
        content = [{"type": "image", "image": image.convert("RGB")}, {"type": "text", "text": _ASK}]
    asked = [{"role": "user", "content": content}]
    answered = [*asked, {"role": "assistant", "content": [{"type": "text", "text": caption}]}]
    kwargs = {"tokenize": True, "return_dict": True, "return_tensors": "pt"}
    prompt = processor.apply_chat_template(asked, add_generation_prompt=True, **kwargs)["input_ids"][0]
    inputs = dict(processor.apply_chat_template(answered, **kwargs))
    ids = inputs["input_ids"]
    shared = min(len(prompt), ids.shape[1])
    same = (prompt[:shared] == ids[0, :shared]).int().cumprod(0).sum()
    inputs["labels"] = ids.masked_fill(torch.arange(ids.shape[1]) < same, IGNORED)
    return inputs

"""Batches to quantize by: windows of a text, or pairs of a picture and its caption. Knows nothing of libraries."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from typing import Any

import torch
from langchain_core.messages import AIMessage, HumanMessage
from torch import Tensor

from octavo.generation.conversation import turns
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

    `labels` are the caption's tokens and what ends it, and -100 elsewhere. Pictures are scaled as those of a chat are.
    Raises QuantizationError for a model without a chat template.
    """
    template = processor.chat_template or processor.tokenizer.chat_template
    if template is None:
        raise QuantizationError("the model has no chat template, which pictures and captions are put to it by")
    return [_pair(processor, template, *pair) for pair in pairs]


def _pair(processor: Any, template: Any, picture: bytes, caption: str) -> dict[str, Tensor]:
    block = {"type": "image", "base64": base64.b64encode(picture).decode(), "mime_type": "image/png"}
    asked = HumanMessage([block, {"type": "text", "text": _ASK}])
    said, [shown] = turns([asked, AIMessage(caption)])
    said[0]["content"][0]["image"] = shown
    kwargs = {"chat_template": template, "tokenize": True, "return_dict": True, "return_tensors": "pt"}
    prompt = processor.apply_chat_template(said[:1], add_generation_prompt=True, **kwargs)["input_ids"][0]
    inputs = dict(processor.apply_chat_template(said, **kwargs))
    ids = inputs["input_ids"]
    shared = min(len(prompt), ids.shape[1])
    same = (prompt[:shared] == ids[0, :shared]).int().cumprod(0).sum()
    inputs["labels"] = ids.masked_fill(torch.arange(ids.shape[1]) < same, IGNORED)
    return inputs

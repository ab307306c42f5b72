"""The kinds of a batch's tokens: padding, vision, answer. Knows nothing of what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

IGNORED = -100  # a label that the language loss leaves out


class Tokens(NamedTuple):
    """Which tokens (batch, tokens), bool, are real ones, which of these are vision, and which are the answer."""

    real: Tensor
    vision: Tensor
    answer: Tensor

    @property
    def counted(self) -> Tensor:
        """Those whose error is to be small: vision and the answer where there is an answer, else all real ones."""
        return self.vision | self.answer if self.answer.any() else self.real


def tokens(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Tokens:
    """The kinds of a batch's tokens. Without `labels` none is the answer; without pictures none is vision."""
    ids: Tensor = inputs["input_ids"]
    none = torch.zeros_like(ids, dtype=torch.bool)
    mask, labels = inputs.get("attention_mask"), inputs.get("labels")
    image = getattr(model.config, "image_token_id", None)
    return Tokens(
        ~none if mask is None else mask.bool(),
        none if image is None else ids == image,
        none if labels is None else labels != IGNORED,
    )

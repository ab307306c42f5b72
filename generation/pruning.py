"""Fewer visual tokens between a vision-language model's projector and its decoder. Knows nothing of documents.

DivPrune (Alvar et al., CVPR 2025, arXiv:2503.02175) keeps those m of a picture's n tokens that are most unlike each
other. What is kept stays as it was, in its order, with its position ids and under its mask: the decoder computes what
it would with the other tokens masked out in every layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from octavo.kernels import max_min_select

METHODS: dict[str, Callable[[Tensor, int], Tensor]] = {"divprune": max_min_select}
PICTURES = ("pixel_values", "image_grid_thw", "image_sizes")


class PruningError(ValueError):
    """A ratio, a method or a model that visual tokens cannot be pruned with."""


def prune_visual_tokens(features: Tensor, ratio: float, method: str = "divprune") -> Tensor:
    """Which tokens of one picture to keep.

    Args:
        features: (n, d) the picture's tokens after the projector, any floating dtype.
        ratio: the share to keep, above 0 and at most 1; the paper's default is 0.098.
        method: "divprune": first the token whose nearest neighbour is farthest, then always the one whose least
            distance to the chosen ones is greatest, by 1 - cosine (the paper's greedy answer to max-min diversity).

    Returns:
        (m,) int64 indices in rising order, m = round(ratio * n), at least 1.

    Raises:
        PruningError: the ratio is out of range, or the method is not known.
    """
    _check(ratio)
    if method not in METHODS:
        raise PruningError(f"no pruning method {method!r}; there is {', '.join(METHODS)}")
    if ratio == 1:
        return torch.arange(len(features), device=features.device)
    return METHODS[method](features, max(1, round(ratio * len(features)))).sort().values


def pruned_inputs(model: Any, inputs: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    """A prompt with the visual tokens of each of its pictures thinned out.

    The vision tower runs here. Text keeps its positions, and tokens generated afterwards get those that they would have
    had; sliding windows, where a decoder has them, count the tokens that are left.

    Args:
        model: a transformers model of an architecture in `POSITIONS`; its decoder may be quantized.
        inputs: what the model's processor gives for B prompts of up to S tokens, padded on the left: input_ids and
            attention_mask (B, S), pixel_values, and what the processor adds (image_grid_thw, token types).
        ratio: the share of each picture's tokens to keep, above 0 and at most 1.

    Returns:
        Keyword arguments for `model.generate`. Prompts are of S' tokens, padded on the left where rows keep different
        numbers of tokens. With ratio 1, or without pictures, `inputs` as they are.

    Raises:
        PruningError: the ratio is out of range, or the model's architecture is not known.
    """
    _check(ratio)
    if ratio == 1 or inputs.get("pixel_values") is None:
        return dict(inputs)
    return _thinned(model, inputs, ratio)


@torch.no_grad()
def _thinned(model: Any, inputs: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    architecture = model.config.model_type
    if architecture not in POSITIONS:
        known = ", ".join(POSITIONS)
        raise PruningError(f"visual tokens cannot be pruned in a {architecture} model, only in one of {known}")
    kwargs = dict(inputs)
    pictures = {name: kwargs.pop(name) for name in PICTURES if name in kwargs}
    seen = model.base_model.get_image_features(**pictures, return_dict=True)
    kept = [prune_visual_tokens(features, ratio) for features in seen.pooler_output]
    kwargs["mm_encoder_outputs"] = {"image": _taken(seen, kept)}

    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    stays = mask != 0
    stays[ids == model.config.image_token_id] = torch.cat(
        [torch.isin(torch.arange(len(n), device=m.device), m) for n, m in zip(seen.pooler_output, kept, strict=True)]
    )
    # What goes, then what stays, each in its order: the last columns are the row, and what is left of it is padding.
    columns = stays.int().argsort(dim=1, stable=True)[:, -int(stays.sum(1).max()) :]
    stays = stays.gather(1, columns)

    def thin(values: Tensor, padding: int = 0) -> Tensor:
        return values.gather(-1, columns.expand(*values.shape[:-1], -1)).masked_fill(~stays, padding)

    kwargs |= {name: thin(inputs[name]) for name in ("token_type_ids", "mm_token_type_ids") if name in inputs}
    kwargs["input_ids"] = thin(ids, model.config.get_text_config().pad_token_id or 0)
    kwargs["attention_mask"] = stays.to(mask.dtype)
    positions = thin(POSITIONS[architecture](model, inputs))
    if positions.ndim == 3:  # a fourth row above M-RoPE's three, by which transformers makes masks
        positions = torch.cat([_one_row(model, kwargs)[None], positions])
    # Without a cache transformers takes a gap in the positions for the beginning of another text.
    return kwargs | {"position_ids": positions, "use_cache": True}


def _check(ratio: float) -> None:
    if not 0 < ratio <= 1:
        raise PruningError(f"the share of visual tokens to keep must be above 0 and at most 1, not {ratio}")


def _taken(seen: Any, kept: list[Tensor]) -> Any:
    """What the vision tower gave, with the kept tokens alone; in the form, a tensor or a list, that the model reads."""

    def take(pictures: Any) -> Any:
        taken = [features[indices] for features, indices in zip(pictures, kept, strict=True)]
        return torch.stack(taken) if isinstance(pictures, Tensor) else taken

    layers = getattr(seen, "deepstack_features", None)  # Qwen3-VL adds more features of each token in its first layers
    more = {} if layers is None else {"deepstack_features": [take(layer) for layer in layers]}
    return type(seen)(pooler_output=take(seen.pooler_output), **more)


def _one_row(model: Any, inputs: Mapping[str, Any]) -> Tensor:
    """(B, S) positions of tokens in a row, counted from 0 after the padding."""
    mask: Tensor = inputs["attention_mask"]
    return (mask.long().cumsum(-1) - 1).masked_fill(mask == 0, 0)


def _three_rows(model: Any, inputs: Mapping[str, Any]) -> Tensor:
    """(3, B, S) M-RoPE's positions: time, height and width."""
    grids = {name: inputs[name] for name in ("attention_mask", "mm_token_type_ids", "image_grid_thw")}
    positions: Tensor = model.base_model.get_rope_index(inputs["input_ids"], **grids)[0]
    return positions


POSITIONS: dict[str, Callable[[Any, Mapping[str, Any]], Tensor]] = {
    "llava": _one_row,
    "gemma3": _one_row,
    "qwen2_vl": _three_rows,
    "qwen2_5_vl": _three_rows,
    "qwen3_vl": _three_rows,
}

"""What goes into a decoder's layers, and what they send on, without ever running more than one of them.

Knows nothing of quantization. Written against transformers' decoders, whose layers take the hidden states first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from octavo.generation.quantization.tokens import Tokens

Called: TypeAlias = list[tuple[Tensor, dict[str, Any]]]
"""The calls of a module: the input (batch, tokens, in), and the other arguments."""


@dataclass
class Sample:
    """One batch on its way through the layers.

    `hidden` (batch, tokens, width) is what the next layer reads; `kwargs` are each layer's other arguments.
    """

    hidden: Tensor
    kwargs: list[dict[str, Any]]
    tokens: Tokens


class _Passing(nn.Module):
    """Stands in a layer's place, remembers its call, and lets the hidden states pass."""

    def __init__(self, calls: Called) -> None:
        super().__init__()
        self.calls = calls

    def forward(self, hidden_states: Tensor, **kwargs: Any) -> Tensor:
        self.calls.append((hidden_states, kwargs))
        return hidden_states


@torch.no_grad()
def enter(
    model: PreTrainedModel, layers: nn.ModuleList, inputs: Mapping[str, Any]
) -> tuple[Tensor, list[dict[str, Any]]]:
    """The first layer's hidden states (batch, tokens, width), and each layer's other arguments.

    The vision tower runs, the layers and the head do not.
    """
    calls: Called = []
    real = list(layers)
    try:
        for index in range(len(layers)):
            layers[index] = _Passing(calls)
        model.base_model(**{key: value for key, value in inputs.items() if key != "labels"}, use_cache=False)
    finally:
        for index, layer in enumerate(real):
            layers[index] = layer
    return calls[0][0], [kwargs for _, kwargs in calls]


@contextmanager
def recorded(modules: Mapping[str, nn.Module]) -> Iterator[dict[str, Called]]:
    """The calls of each of the named modules while this lasts."""
    calls: dict[str, Called] = {name: [] for name in modules}

    def record(name: str) -> Any:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            rest = dict(kwargs)
            calls[name].append((args[0] if args else rest.pop("hidden_states"), rest))

        return hook

    handles = [module.register_forward_pre_hook(record(name), with_kwargs=True) for name, module in modules.items()]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def first(output: Any) -> Tensor:
    """The hidden states that a layer or a block gives, alone or before other things."""
    result: Tensor = output[0] if isinstance(output, tuple) else output
    return result

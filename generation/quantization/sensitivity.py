"""How much the language loss depends on vision tokens and on language tokens, block by block.

Li et al., "MBQ: Modality-Balanced Quantization for Large Vision-Language Models", CVPR 2025 (arXiv:2412.19509).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from octavo.generation.quantization.capture import first
from octavo.generation.quantization.families import BLOCKS, QuantizationError
from octavo.generation.quantization.tokens import tokens


class Sensitivities:
    """Sums up, over batches, the mean absolute gradient at the output of each layer's attention and MLP."""

    def __init__(self, model: PreTrainedModel, layers: nn.ModuleList) -> None:
        self._model, self._layers = model, layers
        self._sums = {block: torch.zeros(len(layers), 2, dtype=torch.float64) for block in BLOCKS}
        self._counts = torch.zeros(2, dtype=torch.float64)

    def add(self, inputs: Mapping[str, Any]) -> None:
        """Runs a batch with pictures and `labels` forwards and backwards. Raises QuantizationError without them."""
        kinds = tokens(self._model, inputs)
        if not (kinds.vision.any() and kinds.answer.any()):
            raise QuantizationError("MBQ weighs vision against language: each batch needs pictures and labels")
        masks = torch.stack((kinds.vision, kinds.answer))
        self._counts += masks.sum((1, 2)).cpu()
        handles = [
            layer.get_submodule(block).register_forward_hook(self._watch(block, index, masks))
            for index, layer in enumerate(self._layers)
            for block in BLOCKS
        ]
        try:
            with torch.enable_grad():
                self._model(**inputs, use_cache=False).loss.backward()
        finally:
            for handle in handles:
                handle.remove()

    def _watch(self, block: str, index: int, masks: Tensor) -> Any:
        def on_gradient(gradient: Tensor) -> None:
            by_token = gradient.float().abs().mean(-1)
            self._sums[block][index] += (masks * by_token).double().sum((1, 2)).cpu()

        def on_output(_: nn.Module, args: Any, output: Any) -> None:
            hidden = first(output)
            if not hidden.requires_grad:  # the first block: the weights ask for no gradient
                hidden.requires_grad_()
            hidden.register_hook(on_gradient)  # type: ignore[no-untyped-call]

        return on_output

    def means(self) -> dict[str, Tensor]:
        """For each block, float64 (layers, 2): the mean absolute gradient over vision and over answer tokens."""
        return {block: sums / self._counts for block, sums in self._sums.items()}

    def ratios(self) -> list[dict[str, float]]:
        """For each layer and block r = vision / language, not below the median of the block's r over the layers.

        Raises QuantizationError where an r is no number, as without a gradient at the answer.
        """
        found = {block: (means[:, 0] / means[:, 1]).tolist() for block, means in self.means().items()}
        if not all(isfinite(value) for values in found.values() for value in values):
            raise QuantizationError(
                "MBQ finds no gradient at the answers, or an infinite one: use awq, or other captions"
            )
        floors = {block: median(values) for block, values in found.items()}
        return [
            {block: max(values[index], floors[block]) for block, values in found.items()}
            for index in range(len(self._layers))
        ]

"""Folders of quantized models: 4 bits as AWQ's GEMM layout, which transformers and vLLM read, 3 bits as our own.

`config.json`, tokenizer or processor, and safetensors, as transformers writes them; in each quantized linear's place
`qweight`, `qzeros` and `scales` as `QuantizedLinear` has them (and `bias`). Knows nothing of how they were found.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, PreTrainedModel
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.base import HfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module
from transformers.utils.quantization_config import QuantizationConfigMixin

from octavo.generation.quantization.families import QuantizationError, not_converted
from octavo.generation.quantization.linear import QuantizedLinear

_OURS = "octavo"
_LAYOUTS = {4: ("awq", "gemm"), 3: (_OURS, "planes")}  # quant_method and version, by bits


def claim(folder: Path) -> None:
    """Raises QuantizationError where a model cannot be written to `folder`, for want of an empty place."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise QuantizationError(f"{folder}: there is something already; name another folder for the model")
    above = next(parent for parent in folder.resolve().parents if parent.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise QuantizationError(f"{folder}: no folder can be made in {above}; name another for the model")


def save(model: PreTrainedModel, processor: Any, folder: Path) -> None:
    """Writes a model that `quantize` gave, with its tokenizer or processor, so that the folder appears as a whole.

    Raises QuantizationError where the folder is there and not empty.
    """
    claim(folder)
    one = next(module for module in model.modules() if isinstance(module, QuantizedLinear))
    method, version = _LAYOUTS[one.bits]
    model.config.quantization_config = {
        "quant_method": method,
        "bits": one.bits,
        "group_size": one.group,
        "zero_point": True,
        "version": version,
        "modules_to_not_convert": not_converted(model),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        staging.chmod(0o755)
        model.save_pretrained(staging)
        processor.save_pretrained(staging)
        if images := getattr(processor, "image_processor", None):
            # In a file of its own too: where torchvision is, Qwen-VL's part for videos is made from that.
            images.save_pretrained(staging)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def load_quantized(folder: Path, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    """The model that `save` wrote, or another program in AWQ's GEMM layout, in evaluation mode.

    `dtype` is that of what is not quantized, and of what the model computes in; the quantized weights are bit for bit
    those that were saved. Raises QuantizationError for another layout, or where weights are missing.
    """
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    layout: Mapping[str, Any] = getattr(config, "quantization_config", None) or {}
    if (layout.get("quant_method"), layout.get("version", "gemm")) != _LAYOUTS.get(layout.get("bits", 0)):
        raise QuantizationError(f"{folder}: weights neither in AWQ's GEMM layout of 4 bits nor in ours of 3")
    config.quantization_config = dict(layout) | {"quant_method": _OURS}
    seeing = type(config) in AutoModelForImageTextToText._model_mapping
    kind: Any = AutoModelForImageTextToText if seeing else AutoModelForCausalLM
    model, found = kind.from_pretrained(
        folder, config=config, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    if wrong := sorted({*map(str, found["missing_keys"]), *map(str, found["mismatched_keys"])}):
        raise QuantizationError(f"{folder}: {len(wrong)} weights are missing or misshapen, such as {wrong[0]}")
    model.config.quantization_config = dict(layout)
    loaded: PreTrainedModel = model.eval().to(device)
    return loaded


@register_quantization_config(_OURS)
class _Layout(QuantizationConfigMixin):
    """What `config.json` says of the weights."""

    def __init__(
        self, bits: int, group_size: Any = None, modules_to_not_convert: list[str] | None = None, **rest: Any
    ) -> None:
        if not isinstance(group_size, int) or group_size < 1:
            raise QuantizationError(f"config.json has a group_size of {group_size}: groups of 1 and more can be read")
        self.quant_method = _OURS  # type: ignore[assignment]
        self.bits, self.group_size, self.rest = bits, group_size, rest
        self.modules_to_not_convert = modules_to_not_convert or []


@register_quantizer(_OURS)
class _Loader(HfQuantizer):
    """Has transformers load quantized linears where the file has them."""

    quantization_config: _Layout

    def _process_model_before_weight_loading(self, model: PreTrainedModel, **_: Any) -> None:
        layout = self.quantization_config
        skipped = [*not_converted(model), *layout.modules_to_not_convert]
        for name, module in list(model.named_modules()):
            if isinstance(module, nn.Linear) and should_convert_module(name, skipped):
                quantized = QuantizedLinear(
                    *(module.in_features, module.out_features, layout.bits, layout.group_size),
                    bias=module.bias is not None,
                    device=module.weight.device,
                    dtype=module.weight.dtype,
                )
                model.set_submodule(name, quantized)

    def is_serializable(self) -> bool:
        return True

    @property
    def is_trainable(self) -> bool:
        return False

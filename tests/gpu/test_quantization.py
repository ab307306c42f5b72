"""A model that was quantized on a device computes there what its dequantized weights compute in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from octavo.generation import quantize
from octavo.generation.quantization.linear import QuantizedLinear
from tests.quantization.models import logits, seeing_batch, seeing_model


@pytest.mark.parametrize("method", ["rtn", "awq", "mbq"])
@pytest.mark.parametrize("bits", [3, 4])
def test_a_quantized_model_computes_what_its_weights_say(device: str, method: Any, bits: int) -> None:
    batch = seeing_batch("qwen2_5_vl", prompt=3)
    model = quantize(seeing_model("qwen2_5_vl").to(device), method, bits, 64, [batch])
    assert {tensor.device.type for tensor in model.state_dict().values()} == {device}
    found = logits(model, {name: value.to(device) for name, value in batch.items()})

    for name, module in list(model.named_modules()):
        if isinstance(module, QuantizedLinear):
            plain = nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
            plain.weight.data = module.dequantize()
            plain.bias = module.bias
            model.set_submodule(name, plain)
    floats = {name: value.double() if value.is_floating_point() else value for name, value in batch.items()}
    expected = logits(model.cpu().double(), floats)
    torch.testing.assert_close(found.cpu().double(), expected, rtol=1e-2, atol=1e-2 * float(expected.abs().max()))

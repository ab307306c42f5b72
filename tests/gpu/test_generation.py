"""A small model of a real class writes on every device, greedily in float32, the tokens that its logits ask for."""

from __future__ import annotations

from pathlib import Path

import torch

from octavo.generation.weights import load
from octavo.kernels.device import resolve_device
from tests.tiny_models import chat_model

TEXTS = ["what were total net sales in the third quarter", "they rose by five percent"]


def test_greedy_tokens_are_those_of_the_largest_logits(device: str, tmp_path: Path) -> None:
    folder = chat_model(tmp_path, TEXTS)
    reference = load(str(folder), torch.device("cpu"), torch.float64)
    tokens = reference.processor(TEXTS[0], return_tensors="pt")["input_ids"]
    expected = tokens
    for _ in range(12):  # without a cache, from the whole text each time
        with torch.no_grad():
            logits = reference.model(input_ids=expected).logits
        expected = torch.cat([expected, logits[:, -1:].argmax(-1)], dim=1)

    loaded = load(str(folder), resolve_device(device), torch.float32)
    assert loaded.model.device.type == device
    written = loaded.model.generate(
        input_ids=tokens.to(loaded.model.device), do_sample=False, max_new_tokens=12, min_new_tokens=12, pad_token_id=0
    )
    assert written.cpu().tolist() == expected.tolist()

"""The visual tokens that are kept are the same on every device."""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from octavo.generation import prune_visual_tokens


def test_the_tokens_kept_are_those_that_are_picked_in_float64(device: str) -> None:
    features = torch.randn(300, 64, generator=torch.Generator().manual_seed(0))
    unit = normalize(features.double(), dim=1)
    distances = (1 - unit @ unit.T).fill_diagonal_(torch.inf)
    kept = [int(distances.amin(1).argmax())]
    distances.fill_diagonal_(0)
    while len(kept) < 30:
        kept.append(int(distances[kept].amin(0).argmax()))
    found = prune_visual_tokens(features.to(device), 0.1)
    assert found.device.type == device
    assert found.tolist() == sorted(kept)

"""Each test here runs on the CPU too, so that it is known to be right; on a GPU it has the mark `gpu`."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """A device's name."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip(f"needs an NVIDIA GPU and a torch built for CUDA; this one is {torch.__version__}")
    return request.param

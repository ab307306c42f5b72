"""Where the kernels run: on the CPU, and with the marker `gpu` on CUDA."""

from __future__ import annotations

import pytest
import torch

HAS_CUDA = torch.cuda.is_available()


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not HAS_CUDA, reason="no GPU")])]
)
def device(request: pytest.FixtureRequest) -> str:
    return request.param

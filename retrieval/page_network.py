"""The page encoder's network: the pixels of a page, or of a part of it, to one vector in a text embedder's space.

Knows nothing of libraries or training. Convolutions alone, at one scale whatever is shown, and a mean over all places:
so what it learns from a paragraph it also sees in a page, and a picture may have any size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from octavo.kernels.device import has_bfloat16
from octavo.retrieval.visual import PAGE_ENCODER

_LEAST = 8  # pixels of a side, as the first convolution needs
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class PageConfig:
    """What a page encoder is: `texts` names the embedder in whose space its vectors of `dimensions` lie.

    Pictures are read at `dpi`; `widths` are the channels at strides 4, 8 and 16, with `blocks` residual blocks at
    each of the last two.
    """

    texts: str
    dimensions: int
    dpi: int = 48
    widths: tuple[int, int, int] = (64, 128, 256)
    blocks: int = 1


class PageNetwork(nn.Module):
    """Maps ink, float of shape (n, 1, height, width), 0 white to 1 black, to unit vectors (n, dimensions)."""

    def __init__(self, config: PageConfig) -> None:
        super().__init__()
        self.config = config
        low, middle, high = config.widths
        self.body = nn.Sequential(
            nn.Conv2d(1, low, 8, stride=4, padding=2),
            _Halve(low, middle),
            *(_Block(middle) for _ in range(config.blocks)),
            _Halve(middle, high),
            *(_Block(high) for _ in range(config.blocks)),
            _Norm(high),
            nn.Conv2d(high, 2 * high, 1),
            nn.GELU(),
        )
        self.head = nn.Linear(2 * high, config.dimensions)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, ink: Tensor, sizes: Tensor | None = None) -> Tensor:
        """`sizes`, int (n, 2): the height and width of each picture in a batch padded with white; None: not padded."""
        seen = self.body(ink.to(memory_format=torch.channels_last))
        if sizes is None:
            mean = seen.mean((2, 3))
        else:
            places = (sizes // 4 + 3) // 4
            rows = torch.arange(seen.shape[2], device=seen.device) < places[:, :1]
            columns = torch.arange(seen.shape[3], device=seen.device) < places[:, 1:]
            shown = (rows[:, None, :, None] & columns[:, None, None, :]).to(seen.dtype)
            mean = (seen * shown).sum((2, 3)) / places.prod(1, keepdim=True)
        return F.normalize(self.head(mean).float(), dim=1)

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors, in float32."""
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / _WEIGHTS)
        text = json.dumps({"kind": PAGE_ENCODER, **asdict(self.config)}, indent=1)
        (folder / _CONFIG).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> PageNetwork:
        """What `save` wrote. Raises OSError, KeyError, TypeError, ValueError, RuntimeError and SafetensorError."""
        fields = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        if fields.pop("kind", None) != PAGE_ENCODER:
            raise ValueError(f"its {_CONFIG} is of another kind of model")
        network = cls(PageConfig(**fields | {"widths": tuple(fields["widths"])}))
        network.load_state_dict(load_file(folder / _WEIGHTS))
        return network.eval()


class _Norm(nn.LayerNorm):
    """Over the channels of each place by itself: what stands elsewhere, or beside it in the batch, changes nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Halve(nn.Sequential):
    """Half the height and width, with other channels."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(_Norm(channels), nn.Conv2d(channels, out, 3, stride=2, padding=1))


class _Block(nn.Sequential):
    """A residual block of two convolutions, normalised before (He et al., ECCV 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            _Norm(channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return x + changed


def pixels(picture: Image.Image, drawn: int, dpi: int) -> NDArray[np.uint8]:
    """A picture drawn at `drawn` dpi as the network reads it: grey, uint8 (height, width), at `dpi`."""
    size = [max(_LEAST, round(side * dpi / drawn)) for side in picture.size]
    return np.asarray(picture.convert("L").resize((size[0], size[1]), Image.Resampling.BOX))


def ink(grey: NDArray[np.uint8]) -> Tensor:
    """Grey pictures (n, height, width) as the network's input, float32 (n, 1, height, width)."""
    return torch.from_numpy(255 - grey)[:, None].float() / 255


def encode(network: PageNetwork, greys: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Unit vectors, float32 (n, dimensions), of grey pictures as `pixels` gives them, each read by itself."""
    device = next(network.parameters()).device
    with torch.inference_mode(), mixed(device):
        vectors = [network(ink(grey[None]).to(device))[0].cpu().numpy() for grey in greys]
    return np.asarray(vectors, np.float32).reshape(len(vectors), network.config.dimensions)


def mixed(device: torch.device) -> torch.autocast:
    """Convolutions in bfloat16 where that is faster: on a GPU, and on a processor that multiplies it itself."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" or has_bfloat16())

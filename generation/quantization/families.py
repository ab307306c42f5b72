"""Which linears of a decoder are quantized, which of them read the same input, and where its scales fold to.

Tables, one row for each kind of decoder and of model. Knows nothing of how anything is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

Method = Literal["rtn", "awq", "mbq"]


class QuantizationError(RuntimeError):
    """A model, or a wish for one, that cannot be quantized; the message is one line that says what to do."""


BLOCKS = ("self_attn", "mlp")  # of a decoder layer


@dataclass(frozen=True)
class Group:
    """Linears that read the same input. Names are those within a decoder layer."""

    linears: tuple[str, ...]
    before: str  # the norm or the linear that makes the input, channel by channel
    block: str  # whose output tells a good scale from a bad one
    part: str  # which of BLOCKS that output is, or is a part of


@dataclass(frozen=True)
class Decoder:
    """A kind of decoder layer. A norm multiplies by its weight plus `norm_offset`."""

    norm_offset: float = 0.0
    mlp_norm: str = "post_attention_layernorm"

    @property
    def groups(self) -> tuple[Group, ...]:
        q, k, v, o = (f"self_attn.{name}_proj" for name in "qkvo")
        gate, up, down = (f"mlp.{name}_proj" for name in ("gate", "up", "down"))
        attention, mlp = BLOCKS
        return (
            Group((q, k, v), "input_layernorm", attention, attention),
            Group((o,), v, o, attention),
            Group((gate, up), self.mlp_norm, mlp, mlp),
            Group((down,), up, down, mlp),
        )


UNCLIPPED = {"self_attn.q_proj", "self_attn.k_proj"}  # their outputs meet in a product: AWQ leaves them whole

_GEMMA = Decoder(norm_offset=1.0, mlp_norm="pre_feedforward_layernorm")
_LLAMA = Decoder()

# By the model type of the (text) configuration.
DECODERS = {
    "gemma": Decoder(norm_offset=1.0),
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen2_5_vl_text": _LLAMA,
    "qwen3": _LLAMA,
}

# Models that see, by model type: the modules in front of the decoder, which stay as they are.
VISION = {
    "gemma3": ("vision_tower", "multi_modal_projector"),
    "llava": ("vision_tower", "multi_modal_projector"),
    "qwen2_5_vl": ("visual",),
}

HEAD = "lm_head"


def sees(model: PreTrainedModel) -> bool:
    return model.config.model_type in VISION


def decoder(model: PreTrainedModel) -> Decoder:
    """The row of the model's decoder. Raises QuantizationError for an architecture that is not in the tables."""
    kind, text = model.config.model_type, model.config.get_text_config().model_type
    if text not in DECODERS or (kind != text and kind not in VISION):
        known = ", ".join(sorted(DECODERS.keys() - {"qwen2_5_vl_text"} | VISION.keys()))
        raise QuantizationError(f"cannot quantize a model of type {kind!r}: known are {known}")
    return DECODERS[text]


def layers(model: PreTrainedModel) -> nn.ModuleList:
    """The decoder's layers, from the first to the last."""
    inner: Any = model.base_model
    found: nn.ModuleList = inner.language_model.layers if sees(model) else inner.layers
    return found


def not_converted(model: PreTrainedModel) -> list[str]:
    """Names of the modules whose linears stay as they are, both as vLLM looks for them and as transformers does."""
    vision = VISION.get(model.config.model_type, ())
    return [HEAD, *vision, *(f"model.{name}" for name in vision)]


def foldable(before: nn.Module, linears: Sequence[nn.Linear]) -> bool:
    """Whether `before` makes each input channel of the linears by one channel of its own.

    With fewer heads of keys and values than of queries, one channel of v feeds several of o.
    """
    weight = cast("Tensor", before.weight)
    return weight.shape[0] == linears[0].in_features


def fold(before: nn.Module, linears: Sequence[nn.Linear], scales: Tensor, norm_offset: float) -> None:
    """Multiplies the linears' input channels by `scales` (in,) and what makes the channels by their inverse.

    The layer computes what it did.
    """
    weight = cast("Tensor", before.weight)
    if weight.ndim == 1:
        weight.data = ((weight.data.float() + norm_offset) / scales - norm_offset).to(weight.dtype)
    else:
        weight.data = (weight.data / scales[:, None]).to(weight.dtype)
        if before.bias is not None:
            before.bias.data = (cast("Tensor", before.bias).data / scales).to(weight.dtype)
    for linear in linears:
        linear.weight.data = (linear.weight.data * scales).to(linear.weight.dtype)

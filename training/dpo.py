"""Direct preference optimisation of a generator on preference pairs, through TRL and a LoRA adapter.

DPO (Rafailov et al., NeurIPS 2023, arXiv:2305.18290): with y_w preferred to y_l under prompt x, and the model before
training as the reference,

    L = -log sigmoid(beta * ((log p(y_w|x) - log ref(y_w|x)) - (log p(y_l|x) - log ref(y_l|x))))

so ln 2 at the first step. MMed-RAG's setting: LoRA, learning rate 1e-7, beta 0.1.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octavo.ingest.text import reason_of
from octavo.retrieval.embedder import ModelMissingError
from octavo.training.data import TrainingDataError, read_lines
from octavo.training.device import training_device
from octavo.training.folder import TrainingFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

_MARKER = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class DPOPlan:
    """How to tune. `rank` and `alpha` are the adapter's; `length` is in tokens, of prompt and answer together."""

    beta: float = 0.1
    learning_rate: float = 1e-7
    epochs: int = 1
    batch_size: int = 2
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    length: int = 2048
    seed: int = 0


@dataclass(frozen=True, slots=True)
class DPOReport:
    """What came of it: a line of TRL's figures for each step (`loss`, `rewards/margins`, ...)."""

    plan: Mapping[str, Any]
    pairs: int
    kinds: Mapping[str, int]
    steps: Sequence[Mapping[str, float]]


def read_pairs(file: Path) -> list[dict[str, Any]]:
    """The pairs of a file that `write_pairs` wrote, or of TRL's preference format; pictures as absolute paths.

    Raises TrainingDataError for a line that is no pair or names a picture that is not there, and OSError.
    """
    pairs = []
    for place, entry in read_lines(file):
        for key in ("prompt", "chosen", "rejected"):
            if not _is_text(entry.get(key)):
                raise TrainingDataError(f"{place}: no text or messages under {key!r}")
        if len({isinstance(entry[key], str) for key in ("prompt", "chosen", "rejected")}) > 1:
            raise TrainingDataError(f"{place}: prompt, chosen and rejected must all be texts, or all messages")
        if entry["chosen"] == entry["rejected"]:
            raise TrainingDataError(f"{place}: chosen and rejected are the same, so there is nothing to prefer")
        images = [file.parent / image for image in entry.get("images") or []]
        if outside := [image for image in images if not image.resolve().is_relative_to(file.parent.resolve())]:
            raise TrainingDataError(f"{place}: the picture {outside[0]} lies outside the folder of the pairs")
        if missing := [image for image in images if not image.is_file()]:
            raise TrainingDataError(f"{place}: no picture at {missing[0]}")
        pairs.append({**entry, "images": [str(image) for image in images]})
    return pairs


def tune(
    file: Path, model: str, out: Path, plan: DPOPlan, on_step: Callable[[int, int], None], device: str = "auto"
) -> DPOReport:
    """Tunes the model in a folder (or of a hub name) on the pairs of `file`; the whole of `octavo dpo`.

    Raises TrainingDataError, TrainingFolderError, ModelMissingError, DeviceError and OSError, before anything is
    written where it can be known.
    """
    pairs = read_pairs(file)
    network, processor = load_generator(model, any(pair["images"] for pair in pairs))
    return dpo(network, processor, pairs, out, device=device, on_step=on_step, **asdict(plan))


def load_generator(model: str, pictures: bool) -> tuple[PreTrainedModel, PreTrainedTokenizerBase | ProcessorMixin]:
    """A generator and its tokenizer, or its processor where pairs have `pictures`. Raises ModelMissingError."""
    if Path(model).is_dir():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    kind, processing = (
        (AutoModelForImageTextToText, AutoProcessor) if pictures else (AutoModelForCausalLM, AutoTokenizer)
    )
    try:
        return kind.from_pretrained(model, use_safetensors=True), processing.from_pretrained(model)
    except (OSError, ValueError, KeyError) as error:
        need = "a model that sees pictures, as these pairs need" if pictures else "a language model"
        raise ModelMissingError(f"cannot load {model!r} as {need}: {reason_of(error)}") from error


def dpo(
    model: PreTrainedModel,
    processor: PreTrainedTokenizerBase | ProcessorMixin,
    pairs: Sequence[Mapping[str, Any]],
    out: Path,
    *,
    beta: float = 0.1,
    learning_rate: float = 1e-7,
    epochs: int = 1,
    batch_size: int = 2,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    length: int = 2048,
    seed: int = 0,
    device: str = "auto",
    on_step: Callable[[int, int], None] = lambda step, steps: None,
) -> DPOReport:
    """Trains a LoRA adapter of `model` on `pairs` and writes it to the folder `out`, with `dpo.json`.

    Args:
        model: A causal language model, or one of images and text; its weights stay, the adapter's are new.
        processor: Its tokenizer, or its processor where pairs have `images`.
        pairs: Mappings with `prompt`, `chosen` and `rejected`, texts or lists of messages, and `images`, paths.
        out: Folder for the adapter; it must be new or empty.
        beta: How dear it is to leave the reference model.

    Raises:
        TrainingDataError: for no pairs, or pictures where the model reads none.
        TrainingFolderError: for a folder that is in use.
        DeviceError: for a device that is not there.
    """
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    from octavo.training.stepping import StepCallback

    on_gpu = training_device(device).type == "cuda"
    plan = DPOPlan(beta, learning_rate, epochs, batch_size, rank, alpha, dropout, length, seed)
    rows = _dataset(pairs, processor)
    folder = TrainingFolder(out, _MARKER)
    data = hashlib.sha256(json.dumps([dict(pair) for pair in pairs], sort_keys=True).encode()).hexdigest()
    folder.claim(asdict(plan) | {"data": data}, resume=not folder.finished)  # one cut off begins again
    with _quiet():
        trainer = DPOTrainer(
            model=model,
            args=DPOConfig(
                output_dir=str(folder.checkpoints),
                beta=beta,
                learning_rate=learning_rate,
                num_train_epochs=epochs,
                per_device_train_batch_size=batch_size,
                max_length=length,
                gradient_checkpointing=on_gpu,
                bf16=on_gpu,
                use_cpu=not on_gpu,
                dataloader_pin_memory=on_gpu,
                logging_steps=1,
                save_strategy="no",
                disable_tqdm=True,
                report_to="none",
                seed=seed,
                data_seed=seed,
            ),
            train_dataset=rows,
            processing_class=processor,
            peft_config=LoraConfig(
                r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
            callbacks=[StepCallback(on_step)],
        )
        trainer.remove_callback(PrinterCallback)  # it writes to stdout
        trainer.train()
    kinds = [str(pair.get("kind", "other")) for pair in pairs]
    report = DPOReport(
        asdict(plan),
        len(rows),
        {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        [dict(entry) for entry in trainer.state.log_history if "loss" in entry],
    )

    adapted: Any = trainer.model

    def write(target: Path) -> None:
        adapted.save_pretrained(str(target))
        processor.save_pretrained(str(target))
        (target / "dpo.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")

    folder.finish(write)
    return report


def _dataset(pairs: Sequence[Mapping[str, Any]], processor: Any) -> Dataset:
    """The pairs as TRL takes them: pictures opened, and plain texts where the model has no chat template."""
    from datasets import Dataset
    from PIL import Image
    from transformers import ProcessorMixin

    if not pairs:
        raise TrainingDataError("there are no preference pairs to tune on")
    pictured = [bool(pair.get("images")) for pair in pairs]
    if any(pictured) and not isinstance(processor, ProcessorMixin):
        raise TrainingDataError(f"{sum(pictured)} pairs have pictures, and this model reads none: leave them out")
    template = getattr(processor, "chat_template", None) or getattr(
        getattr(processor, "tokenizer", None), "chat_template", None
    )
    rows = []
    for pair in pairs:
        row = {key: pair[key] for key in ("prompt", "chosen", "rejected")}
        if not template and not isinstance(row["prompt"], str):
            said = {key: "\n\n".join(str(message["content"]) for message in row[key]) for key in row}
            row = {"prompt": said["prompt"] + "\nAnswer:", **{key: f" {said[key]}" for key in ("chosen", "rejected")}}
        if any(pictured):
            row["images"] = [Image.open(path).convert("RGB") for path in pair.get("images") or []]
        rows.append(row)
    return Dataset.from_list(rows)


def _is_text(value: Any) -> bool:
    """Whether this is a text, or messages with a text each."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(m, dict) and "role" in m and _is_text(m.get("content")) for m in value)
    return isinstance(value, str) and bool(value.strip())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars and warnings of the libraries below, which are for the one who wrote the call."""
    import datasets
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), datasets.are_progress_bars_disabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
        if not bars:
            datasets.enable_progress_bars()

"""Fine-tunes a sentence-transformers model on questions and the reports that answer them.

`train` is the whole of `octavo train`: reads, splits, measures, trains with early stopping, measures again, and leaves
an ordinary sentence-transformers folder with a report.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from logging import ERROR, getLogger
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from octavo.retrieval.embedder import EMBEDDED, load_model
from octavo.training.data import Split, Splits, TrainingDataError, digest, read_rows, split_by_report
from octavo.training.device import training_device
from octavo.training.folder import TrainingFolder
from octavo.training.ranking import METRICS, compare, figures, rank
from octavo.training.report import Report, write_report

if TYPE_CHECKING:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer

Loss = Literal["mw", "contrastive"]
_KEPT = 2  # checkpoints: the last and the best
_HARD = 5  # most hard negatives of one row


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. `scale` multiplies cosines; `patience` counts evaluations without a better dev `metric`.

    `evaluate_every` counts steps; None is twice an epoch. `model` is "embedded", a folder or a hub name.
    """

    model: str = EMBEDDED
    loss: Loss = "mw"
    epochs: int = 2
    batch_size: int = 32
    learning_rate: float = 2e-5
    scale: float = 20.0
    patience: int = 3
    evaluate_every: int | None = None
    metric: str = "ndcg@10"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training is: steps done of at most so many, and the latest dev figures."""

    step: int
    steps: int
    dev: dict[str, float]


def train(
    files: Sequence[Path],
    out: Path,
    plan: Plan,
    *,
    device: str = "auto",
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Trains as `plan` says on the rows of `files` and writes model and report to `out`; gives the report back.

    `out` gets the model as a whole at the end, and `checkpoints/` meanwhile; with `resume` a training that was cut off
    goes on from its last checkpoint and ends with the weights of an undisturbed one. Raises TrainingDataError,
    TrainingFolderError, ModelMissingError, DeviceError and OSError, before anything is written where it can be known.
    """
    began = perf_counter()
    getLogger("sentence_transformers").setLevel(ERROR)  # its warnings are for those who call it
    blank: list[str] = []
    rows = read_rows(files, blank.append)
    splits = split_by_report(rows, plan.seed)
    train_rows = rows_of(splits.train, plan.seed)
    batch = batch_of(splits.train, train_rows, plan.batch_size, plan.seed)
    model = load(plan.model, device)
    folder = TrainingFolder(out, "modules.json")
    folder.claim({**asdict(plan), "data": digest(rows)}, resume)
    before = {name: rank(model, split) for name, split in (("dev", splits.dev), ("test", splits.test))}
    history = [{"step": 0, "epoch": 0.0, **figures(before["dev"])}]
    best, trained = fit(model, train_rows, splits.dev, plan, batch, folder, on_progress)
    final = load(str(best), device)
    report = Report(
        plan=asdict(plan) | {"batch_size": batch},
        data=_counts(splits) | {"files": [file.name for file in files], "left_out": blank},
        figures=compare(before["test"], after := rank(final, splits.test), plan.seed),
        history=[*history, *trained],
        chosen=int(best.name.rpartition("-")[2]),
        seconds=perf_counter() - began,
    )

    def write(target: Path) -> None:
        final.save_pretrained(str(target))
        write_report(target, report, before["test"], after)

    folder.finish(write)
    return report


def fit(
    model: SentenceTransformer,
    rows: Dataset,
    dev: Split,
    plan: Plan,
    batch: int,
    folder: TrainingFolder,
    on_progress: Callable[[Progress], None],
) -> tuple[Path, list[dict[str, float]]]:
    """Trains `model`, from the folder's last checkpoint if there is one; the best checkpoint and the dev figures.

    Steps, shuffles and dropout follow from the seed and the checkpoint's generator states alone.
    """
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainerState

    from octavo.training.losses import MWLoss
    from octavo.training.watching import DevEvaluator, PlainTrainer, Watch

    steps = len(rows) // batch * plan.epochs
    every = min(plan.evaluate_every or max(1, len(rows) // batch // 2), steps)
    last = folder.last_checkpoint()
    stopping = EarlyStoppingCallback(plan.patience)
    trainer = PlainTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(folder.checkpoints),
            num_train_epochs=plan.epochs,
            per_device_train_batch_size=batch,
            batch_sampler=BatchSamplers.NO_DUPLICATES,
            dataloader_drop_last=True,  # a last batch of one row would have no negative
            learning_rate=plan.learning_rate,
            warmup_steps=0.1,
            eval_strategy="steps",
            eval_steps=every,
            save_strategy="steps",
            save_steps=every,
            save_total_limit=_KEPT,
            metric_for_best_model=plan.metric,
            greater_is_better=True,
            restore_callback_states_from_checkpoint=True,
            logging_steps=every,
            seed=plan.seed,
            data_seed=plan.seed,
            use_cpu=model.device.type == "cpu",
            dataloader_pin_memory=model.device.type == "cuda",
            disable_tqdm=True,
            report_to="none",
        ),
        train_dataset=rows,
        loss=(MWLoss if plan.loss == "mw" else MultipleNegativesRankingLoss)(model, scale=plan.scale),
        evaluator=DevEvaluator(dev),
        callbacks=[stopping, Watch(steps, on_progress)],
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    state = TrainerState.load_from_json(str(last / "trainer_state.json")) if last else trainer.state
    if last is None or not _over(state, steps, plan.patience):
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        state = trainer.state
    best = folder.checkpoints / f"checkpoint-{state.best_global_step}"
    history = [
        {"step": entry["step"], "epoch": entry["epoch"], **{name: entry[f"eval_{name}"] for name in METRICS}}
        for entry in state.log_history
        if f"eval_{METRICS[0]}" in entry
    ]
    return best, history


def load(model: str, device: str = "auto") -> SentenceTransformer:
    """A sentence-transformers model in float32, on a device to train on. Raises ModelMissingError and DeviceError."""
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    getLogger("sentence_transformers").setLevel(ERROR)
    return load_model(model, torch.float32, training_device(device))


def rows_of(split: Split, seed: int) -> Dataset:
    """A row for each right pair: anchor, positive and, if the data names wrong reports, hard negatives.

    All rows have as many hard negatives; where the data names fewer, seeded draws among the reports that are not right
    for the question make them up.
    """
    from datasets import Dataset

    draw = random.Random(seed)  # noqa: S311 - a shuffle, not a secret
    hard = min(_HARD, max((len(wrong) for wrong in split.wrong), default=0))
    rows = []
    for question, right, wrong in zip(split.questions, split.right, split.wrong, strict=True):
        for report in sorted(right):
            named = draw.sample(sorted(wrong), min(hard, len(wrong)))
            if missing := hard - len(named):
                others = sorted(set(range(len(split.reports))) - right - set(named))
                if not others:
                    raise TrainingDataError(f"every report answers the question {question[:80]!r}: it has no negative")
                named += draw.choices(others, k=missing)
            negatives = {f"negative_{n}": split.reports[at] for n, at in enumerate(named, 1)}
            rows.append({"anchor": question, "positive": split.reports[report], **negatives})
    return Dataset.from_list(rows)


def batch_of(split: Split, rows: Dataset, wanted: int, seed: int) -> int:
    """The batch size: as `wanted`, or less where so many rows are never without a text in common."""
    columns = len(rows.column_names) - 1
    least = 2 if columns == 1 else 1  # one row without a hard negative has none
    right = len(frozenset().union(*split.right))
    batch = min(wanted, len(split.questions), right if columns == 1 else len(split.reports) // columns)
    while batch > least and not _drawable(rows, batch, seed):
        batch = max(least, batch // 2)
    if batch < least:
        raise TrainingDataError(
            f"the train split has {len(split.questions)} questions about {right} reports: too few for a batch of two "
            "rows, and one has no negative; give more"
        )
    return batch


def _drawable(rows: Dataset, batch: int, seed: int) -> bool:
    """Whether an epoch has as many batches of distinct texts as its rows fill."""
    import torch
    from sentence_transformers.base.sampler import NoDuplicatesBatchSampler

    sampler = NoDuplicatesBatchSampler(rows, batch, drop_last=True, generator=torch.Generator(), seed=seed)
    return sum(1 for _ in sampler) >= len(sampler)


def _over(state: Any, steps: int, patience: int) -> bool:
    """Whether a training was stopped by its end or its patience, not by an accident."""
    stopping = state.stateful_callbacks.get("EarlyStoppingCallback", {})
    waited = stopping.get("attributes", {}).get("early_stopping_patience_counter", 0)
    return bool(state.global_step >= steps or waited >= patience)


def _counts(splits: Splits) -> dict[str, Any]:
    parts = {"train": splits.train, "dev": splits.dev, "test": splits.test}
    counts = {
        name: {"questions": len(split.questions), "reports": len(split.reports), "pairs": split.pairs}
        for name, split in parts.items()
    }
    return {**counts, "test_questions_worded_as_in_train": splits.shared_questions}

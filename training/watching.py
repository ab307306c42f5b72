"""What happens beside the steps of a training: dev figures, progress, and tidy checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from octavo.training.data import Split
from octavo.training.ranking import METRICS, figures, rank
from octavo.training.trainer import Progress


class DevEvaluator(SentenceEvaluator):
    """The figures of a split, by their names."""

    def __init__(self, split: Split) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._split = split
        self.primary_metric = "auc"

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        if output_path and not any(Path(output_path).iterdir()):
            Path(output_path).rmdir()  # made for files of an evaluator; this one has none
        return figures(rank(model, self._split))


class PlainTrainer(SentenceTransformerTrainer):
    """A trainer that writes no model card of its own: that would quote texts of the data."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        pass


class Watch(TrainerCallback):
    """Tells `on_progress` of every step, and leaves no pickle of settings in a checkpoint."""

    def __init__(self, steps: int, on_progress: Callable[[Progress], None]) -> None:
        self._steps, self._on_progress = steps, on_progress
        self._dev: dict[str, float] = {}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._on_progress(Progress(state.global_step, self._steps, self._dev))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **extra: Any) -> None:
        self._dev = {name: extra["metrics"][f"eval_{name}"] for name in METRICS}
        self._on_progress(Progress(state.global_step, self._steps, self._dev))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # It is never read, and only a pickle could hold it.
        (Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / "training_args.bin").unlink(missing_ok=True)

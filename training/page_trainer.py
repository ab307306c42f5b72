"""Teaches a page encoder: the picture of each crop is drawn to the vector of its own text, and away from the others'.

`train` is the whole of `octavo train-pages`: draws the crops, splits them by document, trains, measures on documents
that it never saw, and leaves a folder for `OCTAVO_VISUAL_EMBEDDER` with a report.
"""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.store.files import Files
from octavo.retrieval.page_network import PageConfig, PageNetwork, encode, ink, mixed
from octavo.training.data import TrainingDataError
from octavo.training.device import training_device
from octavo.training.folder import TrainingFolder, write_whole
from octavo.training.page_report import PageReport, measure, ranks, thumbnails, write_report
from octavo.training.pages import SPLITS, Crops, draw, places, split_by_document

_SCALE = 20.0  # of cosines, before the softmax
_WARM = 50  # steps to the full learning rate
_DECAY = 0.05  # of weights
_WATCHED = 400  # crops of the dev split that are ranked on the way
_PAGES = 5  # epochs in which each page comes once
_STATE, _OPTIMIZER = "trainer_state.json", "optimizer.safetensors"


@dataclass(frozen=True, slots=True)
class PagePlan:
    """How to train. `pages` is the most that are drawn from the library; `batch_size` counts crops."""

    pages: int = 2000
    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Spaces:
    """The names of two spaces of a library: that of its texts, and one that holds its pictures."""

    texts: str
    pictures: str


def train(
    catalogue: Catalogue,
    files: Files,
    spaces: Spaces,
    out: Path,
    plan: PagePlan,
    *,
    device: str = "auto",
    resume: bool = False,
    on_page: Callable[[int, int], None] = lambda done, of: None,
    on_step: Callable[[int, int], None] = lambda done, of: None,
) -> PageReport:
    """Trains as `plan` says on a library's pages and writes network and report to `out`; gives the report back.

    With `resume` a training that was cut off draws the same pages again, goes on from its last checkpoint and ends with
    the weights of an undisturbed one. Raises TrainingDataError, TrainingFolderError, DeviceError and OSError.
    """
    began = perf_counter()
    place = training_device(device)
    found, targets = places(catalogue, spaces.texts, spaces.pictures)
    split = split_by_document(sorted({crop.sha256 for crop in found}), plan.seed)
    pages = sorted({(crop.sha256, crop.page) for crop in found})
    drawn = sorted(random.Random(plan.seed).sample(pages, min(plan.pages, len(pages))))  # noqa: S311
    config = PageConfig(spaces.texts, targets.shape[1])
    on = {name: [page for page in drawn if split[page[0]] == name] for name in SPLITS}
    for name, some in on.items():
        if not some:
            raise TrainingDataError(
                f"none of {len(drawn)} pages drawn is for the {name} split: more --pages are needed"
            )
    folder = TrainingFolder(out, "config.json")
    folder.claim({**asdict(plan), **asdict(config), "data": sha256(json.dumps(drawn).encode()).hexdigest()}, resume)
    done = iter(range(1, len(drawn) + 1))
    crops = {
        name: draw(files, found, targets, some, config.dpi, lambda: on_page(next(done), len(drawn)))
        for name, some in on.items()
    }
    best, history = fit(config, crops["train"], crops["dev"], plan, folder, place, on_step)
    network = PageNetwork.load(best).to(place)
    test = crops["test"]
    report = PageReport(
        plan=asdict(plan) | asdict(config),
        data={name: {"documents": len(set(some.documents)), "crops": len(some)} for name, some in crops.items()}
        | {"pages": len(drawn)},
        figures=measure(test, encode(network, test.pictures), thumbnails(crops["train"], test), plan.seed),
        history=history,
        chosen=int(best.name.rpartition("-")[2]),
        seconds=perf_counter() - began,
    )

    def write(target: Path) -> None:
        network.cpu().save(target)
        write_report(target, report)

    folder.finish(write)
    return report


def fit(
    config: PageConfig,
    crops: Crops,
    dev: Crops,
    plan: PagePlan,
    folder: TrainingFolder,
    device: torch.device,
    on_step: Callable[[int, int], None],
) -> tuple[Path, list[dict[str, float]]]:
    """Trains a network, from the folder's last checkpoint if there is one; the best checkpoint and the dev figures.

    AdamW, a warm-up and a cosine to 0. The batches of an epoch follow from the seed and its number alone.
    """
    torch.manual_seed(plan.seed)
    network = PageNetwork(config).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=_DECAY)
    watched = dev.some(_WATCHED, plan.seed)
    history: list[dict[str, float]] = []
    if last := folder.last_checkpoint():
        network.load_state_dict(PageNetwork.load(last).state_dict())
        _load_optimizer(optimizer, last)
        history = json.loads((last / _STATE).read_text(encoding="utf-8"))["history"]
    epochs = [batches(crops, plan, epoch) for epoch in range(plan.epochs)]
    steps = sum(map(len, epochs))
    for epoch in range(len(history), plan.epochs):
        losses = []
        first = sum(map(len, epochs[:epoch]))
        for step, rows in enumerate(epochs[epoch], first):
            rate = plan.learning_rate * min(1, (step + 1) / _WARM) * (1 + math.cos(math.pi * step / steps)) / 2
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses.append(_step(network, optimizer, crops, rows, device))
            on_step(step + 1, steps)
        recall = float((ranks(encode(network, watched.pictures), watched.targets) < 10).mean())
        history.append({"step": first + len(losses), "loss": float(np.mean(losses)), "recall@10": recall})
        _save(folder, network, optimizer, history)
    return folder.checkpoints / f"checkpoint-{_best(history)}", history


def _step(
    network: PageNetwork, optimizer: torch.optim.Optimizer, crops: Crops, rows: NDArray[np.int64], device: torch.device
) -> float:
    grey, sizes = padded([crops.pictures[row] for row in rows])
    with mixed(device):
        vectors = network(ink(grey).to(device), sizes.to(device))
    loss = contrastive(vectors, torch.from_numpy(crops.targets[rows]).to(device))
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def contrastive(pictures: Tensor, texts: Tensor, scale: float = _SCALE) -> Tensor:
    """The mean over pictures and over texts of -log softmax of the own pair among the batch's, of scaled cosines.

    Both (n, dimensions), unit vectors; row i of one belongs to row i of the other. InfoNCE both ways, as in CLIP
    (Radford et al., ICML 2021, arXiv:2103.00020), here with a fixed scale and only the pictures' side learnt.
    """
    logits = scale * pictures @ texts.T
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def batches(crops: Crops, plan: PagePlan, epoch: int) -> list[NDArray[np.int64]]:
    """The rows of each batch of an epoch, in a drawn order; crops of about one height together, to pad them little.

    An epoch has every fifth page, the next ones the others: a page costs as much as ten paragraphs.
    """
    rng = np.random.default_rng((plan.seed, epoch))
    rows = np.array([n for n, kind in enumerate(crops.kinds) if kind != "page" or (n + epoch) % _PAGES == 0])
    heights = np.array([len(crops.pictures[n]) for n in rows]) * rng.uniform(0.9, 1.1, len(rows))
    size = min(plan.batch_size, len(rows))
    order = rows[np.argsort(heights)][rng.integers(len(rows) % size + 1) :]
    whole = order[: len(order) // size * size].reshape(-1, size)
    return list(rng.permutation(whole))


def padded(pictures: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], Tensor]:
    """The pictures, each with white below and to the right of it, uint8 (n, height, width), and their sizes (n, 2)."""
    sizes = np.array([picture.shape for picture in pictures])
    grey = np.full((len(pictures), *sizes.max(axis=0)), 255, np.uint8)
    for one, picture in zip(grey, pictures, strict=True):
        one[: picture.shape[0], : picture.shape[1]] = picture
    return grey, torch.from_numpy(sizes)


def _best(history: Sequence[dict[str, float]]) -> int:
    return int(max(history, key=lambda line: line["recall@10"])["step"])


def _save(
    folder: TrainingFolder, network: PageNetwork, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]
) -> None:
    """Writes a checkpoint, its state last, and removes those that are neither the last nor the best."""
    step = int(history[-1]["step"])
    checkpoint = folder.checkpoints / f"checkpoint-{step}"
    shutil.rmtree(checkpoint, ignore_errors=True)
    checkpoint.mkdir(parents=True)
    network.save(checkpoint)
    state = optimizer.state_dict()["state"]
    tensors = {f"{n} {name}": value.contiguous() for n, own in state.items() for name, value in own.items()}
    save_file(tensors, checkpoint / _OPTIMIZER)
    write_whole(checkpoint / _STATE, json.dumps({"history": history}))
    for other in folder.checkpoints.glob("checkpoint-*"):
        if other.name not in (checkpoint.name, f"checkpoint-{_best(history)}"):
            shutil.rmtree(other)


def _load_optimizer(optimizer: torch.optim.Optimizer, checkpoint: Path) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(checkpoint / _OPTIMIZER).items():
        n, _, name = key.partition(" ")
        state.setdefault(int(n), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})

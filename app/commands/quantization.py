"""The command that quantizes a language model."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from octavo.commands.options import json_option, print_json, settings_of
from octavo.ingest.text import count
from octavo.progress import steps_bar

if TYPE_CHECKING:
    from octavo.generation.weights import Loaded
    from octavo.library import Library
    from octavo.settings import Settings

_RUN = 32  # neighbouring chunks, drawn together so that most windows are of one text
_CAPTION = 600  # characters of what stands under a picture that has no caption


@click.command()
@click.argument("model")
@click.option(
    "--method",
    type=click.Choice(["rtn", "awq", "mbq"]),
    default="awq",
    show_default=True,
    help="Plain rounding to nearest; AWQ; MBQ, which is for models that see.",
)
@click.option("--bits", type=click.Choice(["3", "4"]), default="4", show_default=True)
@click.option(
    "--group",
    type=click.Choice(["64", "128"]),
    default="128",
    show_default=True,
    help="Input channels that share a scale.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True),
    metavar="TEXT_FILE|LIBRARY",
    help="What awq and mbq choose scales by: text like that to be read, or a library's.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the model.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of calibration samples.")
@json_option
@click.pass_context
def quantize(
    context: click.Context,
    model: str,
    method: Any,
    bits: str,
    group: str,
    calibration: Path | None,
    out: Path,
    seed: int,
    as_json: bool,
) -> None:
    """Make a language model's weights 4 or 3 bits wide.

    MODEL is a transformers folder, a hub name, or "embedded": a decoder of the Llama, Qwen or Gemma kind, alone or
    behind the eyes of LLaVA, Qwen2.5-VL or Gemma 3. The linears of its layers are rounded; embeddings, head and
    vision tower stay. The folder that results answers as any other does; 4 bits are in the layout that vLLM reads:

    \b
    octavo quantize embedded --calibration notes.txt --out models/gemma-4bit
    octavo ask "QUESTION" -g local --model models/gemma-4bit
    octavo quantize Qwen/Qwen2.5-VL-7B-Instruct --method mbq --calibration octavo-library --out models/qwen

    A library gives its text; to a model that sees, 128 of its pictures with their captions, which mbq cannot do
    without.
    """
    if method != "rtn" and calibration is None:
        raise click.UsageError(f"{method} needs --calibration: a text file, or a library's folder")
    if method == "mbq" and calibration and calibration.is_file():
        raise click.UsageError("mbq needs pictures with captions: give a library's folder as --calibration")
    settings = settings_of(context, calibration if calibration and calibration.is_dir() else None)
    if calibration and calibration.is_dir() and not _holds_library(calibration):
        raise click.ClickException(f"{calibration}: neither a text file nor a library; `octavo ingest` makes one")

    from octavo.generation.quantization.checkpoint import claim, save
    from octavo.generation.quantization.quantize import check
    from octavo.generation.quantization.quantize import quantize as run
    from octavo.generation.weights import load
    from octavo.kernels.device import resolve_device

    started = perf_counter()
    claim(out)
    loaded = load(model, resolve_device(settings.device))
    check(loaded.model, method, int(bits), int(group))
    batches = _batches(loaded, calibration, settings, seed) if method != "rtn" and calibration else []
    try:
        with steps_bar("quantizing", "step") as show:
            run(loaded.model, method, int(bits), int(group), batches, on_progress=show)
    except KeyboardInterrupt:
        click.echo("octavo: interrupted; nothing was written", err=True)
        sys.exit(130)
    save(loaded.model, loaded.processor, out)
    size = sum(path.stat().st_size for path in out.iterdir())
    seconds = round(perf_counter() - started, 1)
    if as_json:
        chosen = {"model": model, "method": method, "bits": int(bits), "group": int(group), "samples": len(batches)}
        print_json(chosen | {"folder": str(out), "bytes": size, "seconds": seconds})
        return
    by = f" by {count(len(batches), 'sample')}" if batches else ""
    click.echo(f"{method}, {bits} bits in groups of {group}{by}: {size / 1e6:.0f} MB, {seconds:.0f} s")
    click.echo(f"model: {out}")


def _holds_library(folder: Path) -> bool:
    return (folder / "catalogue.id").is_file() or (folder / "catalogue.sqlite").is_file()


def _batches(loaded: Loaded, calibration: Path, settings: Settings, seed: int) -> list[dict[str, Any]]:
    from octavo.generation.quantization.calibration import captioned, windows
    from octavo.library import Library

    tokenizer = loaded.processor.tokenizer if loaded.vision else loaded.processor
    if calibration.is_file():
        try:
            return windows(tokenizer, calibration.read_text(encoding="utf-8"), seed)
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{calibration}: is not a text file in UTF-8") from error
    with Library(settings=settings) as shelf:
        if loaded.vision:
            return captioned(loaded.processor, _pairs(shelf, seed))
        ids = shelf.catalogue.ready_ids(shelf.embedder.name, pictures=False)
        return windows(tokenizer, "\n\n".join(shelf.catalogue.texts(_runs(ids, seed))[1]), seed)


def _runs(ids: list[int], seed: int) -> list[int]:
    """Of a library's chunks runs of neighbours, as many as there are windows, drawn by `seed` from all over it."""
    from octavo.generation.quantization.calibration import WINDOWS

    starts = range(0, len(ids), _RUN)
    drawn = random.Random(seed).sample(starts, min(WINDOWS, len(starts)))  # noqa: S311
    return [key for start in sorted(drawn) for key in ids[start : start + _RUN]]


def _pairs(shelf: Library, seed: int) -> list[tuple[bytes, str]]:
    """Pictures of the library, drawn by seed, with their captions, or else with the beginning of what is on them."""
    from octavo.generation.quantization.calibration import PAIRS
    from octavo.ingest.embedding import chunk_png
    from octavo.ingest.model import ElementType

    ids = shelf.catalogue.ready_ids(shelf.looker.name, pictures=True)
    pairs = []
    for stored in shelf.catalogue.chunks(random.Random(seed).sample(ids, min(PAIRS, len(ids)))):  # noqa: S311
        captions = [e.text for e in stored.elements if e.type is ElementType.CAPTION]
        whole = stored.chunk.type is ElementType.PAGE
        text = "\n".join(captions) if captions and not whole else stored.chunk.text[:_CAPTION]
        if text.strip():
            pairs.append((chunk_png(shelf.files, stored), text))
    return pairs

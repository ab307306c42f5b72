"""Perplexity of the embedded model in full and quantized, on text of documents that calibration did not see.

    python benchmarks/perplexity.py --data ../shared/data --out perplexity.jsonl

Calibration is by the PDFs of some folders, evaluation on those of others, so that no company's or agency's reports
stand in both. Each line of --out holds one variant's mean negative log-likelihood for each window; the same command
goes on where it was cut off, and prints the table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pymupdf
import torch
from tqdm import tqdm

from octavo.generation import quantize
from octavo.generation.quantization.calibration import windows
from octavo.generation.weights import Loaded, load

BITS = (4, 3)
FULL = ("float", 16, 0)
DRAWS = 10_000  # of the bootstrap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the folders of PDFs")
    parser.add_argument("--out", type=Path, required=True, help="JSON Lines file for the variants")
    parser.add_argument("--model", default="embedded", help="as `octavo quantize` takes it")
    parser.add_argument("--calibrate", nargs="+", default=["ntsb", "agency"], help="folders to calibrate by")
    parser.add_argument("--evaluate", nargs="+", default=["sec10q"], help="folders to evaluate on")
    parser.add_argument("--windows", type=int, default=64, help="windows of 512 tokens to evaluate on")
    parser.add_argument("--groups", type=int, nargs="+", default=[128, 64], help="sizes of groups to try")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    lines = list(_lines(chosen.out))
    setting = {"calibrate": chosen.calibrate, "evaluate": chosen.evaluate, "seed": chosen.seed}
    if any(line["setting"] != setting or len(line["losses"]) != chosen.windows for line in lines):
        parser.error(f"{chosen.out} holds results by other folders, of another seed, or over other windows")
    done = {tuple(line["variant"]): line["losses"] for line in lines}
    wanted = [FULL, *((m, bits, group) for group in chosen.groups for bits in BITS for m in ("rtn", "awq"))]
    missing = [variant for variant in wanted if variant not in done]
    if missing:
        calibration, held_out = (_text(chosen.data, folders) for folders in (chosen.calibrate, chosen.evaluate))
    for method, bits, group in tqdm(missing, desc="variants"):
        started = perf_counter()
        loaded = load(chosen.model, torch.device("cpu"), torch.bfloat16)
        if method != FULL[0]:
            quantize(loaded.model, method, bits, group, windows(loaded.processor, calibration, chosen.seed))
        quantized = perf_counter() - started
        losses = _losses(loaded, held_out, chosen.seed, chosen.windows)
        done[method, bits, group] = losses
        line = {"variant": (method, bits, group), "setting": setting, "seconds": round(quantized, 1), "losses": losses}
        with chosen.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    print("\n".join(_table(done, chosen.groups)))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _text(data: Path, folders: list[str]) -> str:
    pdfs = sorted(path for folder in folders for path in (data / folder).rglob("*.pdf"))
    return "\n\n".join(page.get_text() for path in pdfs for page in pymupdf.open(path))


@torch.no_grad()
def _losses(loaded: Loaded, text: str, seed: int, count: int) -> list[float]:
    """Nats a token, of each window."""
    batches = windows(loaded.processor, text, seed, count)
    return [float(loaded.model(**batch, labels=batch["input_ids"]).loss) for batch in batches]


def _table(losses: dict[tuple[str, int, int], list[float]], groups: list[int]) -> Iterator[str]:
    """Perplexities with 95% percentile bootstrap intervals over windows; those of AWQ / RTN use the same draws."""
    rows = {variant: np.array(values) for variant, values in losses.items()}
    count = len(rows[FULL])
    draws = np.random.default_rng(0).integers(0, count, (DRAWS, count))

    def told(values: np.ndarray, digits: int) -> str:
        low, high = np.exp(np.percentile(values[draws].mean(1), [2.5, 97.5]))
        return f"{np.exp(values.mean()):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    yield f"| {count} windows | RTN | AWQ | AWQ / RTN (paired) |"
    yield "|---|---|---|---|"
    yield f"| float | {told(rows[FULL], 2)} | | |"
    for bits in BITS:
        for group in groups:
            rtn, awq = rows["rtn", bits, group], rows["awq", bits, group]
            yield f"| {bits} bits, group {group} | {told(rtn, 2)} | {told(awq, 2)} | {told(awq - rtn, 3)} |"


if __name__ == "__main__":
    main()

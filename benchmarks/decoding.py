"""Reading and writing speed of the embedded model: whole and in 4 bits in torch, and llama.cpp, side by side.

    octavo quantize embedded --calibration notes.txt --out gemma-4bit
    python benchmarks/decoding.py --quantized gemma-4bit --pdf report.pdf

Each turn gives one new passage of the PDF to each generator, so that none can reuse a prompt. Reading is the time to
the first piece of text, writing that of the rest. Ratios are of a turn's two speeds: median [least, greatest].
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import pymupdf
from langchain_core.language_models.chat_models import BaseChatModel
from tqdm import tqdm

from octavo.generation.local import LlamaCppChat
from octavo.generation.transformers_chat import TransformersChat
from octavo.generation.weights import EMBEDDED, load
from octavo.kernels.device import resolve_device

PROMPT = 1600  # characters, some 400 tokens
ANSWER = 64  # tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quantized", type=Path, required=True, help="the embedded model as `octavo quantize` left it")
    parser.add_argument("--pdf", type=Path, required=True, help="what the passages are taken from")
    parser.add_argument("--turns", type=int, default=10)
    chosen = parser.parse_args()
    text = "".join(page.get_text() for page in pymupdf.open(chosen.pdf))
    passages = list(islice((text[at : at + PROMPT] for at in range(0, len(text), PROMPT)), chosen.turns + 1))
    where = _where()
    generators = {
        f"transformers, {where}": TransformersChat(max_tokens=ANSWER),
        f"transformers, 4 bits, rest {where}": TransformersChat(model=str(chosen.quantized), max_tokens=ANSWER),
        "llama.cpp, Q4_K_M": LlamaCppChat(max_tokens=ANSWER),
    }
    for model in generators.values():  # loads it
        speeds(model, passages[0])
    turns = [{name: speeds(model, text) for name, model in generators.items()} for text in tqdm(passages[1:])]
    first = next(iter(generators))
    print(f"| {len(turns)} turns | reads, tokens/s | to the first's | writes, tokens/s | to the first's |")
    print("|---|---|---|---|---|")
    for name in generators:
        cells = []
        for which in (0, 1):
            ratios = sorted(turn[name][which] / turn[first][which] for turn in turns)
            cells.append(f"{median(turn[name][which] for turn in turns):.0f}")
            cells.append(f"{median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]")
        print(f"| {name} | {' | '.join(cells)} |")


def _where() -> str:
    """The dtype and the device that a model in torch is given here."""
    model = load(EMBEDDED, resolve_device()).model
    return f"{str(model.dtype).removeprefix('torch.')} on {model.device}"


def speeds(model: BaseChatModel, prompt: str) -> tuple[float, float]:
    """Tokens a second, read and written."""
    started, first, usage = perf_counter(), 0.0, None
    for chunk in model.stream(prompt):
        if chunk.text and not first:
            first = perf_counter()
        usage = chunk.usage_metadata or usage
    if usage is None or usage["output_tokens"] < 2:
        raise RuntimeError("the model stopped at once: give another PDF")
    return usage["input_tokens"] / (first - started), (usage["output_tokens"] - 1) / (perf_counter() - first)


if __name__ == "__main__":
    main()

"""What thinning out visual tokens saves, and how unlike each other the kept ones are.

    python benchmarks/pruning.py FOLDER [--repeats 9] [--text 128]

The pictures are one page from the middle of each PDF in FOLDER. The models have real classes and random weights: times
are those of trained models of their sizes, distances those of untrained vision towers, and answers mean nothing. Times
are processor time of one thread; every repeat takes another page and goes through all shares of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean, median
from time import process_time
from typing import Any

import torch
import transformers
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from octavo.generation.pruning import PICTURES, prune_visual_tokens, pruned_inputs
from octavo.ingest.readers.mupdf.door import pymupdf

RATIOS = [1.0, 0.5, 0.25, 0.1, 0.098]
IMAGE = 1
DECODER = {
    **{"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 12, "vocab_size": 8192},
    **{"num_attention_heads": 16, "num_key_value_heads": 4, "max_position_embeddings": 4096},
}
TOWER = {"hidden_size": 512, "intermediate_size": 1408}


def llava() -> tuple[Any, Any]:
    """A LLaVA that sees 336 x 336 pixels in 576 tokens, as LLaVA-1.5 does, and its image processor."""
    vision = transformers.CLIPVisionConfig(
        image_size=336, patch_size=14, num_hidden_layers=4, num_attention_heads=8, **TOWER
    )
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=transformers.LlamaConfig(**DECODER), image_token_index=IMAGE
    )
    sizes = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}
    return transformers.LlavaForConditionalGeneration(config), transformers.CLIPImageProcessorPil(**sizes)


def qwen() -> tuple[Any, Any]:
    """A Qwen2.5-VL that sees a page in its own shape, in at most 1,280 tokens, and its image processor."""
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]}
    config = transformers.Qwen2_5_VLConfig(
        text_config=DECODER | {"rope_parameters": rope, "bos_token_id": None, "eos_token_id": None},
        vision_config={"depth": 4, "num_heads": 8, "out_hidden_size": 1024, "fullatt_block_indexes": [1, 3], **TOWER},
        **{"image_token_id": IMAGE, "video_token_id": 2, "vision_start_token_id": 3, "vision_end_token_id": 4},
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config), transformers.Qwen2VLImageProcessorPil()


def pages(folder: Path) -> list[Image.Image]:
    """A page from the middle of each PDF, at 144 dots an inch."""
    pictures = []
    for path in sorted(folder.glob("*.pdf")):
        with pymupdf.open(path) as pdf:
            pixels = pdf[pdf.page_count // 2].get_pixmap(dpi=144)
            pictures.append(Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples))
    return pictures


def see(model: Any, inputs: Mapping[str, Any]) -> Any:
    """What the vision tower and the projector make of the picture."""
    return model.get_image_features(**{name: inputs[name] for name in PICTURES if name in inputs})


def prompt(inputs: dict[str, Any], count: int, text: int) -> dict[str, Any]:
    """The picture's `count` tokens, then `text` tokens of text."""
    ids = torch.tensor([[3] + [IMAGE] * count + [4] + torch.randint(10, 8192, (text,)).tolist()])
    grid = {"mm_token_type_ids": (ids == IMAGE).int()} if "image_grid_thw" in inputs else {}
    return {**inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids), **grid}


def timed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[float, Any]:
    """Milliseconds, and what came out."""
    start = process_time()
    result = function(*args, **kwargs)
    return 1000 * (process_time() - start), result


def times(model: Any, processor: Any, pictures: list[Image.Image], repeats: int, text: int) -> None:
    """Prints the table of prompt lengths and times."""
    towers: list[float] = []
    rows: dict[float, list[tuple[float, ...]]] = {ratio: [] for ratio in RATIOS}
    for repeat in range(repeats + 1):  # the first is a warm-up
        pixels = dict(processor(images=pictures[repeat % len(pictures)], return_tensors="pt"))
        tower, seen = timed(see, model, pixels)
        inputs = prompt(pixels, len(seen.pooler_output[0]), text)
        unpruned = {name: value for name, value in inputs.items() if name != "pixel_values"}
        unpruned |= {"mm_encoder_outputs": {"image": seen}, "use_cache": True}
        towers.append(tower)
        for ratio in RATIOS:
            selection, kept = timed(prune_visual_tokens, seen.pooler_output[0], ratio)
            before, thin = timed(pruned_inputs, model, inputs, ratio) if ratio < 1 else (tower, unpruned)
            decoder, _ = timed(model, **thin, logits_to_keep=1)
            rows[ratio].append((len(kept), thin["input_ids"].shape[1], selection, decoder, before + decoder))
    print(f"Vision tower and projector: {median(towers[1:]):.0f} ms\n")
    print("| share | visual tokens | prompt | selection, ms | decoder, ms | decoder, of 1.0's | all, of 1.0's |")
    print("|---" * 7 + "|")
    for ratio, runs in rows.items():
        visual, length, selection, decoder, _ = (median(column) for column in zip(*runs[1:], strict=True))
        of = [spread([run[n] / base[n] for run, base in zip(runs[1:], rows[1.0][1:], strict=True)]) for n in (3, 4)]
        print(f"| {ratio} | {visual:.0f} | {length:.0f} | {selection:.1f} | {decoder:.0f} | {of[0]} | {of[1]} |")


def spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def least(features: Tensor, kept: Tensor) -> float:
    """The least distance between two kept tokens: what DivPrune makes great."""
    near = normalize(features[kept].double(), dim=1)
    return float((1 - near @ near.T).fill_diagonal_(torch.inf).min())


def distances(model: Any, processor: Any, pictures: list[Image.Image]) -> None:
    """Prints the table of least distances."""
    rows: dict[float, list[tuple[float, float, float]]] = {ratio: [] for ratio in RATIOS[1:]}
    for picture in pictures:
        features = see(model, processor(images=picture, return_tensors="pt")).pooler_output[0]
        count = len(features)
        for ratio in RATIOS[1:]:
            kept = prune_visual_tokens(features, ratio)
            drawn = [least(features, torch.randperm(count)[: len(kept)]) for _ in range(20)]
            spaced = torch.linspace(0, count - 1, len(kept)).round().long()
            rows[ratio].append((least(features, kept), mean(drawn), least(features, spaced)))
    print("\n| share | DivPrune | drawn at random | evenly spaced | DivPrune the greatest |\n" + "|---" * 5 + "|")
    for ratio, runs in rows.items():
        ours, drawn, spaced = (median(column) for column in zip(*runs, strict=True))
        ahead = sum(run[0] > max(run[1:]) for run in runs)
        print(f"| {ratio} | {ours:.2g} | {drawn:.2g} | {spaced:.2g} | on {ahead} of {len(runs)} pages |")


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--text", type=int, default=128, help="tokens of text after the picture")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pictures = pages(options.folder)
    for make in (llava, qwen):
        torch.manual_seed(0)
        model, processor = make()
        model.eval()
        decoder = sum(weights.numel() for weights in model.model.language_model.parameters())
        print(f"\n{type(model).__name__}, {decoder / 1e6:.0f} M parameters in the decoder, {len(pictures)} pages\n")
        times(model, processor, pictures, options.repeats, options.text)
        distances(model, processor, pictures)


if __name__ == "__main__":
    main()

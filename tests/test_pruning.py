"""Pruned prompts against whole ones with the dropped tokens masked out, in small models of real classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from octavo.generation import prune_visual_tokens, pruned_inputs, pruning, quantize
from octavo.generation.pruning import PruningError

pytestmark = pytest.mark.usefixtures("one_thread")

PAD, IMAGE, VIDEO, BEGIN, END, VOCABULARY = 0, 1, 2, 3, 4, 64
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
WIDE = {"initializer_range": 0.25}  # enough for logits to show a wrong mask or position
DECODER = {**SMALL, **WIDE, "num_key_value_heads": 2, "vocab_size": VOCABULARY, "max_position_embeddings": 512}
IDS = {"pad_token_id": PAD, "bos_token_id": None, "eos_token_id": None}
GRIDS = [(1, 8, 12), (1, 12, 12), (1, 4, 6)]  # patches of the three pictures where a model sees them at their own size
TOKENS = [24, 36, 6]
TEXTS = [
    [[7, 8, 9], [10, 11, 12, 13], [14]],
    [[20, 21, 22], [23, 24, 25, 26, 27]],
]  # rows: around two pictures, and one


def llava() -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    vision = CLIPVisionConfig(image_size=24, patch_size=4, **SMALL, **WIDE)
    return LlavaForConditionalGeneration(
        LlavaConfig(vision_config=vision, text_config=LlamaConfig(**DECODER, **IDS), image_token_index=IMAGE)
    )


def gemma3(window: int = 512) -> Any:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3TextConfig, SiglipVisionConfig

    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    text = Gemma3TextConfig(**DECODER, **IDS, head_dim=8, sliding_window=window, layer_types=kinds)
    vision = SiglipVisionConfig(image_size=24, patch_size=2, **SMALL)
    model = Gemma3ForConditionalGeneration(
        Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=36, image_token_id=IMAGE)
    )
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)
    return model


def _qwen(kind: str, **vision: Any) -> Any:
    import transformers

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    text = DECODER | IDS | {"rope_parameters": rope}
    if kind == "Qwen3VL":
        text |= {"head_dim": 8}
    config = getattr(transformers, f"{kind}Config")(
        text_config=text,
        vision_config={"depth": 2, "num_heads": 4, "patch_size": 4, "spatial_merge_size": 2, **WIDE, **vision},
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=BEGIN,
        vision_end_token_id=END,
    )
    return getattr(transformers, f"{kind}ForConditionalGeneration")(config)


def qwen2_vl() -> Any:
    return _qwen("Qwen2VL", embed_dim=32, hidden_size=32)


def qwen2_5_vl() -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 32}
    return _qwen("Qwen2_5_VL", window_size=16, fullatt_block_indexes=[1], **sizes)


def qwen3_vl() -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 32}
    return _qwen("Qwen3VL", deepstack_visual_indexes=[0, 1], num_position_embeddings=64, **sizes)


MODELS: dict[str, Callable[[], Any]] = {make.__name__: make for make in (llava, gemma3, qwen2_vl, qwen2_5_vl, qwen3_vl)}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def prompts(model: Any, rows: int = 2) -> dict[str, Tensor]:
    """As the model's processor gives them: two pictures in the first row, one in the second, padded on the left."""
    qwen = model.config.model_type.startswith("qwen")
    sizes = iter(TOKENS if qwen else [36, 36, 36])
    texts = TEXTS[:rows]
    ids = []
    for parts in texts:
        row = list(parts[0])
        for part in parts[1:]:
            row += [BEGIN] + [IMAGE] * next(sizes) + [END] + part
        ids.append(row)
    longest = max(map(len, ids))
    input_ids = torch.tensor([[PAD] * (longest - len(row)) + row for row in ids])
    inputs = {"input_ids": input_ids, "attention_mask": (input_ids != PAD).long()}
    pictures = sum(len(parts) - 1 for parts in texts)
    random = torch.Generator().manual_seed(1)
    if qwen:
        grids = torch.tensor(GRIDS[:pictures])
        inputs["pixel_values"] = torch.randn(int(grids.prod(1).sum()), 3 * 2 * 4 * 4, generator=random)
        inputs |= {"image_grid_thw": grids, "mm_token_type_ids": (input_ids == IMAGE).int()}
    else:
        inputs["pixel_values"] = torch.randn(pictures, 3, 24, 24, generator=random)
        if model.config.model_type == "gemma3":
            inputs["token_type_ids"] = (input_ids == IMAGE).long()
    return inputs


def features(model: Any, inputs: dict[str, Tensor]) -> list[Tensor]:
    """What the projector gives, picture by picture."""
    grids = {"image_grid_thw": inputs["image_grid_thw"]} if "image_grid_thw" in inputs else {}
    with torch.no_grad():
        return list(model.get_image_features(inputs["pixel_values"], **grids).pooler_output)


def kept_columns(model: Any, inputs: dict[str, Tensor], ratio: float) -> Tensor:
    """(B, S) whether a token of the whole prompt is in the pruned one, worked out picture by picture."""
    kept = inputs["attention_mask"].bool()
    places = (inputs["input_ids"] == IMAGE).nonzero().tolist()
    for picture in features(model, inputs):
        stay = set(prune_visual_tokens(picture, ratio).tolist())
        for token in range(len(picture)):
            row, column = places.pop(0)
            kept[row, column] = token in stay
    assert not places
    return kept


def positions(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """The positions of the whole prompt's tokens, by the model's own reckoning where it has one."""
    if "image_grid_thw" in inputs:
        names = ("mm_token_type_ids", "image_grid_thw", "attention_mask")
        return model.model.get_rope_index(inputs["input_ids"], **{name: inputs[name] for name in names})[0]
    return torch.tensor(
        [[max(0, sum(row[: n + 1]) - 1) for n in range(len(row))] for row in inputs["attention_mask"].tolist()]
    )


def masked(model: Any, inputs: dict[str, Tensor], kept: Tensor) -> Tensor:
    """(B, S, vocabulary) logits of the whole prompt, in which no token attends to one that is not kept."""
    with torch.no_grad():
        return model(
            **inputs | {"attention_mask": kept.long()}, position_ids=positions(model, inputs), use_cache=False
        ).logits


def longer(inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
    """The prompt with tokens (B,) behind it."""
    behind = {"input_ids": tokens[:, None], "attention_mask": torch.ones_like(tokens)[:, None]}
    zeros = torch.zeros_like(tokens)[:, None]
    return {
        name: torch.cat([value, behind.get(name, zeros).to(value.dtype)], 1)
        if name in ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
        else value
        for name, value in inputs.items()
    }


def generate(model: Any, inputs: dict[str, Any], **options: Any) -> tuple[Tensor, Tensor]:
    """(B, new) greedy tokens and (B, new, vocabulary) their logits."""
    settings = {"max_new_tokens": 6, "do_sample": False, "return_dict_in_generate": True, "output_logits": True}
    out = model.generate(**inputs, **settings, **options)
    return out.sequences[:, inputs["input_ids"].shape[1] :], torch.stack(out.logits, 1)


@pytest.mark.parametrize("ratio", [0.1, 0.5])
def test_logits_are_those_of_the_whole_prompt_with_the_dropped_tokens_masked_out(model: Any, ratio: float) -> None:
    inputs = prompts(model)
    kept = kept_columns(model, inputs, ratio)
    thin = pruned_inputs(model, inputs, ratio)
    with torch.no_grad():
        logits = model(**thin).logits
    stays = thin["attention_mask"].bool()
    torch.testing.assert_close(logits[stays], masked(model, inputs, kept)[kept], rtol=1e-4, atol=1e-4)
    assert (masked(model, inputs, inputs["attention_mask"])[:, -1] - logits[:, -1]).abs().max() > 0.1


@pytest.mark.parametrize("rows", [1, 2])
def test_what_is_generated_with_the_cache_is_what_the_whole_prompt_gives_step_by_step_without(
    model: Any, rows: int
) -> None:
    inputs = prompts(model, rows)
    kept = kept_columns(model, inputs, 0.25)
    tokens, logits = generate(model, pruned_inputs(model, inputs, 0.25))
    for step in range(tokens.shape[1]):
        expected = masked(model, inputs, kept)[:, -1]
        torch.testing.assert_close(logits[:, step], expected, rtol=1e-4, atol=1e-4)
        assert tokens[:, step].tolist() == expected.argmax(-1).tolist()
        inputs = longer(inputs, tokens[:, step])
        kept = torch.cat([kept, torch.ones(rows, 1, dtype=torch.bool)], 1)


@pytest.mark.parametrize("thin", [pruned_inputs, pruning._thinned], ids=["early return", "whole path"])
def test_ratio_1_is_bit_equal_to_none(model: Any, thin: Callable[..., dict[str, Any]]) -> None:
    inputs = prompts(model)
    tokens, logits = generate(model, dict(inputs))
    ours, our_logits = generate(model, thin(model, inputs, 1.0))
    assert torch.equal(ours, tokens)
    assert torch.equal(our_logits, logits)
    assert tokens.unique().numel() > 1


def test_kept_tokens_keep_their_order_their_positions_and_their_masks(model: Any) -> None:
    inputs = prompts(model)
    kept, where = kept_columns(model, inputs, 0.5), positions(model, inputs)
    thin = pruned_inputs(model, inputs, 0.5)
    names = {"input_ids", "token_type_ids", "mm_token_type_ids"} & set(inputs)
    for row in range(2):
        stays = thin["attention_mask"][row].bool()
        count = int(kept[row].sum())
        assert stays.tolist() == [False] * (len(stays) - count) + [True] * count
        for name in names:
            assert thin[name][row][stays].tolist() == inputs[name][row][kept[row]].tolist()
        ours = thin["position_ids"]
        if ours.ndim == 3:  # above M-RoPE's rows the one that masks are made by, without gaps
            assert ours[0, row][stays].tolist() == list(range(count))
            ours = ours[1:]
        assert ours[..., row, :][..., stays].tolist() == where[..., row, :][..., kept[row]].tolist()


def test_each_picture_keeps_its_own_share(model: Any) -> None:
    inputs = prompts(model)
    sizes = TOKENS if "image_grid_thw" in inputs else [36] * 3
    thin = pruned_inputs(model, inputs, 0.25)
    pictures = thin["mm_encoder_outputs"]["image"].pooler_output
    assert [len(picture) for picture in pictures] == [round(0.25 * size) for size in sizes]
    for ours, whole in zip(pictures, features(model, inputs), strict=True):
        assert torch.equal(ours, whole[prune_visual_tokens(whole, 0.25)])
    images = (thin["input_ids"] == IMAGE).sum(1).tolist()
    assert images == [round(0.25 * sizes[0]) + round(0.25 * sizes[1]), round(0.25 * sizes[2])]


def test_several_answers_to_a_prompt_see_its_own_pictures(model: Any) -> None:
    inputs = prompts(model)
    once, _ = generate(model, pruned_inputs(model, inputs, 0.25))
    settings = {"num_return_sequences": 2, "do_sample": True, "top_k": 1, "max_new_tokens": 6}
    sampled = model.generate(**pruned_inputs(model, inputs, 0.25), **settings)[:, -6:]
    assert torch.equal(sampled, once.repeat_interleave(2, 0))


def test_a_prompt_without_pictures_stays_as_it_is(model: Any) -> None:
    inputs = {"input_ids": torch.tensor([[7, 8, 9]]), "attention_mask": torch.ones(1, 3, dtype=torch.long)}
    assert pruned_inputs(model, inputs, 0.1) == inputs


def test_the_prompt_given_is_left_as_it_was(model: Any) -> None:
    inputs = prompts(model)
    before = {name: value.clone() for name, value in inputs.items()}
    pruned_inputs(model, inputs, 0.25)
    assert inputs.keys() == before.keys()
    assert all(torch.equal(inputs[name], before[name]) for name in before)


def test_sliding_windows_count_the_tokens_that_are_left() -> None:
    torch.manual_seed(0)
    window = 12
    model = gemma3(window).eval()
    inputs = prompts(model, rows=1)
    kept = kept_columns(model, inputs, 0.25)
    rank, length = kept[0].cumsum(0).tolist(), kept.shape[1]
    picture = (inputs["input_ids"][0] == BEGIN).cumsum(0) * (inputs["input_ids"][0] == IMAGE)
    full, sliding = torch.eye(length, dtype=torch.bool), torch.eye(length, dtype=torch.bool)
    for query in range(length):
        for key in range(length):
            together = bool(picture[query] and picture[query] == picture[key])
            full[query, key] |= bool(kept[0, key]) and (key <= query or together)
            sliding[query, key] |= bool(full[query, key]) and rank[query] - rank[key] < window
    with torch.no_grad():
        masks = {"full_attention": full[None, None], "sliding_attention": sliding[None, None]}
        expected = model(**inputs | {"attention_mask": masks}, position_ids=positions(model, inputs)).logits
        unbounded = masked(model, inputs, kept)
    tokens, logits = generate(model, pruned_inputs(model, inputs, 0.25))
    torch.testing.assert_close(logits[:, 0], expected[:, -1], rtol=1e-4, atol=1e-4)
    assert (unbounded[:, -1] - expected[:, -1]).abs().max() > 0.1
    assert tokens[0, 0] == expected[0, -1].argmax()


@pytest.mark.parametrize("make", [llava, gemma3, qwen2_5_vl])
def test_a_quantized_decoder_reads_a_pruned_prompt(make: Callable[[], Any]) -> None:
    torch.manual_seed(0)
    model = quantize(make().eval(), "rtn", 4, 16)
    inputs = prompts(model)
    with torch.no_grad():
        logits = model(**pruned_inputs(model, inputs, 0.25)).logits[:, -1]
    expected = masked(model, inputs, kept_columns(model, inputs, 0.25))[:, -1]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_an_architecture_that_is_not_known_is_refused_in_one_line() -> None:
    from transformers import GemmaConfig, PaliGemmaConfig, PaliGemmaForConditionalGeneration, SiglipVisionConfig

    text, vision = GemmaConfig(**DECODER, **IDS, head_dim=8), SiglipVisionConfig(image_size=24, patch_size=4, **SMALL)
    config = PaliGemmaConfig(text_config=text, vision_config=vision, image_token_index=IMAGE)
    model = PaliGemmaForConditionalGeneration(config)
    inputs = {"input_ids": torch.tensor([[IMAGE] * 36]), "pixel_values": torch.zeros(1, 3, 24, 24)}
    assert pruned_inputs(model, inputs, 1.0) == inputs
    with pytest.raises(PruningError, match=r"^visual tokens cannot be pruned in a paligemma model, only in .*llava"):
        pruned_inputs(model, inputs, 0.5)


@pytest.mark.parametrize("ratio", [0.0, -0.1, 1.001, math.nan, math.inf])
def test_a_ratio_out_of_range_is_refused_in_one_line(ratio: float) -> None:
    words = f"share of visual tokens to keep must be above 0 and at most 1, not {ratio}"
    with pytest.raises(PruningError, match=words):
        prune_visual_tokens(torch.eye(4), ratio)
    with pytest.raises(PruningError, match=words):
        pruned_inputs(None, {}, ratio)


def test_a_method_that_is_not_known_is_refused_in_one_line() -> None:
    with pytest.raises(PruningError, match=r"^no pruning method 'random'; there is divprune$"):
        prune_visual_tokens(torch.eye(4), 1.0, method="random")


def plain(features: Tensor, count: int) -> list[int]:
    """DivPrune as the paper writes it, over the matrix of all distances."""
    tokens = range(len(features))
    far = [[1 - float(cosine_similarity(features[i], features[j], dim=0)) for j in tokens] for i in tokens]
    chosen = [max(tokens, key=lambda i: min((far[i][j] for j in tokens if j != i), default=0.0))]
    while len(chosen) < count:
        rest = [i for i in tokens if i not in chosen]
        chosen.append(max(rest, key=lambda i: min(far[i][j] for j in chosen)))
    return sorted(chosen)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ratio", [0.098, 0.5, 0.9])
def test_the_kept_tokens_are_those_of_the_formula(seed: int, ratio: float) -> None:
    features = torch.randn(41, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert prune_visual_tokens(features, ratio).tolist() == plain(features, round(ratio * 41))


def test_tokens_of_one_direction_are_kept_once() -> None:
    directions = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    features = directions.repeat_interleave(torch.tensor([20, 1, 9]), 0) * torch.arange(1, 31)[:, None]
    assert prune_visual_tokens(features, 0.1).tolist() == [0, 20, 21]


@pytest.mark.parametrize(
    ("tokens", "ratio", "kept"), [(576, 0.098, 56), (256, 0.1, 26), (30, 0.01, 1), (1, 0.5, 1), (7, 0.99, 7)]
)
def test_the_share_is_rounded_and_never_nothing(tokens: int, ratio: float, kept: int) -> None:
    indices = prune_visual_tokens(torch.randn(tokens, 8, generator=torch.Generator().manual_seed(0)), ratio)
    assert (indices.dtype, indices.shape) == (torch.int64, (kept,))
    assert indices.tolist() == sorted(set(indices.tolist()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_share_of_1_keeps_every_token(dtype: torch.dtype) -> None:
    assert prune_visual_tokens(torch.zeros(5, 3, dtype=dtype), 1.0).tolist() == [0, 1, 2, 3, 4]

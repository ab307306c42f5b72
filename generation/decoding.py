"""Token by token: how a transformers model writes on from inputs, what is shown meanwhile, and when it ends.

Knows nothing of messages or pictures: inputs in, texts out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from octavo.generation.constrained import Constraint

_UNFINISHED = "�"  # what a decoder shows for the first bytes of a letter


@dataclass(frozen=True, slots=True)
class Request:
    """How to write: at most `max_tokens`, up to any of `stop`, greedily or at a temperature, in a grammar (GBNF)."""

    max_tokens: int
    temperature: float = 0.0
    seed: int | None = 0
    stop: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for one prompt, its length in tokens, and why it ended: "stop" or "length"."""

    text: str
    tokens: int
    reason: str


class Watch(StoppingCriteria):
    """Follows the texts while they are written: ends a row at a stop string, and all once `show` returns True.

    `show` is given what is certain of the first row's text, again and again; without it and without stop strings
    nothing is decoded on the way.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str], show: Callable[[str], bool] | None) -> None:
        self._tokenizer, self._stop, self._show = tokenizer, stop, show
        self._begin: int | None = None

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which rows of `input_ids` (rows, tokens) have ended, bool (rows,)."""
        if self._begin is None:
            self._begin = input_ids.shape[1] - 1
        ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        if not self._stop and not self._show:
            return ended
        texts = decode(self._tokenizer, input_ids[:, self._begin :])
        for row, text in enumerate(texts):
            ended[row] = len(cut(text, self._stop)) < len(text)
        if self._show and self._show(_certain(texts[0], self._stop)):
            ended[:] = True
        return ended


def write(
    model: Any,
    tokenizer: Any,
    inputs: Mapping[str, Any],
    request: Request,
    show: Callable[[str], bool] | None = None,
) -> list[Written]:
    """What `model` writes on from `inputs`, row by row.

    Args:
        model: A transformers model that generates.
        tokenizer: Its tokenizer.
        inputs: Keyword arguments of `generate`: input_ids (rows, tokens) with padding on the left, attention_mask, and
            what the model takes beside them.
        request: How to write. A temperature takes random numbers from its seed, without touching anyone else's.
        show: Is given the first row's text so far after each token; what returns True ends the writing.

    Raises:
        LocalModelError: A grammar that cannot be read.
    """
    eos = _ends(model, tokenizer)
    begin, rows = inputs["input_ids"].shape[1], len(inputs["input_ids"])
    limits = [Constraint(tokenizer, request.grammar, rows, eos)] if request.grammar else []
    sampled = request.temperature > 0
    chance = {"temperature": request.temperature} if sampled else {"temperature": None, "top_p": None, "top_k": None}
    with torch.inference_mode(), torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
        if sampled and request.seed is not None:
            torch.manual_seed(request.seed)
        ids = model.generate(
            **inputs,
            max_new_tokens=request.max_tokens,
            do_sample=sampled,
            **chance,
            eos_token_id=eos,
            pad_token_id=tokenizer.pad_token_id,
            logits_processor=LogitsProcessorList(limits),
            stopping_criteria=StoppingCriteriaList([Watch(tokenizer, request.stop, show)]),
        )
    return [_written(tokenizer, row, request, eos) for row in ids[:, begin:]]


def decode(tokenizer: Any, ids: torch.Tensor) -> list[str]:
    """The texts of `ids` (rows, tokens), without control tokens and with every space."""
    texts: list[str] = tokenizer.batch_decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return texts


def cut(text: str, stop: Sequence[str]) -> str:
    """`text` up to the first stop string."""
    return text[: min((at for at in map(text.find, stop) if at >= 0), default=len(text))]


def _certain(text: str, stop: Sequence[str]) -> str:
    """What of an unfinished text will stay: not half a letter, nor what may become a stop string."""
    if len(whole := cut(text, stop)) < len(text):
        return whole
    text = text.rstrip(_UNFINISHED)
    held = max((n for s in stop for n in range(1, min(len(s), len(text) + 1)) if text.endswith(s[:n])), default=0)
    return text[: len(text) - held]


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a text."""
    eos = model.generation_config.eos_token_id
    eos = tokenizer.eos_token_id if eos is None else eos
    return eos if isinstance(eos, list) else [eos]


def _written(tokenizer: Any, ids: torch.Tensor, request: Request, eos: list[int]) -> Written:
    """One row: its tokens up to the first that ends a text (after which there is padding), and what they say."""
    ended = torch.isin(ids, torch.tensor(eos, device=ids.device)).nonzero()
    if len(ended):
        ids = ids[: int(ended[0]) + 1]
    whole = decode(tokenizer, ids[None])[0]
    text = cut(whole, request.stop)
    stopped = len(ended) > 0 or len(text) < len(whole)
    return Written(text, len(ids), "stop" if stopped else "length")

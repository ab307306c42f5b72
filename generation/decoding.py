"""Token by token: how a transformers model writes on from inputs, what is shown meanwhile, and when it ends.

Knows nothing of messages or pictures: inputs in, texts out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
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
    nothing is decoded on the way. `lengths` are those, in tokens, of the rows that ended at a stop string.
    """

    def __init__(
        self, tokenizer: Any, eos: Sequence[int], stop: Sequence[str], show: Callable[[str], bool] | None
    ) -> None:
        self._tokenizer, self._eos, self._stop, self._show = tokenizer, eos, stop, show
        self._begin: int | None = None
        self.lengths: dict[int, int] = {}

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which rows of `input_ids` (rows, tokens) have ended, bool (rows,)."""
        if self._begin is None:
            self._begin = input_ids.shape[1] - 1
        ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        if not self._stop and not self._show:
            return ended
        new = input_ids[:, self._begin :].tolist()
        texts = decode(self._tokenizer, [_before(self._eos, row) for row in new])
        for row, text in enumerate(texts):
            if len(cut(text, self._stop)) < len(text):
                ended[row] = True
                self.lengths.setdefault(row, len(new[row]))
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
        request: How to write. A temperature takes its random numbers from torch's own generator, set to the seed and
            put back afterwards: another thread that draws from it meanwhile changes what is written.
        show: Is given the first row's text so far after each token; what returns True ends the writing.

    Raises:
        LocalModelError: A grammar that cannot be read.
    """
    eos = _ends(model, tokenizer)
    count, begin = inputs["input_ids"].shape
    limits = [Constraint(tokenizer, request.grammar, count, eos)] if request.grammar else []
    sampled = request.temperature > 0
    chance = {"temperature": request.temperature} if sampled else {"temperature": None, "top_p": None, "top_k": None}
    watch = Watch(tokenizer, eos, request.stop, show)
    with torch.inference_mode(), torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
        if sampled and request.seed is not None:
            torch.manual_seed(request.seed)
        ids = model.generate(
            **inputs,
            max_new_tokens=request.max_tokens,
            do_sample=sampled,
            **chance,
            repetition_penalty=1.0,  # what the evidence says must be copied exactly, whatever a model's own settings
            no_repeat_ngram_size=0,
            eos_token_id=eos or None,
            pad_token_id=tokenizer.pad_token_id,
            logits_processor=LogitsProcessorList(limits),
            stopping_criteria=StoppingCriteriaList([watch]),
        )
    rows = ids[:, begin:].tolist()
    return [_written(tokenizer, row[: watch.lengths.get(n)], request.stop, eos) for n, row in enumerate(rows)]


def decode(tokenizer: Any, ids: Sequence[Sequence[int]]) -> list[str]:
    """The texts of `ids`, row by row, without control tokens and with every space."""
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
    return [token for token in (eos if isinstance(eos, list) else [eos]) if token is not None]


def _before(eos: Sequence[int], ids: Sequence[int]) -> list[int]:
    """The tokens before the first that ends a text, which is no part of it, special or not; padding may follow it."""
    return list(takewhile(lambda token: token not in eos, ids))


def _written(tokenizer: Any, ids: list[int], stop: Sequence[str], eos: list[int]) -> Written:
    """One row: what it says, and how long it is, with the token that ended it if one did."""
    said = _before(eos, ids)
    ended = len(said) < len(ids)
    whole = decode(tokenizer, [said])[0]
    text = cut(whole, stop)
    return Written(text, len(said) + ended, "stop" if ended or len(text) < len(whole) else "length")

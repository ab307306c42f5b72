"""Grammars (GBNF) that a model in torch must follow, as it must in llama.cpp; by llguidance.

Knows nothing of what the grammars say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor

from octavo.generation.weights import INSTALL, LocalModelError


class Constraint(LogitsProcessor):
    """Leaves each row of a generation, `rows` in all, only the tokens that `grammar` allows next.

    Raises:
        LocalModelError: the grammar cannot be read, or llguidance is not installed.
    """

    def __init__(self, tokenizer: Any, grammar: str, rows: int, eos: list[int]) -> None:
        try:
            import llguidance
        except ModuleNotFoundError:
            raise LocalModelError(f"grammars in torch need llguidance, which is not installed: {INSTALL}") from None
        try:
            rules = llguidance.grammar_from("gbnf", grammar)
        except ValueError as error:
            raise LocalModelError(f"failed to parse grammar: {error}") from None
        vocabulary = _vocabulary(tokenizer, tuple(eos))
        self._rows = [llguidance.LLMatcher(vocabulary, rules) for _ in range(rows)]
        if problem := self._rows[0].get_error():
            raise LocalModelError(f"failed to parse grammar: {problem}")
        self._begun = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The (rows, vocabulary) scores, -inf where a token is not allowed; `input_ids` are (rows, tokens) so far."""
        if self._begun:
            for row, token in zip(self._rows, input_ids[:, -1].tolist(), strict=True):
                if not row.is_stopped():
                    row.consume_token(token)
        self._begun = True
        allowed = torch.zeros(scores.shape, dtype=torch.bool)
        for number, row in enumerate(self._rows):
            bits = np.unpackbits(np.frombuffer(row.compute_bitmask(), np.uint8), bitorder="little")[: scores.shape[1]]
            allowed[number, : len(bits)] = torch.from_numpy(bits.astype(bool))
        return scores.masked_fill(~allowed.to(scores.device), -torch.inf)


@lru_cache(maxsize=2)
def _vocabulary(tokenizer: Any, eos: tuple[int, ...]) -> Any:
    """llguidance's form of a tokenizer; making it takes a second for large vocabularies."""
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, eos_token=list(eos))

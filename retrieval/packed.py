"""BERT with mean pooling on a CPU: many texts as one sequence without padding, a batch to each thread.

Knows nothing of files: it is made from a sentence-transformers model, and gives that model's vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 2048  # tokens; half as many are 8 % slower
_ROWS = 64  # a batch has a multiple of it, as oneDNN compiles and keeps a product for each number of rows
_NEAR = 0.05  # between unit vectors; bfloat16 alone stays under .02
_PROBES = ["", "Net sales of 2022, in millions: $1,234.5", "The committee met on Tuesday. " * 100]

Shapes = list[tuple[int, int]]  # (texts, tokens of each), for texts of equal length side by side


class PackedBert:
    """The vectors of a sentence-transformers model, several times as fast.

    Three things cost it time on a CPU. Padding: here the linear layers see the tokens of all texts of a batch as one
    matrix, and attention sees texts of equal length together, without a mask. Passes over memory: bias, GELU and
    residual are fused into the products, whose weights are laid out once (oneDNN, by the operations that torch's own
    compiler uses). Waiting: two threads in one operation spin for each other, ruinously where readers share the
    cores, so each batch has one thread to itself. Safe to use from several threads.
    """

    def __init__(self, encoder: SentenceTransformer) -> None:
        bert: Any = encoder[0].auto_model
        self.tokenizer, self.longest, self.width = encoder.tokenizer, encoder.max_seq_length, bert.config.hidden_size
        self.embeddings = bert.embeddings
        with torch.inference_mode():
            self.layers = [_Layer(layer, bert.config.num_attention_heads) for layer in bert.encoder.layer]
        self.threads = torch.get_num_threads()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Mean states of shape (len(texts), width), float32, not normalised; zeros for a text without tokens."""
        means = np.zeros((len(texts), self.width), np.float32)
        if not texts:
            return means
        tokens = self.tokenizer(list(texts), truncation=True, max_length=self.longest)["input_ids"]
        order = sorted((n for n in range(len(texts)) if tokens[n]), key=lambda n: len(tokens[n]), reverse=True)
        batches = _batches(order, tokens, min(_BATCH, sum(map(len, tokens)) // self.threads))
        with self.alone() as pool:
            made = pool.map(self._means, [[tokens[n] for n in batch] for batch in batches])
            for batch, some in zip(batches, made, strict=True):
                means[batch] = some
        return means

    def alone(self) -> ThreadPoolExecutor:
        """Threads whose operations have one thread each; new ones, since a forked process would wait for old ones."""
        return ThreadPoolExecutor(self.threads, "embed", initializer=_alone)

    @torch.inference_mode()
    def _means(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        texts = len(tokens)
        if filling := -sum(map(len, tokens)) % _ROWS:
            tokens = [*tokens, [0] * filling]
        shapes = [(len(list(alike)), length) for length, alike in groupby(map(len, tokens))]
        ids = torch.tensor([token for text in tokens for token in text])
        positions = torch.cat([torch.arange(length).repeat(count) for count, length in shapes])
        e = self.embeddings
        states = e.word_embeddings(ids) + e.position_embeddings(positions) + e.token_type_embeddings.weight[0]
        states = e.LayerNorm(states)
        for layer in self.layers:
            states = layer(states, shapes)
        return torch.cat([alike.float().mean(1) for alike in _apart(states, shapes)])[:texts].numpy()


class _Layer:
    def __init__(self, layer: Any, heads: int) -> None:
        attention = layer.attention
        self.heads = heads
        self.inputs = _Linear(attention.self.query, attention.self.key, attention.self.value)
        self.mix, self.mixed_norm = _Linear(attention.output.dense), attention.output.LayerNorm
        self.up, self.down, self.norm = (
            _Linear(layer.intermediate.dense),
            _Linear(layer.output.dense),
            layer.output.LayerNorm,
        )

    def __call__(self, states: torch.Tensor, shapes: Shapes) -> torch.Tensor:
        """States of shape (tokens, width) -> the same."""
        heard = torch.cat([self._attend(alike) for alike in _apart(self.inputs(states), shapes)])
        states = self.mixed_norm(self.mix.plus(heard, states))
        made: torch.Tensor = self.norm(self.down.plus(self.up(states, "gelu"), states))
        return made

    def _attend(self, inputs: torch.Tensor) -> torch.Tensor:
        """Queries, keys and values of shape (texts, length, 3 * width) -> (texts * length, width)."""
        query, key, value = inputs.view(*inputs.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2).flatten(0, 1)


class _Linear:
    """Linear layers of one input side by side, as one product."""

    def __init__(self, *layers: torch.nn.Linear) -> None:
        weight = torch.cat([layer.weight for layer in layers])
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, _BATCH)
        self.bias = torch.cat([layer.bias for layer in layers])

    def __call__(self, x: torch.Tensor, activation: str = "none") -> torch.Tensor:
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, activation, [], "none")
        return made

    def plus(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self.weight, self.bias, "add")
        return made


def packed(encoder: SentenceTransformer) -> PackedBert | None:
    """`encoder` as a PackedBert, or None for a model of another kind, another device or a processor without oneDNN.

    Whether anything else about the model (prompts, lengths, pooling) makes a difference is seen by trying both.
    """
    from transformers import BertModel

    bert = getattr(encoder[0], "auto_model", None)
    if type(bert) is not BertModel or bert.config.hidden_act != "gelu":
        return None
    if encoder.device.type != "cpu" or not torch._C._has_mkldnn:
        return None
    fast = PackedBert(encoder)
    ours = torch.from_numpy(fast.encode(_PROBES))
    for encode in (encoder.encode_document, encoder.encode_query):
        with fast.alone() as pool:
            theirs = pool.submit(encode, _PROBES, show_progress_bar=False, convert_to_tensor=True).result().float()
        if theirs.shape != ours.shape:
            return None
        apart = functional.normalize(ours) - functional.normalize(theirs)
        if not apart.norm(dim=1).max() <= _NEAR:
            return None
    return fast


def _apart(states: torch.Tensor, shapes: Shapes) -> list[torch.Tensor]:
    """States of shape (tokens, width) as one (texts, length, width) for each of `shapes`."""
    parts = torch.split_with_sizes(states, [texts * length for texts, length in shapes])
    return [part.view(*shape, -1) for part, shape in zip(parts, shapes, strict=True)]


def _batches(order: Sequence[int], tokens: Sequence[Sequence[int]], most: int) -> list[list[int]]:
    """`order` cut into runs of up to `most` tokens, one text at least."""
    batches: list[list[int]] = []
    size = 0
    for n in order:
        if not batches or size + len(tokens[n]) > most:
            batches.append([])
            size = 0
        batches[-1].append(n)
        size += len(tokens[n])
    return batches


def _alone() -> None:
    """From here on, this thread runs torch's operations by itself; other threads keep their numbers."""
    from threadpoolctl import threadpool_limits

    torch.get_num_threads()  # gives the thread its number, which would else replace the limit
    threadpool_limits(1, "openmp")

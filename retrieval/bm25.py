"""BM25 over texts, by bm25s: stemmed words, numbers whole."""

from __future__ import annotations

import logging
import math
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray

from octavo.retrieval.flushing import flush

_TOKEN = r"(?u)\d[\d,.]*\d|\b\w\w+\b"  # noqa: S105 - a number with its separators is one word
_KEYS = "keys.npy"
logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets its own level to DEBUG


class BM25:
    """An index from words to the integer keys of texts. Made whole from all texts; a change makes it anew."""

    def __init__(self) -> None:
        self.keys: NDArray[np.int64] = np.empty(0, np.int64)
        self._index: bm25s.BM25 | None = None
        self._options = {
            "token_pattern": _TOKEN,
            "stemmer": Stemmer.Stemmer("english"),
            "stopwords": "en",
            "show_progress": False,
        }

    def build(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        order = sorted(range(len(keys)), key=texts.__getitem__)  # so that no tie is broken by when a text came
        keys, texts = [keys[n] for n in order], [texts[n] for n in order]
        self.keys = np.asarray(keys, np.int64)
        tokens = self._tokens(texts)
        self._index = bm25s.BM25() if tokens.vocab else None  # bm25s cannot index texts without a word
        if self._index is not None:
            self._index.index(tokens, show_progress=False)

    def search(self, query: str, k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """(key, score) of the `k` best texts that share a word with `query`, best first; keys in `among` only."""
        words = self._words([query])[0]
        if not words:
            return []
        scores = self._scores(words)
        if among is not None:
            scores = np.where(np.isin(self.keys, np.asarray(among, np.int64)), scores, 0.0)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(int(self.keys[n]), float(scores[n])) for n in best if scores[n] > 0]

    def coverage(self, query: str, texts: Sequence[str]) -> list[float]:
        """The share of the query's words that each of `texts` holds, 0 to 1, each word counted by its rarity.

        Rarity is the inverse document frequency of BM25, ln(1 + (n - df + .5) / (df + .5)), Robertson and Zaragoza,
        2009, over the texts of this index; a word that none of them holds is the rarest.
        """
        wanted = set(self._words([query])[0])
        count = len(self.keys)
        holders = {word: np.count_nonzero(self._scores([word])) for word in wanted}
        rarity = {word: math.log(1 + (count - df + 0.5) / (df + 0.5)) for word, df in holders.items()}
        total = sum(rarity.values())
        return [sum(rarity[word] for word in wanted & set(own)) / total if total else 0.0 for own in self._words(texts)]

    def _scores(self, words: list[str]) -> NDArray[np.float32]:
        """The BM25 score of each text, above 0 where it holds one of `words`, of which there is at least one."""
        if self._index is None:
            return np.zeros(len(self.keys), np.float32)
        scores: NDArray[np.float32] = self._index.get_scores(words)
        return scores

    def save(self, folder: Path) -> None:
        """Writes the index to `folder` in place of what is there; its owner keeps readers away meanwhile."""
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".part"))
        np.save(fresh / _KEYS, self.keys, allow_pickle=False)
        if self._index is not None:
            self._index.save(fresh, show_progress=False)
        flush(*fresh.iterdir(), fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)

    def load(self, folder: Path) -> None:
        """Takes the index saved in `folder`; one that is absent or damaged leaves this one empty."""
        self.keys, self._index = np.empty(0, np.int64), None
        with suppress(Exception):  # whatever a damaged file fails with
            keys = np.load(folder / _KEYS, allow_pickle=False)
            wordless = [path.name for path in folder.iterdir()] == [_KEYS]
            index = None if wordless else bm25s.BM25.load(folder, show_progress=False)
            if index is None or len(index.get_scores([" "])) == len(keys):  # of no word: a zero for each text
                self.keys, self._index = keys, index

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        return bm25s.tokenize(list(texts), return_ids=False, **self._options) if texts else []

    def _tokens(self, texts: Sequence[str]) -> bm25s.tokenization.Tokenized:
        return bm25s.tokenize(list(texts), **self._options)

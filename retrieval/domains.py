"""Which domain a text belongs to, learnt from documents whose domain is known; and domains found where none are.

MMed-RAG (Xia et al., ICLR 2025, arXiv 2410.13085) trains a domain identifier that sends a question to the retriever of
its domain. There it reads an image; here it reads the vector of a question or a chunk.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

AUTO, WEIGHTED = "auto", "weighted"
"""In place of a domain's name: the one that the identifier finds, or every one by its probability."""

_CHUNKS = 500  # of each domain that are learnt from: more change nothing but the time
_MOST_DOMAINS = 12
_SILHOUETTE = 2000  # documents that judge a number of domains: its time grows with their square
_NAME_WORDS = 3
_WORD = r"(?u)\b[a-z]{4,}\b"


class DomainError(ValueError):
    """Domains cannot be told apart, found or named as asked; the message is one line that says what to do."""


class DomainIdentifier:
    """Multinomial logistic regression from a unit vector to the domains, each counted alike whatever its size."""

    def __init__(self, vectors: Mapping[str, NDArray[np.float32]], seed: int = 0) -> None:
        """`vectors`: for each of two or more domains those of its chunks, shape (n, dimensions). Raises DomainError."""
        from sklearn.linear_model import LogisticRegression  # a second of imports that others are spared

        if len(vectors) < 2:
            raise DomainError("at least two domains are needed to tell them apart")
        generator = np.random.default_rng(seed)
        samples = {domain: some[generator.permutation(len(some))[:_CHUNKS]] for domain, some in sorted(vectors.items())}
        labels = [domain for domain, some in samples.items() for _ in some]
        self._model = LogisticRegression(class_weight="balanced", max_iter=1000, C=10.0)
        self._model.fit(np.concatenate(list(samples.values())), labels)

    def probabilities(self, vector: Sequence[float] | NDArray[np.float32]) -> dict[str, float]:
        """Domain -> probability for one vector, the likeliest first; they sum to 1."""
        odds = self._model.predict_proba(np.asarray([vector], np.float32))[0]
        pairs = sorted(zip(self._model.classes_, odds, strict=True), key=lambda pair: -pair[1])
        return {str(domain): float(p) for domain, p in pairs}

    def of_document(self, vectors: NDArray[np.float32]) -> str:
        """The domain of a document from its chunks' vectors, shape (n, dimensions): the likeliest of all together."""
        total = self._model.predict_log_proba(vectors).sum(axis=0)
        return str(self._model.classes_[int(total.argmax())])


def discover(vectors: NDArray[np.float32], texts: Sequence[str], count: int | None = None, seed: int = 0) -> list[str]:
    """A domain for each document, from its mean vector, shape (n, dimensions), and its text.

    K-means into `count` groups, by default the number (2 to 12) with the best silhouette; a group is named by the words
    that its documents use and others do not. Raises DomainError for fewer documents than groups, or than 3.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    n = len(vectors)
    if n < max(3, count or 0):
        raise DomainError(f"{n} documents are too few to find {count or 'several'} domains among them")
    counts = [count] if count else range(2, min(_MOST_DOMAINS, n - 1) + 1)
    best: tuple[float, NDArray[np.int32]] | None = None
    for groups in counts:
        labels = KMeans(groups, n_init=10, random_state=seed).fit_predict(vectors)
        several = 1 < len(set(labels)) < n
        sample = min(n, _SILHOUETTE)
        quality = float(silhouette_score(vectors, labels, sample_size=sample, random_state=seed)) if several else -1.0
        if best is None or quality > best[0]:
            best = quality, labels
    assert best is not None  # noqa: S101 - there is always a count to try
    names = _names(best[1], texts)
    return [names[label] for label in best[1]]


def _names(labels: NDArray[np.int32], texts: Sequence[str]) -> dict[int, str]:
    """The words that set each group's texts apart, joined by hyphens.

    A word's weight is its part in the divergence of the group from all, over the share of texts that use it,
    p log(p / p of all), times the logarithm of how often the group uses it.
    """
    groups = sorted(set(map(int, labels)))
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(token_pattern=_WORD, stop_words="english")
    try:
        counts = counter.fit_transform(texts).tocsr()
    except ValueError:  # not a word in any of them
        return {group: f"domain-{n}" for n, group in enumerate(groups, 1)}
    words, overall = counter.get_feature_names_out(), _column_means(counts > 0)
    found = {}
    for n, group in enumerate(groups, 1):
        own = counts[labels == group]
        share = _column_means(own > 0)
        weights = share * np.log(np.maximum(share, 1e-9) / overall) * np.log1p(np.asarray(own.sum(axis=0)).ravel())
        chosen: list[str] = []
        for index in np.argsort(-weights, kind="stable"):
            if weights[index] <= 0 or len(chosen) == _NAME_WORDS:
                break
            word = str(words[index])
            if not any(word.startswith(other) or other.startswith(word) for other in chosen):
                chosen.append(word)
        found[group] = "-".join(chosen) or f"domain-{n}"
    twice = {name for name, times in Counter(found.values()).items() if times > 1}
    return {group: f"{name}-{n}" if name in twice else name for n, (group, name) in enumerate(found.items(), 1)}


def _column_means(matrix: Any) -> NDArray[np.float64]:
    """The mean of each column of a sparse matrix."""
    return np.asarray(matrix.mean(axis=0), np.float64).ravel()


def valid_name(name: str) -> bool:
    """Whether `name` can be a domain's: letters, digits, spaces and -_. , at most 60, and no reserved word."""
    return bool(re.fullmatch(r"\w[\w .-]{0,59}", name)) and name not in (AUTO, WEIGHTED)

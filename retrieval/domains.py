"""Which domain a text belongs to, learnt from documents whose domain is known; and domains found where none are.

MMed-RAG (Xia et al., ICLR 2025, arXiv 2410.13085) trains a domain identifier that sends a question to the retriever of
its domain. There it reads an image; here it reads the vector of a question or a chunk.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

AUTO, WEIGHTED = "auto", "weighted"
"""In place of a domain's name: the one that the identifier finds, or every one by its probability."""

EXAMPLES = "domain examples"
"""The name that a library's examples of domains are kept by."""

SURE, MOSTLY = 0.8, 0.6
"""How probable a domain must be to search in it alone, and how probable over its chunks to put a document into it."""

_FOLDS = 5
_POWERS = np.geomspace(0.1, 20.0, 107)  # in steps of a twentieth
_FORM = 'a file of domains reads {"law": ["Contracts and clauses", "Who is liable?"], "trade": [...]}'
_CHUNKS = 500  # of each domain that are learnt from: more change nothing but the time
_MOST_DOMAINS = 12
_SILHOUETTE = 2000  # documents that judge a number of domains: its time grows with their square
_NAME_WORDS = 3
_WORD = r"(?u)\b[a-z]{4,}\b"


class DomainError(ValueError):
    """Domains cannot be told apart, found or named as asked; the message is one line that says what to do."""


class DomainIdentifier:
    """Multinomial logistic regression from a unit vector to the domains, each counted alike whatever its size.

    Its probabilities are calibrated: raised to one power and normed, which is temperature scaling (Guo, Pleiss, Sun and
    Weinberger, ICML 2017, arXiv 1706.04599), learnt on documents that the regression had not seen.
    """

    def __init__(self, examples: Mapping[str, Sequence[NDArray[np.float32]]], seed: int = 0) -> None:
        """`examples`: for each of two or more domains its documents, each by its chunks' vectors, (n, dimensions).

        Raises DomainError.
        """
        from sklearn.linear_model import LogisticRegression  # a second of imports that others are spared
        from sklearn.model_selection import cross_val_predict
        from sklearn.utils.class_weight import compute_sample_weight

        if len(examples) < 2:
            raise DomainError("at least two domains are needed to tell them apart")
        generator = np.random.default_rng(seed)
        vectors, labels, sources = [], [], []
        for domain, documents in sorted(examples.items()):
            source = np.repeat(np.arange(len(documents)), [len(some) for some in documents])
            chosen = generator.permutation(len(source))[:_CHUNKS]
            vectors.append(np.concatenate(documents)[chosen])
            labels += [domain] * len(chosen)
            sources += [f"{domain} {number}" for number in source[chosen]]
        known, weights = np.concatenate(vectors), compute_sample_weight("balanced", labels)
        self._model = LogisticRegression(max_iter=1000, C=10.0).fit(known, labels, sample_weight=weights)
        self._power = 1.0
        if folds := _folds(labels, sources, seed):
            unseen = cross_val_predict(
                self._model, known, labels, cv=folds, method="predict_log_proba", params={"sample_weight": weights}
            )
            self._power = _power(unseen, np.searchsorted(self._model.classes_, labels), weights)

    def probabilities(self, vector: Sequence[float] | NDArray[np.float32]) -> dict[str, float]:
        """Domain -> probability for one vector, the likeliest first; they sum to 1."""
        return self.of_document(np.asarray([vector], np.float32))

    def of_document(self, vectors: NDArray[np.float32]) -> dict[str, float]:
        """Domain -> probability of a document, by its chunks' vectors, shape (n, dimensions): the mean of theirs."""
        odds = np.exp(_scaled(self._model.predict_log_proba(vectors), self._power)).mean(axis=0)
        pairs = sorted(zip(self._model.classes_, odds, strict=True), key=lambda pair: -pair[1])
        return {str(domain): float(p) for domain, p in pairs}


def _scaled(log_odds: NDArray[np.float64], power: float | np.float64) -> NDArray[np.float64]:
    """Logarithms of probabilities, shape (n, domains), of which each row is raised to `power` and normed."""
    raised = power * log_odds
    normed: NDArray[np.float64] = raised - np.logaddexp.reduce(raised, axis=1, keepdims=True)
    return normed


def _power(log_odds: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """The power of the least cross-entropy with what is true.

    Truth counts as Platt has it (1999), not quite certain: else no power were too high where nothing is mistaken. With
    scikit-learn's CalibratedClassifierCV(method="temperature") a point between two such domains is surely of one.
    """
    n, domains = log_odds.shape
    target = np.full((n, domains), 1 / (n + 2) / domains)
    target[np.arange(n), truth] += 1 - 1 / (n + 2)

    def loss(power: np.float64) -> float:
        return -float(np.average((target * _scaled(log_odds, power)).sum(axis=1), weights=weights))

    return float(min(_POWERS, key=loss))


def sure(odds: Mapping[str, float], least: float = SURE) -> str:
    """The likeliest domain of `odds`, or "" where its probability is below `least`."""
    best = max(odds, key=lambda domain: odds[domain])
    return best if odds[best] >= least else ""


def _folds(labels: Sequence[str], sources: Sequence[str], seed: int) -> list[Any]:
    """Splits for cross-validation with each source on one side, if each domain has several; none where one has one."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    per_domain = Counter(label for label, _ in set(zip(labels, sources, strict=True)))
    if (number := min(_FOLDS, *per_domain.values())) > 1:
        split = StratifiedGroupKFold(number, shuffle=True, random_state=seed).split(labels, labels, sources)
    elif (number := min(_FOLDS, *Counter(labels).values())) > 1:
        split = StratifiedKFold(number, shuffle=True, random_state=seed).split(labels, labels)
    else:
        return []
    return list(split)


def read_examples(text: str) -> dict[str, list[str]]:
    """Domains by examples, from JSON: {"domain": ["what its texts are about", "a question", ...], ...}.

    Raises DomainError where that is not what it says.
    """
    try:
        found = TypeAdapter(dict[str, list[str]]).validate_json(text)
    except ValidationError as error:
        raise DomainError(f"no domains by examples: {error.errors()[0]['msg']}; {_FORM}") from error
    wrong = next((name for name, some in found.items() if not valid_name(name) or not any(map(str.strip, some))), None)
    if len(found) < 2 or wrong is not None:
        fault = "fewer than two domains" if wrong is None else f"{wrong!r} has a bad name or no examples"
        raise DomainError(f"{fault}; {_FORM}")
    return found


def default_examples() -> str:
    """The eight domains of UniDoc-Bench (arXiv 2510.03663), as `read_examples` reads them."""
    return files("octavo.retrieval").joinpath("domains.json").read_text(encoding="utf-8")


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

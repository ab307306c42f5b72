"""A library's domains: what its documents and a question belong to, and so where to look for that. Searches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octavo.ingest.store.catalogue import Catalogue
from octavo.retrieval.domains import (
    AUTO,
    EXAMPLES,
    MOSTLY,
    WEIGHTED,
    DomainError,
    DomainIdentifier,
    discover,
    read_examples,
    sure,
)
from octavo.retrieval.embedder import Embedder
from octavo.retrieval.tuning import UNTUNED, Tuning

_TOLD = 200  # chunks of a document whose words name its domain


@dataclass(frozen=True, slots=True)
class Where:
    """Where a question is looked for: in `documents` (SHA-256), None for all, as `tuning` has it; and `why`, in words.

    `named_first`: the documents that the question names come first. `weights` has for each document its domain and the
    probability that its hits' scores are multiplied by.
    """

    documents: Sequence[str] | None = None
    why: str = ""
    tuning: Tuning = UNTUNED
    named_first: bool = True
    weights: Mapping[str, tuple[str, float]] | None = None


EVERYWHERE = Where()


class LibraryDomains:
    """The domains of a catalogue's ready documents, by `embedder`'s vectors; `tunings` are those of some domains."""

    def __init__(self, catalogue: Catalogue, embedder: Embedder, tunings: Mapping[str, Tuning]) -> None:
        self.catalogue, self.embedder, self.tunings = catalogue, embedder, tunings
        self._identifier: tuple[tuple[Mapping[str, str], Mapping[str, list[str]]], DomainIdentifier] | None = None

    def ready(self) -> list[str]:
        """The ready documents (SHA-256)."""
        return list(self.catalogue.domains())

    def documents(self) -> dict[str, str]:
        """The domain of each ready document (SHA-256) that has one."""
        return _named(self.catalogue.domains())

    def examples(self) -> dict[str, list[str]]:
        """The examples that domains were told by, beside their documents."""
        stored = self.catalogue.choice(EXAMPLES)
        return read_examples(stored) if stored else {}

    def where(self, question: str, domain: str | None) -> Where:
        """Where to look for `question`, given a domain's name, "auto", "weighted", or None for everywhere.

        "auto" is the domain that the identifier finds with the documents of none, or everywhere where it is unsure.
        "weighted" gives documents without a domain the least of the probabilities. Raises DomainError.
        """
        if domain is None:
            return EVERYWHERE
        ready = self.catalogue.domains()
        known = _named(ready)
        if domain in (AUTO, WEIGHTED):
            odds = self._identify(known).probabilities(self.embedder.embed_query(question))
            return self._identified(odds, ready) if domain == AUTO else _weighted(odds, ready)
        if domain not in known.values():
            names = ", ".join(sorted(set(known.values()))) or "none yet; `octavo domains discover` finds some"
            raise DomainError(f"no domain {domain!r} in this library; there is {names}")
        inside = [sha256 for sha256, name in known.items() if name == domain]
        return Where(inside, f"domain: {domain}", self.tunings.get(domain, UNTUNED), named_first=False)

    def _identified(self, odds: Mapping[str, float], ready: Mapping[str, str | None]) -> Where:
        (best, probability), name = next(iter(odds.items())), sure(odds)
        if not name:
            return Where(why=f"domain: unsure, {best} has probability {probability:.2f}; all are searched")
        if name not in ready.values():
            return Where(why=f"domain: {name}, which has no documents; all are searched")
        why = f"domain: {name}, probability {probability:.2f}"
        return Where(_inside(ready, name), why, self.tunings.get(name, UNTUNED))

    def inside(self, domain: str) -> list[str]:
        """The documents (SHA-256) that are searched for a question of `domain`: its own, and those of none."""
        return _inside(self.catalogue.domains(), domain)

    def names(self) -> list[str]:
        """All domains that documents or examples make."""
        return self._names(self.documents())

    def identify(self, question: str) -> dict[str, float]:
        """Domain -> probability that the question belongs there, the likeliest first. Raises DomainError."""
        return self._identify(self.documents()).probabilities(self.embedder.embed_query(question))

    def domain_of(self, question: str) -> str:
        """The domain that the question belongs to; "" where that is unsure, or there are none to choose from."""
        return sure(self.identify(question)) if len(self.names()) > 1 else ""

    def place(self, documents: Sequence[str]) -> dict[str, str]:
        """The domain of each of these ready documents that has none yet and surely belongs to one."""
        domains = self.documents()
        new = [sha256 for sha256 in documents if sha256 not in domains]
        if not new or len(self._names(domains)) < 2:
            return {}
        identifier = self._identify(domains)
        odds = {sha256: identifier.of_document(some) for sha256 in new if len(some := self.vectors([sha256]))}
        return {sha256: name for sha256, some in odds.items() if (name := sure(some, MOSTLY))}

    def discover(self, count: int | None, seed: int) -> dict[str, str]:
        """A domain for each ready document, found by what they are about. Raises DomainError."""
        ready = self.ready()
        means = [self.vectors([sha256]).mean(axis=0) for sha256 in ready]
        texts = [" ".join(self.catalogue.texts(self._ids([sha256])[:_TOLD])[1]) for sha256 in ready]
        return dict(zip(ready, discover(np.asarray(means, np.float32), texts, count, seed), strict=True))

    def _identify(self, domains: Mapping[str, str]) -> DomainIdentifier:
        """The identifier learnt from `domains` and from examples; kept until they change."""
        examples = self.examples()
        if self._identifier is None or self._identifier[0] != (domains, examples):
            names = self._names(domains)
            if len(names) < 2:
                raise DomainError("fewer than two domains: `octavo domains discover` finds some, `set` makes one")
            known = {
                name: [self.vectors([sha256]) for sha256, own in domains.items() if own == name]
                + [self.embedder.encode([text]) for text in examples.get(name, ())]
                for name in names
            }
            known = {name: [some for some in documents if len(some)] for name, documents in known.items()}
            identifier = DomainIdentifier({name: documents for name, documents in known.items() if documents})
            self._identifier = (dict(domains), examples), identifier
        return self._identifier[1]

    def _names(self, domains: Mapping[str, str]) -> list[str]:
        return sorted({*domains.values(), *self.examples()})

    def _ids(self, documents: Sequence[str]) -> list[int]:
        return self.catalogue.ready_ids(self.embedder.name, pictures=False, documents=documents)

    def vectors(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """The vectors, shape (n, dimensions), of the texts of these documents (SHA-256)."""
        return self.catalogue.vectors(self.embedder.name, self._ids(documents))[1]


def _named(ready: Mapping[str, str | None]) -> dict[str, str]:
    return {sha256: domain for sha256, domain in ready.items() if domain}


def _inside(ready: Mapping[str, str | None], domain: str) -> list[str]:
    return [sha256 for sha256, own in ready.items() if own in (None, domain)]


def _weighted(odds: Mapping[str, float], ready: Mapping[str, str | None]) -> Where:
    least = min(odds.values())
    weights = {sha256: (name or "none", odds.get(name or "", least)) for sha256, name in ready.items()}
    return Where(named_first=False, weights=weights)

"""How a domain is searched: by which embedder of texts, what each list counts, how many hits. Data, not code."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, TypeAdapter, model_validator

TUNINGS = "domain tunings"
"""The name that a library's tunings are kept by."""


RRF = 60
"""What is added to each rank before its reciprocal is taken (Cormack, Clarke and Buettcher, SIGIR 2009)."""


class Weights(BaseModel, frozen=True):
    """What a list's ranks count in rank fusion: texts by meaning (dense) and by words (BM25), pages by pictures."""

    dense: float = Field(1.0, ge=0)
    bm25: float = Field(1.0, ge=0)
    image: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _some_texts(self) -> Self:
        if not self.dense and not self.bm25:
            raise ValueError("dense and bm25 cannot both count nothing")
        return self


EVEN = Weights()


class Tuning(BaseModel, frozen=True):
    """What is a domain's own: `embedder`, by the name that the library keeps it by; `weights`; `k`, the hits."""

    embedder: str | None = None
    weights: Weights = EVEN
    k: int | None = Field(None, ge=1, le=1000)

    def __str__(self) -> str:
        own = {"embedder": self.embedder} | {name: f"{weight:g}" for name, weight in self.weights if weight != 1}
        return ", ".join(f"{name} {value}" for name, value in (own | {"k": self.k}).items() if value is not None)


UNTUNED = Tuning()

_STORED = TypeAdapter(dict[str, Tuning])


def read_tunings(stored: str | None) -> dict[str, Tuning]:
    """The tunings of domains, as `write_tunings` writes them."""
    return _STORED.validate_json(stored) if stored else {}


def write_tunings(tunings: dict[str, Tuning]) -> str:
    """As JSON; "" for none."""
    own = {domain: tuning for domain, tuning in sorted(tunings.items()) if tuning != UNTUNED}
    return _STORED.dump_json(own, exclude_defaults=True).decode() if own else ""

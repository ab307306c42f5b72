"""How far a link can be trusted, by the evidence that made it."""

from __future__ import annotations

from dataclasses import dataclass

from octavo.ingest.model import LinkType


@dataclass(frozen=True, slots=True)
class Found:
    """A link and the evidence for it, a key of `CONFIDENCE`. `source` and `target` are element ids."""

    source: str
    target: str
    type: LinkType
    evidence: str


CONFIDENCE = {
    "caption: of its kind": 0.99,
    "caption: without a label": 0.8,
    "caption: of another kind": 0.6,
    "mention: its only bearer": 0.99,
    "mention: nearest of several": 0.7,
    "mention: beside it": 0.9,
    "mention: heading": 0.95,
    "mention: note": 0.9,
    "mention: printed page": 0.95,
    "mention: counted page": 0.7,
    "continues: caption says so": 0.99,
    "continues: header repeated": 0.95,
    "continues: columns agree": 0.9,
    "continues: sentence goes on": 0.97,
    "continues: sentence left open": 0.8,
    "heading: above it": 0.95,
}
"""The share of right links among those made on each evidence: see docs/reading/links.md."""

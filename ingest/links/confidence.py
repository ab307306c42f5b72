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
    "caption: without a label": 0.88,
    "caption: of another kind": 0.5,
    "mention: its only bearer": 0.99,
    "mention: nearest of several": 0.5,
    "mention: beside it": 0.96,
    "mention: heading": 0.98,
    "mention: note": 0.88,
    "mention: on its page": 0.86,
    "mention: printed page": 0.97,
    "mention: counted page": 0.5,
    "continues: caption says so": 0.92,
    "continues: header repeated": 0.88,
    "continues: columns agree": 0.88,
    "continues: sentence goes on": 0.97,
    "continues: sentence left open": 0.5,
    "heading: above it": 0.94,
}
"""The share of right links among those made on each evidence, (right + 1) / (made + 2), as `benchmarks/links.py` counts
them on made reports that links were developed on and on labelled windows 1 to 21; see docs/reading/links.md.

On the windows alone where they hold 30 or more; 0.5 is evidence that none has shown. "On its page" no command counts:
the twelve such mentions of two filings were looked at by hand, as neither reports nor windows have one."""

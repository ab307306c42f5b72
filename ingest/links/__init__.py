"""Links between the elements of a document: captions, mentions, continuations, headings.

Works on elements in reading order; knows nothing of PDFs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from octavo.ingest.links.captions import caption_links, name_captions
from octavo.ingest.links.confidence import CONFIDENCE, Found
from octavo.ingest.links.continuations import continuation_links
from octavo.ingest.links.headings import heading_levels, heading_links
from octavo.ingest.links.mentions import mention_links
from octavo.ingest.links.tables import JoinedTable, joined_tables
from octavo.ingest.model import Element, Link, Page
from octavo.ingest.traces import Traces

__all__ = ["JoinedTable", "find_links", "found_links", "heading_levels", "joined_tables", "name_captions"]


def find_links(pages: Sequence[Page], elements: Sequence[Element], traces: Mapping[int, Traces]) -> list[Link]:
    """All links of a document, each with a confidence in [0, 1].

    Elements in reading order, captions named; `traces` of each page by its number, those of a page may be missing.
    """
    found = found_links(pages, elements, traces)
    links = [Link(f.source, f.target, f.type, CONFIDENCE[f.evidence]) for f in found]
    best = {(link.source, link.target, link.type): link for link in sorted(links, key=lambda link: link.confidence)}
    return list(best.values())


def found_links(pages: Sequence[Page], elements: Sequence[Element], traces: Mapping[int, Traces]) -> Iterator[Found]:
    """All links of a document, each with the evidence for it; the same one may be found twice."""
    captions = list(caption_links(elements))
    continued = list(continuation_links(elements, captions, traces))
    yield from captions
    yield from continued
    yield from mention_links(pages, elements, captions, continued)
    yield from heading_links(elements, continued, traces)

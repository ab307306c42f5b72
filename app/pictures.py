"""Answers to look at: each cited page as a PNG with its boxes drawn."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from octavo.colours import colour
from octavo.generation.model import Answer, Citation
from octavo.library import Library


def draw_citations(library: Library, answer: Answer, folder: Path) -> list[Path]:
    """Writes one PNG into `folder` for each page that `answer` cites; gives back their paths in order of citation."""
    pages: dict[tuple[str, int], list[Citation]] = defaultdict(list)
    for citation in answer.citations:
        pages[citation.sha256, citation.page].append(citation)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for (sha256, page), citations in pages.items():
        path = folder / f"{sha256[:12]}-page-{page}.png"
        path.write_bytes(library.page_picture(sha256, page, [(c.bbox, colour(c.type)) for c in citations]))
        drawn.append(path)
    return drawn

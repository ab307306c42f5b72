"""A page encoder on a library that it never saw: does a picture find the text that lies under it?

    OCTAVO_VISUAL_EMBEDDER=ENCODER octavo index --library LIBRARY
    python benchmarks/pages.py LIBRARY ENCODER [--seed 0]

LIBRARY's pictures have been embedded by ENCODER and by the text under them. For each kind of picture: how often its own
text is the nearest, and among the nearest ten, of the texts under all pictures of that kind, and of those of its own
document; beside chance. Intervals are 95%, bootstrap over documents.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from octavo import Library, Settings
from octavo.retrieval.looking import picture_embedder
from octavo.training.page_report import ranks

DRAWS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("encoder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with Library(settings=Settings(library=options.library)) as library:
        encoder = picture_embedder(options.encoder, library.embedder, "cpu")
        catalogue = library.catalogue
        keys, seen = catalogue.vectors(encoder.name, catalogue.ready_ids(encoder.name, pictures=True))
        kept, under = catalogue.vectors(library.looker.name, keys)
        if kept != keys or not keys:
            parser.error("the pictures lack vectors of the encoder, or of the text under them: octavo index makes them")
        stored = catalogue.chunks(keys, elements=False)
    kinds, owners = np.array([str(s.chunk.type) for s in stored]), np.array([s.sha256 for s in stored])
    print("| pictures | | chance at 10 | at 1 | at 10 | chance at 10 in the document | at 1 | at 10 |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in sorted(set(kinds)):
        of = np.flatnonzero(kinds == kind)
        rows: dict[str, list[list[float]]] = defaultdict(list)  # of each document: chance, at 1, at 10, by how widely
        everywhere = ranks(seen[of], under[of])
        for owner in sorted(set(owners[of])):
            own = np.flatnonzero(owners[of] == owner)
            inside = ranks(seen[of[own]], under[of[own]])
            for where, ranked, among in (("all", everywhere[own], len(of)), ("own", inside, len(own))):
                rows[where].append([min(1, 10 / among) * len(own), (ranked < 1).sum(), (ranked < 10).sum(), len(own)])
        cells = [cell for where in ("all", "own") for cell in told(np.array(rows[where]), options.seed)]
        print(f"| {kind} | {len(of)} | {' | '.join(cells)} |")


def told(rows: np.ndarray, seed: int) -> list[str]:
    """The three shares over all pictures, with intervals of the last two."""
    draws = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=DRAWS)
    chance, *found = rows[:, :3].sum(axis=0) / rows[:, 3].sum()
    low, high = np.percentile(draws @ rows[:, 1:3] / (draws @ rows[:, 3:]), [2.5, 97.5], axis=0)
    shares = zip(found, low, high, strict=True)
    return [f"{chance:.3f}", *(f"{share:.3f} ({a:.3f} to {b:.3f})" for share, a, b in shares)]


if __name__ == "__main__":
    main()

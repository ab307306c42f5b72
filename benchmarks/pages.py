"""A page encoder on a library that it never saw: does a picture find the text that lies under it?

    OCTAVO_VISUAL_EMBEDDER=ENCODER octavo index --library LIBRARY
    python benchmarks/pages.py LIBRARY ENCODER [--seed 0]

LIBRARY's pictures have been embedded by ENCODER and by the text under them. For each kind of picture: how often its own
text is the nearest, and among the nearest ten, of the texts under all pictures of that kind, and of those of its own
document; beside chance. Intervals are 95%, bootstrap over documents.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from octavo import Library, Settings
from octavo.retrieval.looking import picture_embedder
from octavo.training.page_report import ranks, recalls


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
        inside, chance = np.zeros(len(of), int), np.zeros(len(of))
        for owner in set(owners[of]):
            own = owners[of] == owner
            inside[own], chance[own] = ranks(seen[of[own]], under[of[own]]), min(1, 10 / own.sum())
        everywhere = ranks(seen[of], under[of]), np.full(len(of), min(1, 10 / len(of)))
        cells = []
        for ranked, by_chance in (everywhere, (inside, chance)):
            shares = recalls(ranked, owners[of], options.seed).values()
            cells += [f"{by_chance.mean():.3f}", *(f"{share:.3f}" for share in shares)]
        print(f"| {kind} | {len(of)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

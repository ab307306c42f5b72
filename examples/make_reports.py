"""Write made reports of eight domains in many layouts, and the truth about every element and link in them.

    python examples/make_reports.py --out FOLDER --seed 1 --documents 16 [--held-out]

The reports say nothing true: they are for developing and measuring links. `--held-out` takes fonts, layouts and
wordings that no other report has. The same packages and seed give the same bytes. See README.md for `truth.json`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from random import Random

from made.looks import draw_look
from made.setting import make
from made.words import DOMAINS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--held-out", action="store_true", help="fonts, layouts and wordings of their own")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    truth = {}
    for n in range(chosen.documents):
        random = Random(f"{chosen.seed}-{n}-{chosen.held_out}")  # noqa: S311 - not for secrets
        domain = list(DOMAINS)[n % len(DOMAINS)]
        look = draw_look(random, chosen.held_out)
        name = f"{domain}-{chosen.seed}-{n}.pdf"
        pdf, known = make(domain, look, random)
        (chosen.out / name).write_bytes(pdf)
        shown = {key: value for key, value in asdict(look).items() if key != "wording"}
        truth[name] = {"domain": domain, "look": shown, **known}
        print(f"{name}: {known['pages']} pages, {len(known['elements'])} elements, {len(known['links'])} links")
    (chosen.out / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How often real pages raise an alarm of hidden text or of a garbled text layer, what it says, and what asking costs.

    python benchmarks/hidden.py DATA [--every 5]

Every `--every`-th page of each PDF below DATA, from a drawn one on. Each alarm is printed, to be looked at on the page.
The words of pages that have enough of them are garbled in several ways too, to see which of these are noticed.
Milliseconds of CPU.
"""

from __future__ import annotations

import argparse
import random
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

from octavo.ingest.readers.mupdf.door import pymupdf, upright
from octavo.ingest.readers.mupdf.hidden import split_hidden
from octavo.ingest.sheet import Word
from octavo.ingest.textlayer.legible import garbled

_ENOUGH = 60  # words


def shuffled(text: str, alphabet: str) -> str:
    other = random.Random(text).sample(alphabet, len(alphabet))  # noqa: S311 - a sample
    return text.translate(str.maketrans(alphabet, "".join(other)))


def each(text: str, change: Callable[[str], str]) -> str:
    return "".join(character if character == " " else change(character) for character in text)


CIPHERS: dict[str, Callable[[str], str]] = {
    "small letters shuffled": lambda text: shuffled(text, string.ascii_lowercase),
    "letters shuffled": lambda text: shuffled(text, string.ascii_letters),
    "all characters shuffled": lambda text: shuffled(text, "".join(sorted(set(text) - {" "}))),
    "glyph numbers": lambda text: each(text, lambda c: chr(max(1, ord(c) - 29))),
    "private use": lambda text: each(text, lambda c: chr(0xF000 + ord(c) % 256)),
    "replacement characters": lambda text: each(text, lambda c: "\ufffd"),
}


def to_words(text: str) -> list[Word]:
    return [Word((0, 0, 1, 1), word, 10) for word in text.split(" ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=5)
    given = parser.parse_args()
    pages: Counter[str] = Counter()
    alarms: Counter[tuple[str, str]] = Counter()
    noticed: Counter[str] = Counter()
    asked = 0
    costs = []
    for path in sorted(given.data.rglob("*.pdf")):
        folder = path.relative_to(given.data).parts[0]
        with pymupdf.open(path) as document:
            first = random.Random(path.name).randrange(given.every)  # noqa: S311 - a sample
            for number in range(first, document.page_count, given.every):
                page = upright(document[number])
                words = [Word(word[:4], word[4], word[3] - word[1]) for word in page.get_text("words")]
                images = [info["bbox"] for info in page.get_image_info()]
                start = process_time()
                _, hidden = split_hidden(page, words, images)
                costs.append(1000 * (process_time() - start))
                pages[folder] += 1
                ways = {run.how for run in hidden} | ({"garbled"} if garbled(words) else set())
                alarms.update((folder, way) for way in ways)
                if len(words) >= _ENOUGH:
                    asked += 1
                    text = " ".join(word.text for word in words)
                    noticed.update(name for name, cipher in CIPHERS.items() if garbled(to_words(cipher(text))))
                for run in hidden:
                    print(f"{path.name}, page {number + 1}, {run.how}: {run.text[:80]!r}")
    for (folder, way), count in sorted(alarms.items()):
        print(f"{folder}: {way} on {count} of {pages[folder]} pages")
    for name in CIPHERS:
        print(f"{name}: noticed on {noticed[name]} of {asked} pages")
    costs.sort()
    print(
        f"{len(costs)} pages; ms a page: median {median(costs):.0f}, 90 % within {costs[int(0.9 * len(costs))]:.0f}, "
        f"99 % within {costs[int(0.99 * len(costs))]:.0f}"
    )


if __name__ == "__main__":
    main()

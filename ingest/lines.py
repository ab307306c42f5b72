"""Words into the lines that a reader sees. Knows nothing of what the words say."""

from __future__ import annotations

from collections.abc import Iterable

from octavo.ingest.geometry import union
from octavo.ingest.model import Box
from octavo.ingest.sheet import Word

_SAME = 0.6  # of the lower line's height: what two pieces of one line share on the y axis


def drawn_lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words as the lines that the file draws, in the order in which each begins."""
    drawn: dict[int, list[Word]] = {}
    for word in words:
        drawn.setdefault(word.line, []).append(word)
    return list(drawn.values())


def lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words of one column, line by line from the top, each line from the left.

    A file may draw one line in pieces (a leader, a superscript, justified words): pieces side by side are one line.
    """
    found: list[tuple[list[Word], Box]] = []
    for piece in sorted(drawn_lines(words), key=lambda piece: min(word.bbox[1] for word in piece)):
        box = union(word.bbox for word in piece)
        n = next((n for n in reversed(range(len(found))) if _side_by_side(found[n][1], box)), len(found))
        if n < len(found):
            line, around = found[n]
            found[n] = line + piece, union((around, box))
        else:
            found.append((piece, box))
    return [sorted(line, key=lambda w: w.bbox[0]) for line, _ in sorted(found, key=lambda one: one[1][1])]


def text_of(words: Iterable[Word]) -> list[str]:
    """The same lines as strings."""
    return [" ".join(word.text for word in line) for line in lines(words)]


def _side_by_side(a: Box, b: Box) -> bool:
    shared = min(a[3], b[3]) - max(a[1], b[1])
    apart = max(a[0], b[0]) > min(a[2], b[2]) - 1
    return apart and shared > _SAME * min(a[3] - a[1], b[3] - b[1])

"""Text as PDFs and file systems hold it, made plain: lines joined into paragraphs, hyphens at line ends healed.

And what Octavo itself says of it: page ranges, numbers with their nouns.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACE = re.compile(r"\s+")
_HYPHEN = re.compile(r"(?<=[a-z])[-\u2010]$")

NUMBER = r"(?:[A-Z]{1,3}[.\-–]?)?\d+(?:[.\-–]\d+)*[A-Za-z]?|[IVXL]+"
"""What a label counts with: "3", "2.1", "A-4", "SA3", "IV"."""

CAPTION = re.compile(
    rf"^(?P<kind>(?i:Table|Figure|Fig|Chart|Exhibit|Graph|Map))(?i:s?)(?:\.\s*|\s+|(?=\d))(?P<number>{NUMBER}|[ivx]+)\b"
)
"""How a caption opens: its kind and its number."""

_TITLE_NEXT = re.compile(r"\s*($|[.:|()\[\-–—]|[A-Z0-9“\"$])")


def reason_of(error: Exception) -> str:
    """What an error says, for a message of one line; its type where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def opens_caption(text: str) -> bool:
    """Whether `text` opens as a caption does: "Table 3." or "Figure 2 Sales", not "Table 3 shows that ..."."""
    opening = CAPTION.match(text)
    return bool(opening and opens_title(text, opening.end()))


def opens_title(text: str, start: int) -> bool:
    """Whether what stands in `text` from `start` on, behind a label, may be a title: no sentence goes on there."""
    return bool(_TITLE_NEXT.match(text, start))


def clean(text: str) -> str:
    """One line of `text`: compatibility characters (ligatures) resolved, control characters out, spaces folded."""
    return _SPACE.sub(" ", _CONTROL.sub("", unicodedata.normalize("NFKC", text))).strip()


def join_lines(lines: Iterable[str], heal: bool = True) -> str:
    """The lines of a paragraph as one; a word that a hyphen cut at a line's end is whole again.

    Without `heal` it keeps its hyphen, as fits a table's cell, where most such words are compounds ("Person-/years").
    """
    joined = ""
    for line in filter(None, map(clean, lines)):
        if joined and _HYPHEN.search(joined) and line[0].islower():
            joined = (joined[:-1] if heal else joined) + line
        else:
            joined = f"{joined} {line}" if joined else line
    return joined


def page_ranges(pages: Sequence[int]) -> str:
    """Ascending page numbers in words, as in "3, 5-9"."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def shown(path: Path | str) -> str:
    """A path as text that a database and a terminal take, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace")


def printable(text: str) -> str:
    """A name, or the like, on one line: what would move a terminal's cursor, or turn its text, is shown as unknown."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown(text))


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 page", "1,204 pages"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def counts(**numbers: int) -> str:
    """Numbers with their nouns: `counts(page=1, chunk=3)` is "1 page, 3 chunks"."""
    return ", ".join(count(number, noun) for noun, number in numbers.items())

"""Text for people: document text made harmless for Markdown, and sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_MARK = re.compile(r"\[(\d{1,4})\]")
# Streamlit looks for links, shortcodes and arrows in the text that parsing has left, where an escape no longer shows:
# an invisible joiner parts them.
_JOINER = "\u2060"
_LATE = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\w)(?=@)"  # addresses
    r"|(?<=:)(?=(?:[a-z+-][\w+-]*|100|1234|8ball):)"  # :smile:, but not 12:30:15
    r"|(?<=[<>~-])(?=[-=>])",  # arrows, dashes, comparisons
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """`text` as Markdown that shows its own characters and nothing else: no HTML, links, pictures, LaTeX or colours."""
    lines = "".join(c for c in text if c.isprintable() or c in "\n\t").split("\n")
    escaped = (_PUNCTUATION.sub(r"\\\1", _LATE.sub(_JOINER, " ".join(line.split()))) for line in lines)
    return "  \n".join(escaped).strip()


def with_marks(text: str, links: Mapping[int, str]) -> str:
    """`text` as `plain` gives it, but each mark `[n]` that `links` has as a link to `links[n]`, an anchor."""
    parts = _MARK.split(text)
    pieces = [_mark(int(part), links) if n % 2 else _plain_part(part) for n, part in enumerate(parts)]
    return "".join(pieces).strip()


def _mark(number: int, links: Mapping[int, str]) -> str:
    mark = plain(f"[{number}]")
    return f"[{mark}](#{links[number]})" if number in links else mark


def _plain_part(text: str) -> str:
    """`plain`, with the white space at both ends kept, which parts words from marks."""
    lead, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{' ' if lead else ''}{plain(text)}{' ' if tail and text.strip() else ''}"


def short(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters, cut between words where that costs little."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    words = cut[: cut.rfind(" ")] if line[most - 1] != " " and cut.rfind(" ") > most * 0.5 else cut
    return f"{words.rstrip()}…"


def sentence(text: str) -> str:
    """`text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def size(number: int) -> str:
    """Bytes as people say them."""
    return f"{number / 2**20:,.1f} MB" if number >= 2**20 else f"{max(1, round(number / 2**10))} KB"

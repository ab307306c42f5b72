"""Whether the words of a page's text layer can be what the page says, judged by their letters alone.

Fonts without a true map to Unicode give ciphers: other letters, glyph numbers, private characters. Every Latin-script
language alternates vowels and consonants more than a shuffled alphabet does. Knows no dictionary and no PDF library.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from octavo.ingest.geometry import area, intersection
from octavo.ingest.sheet import Sheet, Word

_VOWELS = frozenset("aeiouyAEIOUY")
_LETTERS = re.compile(r"[A-Za-z]{4,}")
_MIXED = re.compile(r"[a-z][A-Z]|[A-Za-z](\d+|[^\w\s.,:;'’\"”)/&@+-])[A-Za-z]")
_MOJIBAKE = re.compile(r"[ÂÃÐÑâ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")  # UTF-8 read as a Western code page
_FOREIGN = {"Cc", "Cn", "Co", "Cs"}  # control, unassigned, private, surrogate
_ENOUGH = 60  # pairs of letters, or words with letters
_ALTERNATION = 0.62  # of pairs of letters: a vowel beside a consonant
_FEW_MIXED = 0.15  # of words: with letters and other signs, or small and capital ones, in disorder
_FEW_FOREIGN = 0.1  # of characters
_FULL = 0.5  # of a page, that pictures cover


def garbled(words: Sequence[Word]) -> bool:
    """Whether the words look like no language's. A few pages of good text in German do too: ask the picture."""
    text = [_plain(word.text) for word in words]
    characters = "".join(text)
    foreign = sum(ch == "\ufffd" or unicodedata.category(ch) in _FOREIGN for ch in characters)
    foreign += sum(2 for _ in _MOJIBAKE.finditer(" ".join(word.text for word in words)))
    if foreign > _FEW_FOREIGN * len(characters):
        return True
    spelt = [word for word in text if sum(ch.isalpha() for ch in word) > 2]
    if len(spelt) >= _ENOUGH and sum(bool(_MIXED.search(word)) for word in spelt) > _FEW_MIXED * len(spelt):
        return True
    pairs = [(a in _VOWELS) != (b in _VOWELS) for run in _LETTERS.findall(" ".join(text)) for a, b in pairwise(run)]
    return len(pairs) >= _ENOUGH and sum(pairs) < _ALTERNATION * len(pairs)


def pictured(sheet: Sheet) -> bool:
    """Whether images are most of the page, which may then be a scan, whatever text lies over it or under it."""
    page = (0.0, 0.0, sheet.width, sheet.height)
    return sum(area(intersection(box, page)) for box in sheet.images) > _FULL * area(page)


def _plain(text: str) -> str:
    """The text without accents."""
    return "".join(ch for ch in unicodedata.normalize("NFD", text) if not unicodedata.combining(ch))

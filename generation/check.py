"""Whether an answer's evidence bears it out: citation marks, numbers and words. Pure functions over strings.

Knows nothing of models or documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache

import Stemmer

BORNE_OUT = 0.75
"""Share of an answer's content words that its evidence must hold: at most one in four may be the writer's own."""

_MARK = re.compile(r"\s?\[\s*(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\s*\]")
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")

_POWERS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_POWERS |= {"mn": 6, "mio": 6, "bn": 9, "mrd": 9, "tn": 12, "k": 3, "m": 6, "b": 9}
_NUMBER = re.compile(
    r"""
    (?P<open>\()?
    (?:(?<![\w.)\]])(?P<minus>[-−–]))?                       # after a word or number, a dash joins; it is no sign
    [$€£¥]?\ ?
    (?P<inner>(?<=[$€£¥])[-−–])?
    (?P<digits>\d{1,3}(?:[,'’\u00a0\u2009\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?:[\s-]?(?P<word>thousand|million|billion|trillion|mn|mio|bn|mrd|tn)s?\b|(?P<letter>[kmb])\b)?  # a letter: metres?
    \ ?%?
    (?P<close>\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNITS = re.compile(  # "(in millions)", "$ million", "$000s": the unit of a table's bare numbers
    r"(?:[$€£¥]|\b(?:in|usd|eur|gbp)\b)\s?(?:\w+\s)?(thousand|million|billion|trillion)s?\b"
    r"|(?<!\d\s)(?<!\d)\b(thousand|million|billion)s\b"
    r"|[$€£¥'’(](000)s?\b",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(r"^\s*(\d{1,2})[.)]\s+(?=\S)", re.MULTILINE)

_WORD = re.compile(r"[^\W\d_]{2,}")
_COMMONEST = (
    "a about after all also an and any are as at be because been before both but by can could did do does each for from"
    " had has have he her his how if in into is it its may more most no not of on only or other our out over she should"
    " so some such than that the their them then there these they this those through to under up us was we were what"
    " when where which while who will with would you your"
)
_STOP_WORDS = frozenset(_COMMONEST.split())


def renumber(text: str, given: int) -> tuple[str, tuple[int, ...]]:
    """`text` with its marks numbered 1, 2, ... in order of appearance, and what each of those cites.

    A mark cites evidence 1 to `given`; whatever cites something else is dropped. "A [3]. B [9, 1]." gives
    ("A [1]. B [2].", (3, 1)).
    """
    order: list[int] = []

    def replace(match: re.Match[str]) -> str:
        cited = [number for number in _cited(match[1]) if 1 <= number <= given]
        order.extend(dict.fromkeys(number for number in cited if number not in order))
        lead = " " if match[0][0].isspace() and cited else ""
        return lead + "".join(f"[{order.index(number) + 1}]" for number in dict.fromkeys(cited))

    return _MARK.sub(replace, text), tuple(order)


def claims(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """Each stretch of `text` with the numbers of the marks that directly follow it; a tail without marks has none."""
    found: list[tuple[str, tuple[int, ...]]] = []
    start = 0
    for match in _MARK.finditer(text):
        stretch, cited = text[start : match.start()].strip(" .\n"), tuple(_cited(match[1]))
        if not stretch and found:
            found[-1] = (found[-1][0], found[-1][1] + cited)
        else:
            found.append((stretch, cited))
        start = match.end()
    tail = text[start:].strip(" .\n")
    return [*found, (tail, ())] if tail else found


def unmark(text: str) -> str:
    """`text` of a document with what looks like citation marks, such as a paper's "[12]", in parentheses instead."""
    return _MARK.sub(lambda match: match[0].replace("[", "(").replace("]", ")"), text)


def unsupported_numbers(text: str, evidence: Iterable[str]) -> tuple[str, ...]:
    """The numbers of `text`, as written there, that no string of `evidence` holds; each once.

    Thousands separators, currency signs, percent signs and trailing zeros do not matter. "1.2 million" equals
    "1,200,000", and 1.2 in evidence that says "in millions". "(5)" is -5 or 5; a minus must stand in the evidence, but
    its negative numbers bear out positive ones ("a loss of 5"). Years count. Citation marks and the numbering of a list
    do not.
    """
    known: set[Decimal] = set()
    for passage in evidence:
        for _, readings in _numbers(passage):
            known |= readings | {abs(value) for value in readings}
    written = _numbers(_without_list_numbers(_MARK.sub(" ", text)))
    return tuple(dict.fromkeys(number for number, readings in written if known.isdisjoint(readings)))


def support(text: str, evidence: Sequence[str]) -> float:
    """Share in [0, 1] of the content words and numbers of `text` that `evidence` holds; 0 when it has none."""
    plain = _without_list_numbers(_MARK.sub(" ", text))
    words, numbers = content_words(plain), {number for number, _ in _numbers(plain)}
    found = len(words & content_words("\n".join(evidence))) + len(numbers - set(unsupported_numbers(text, evidence)))
    return found / max(1, len(words) + len(numbers))


def borne_out(text: str, evidence: Sequence[str]) -> bool:
    """Whether `evidence` holds all numbers of `text` and at least `BORNE_OUT` of its content words and numbers."""
    return support(text, evidence) >= BORNE_OUT and not unsupported_numbers(text, evidence)


def content_words(text: str) -> frozenset[str]:
    """The stems of the words of `text`, without its numbers ("1.2 million") and the commonest words."""
    words = {word.lower() for word in _WORD.findall(_NUMBER.sub(" ", text))} - _STOP_WORDS
    return frozenset(_stemmer().stemWords(list(words)))


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def _cited(inside: str) -> Iterator[int]:
    for part in re.split(r"[,;]", inside):
        if span := _RANGE.search(part):
            first, last = int(span[1]), int(span[2])
            yield from range(first, min(last, first + 100) + 1)
        else:
            yield int(part)


def _power(unit: re.Match[str]) -> int:
    return 3 if unit[3] else _POWERS[(unit[1] or unit[2]).lower()]


def _numbers(text: str) -> Iterator[tuple[str, set[Decimal]]]:
    """Each number as written, with the values it may stand for."""
    scales = [Decimal(10) ** _power(unit) for unit in _UNITS.finditer(text)]
    for match in _NUMBER.finditer(text):
        value = Decimal(re.sub(r"[^\d.]", "", match["digits"]))
        if word := match["word"]:
            readings = {value * 10 ** _POWERS[word.lower()]}
        elif letter := match["letter"]:
            readings = {value, value * 10 ** _POWERS[letter.lower()]}
        else:
            readings = {value, *(value * scale for scale in scales)}
        if match["minus"] or match["inner"]:
            readings = {-reading for reading in readings}
        elif match["open"] and match["close"]:
            readings |= {-reading for reading in readings}
        yield match[0].strip(" ()"), readings


def _without_list_numbers(text: str) -> str:
    """`text` without "1.", "2.", ... at the start of its lines, as long as they count up from 1."""
    expected = 1

    def drop(match: re.Match[str]) -> str:
        nonlocal expected
        if int(match[1]) != expected:
            return match[0]
        expected += 1
        return "\n"

    return _LIST_ITEM.sub(drop, text)

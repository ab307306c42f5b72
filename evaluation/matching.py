"""Whether an answer says what the reference answer says: exact match, containment, numeric match.

Knows nothing of where answers come from. Marks such as [1] that point at citations are no part of an answer's text.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

TOLERANCE = 0.01  # relative: what rounding to two figures and reading "about" allow
_MARK = re.compile(r"\[\d+\]")
_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”–—…")

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SCALES |= {name + "s": value for name, value in _SCALES.items()}
_SCALES |= {"mn": 1e6, "mm": 1e6, "bn": 1e9, "tn": 1e12, "k": 1e3, "m": 1e6, "b": 1e9}
_SCALE_WORDS = "thousands?|millions?|billions?|trillions?|mn|mm|bn|tn"
_NUMBER = re.compile(
    rf"""(?<![\w.,/])                        # not inside a word or a longer number: FY2018, 10-Q2
    (?P<open>\()?\s?(?P<sign>[-−–])?\s?(?P<currency>US\$|[$€£¥])?\s?(?P<open2>\()?(?P<sign2>[-−])?
    (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?P<close>\s?\))?
    (?:\s?(?P<percent>%|per\s?cents?\b|percentage\ points?\b)|\s?(?P<scale>{_SCALE_WORDS})\b|(?P<letter>[kmb])\b)?
    (?P<close2>\s?\))?
    (?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_UNIT = re.compile(rf"(?<!\d)(?<!\d )\b({_SCALE_WORDS})\b|(%|\bper\s?cents?\b|\bpercentages?\b)", re.IGNORECASE)
_HEDGE = r"(?:about|approximately|approx\.?|around|roughly|nearly|almost|over|some|~|≈|\s)*"
_WORDS_AFTER = 5  # "9.7 per cent of the labour force" is a number, a sentence that begins with one is not


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written and by its unit: "$1.5 billion" is 1.5, times 1e9; a bare number has no `scale`.

    `enclosed`: in parentheses, hence negative; where statements list what was spent, it is meant without the sign.
    """

    written: float
    scale: float | None
    year: bool
    enclosed: bool

    def values(self, unit: float) -> tuple[float, ...]:
        """What the number may mean where bare numbers may be in `unit`."""
        return (self.written * self.scale,) if self.scale else (self.written, self.written * unit)


def normalise(text: str) -> str:
    """Lower case, without punctuation, articles, citation marks and extra white space.

    As the SQuAD evaluation does (Rajpurkar et al., EMNLP 2016).
    """
    bare = _MARK.sub(" ", text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", bare).split())


def exact_match(answer: str, reference: str) -> bool:
    """Whether both say the same once normalised."""
    return normalise(answer) == normalise(reference)


def contains(answer: str, reference: str) -> bool:
    """Whether the answer holds the reference, whole words of it, once both are normalised."""
    wanted = normalise(reference)
    return bool(wanted) and f" {wanted} " in f" {normalise(answer)} "


def numbers(text: str) -> list[Number]:
    """The numbers of a text. Thousands, millions, % and the like scale; parentheses and a leading minus negate."""
    found = _NUMBER.finditer(_MARK.sub(" ", text))
    return [_number(match) for match in found if match["currency"] or not match["letter"]]  # "$10K", no Form 10K


def is_numeric(reference: str) -> bool:
    """Whether a reference answer is in essence a number: one, at its beginning, and at most five words after it."""
    found = list(_NUMBER.finditer(reference))
    if len(found) != 1 or not re.fullmatch(_HEDGE, reference[: found[0].start()], re.IGNORECASE):
        return False
    return len(re.findall(r"\w+", reference[found[0].end() :])) <= _WORDS_AFTER


def numeric_match(answer: str, reference: str, question: str = "") -> bool | None:
    """Whether the number that `reference` is stands in `answer`, to 1%; None when the reference is no number.

    Units count: $1.5 billion is 1,500 million, 65.4% is 0.654. A bare number may be in the unit that question or
    reference name ("in USD millions"). Signs count, but an answer's (473) is -473 or 473. A year matches only itself.
    """
    if not is_numeric(reference):
        return None
    wanted = numbers(reference)[0]
    unit = asked_unit(question) or wanted.scale or 1.0
    return any(_same(wanted, number, unit) for number in numbers(answer))


def _number(match: re.Match[str]) -> Number:
    part = match.groupdict()
    value = float(part["digits"].replace(",", ""))
    enclosed = (part["open"] or part["open2"]) and (part["close"] or part["close2"])
    if part["sign"] or part["sign2"] or enclosed:
        value = -value
    scale = 0.01 if part["percent"] else _SCALES.get((part["scale"] or part["letter"] or "").lower())
    year = re.fullmatch(r"(19|20)\d\d", match.group().strip()) is not None
    return Number(value, scale, year, bool(enclosed))


def asked_unit(question: str) -> float | None:
    """The unit that a question asks for, as a factor."""
    match = _UNIT.search(question)
    if match is None:
        return None
    return _SCALES[match[1].lower()] if match[1] else 0.01


def _same(wanted: Number, number: Number, unit: float) -> bool:
    if wanted.year:
        return wanted.written == number.written
    signs = (1, -1) if number.enclosed else (1,)
    return any(
        abs(one - sign * other) <= TOLERANCE * abs(one)
        for one in wanted.values(unit)
        for other in number.values(unit)
        for sign in signs
    )

"""Words that carry meaning: the stems of a text's content words, and abbreviations with what they may stand for.

Knows nothing of questions or evidence.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import Stemmer

from octavo.generation.periods import undated

_TOKEN = re.compile(r"%|[A-Za-z][A-Za-z0-9]*(?:[&'’.-][A-Za-z0-9]+)*|\d[\w,.]*(?:[-/]\w+)*")
_PER_CENT = re.compile(r"\bper cent\b", re.I)
_POSSESSIVE = re.compile(r"['’]s?$")
_SHORT = re.compile(r"\b(?:[A-Z]&?){1,4}[A-Z]\b")
_PERIOD = re.compile(
    r"(?:19|20)\d\d|q[1-4](?:20\d\d)?|fy\d*|h[12]|first|second|third|fourth|three|six|nine|january|february|march|april"
    r"|june|july|august|september|october|november|december"
)
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a about after all also an and any are as at be because been before being between both but by can could did
        do does during each for from had has have he her his how i if in into is it its itself may me more most much
        many no nor not of on only or other our out over per please she should so some such than that the their them
        then there these they this those through to under up us versus via vs was we were what when where whether which
        while who whom whose why will with within would you your""",
    )
)
_TALK = frozenset(  # stems of words about asking, reporting and time, which are understood otherwise
    re.findall(
        r"\S+",
        """10-k 10-q 10k 10q accord amount answer ask base compar describ detail disclos discuss document end ended
        explain annual fiscal file filing fy give includ inform latest mention month note period pleas present primarili
        provid quarter quarterli question rais recent report respect show shown specif specifi statement tell total use
        util year""",
    )
)


EXTREMES = frozenset({"highest", "lowest"})
"""The stems that stand for all words of being the most or the least."""
_ALIKE = (
    dict.fromkeys(("%", "percentag"), "percent")
    | dict.fromkeys(("peak", "maximum", "max", "largest", "greatest", "biggest", "furthest"), "highest")
    | dict.fromkeys(("minimum", "min", "smallest", "trough"), "lowest")
)


@lru_cache(maxsize=20_000)
def terms(text: str) -> frozenset[str]:
    """The stems of the content words of `text`; dates, quarters and words about reports are none.

    "%" and "per cent" are "percent", and a peak or maximum is what is "highest".
    """
    return frozenset(stem for _, stem in words(text))


def words(text: str) -> list[tuple[str, str]]:
    """The content words of `text`, in order, each with its stem."""
    kept = []
    for token in _TOKEN.findall(undated(_PER_CENT.sub("percent", text))):
        word = _POSSESSIVE.sub("", token.rstrip(".,"))
        lower = word.lower()
        if word and lower not in _STOP and not _PERIOD.fullmatch(lower) and (stem := _stem(lower)) not in _TALK:
            kept.append((word, stem))
    return kept


def abbreviations(text: str) -> list[tuple[str, re.Pattern[str]]]:
    """The abbreviations in `text` ("R&D", "EPS"): the stem of each, and a pattern of what it may stand for."""
    return [(_stem(short.lower()), _spelt_out(short)) for short in dict.fromkeys(_SHORT.findall(text))]


@cache
def _spelt_out(short: str) -> re.Pattern[str]:
    """Words with these initials one after another, small words between them."""
    between = r"(?:[\s,-]+(?:and|of|for|the|in|to|&))*[\s,-]+"
    return re.compile(r"\b" + between.join(rf"{letter}[a-z]+" for letter in short if letter.isalpha()), re.I)


def _stem(lower: str) -> str:
    stem = str(_stemmer().stemWord(lower))
    return _ALIKE.get(stem, stem)


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")

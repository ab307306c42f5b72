"""What a question asks for: its content words, the kind of answer that would fit, and the period it names.

Knows nothing of evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import Stemmer

from octavo.generation.periods import Period, find, undated


class Want(StrEnum):
    """The kinds of answer that can be told from other text by their form."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    VERDICT = "verdict"  # yes or no


QUANTITIES = frozenset({Want.NUMBER, Want.MONEY, Want.PERCENT})


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    `terms` are the stems of its content words, `focus` those of the thing asked for ("engine model" of "Which engine
    model did it have?"), `names` those of them that were written as names ("Apple", "N1458U").
    `latest` asks for the newest document's own period, `change` for a difference between periods, `both` for values
    of more than one period or thing, `each` for those of all of a kind, `extreme` for the largest (1) or smallest (-1) of several things (0: neither). `explain`
    asks for prose: how, why or whether, not how much. `initials` are its abbreviations with what they may stand for.
    """

    text: str
    terms: frozenset[str]
    focus: frozenset[str]
    names: frozenset[str]
    wants: frozenset[Want]
    period: Period
    latest: bool
    change: bool
    both: bool
    extreme: int
    each: bool
    explain: bool
    initials: tuple[tuple[str, re.Pattern[str]], ...] = ()


_TOKEN = re.compile(r"%|[A-Za-z][A-Za-z0-9]*(?:[&'’.-][A-Za-z0-9]+)*|\d[\w,.]*(?:[-/]\w+)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_NAME = re.compile(r"[A-Z]|[A-Za-z]*\d[A-Za-z]|[A-Za-z]+-?\d")
_STOP = frozenset(
    """a about after all also an and any are as at be because been before being between both but by can could did do
    does during each for from had has have he her his how i if in into is it its itself may me more most much many no
    nor not of on only or other our out over per please she should so some such than that the their them then there
    these they this those through to under up us versus via vs was we were what when where whether which while who
    whom whose why will with within would you your""".split()
)
_TALK = (
    frozenset(  # words about asking, reports and time: what they mean is in `wants`, `period` and the document's name
        """10-k 10-q 10k 10q accord amount answer ask base compar describ detail disclos discuss document explain
    fiscal file filing fy give includ inform latest mention month most-rec note period pleas present primarili provid
    quarter question quarterli question rais recent report respect show shown specif specifi statement tell
    total use util year ye annual end ended""".split()
    )
)
_PERIOD_WORD = re.compile(
    r"^(?:(?:19|20)\d\d|q[1-4](?:20\d\d)?|fy\d*|h[12]|first|second|third|fourth|three|six|nine|january|february|march|april"
    r"|june|july|august|september|october|november|december)$"
)
_SHORT = re.compile(r"\b(?:[A-Z]&?){1,4}[A-Z]\b")
_WANTS = {
    Want.PERCENT: r"\bpercent|%|\bwhat (?:share|proportion|fraction)\b|\brates?\b",
    Want.MONEY: r"\bhow much\b|\b(?:usd|dollars?|euros?)\b|[$€£]|\b(?:revenues?|sales|income|earnings|costs?|expens\w+|"
    r"expenditures?|spend|spent|profits?|loss(?:es)?|cash|debt|assets|liabilities|dividends?|price|paid|pay|invest\w*)\b",
    Want.NUMBER: r"\bhow (?:many|old|long|far|fast|high|large|often)\b|\bnumber of\b|\bcounts?\b|\bhow much\b|"
    r"\bwhat (?:was|is|were|are) the (?:\w+ ){0,4}(?:total|average|ratio|target|temperature|elevation|altitude|score)\b",
    Want.DATE: r"(?:^|[,:] )when\b|\b(?:what|which|by which) (?:\w+ )?(?:date|year|month|day|time)\b",
    Want.PERSON: r"\bwho(?:m|se)?\b",
    Want.PLACE: r"\bwhere\b|\b(?:what|which) (?:city|state|country|place|location|airport)\b",
    Want.REASON: r"\bwhy\b|\breasons?\b|\bcauses?d?\b|\bdr(?:o|i)ve(?:n|r|rs|s)?\b|\bdue to\b|\bfactors?\b|\binfluenc\w+",
    Want.VERDICT: r"^(?:\w+ .{0,60}, )?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b",
}
_MEASURES = {"old": "age", "long": "length", "far": "distance", "fast": "speed", "high": "height", "deep": "depth"}
_HOW = re.compile(r"\bhow (old|long|far|fast|high|deep)\b", re.I)
_VERB = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_FOCUS = re.compile(
    rf"\b(?:what|which|how many|how much|whose)(?:\s+{_VERB})?\b(?:\s+\S+\s+(?:report|record|disclose|state)\s+as)?(?:\s+(?:the|an?|of|its|their))*\s+(.*?)"
    rf"(?=\s+(?:{_VERB}|in|for|at|on|by|from|to|during|as|with|that|which|who|reported|did|of the|according)\b|[,;?]|$)",
    re.I,
)
_MATCHERS = {want: re.compile(pattern, re.IGNORECASE) for want, pattern in _WANTS.items()}
_LATEST = re.compile(r"\b(?:latest|most recent|newest|last|current)\b", re.I)
_CHANGE = re.compile(
    r"\bchang(?:e|ed|es)\b|\bdifference\b|\b(?:by )?how (?:much|many) .*\b(?:grow|grew|increase|decrease|rise|rose|fall|fell|"
    r"decline)|\bgrowth\b|\bby what percent|\bby how\b|\b(?:percentage|percent) (?:did|has|have)\b",
    re.I,
)
_BOTH = re.compile(r"\bcompar\w+|\b(?:measure|stack)s? up\b|\brelative to\b|\bagainst\b|\bversus\b|\bvs\b|\bfrom .* to\b|\bbetween\b|\brelat\w+ to\b|\bdiffer\w*\b", re.I)
_MOST = re.compile(r"\b(?:highest|largest|biggest|greatest|most|best|maximum|top|peak\w*)\b(?! recent)", re.I)
_LEAST = re.compile(r"\b(?:lowest|smallest|least|worst|minimum|fewest)\b", re.I)
_UP = re.compile(r"\b(?:increas\w+|grow\w*|grew|r[io]se|rising|rais\w+|up|gain\w*|improv\w+|higher)\b", re.I)
_DOWN = re.compile(r"\b(?:decreas\w+|declin\w+|f[ae]ll|falling|drop\w*|down|reduc\w+|shr[aiu]nk\w*|lower|worsen\w*)\b", re.I)
_EACH = re.compile(
    r"\beach\b|\bbreak\s?down\b|\bdistribut\w+|\brespective\w*|\bvarious\b|\b(?:two|three|four|five|all)\s+(?:\w+\s+)?(?:segments|"
    r"categories|regions|groups|divisions|products)\b|\b(?:by|across|among)\s+(?:\w+\s+)?(?:segments?|categor\w+|regions?|products?)\b",
    re.I,
)
_PICK = re.compile(r"\b(?:which|what|who)\b", re.I)
_EXPLAIN = re.compile(r"\b(?:how (?!many|much|old|long|far|fast|high|large|often)|why|describe|explain|discuss)", re.I)


def understand(text: str) -> Question:
    """The question `text`, taken apart.

    Of several sentences those that ask count; the others say how to answer ("Answer in USD millions.").
    """
    text = _asking(text)
    wants = frozenset(want for want, pattern in _MATCHERS.items() if pattern.search(text))
    both = bool(_BOTH.search(text))
    measured = both and bool(wants & QUANTITIES)  # "how does A compare to B" wants figures
    picks = bool(_PICK.search(text))
    return Question(
        text=text,
        terms=terms(_HOW.sub(lambda match: _MEASURES[match[1].lower()], text)),
        focus=_focus(text),
        names=_names(text),
        wants=wants,
        period=find(text),
        latest=bool(_LATEST.search(text)),
        change=bool(_CHANGE.search(text)),
        both=both,
        extreme=picks * (bool(_MOST.search(text)) - bool(_LEAST.search(text))),
        each=bool(_EACH.search(text)),
        explain=Want.REASON in wants or Want.VERDICT in wants or (bool(_EXPLAIN.search(text)) and not measured),
        initials=_initials(text),
    )


def direction(text: str) -> int:
    """1 for a text that speaks of a rise, -1 of a fall, 0 of neither or of both."""
    return bool(_UP.search(text)) - bool(_DOWN.search(text))


def _focus(text: str) -> frozenset[str]:
    match = _FOCUS.search(_HOW.sub(lambda how: f"what {_MEASURES[how[1].lower()]}", text))
    return terms(match[1]) if match else frozenset()


def _asking(text: str) -> str:
    asking = [part for part in re.split(r"(?<=[.?!])\s+", text) if part.endswith("?")]
    led = [re.sub(r"^.*:\s+(?=\S+ \S+ \S)", "", part) for part in asking]
    return " ".join(led) if led else text


def terms(text: str) -> frozenset[str]:
    """The stems of the content words of `text`; dates, quarters and words about reports are none. "%" is "percent"."""
    return frozenset(stem for _, stem in _words(text))


def found(question: Question, text: str) -> frozenset[str]:
    """The terms of `question` that `text` holds, as words or by their initials.

    "R&D" is found in "research and development", and "research", "development" are found in "R&D".
    """
    words = terms(text)
    hit = words & question.terms
    for term, pattern in question.initials:
        if term not in hit and pattern.search(text):
            hit |= {term}
    for word in set(_SHORT.findall(text)):
        if match := _spelt_out(word).search(question.text):
            hit |= terms(match[0]) & question.terms
    return hit


@cache
def _spelt_out(short: str) -> re.Pattern[str]:
    """What the letters of an abbreviation may stand for: words with these initials, small words between them."""
    small = r"(?:[\s,-]+(?:and|of|for|the|in|to|&))*[\s,-]+"
    return re.compile(r"\b" + small.join(rf"{letter}[a-z]+" for letter in short if letter.isalpha()), re.I)


def _initials(text: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((_stem(word), _spelt_out(word)) for word in dict.fromkeys(_SHORT.findall(text)))


def _names(text: str) -> frozenset[str]:
    """Terms that are written as names: with a capital, but for the first word, or with a digit among letters."""
    words = _words(text)
    first = words[0][0] if words and text.startswith(words[0][0]) else None
    return frozenset(stem for word, stem in words if _NAME.match(word) and word is not first)


def _words(text: str) -> list[tuple[str, str]]:
    kept = []
    for token in _TOKEN.findall(undated(text)):
        word = _POSSESSIVE.sub("", token.rstrip(".,"))
        lower = word.lower()
        if word and lower not in _STOP and not _PERIOD_WORD.match(lower) and (stem := _stem(word)) not in _TALK:
            kept.append((word, stem))
    return kept


def _stem(word: str) -> str:
    stem = _stemmer().stemWord(word.lower())
    return "percent" if stem in ("%", "percentag") else str(stem)


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")

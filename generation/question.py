"""What a question asks for: its content words, the kind of answer that would fit, and the period it names.

Knows nothing of evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from octavo.generation.periods import Period, find, undated
from octavo.generation.words import abbreviations, terms, words


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
    model did it have?"), `names` those that were written as names ("Apple", "N1458U"), and `initials` its abbreviations
    with patterns of what they may stand for. `unit` is a pattern of what a measure is told in, or called. `latest` asks
    for the newest document's own period, `change` for a difference between periods, `both` for values of more than one
    period or thing, `several` enumerates them, `each` asks for all of a kind, `extreme` for the largest (1) or smallest
    (-1) of several things (0: neither). `explain` asks for prose: how, why or whether, not how much.
    """

    text: str
    terms: frozenset[str]
    focus: frozenset[str]
    names: frozenset[str]
    initials: tuple[tuple[str, re.Pattern[str]], ...]
    wants: frozenset[Want]
    unit: re.Pattern[str] | None
    period: Period
    latest: bool
    change: bool
    both: bool
    several: bool
    each: bool
    extreme: int
    explain: bool


_VERB = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_WANTS = {
    Want.PERCENT: r"\bper ?cent|%|\bwhat (?:share|proportion|fraction)\b|(?<!exchange )\brates?\b",
    Want.MONEY: r"\bhow much\b|\b(?:usd|dollars?|euros?)\b|[$€£]|\b(?:revenues?|sales|income|earnings|costs?|expens\w+"
    r"|expenditures?|spend|spent|profits?|loss(?:es)?|cash flows?|dividends?|price|paid|pay|invested"
    r"|(?:total|current|net|long-term) (?:cash|debt|assets|liabilities))\b",
    Want.NUMBER: rf"\bhow (?!{_VERB}\b)\w+|\bnumber of\b|\bcounts?\b"
    r"|\bwhat (?:was|is|were|are) the (?:\w+ ){0,4}"
    r"(?:total|average|ratio|target|temperature|elevation|altitude|score)\b",
    Want.DATE: r"(?:^|[,:] )when\b|\b(?:what|which) (?:\w+ )?(?:date|year|month|day|time)\b",
    Want.PERSON: r"\bwho(?:m|se)?\b",
    Want.PLACE: r"\bwhere\b|\b(?:what|which) (?:city|state|country|place|location|airport)\b",
    Want.REASON: r"\bwhy\b|\breasons?\b|\bcauses?d?\b|\bdr[io]ve(?:n|rs?|s)?\b|\bdue to\b|\bfactors?\b|\binfluenc\w+",
    Want.VERDICT: r"^(?:\w+ .{0,60}, )?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b",
}
_MATCHERS = {want: re.compile(pattern, re.IGNORECASE) for want, pattern in _WANTS.items()}
_LENGTHS = r"(?:feet|foot|ft|inch(?:es)?|miles?|yards?|k?m|kilomet\w+|met(?:er|re)s?)"
_TIMES = r"(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?)"
_MEASURES = {  # what "how old" and the like ask for, and the units that an answer has
    "old": ("age", _TIMES),
    "long": ("length", rf"(?:{_TIMES}|{_LENGTHS})"),
    "far": ("distance", rf"(?:{_LENGTHS}|degrees?)"),
    "fast": ("speed", r"(?:knots?|mph|km/h|kt)"),
    "high": ("height", _LENGTHS),
    "tall": ("height", _LENGTHS),
    "deep": ("depth", _LENGTHS),
    "wide": ("width", _LENGTHS),
    "heavy": ("weight", r"(?:lbs?|pounds?|kg|tons?)"),
    "warm": ("temperature", r"(?:degrees?|°\s?[CF])"),
    "cold": ("temperature", r"(?:degrees?|°\s?[CF])"),
}
_HOW = re.compile(rf"\bhow ({'|'.join(_MEASURES)})\b", re.I)
_NAME = re.compile(r"[A-Z]|[A-Za-z]*\d[A-Za-z]|[A-Za-z]+-?\d")
_FOCUS = re.compile(
    rf"\b(?:what|which|whose|how (?!{_VERB}\b)\w+)(?:\s+{_VERB})?\b(?:\s+\S+\s+(?:report|record|disclose|state)\s+as)?"
    rf"(?:\s+(?:the|an?|of|its|their))*\s+(.*?)"
    rf"(?=\s+(?:{_VERB}|in|for|at|on|by|from|to|during|as|with|that|which|who|reported|between|of the|according)\b"
    rf"|[,;?]|$)",
    re.I,
)
_LATEST = re.compile(r"\b(?:latest|most recent|newest|last|current)\b", re.I)
_CHANGE = re.compile(
    r"\bchanged?\b|\bdifference\b|\bgrowth\b|\bby (?:how|what percent)|\b(?:percentage|percent) (?:did|has|have)\b"
    r"|\bhow (?:much|many) .*\b(?:grow|grew|increase|decrease|rise|rose|fall|fell|decline)",
    re.I,
)
_BOTH = re.compile(
    r"\bcompar\w+|\b(?:measure|stack)s? up\b|\brelat(?:ive|ed?s?) to\b|\bagainst\b|\bversus\b|\bvs\b|\bfrom .* to\b"
    r"|\bbetween\b|\bdiffer\w*\b",
    re.I,
)
_SEVERAL = re.compile(r"\w,(?: [\w&/-]+){1,6},? and \w")
_PARTS = r"(?:segment|categor(?:y|ie)|region|group|division|product)s?"
_EACH = re.compile(
    r"\beach\b|\bbreak\s?down\b|\bdistribut\w+|\brespective\w*|\bvarious\b"
    rf"|\b(?:two|three|four|five|all|by|across|among)\s+(?:\w+\s+)?{_PARTS}\b",
    re.I,
)
_PICK = (  # "Which segment had the lowest ...", "What was the highest ..."; not "... the tenth with the most visits"
    r"\b(?:which|what|who)\b[^,;]*?"
    r"\b(?:had|has|have|is|was|were|are|got|get|received?|saw|show(?:s|ed)?|contributed|made)\s+(?:\w+\s+){0,3}?"
)
_MOST = re.compile(
    rf"{_PICK}(?:highest|largest|biggest|greatest|most|best|longest|furthest|warmest|maximum|top)\b(?! recent)", re.I
)
_LEAST = re.compile(rf"{_PICK}(?:lowest|smallest|least|worst|shortest|coldest|minimum|fewest)\b", re.I)
_EXPLAIN = re.compile(
    rf"\b(?:how {_VERB}|why|describe|explain|discuss|impacts?|effects?"
    r"|affect\w*|details|insights|suggest|reflect|is included|mention\w*|contribut\w+)\b",
    re.I,
)
_UP = re.compile(r"\b(?:increas\w+|grow\w*|grew|r[io]se|rising|rais\w+|up|gain\w*|improv\w+|higher)\b", re.I)
_DOWN = re.compile(
    r"\b(?:decreas\w+|declin\w+|f[ae]ll|falling|drop\w*|down|reduc\w+|shr[aiu]nk\w*|lower|worsen\w*)\b", re.I
)


def understand(text: str) -> Question:
    """The question `text`, taken apart.

    Of several sentences those that ask count; the others say how to answer ("Answer in USD millions.").
    """
    text = _asking(text)
    wants = frozenset(want for want, pattern in _MATCHERS.items() if pattern.search(text))
    both = bool(_BOTH.search(text))
    measured = both and bool(wants & QUANTITIES)  # "how does A compare to B" wants figures
    how = _HOW.search(text)
    measure, unit = _MEASURES[how[1].lower()] if how else ("", "")
    named = _HOW.sub(f"what {measure}", text)  # "how old" asks for an age
    focus = _FOCUS.search(named)
    return Question(
        text=text,
        terms=terms(named),
        focus=terms(focus[1]) if focus else frozenset(),
        names=_names(text),
        initials=tuple(abbreviations(text)),
        wants=wants,
        unit=re.compile(rf"(?<![a-z])(?:{unit}|{measure})\b", re.I) if how else None,
        period=find(text),
        latest=bool(_LATEST.search(text)),
        change=bool(_CHANGE.search(text)),
        both=both,
        several=bool(_SEVERAL.search(undated(text))),
        each=bool(_EACH.search(text)),
        extreme=bool(_MOST.search(text)) - bool(_LEAST.search(text)),
        explain=Want.REASON in wants or Want.VERDICT in wants or (bool(_EXPLAIN.search(text)) and not measured),
    )


def found(question: Question, text: str) -> frozenset[str]:
    """The terms of `question` that `text` holds, as words or by their initials.

    "R&D" is found in "research and development", and "research", "development" are found in "R&D".
    """
    held = terms(text) & question.terms
    for short, pattern in question.initials:
        if short in question.terms and short not in held and pattern.search(text):
            held |= {short}
    for _, pattern in abbreviations(text):
        if match := pattern.search(question.text):
            held |= terms(match[0]) & question.terms
    return held


def direction(text: str) -> int:
    """1 for a text that speaks of a rise, -1 of a fall, 0 of neither or of both."""
    return bool(_UP.search(text)) - bool(_DOWN.search(text))


def _asking(text: str) -> str:
    asking = [part for part in re.split(r"(?<=[.?!])\s+", text) if part.endswith("?")]
    led = [re.sub(r"^.*:\s+(?=\S+ \S+ \S)", "", part) for part in asking]
    return " ".join(led) or text


def _names(text: str) -> frozenset[str]:
    """Terms written as names: with a capital, or with a digit among letters.

    The word that opens a sentence has its capital from there, unless it owns something ("Apple's net sales?").
    """
    content = words(text)
    opening = content[0][0] if content and text.endswith("?") else ""
    first = opening if opening and re.match(rf"{re.escape(opening)}(?!['’])", text) else None
    return frozenset(stem for word, stem in content if _NAME.match(word) and word is not first)

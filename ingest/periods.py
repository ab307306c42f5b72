"""Periods that a text names: fiscal years, quarters, halves, months and days ("FY2018", "Q3 of 2022", "July 1, 2022").

Knows nothing of documents; a card's period and a question's are read by the same rules. A period that is told only by
where the reader stands ("last year") has no year, so it is read against a stated one, or not at all.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_MONTHS = [name.lower() for name in month_name[1:]]
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)"
_LONG = r"(?P<year>(?:19|20)\d\d)"
_LED = (  # by what a year of two digits is known from a count
    r"(?:(?<=['’])|(?<=[FC]Y)|(?<=[FC]Y[\s-])|(?<=fiscal\s)|(?<=fiscal\syear\s)|(?<=[QH][1-4])|(?<=[QH][1-4]-)"
    r"|(?<=[1-4][QH])|(?<=[1-4][QH]-)|(?<=\sof\s)(?=\d\d\s*(?:[?!.,;:)]|$)))"
)
_NO_COUNT = (
    r"(?![\w%]|[.,]\d|-(?![FC]Y|[QH]\d|\d[QH])[a-z]"
    r"|\s+(?:%|per\s?cent|bps|basis\s+points|thousand|[mb]illion|(?:day|week|month)s?\b))"
)
_YEAR = rf"(?:{_LONG}\b|['’]?{_LED}(?P<short>\d\d){_NO_COUNT})"
_FISCAL = r"(?:(?:(?:fiscal|calendar|financial)(?:\s+year)?|full\s+year|year|FY|CY)[\s-]*)?"
_PART = r"(?P<ordinal>first|second|third|fourth|1st|2nd|3rd|4th)"
_REPORT = r"(?:10-?[KQ]|(?:(?:quarterly|earnings|press|results)\s+)?(?:report|release|filing|results|earnings))"
_JOIN = rf"(?:\s+{_REPORT}\s+(?:for|of|in|from)\s+(?:the\s+)?|[\s,\-]*(?:of\s+(?:the\s+)?|in\s+)?)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_FORMS = [
    re.compile(form, re.I)
    for form in (
        rf"\b{_LONG}-(?P<number>[01]\d)-(?P<day>[0-3]\d)\b",
        rf"(?<![\d.])(?P<day>[0-3]?\d)\.(?P<number>[01]?\d)\.{_LONG}\b(?!\.\d)",
        rf"\b{_MONTH}\s+{_DAY}\s*,?\s+{_LONG}\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\s*,?\s+{_LONG}\b",
        rf"\b{_LONG}[\s_-]*Q(?P<quarter>[1-4])(?!\d)",
        rf"\bQ(?P<quarter>[1-4]){_JOIN}{_FISCAL}{_YEAR}",
        rf"\b(?P<quarter>[1-4])Q[\s-]*{_FISCAL}{_YEAR}",
        rf"\b{_PART}\s+(?:fiscal\s+|calendar\s+)?quarter{_JOIN}{_FISCAL}{_YEAR}",
        rf"\b(?:H(?P<half>[12])|{_PART}[\s-]half){_JOIN}{_FISCAL}{_YEAR}",
        rf"\b(?P<half>[12])H[\s-]*{_FISCAL}{_YEAR}",
        rf"\b{_MONTH}\s*,?\s+{_LONG}\b",
        rf"\b[FC]Y[\s-]*{_YEAR}",
        rf"(?<![\d$€£.,]){_LONG}(?![\d%]|[.,]\d)",
    )
]
_EARLIER = re.compile(r"\b(?:last|previous|prior|preceding)\s+year[’']s\s+(?:[\w-]+\s+)?(?:report|filing|10-?[kq]|plan)\b", re.I)  # fmt: skip  # noqa: E501


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A year, or a part of it where `quarter`, or `month` (with `day`, a date), is not 0."""

    year: int
    quarter: int = 0
    month: int = 0
    day: int = 0

    def __str__(self) -> str:
        if self.day:
            return f"{self.year}-{self.month:02}-{self.day:02}"
        if self.month:
            return f"{_MONTHS[self.month - 1].title()} {self.year}"
        return f"Q{self.quarter} FY{self.year}" if self.quarter else f"FY{self.year}"


def find_periods(text: str) -> list[Period]:
    """The periods that `text` names, in its order, each once; "last year's report" is the year before the latest."""
    found = list(dict.fromkeys(period for _, period in sorted(_mentions(text), key=lambda pair: pair[0])))
    if found and _EARLIER.search(text):
        latest = max(found)
        return [Period(latest.year - 1, latest.quarter)]
    return found


def end_of(text: str) -> date | None:
    """The first whole date in `text`."""
    return next((date(p.year, p.month, p.day) for p in find_periods(text) if p.day), None)


def _mentions(text: str) -> Iterator[tuple[int, Period]]:
    """(where it begins, period); what one form has read no later one reads again."""
    left = text.replace("–", "-").replace("—", "-").replace("_", " ")
    for form in _FORMS:
        for match in form.finditer(left):
            period = _period(match)
            if period is not None:
                yield match.start(), period
                start, end = match.span()
                left = f"{left[:start]}{' ' * (end - start)}{left[end:]}"


def _period(match: re.Match[str]) -> Period | None:
    own = {name: value for name, value in match.groupdict().items() if value}
    year = int(own["year"]) if "year" in own else 2000 + int(own["short"])
    month, day = int(own.get("number", 0)), int(own.get("day", 0))
    if "month" in own:
        month = next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(own["month"].lower().rstrip(".")[:3]))
    part = _ORDINALS.get(own.get("ordinal", "").lower(), 0)
    quarter = int(own.get("quarter", 0)) or part
    if "half" in own or "half" in match[0].lower():  # which the report on its last quarter covers
        quarter = 2 * int(own.get("half", part))
    if quarter > 4:
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return Period(year, quarter, month, day)

"""Periods: the years, quarters, dates and lengths of time that a text names, and whether two such texts agree.

Knows nothing of questions or tables. A filing's columns say "Three Months Ended June 25, 2022", a question "the third
quarter of 2022", a file name "2022 Q3": what can be compared are years, days, quarters and months of length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

Day = tuple[int, int, int]
"""(year, month, day); 0 where the text leaves a part open."""

_NAMES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
)
_MONTHS = {name: n for names in _NAMES for n, name in enumerate(names.split(), 1)} | {"sept": 9}
_MONTH = "|".join(_MONTHS)
_YEAR = r"(?:19|20)\d\d"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_COUNTS = {"three": 3, "six": 6, "nine": 9, "twelve": 12, "3": 3, "6": 6, "9": 9, "12": 12}
_COUNT = "|".join(_COUNTS)

_DATE = re.compile(
    rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?!\d)(?:,?\s*({_YEAR})(?!\d))?|\b({_MONTH})\.?,?\s+({_YEAR})(?!\d)", re.I
)
_NUMERIC_DATE = re.compile(rf"(?<!\d)(\d{{1,2}})/(\d{{1,2}})/({_YEAR})(?!\d)")
_YEARS = re.compile(
    rf"(?<![\d.,$/-])({_YEAR})(?![\d%]|[.,]\d)|\bFY\s?'?(\d\d)(?!\d)|(?:(?<=[a-z_-])|(?<=q[1-4]))({_YEAR})(?!\d)", re.I
)
_QUARTER = re.compile(
    rf"(?<![a-z])q([1-4])(?=\D|{_YEAR}|$)|(?<!\d)([1-4])q(?=\W|\d|$)|\b({'|'.join(_ORDINALS)})(?:\s+fiscal)?[\s-]+quarter",
    re.I,
)
_LENGTH = re.compile(rf"\b({_COUNT})[\s-]*(?:and\s+({_COUNT})[\s-]*)?months?\b", re.I)
_QUARTERLY = re.compile(r"\bquarter(?:ly)?\b", re.I)
_INSTANT = re.compile(r"\bas (?:of|at)\b", re.I)
_HALF = re.compile(r"\bh[12]\b|\bfirst half\b|\bsix months\b", re.I)
_YEARLY = re.compile(r"\b(?:fiscal\s+)?years?\s+ended\b|\bfy\s?'?\d\d|\bfiscal\s+(?:year\s+)?20\d\d|\bannual\b", re.I)


@dataclass(frozen=True, slots=True)
class Period:
    """What a text says of time.

    `months` are lengths (3 for a quarter, 12 for a year, 0 for a point in time: "as of ..."), `days` the dates named,
    `quarters` 1 to 4.
    """

    years: frozenset[int] = frozenset()
    quarters: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    days: frozenset[Day] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.years or self.quarters or self.months or self.days)

    @property
    def last(self) -> Day:
        """The latest date named, a bare year counting as (year, 0, 0); (0, 0, 0) when there is none."""
        return max([*self.days, *((year, 0, 0) for year in self.years)], default=(0, 0, 0))


def find(text: str) -> Period:
    """The period that `text` names; an empty one when it names none."""
    days = [_day(match) for match in _DATE.finditer(text)]
    days += [(int(m[3]), int(m[1]), int(m[2])) for m in _NUMERIC_DATE.finditer(text)]
    years = {day[0] for day in days if day[0]}
    years |= {int(m[1] or m[3] or 2000 + int(m[2])) for m in _YEARS.finditer(text)}
    if len(years) == 1:  # "September 30, | 2022": a date and its year may stand in two rows of a header
        days = [(day[0] or min(years), *day[1:]) for day in days]
    quarters = {int(m[1] or m[2] or _ORDINALS[m[3].lower()]) for m in _QUARTER.finditer(text)}
    months = {_COUNTS[count.lower()] for m in _LENGTH.finditer(text) for count in m.groups() if count}
    if quarters or _QUARTERLY.search(text):
        months.add(3)
    if _HALF.search(text):
        months.add(6)
    if _YEARLY.search(text) and not quarters:
        months.add(12)
    if _INSTANT.search(text) and not months:
        months.add(0)
    return Period(frozenset(years), frozenset(quarters), frozenset(months), frozenset(days))


def undated(text: str) -> str:
    """`text` without its dates, so that the 25 of "June 25, 2022" is no number."""
    return _NUMERIC_DATE.sub(" ", _DATE.sub(" ", text))


def timeless(text: str) -> str:
    """`text` without all that `find` reads: dates, years, quarters and lengths of time."""
    for pattern in (_DATE, _NUMERIC_DATE, _QUARTER, _LENGTH, _YEARLY, _YEARS):
        text = pattern.sub(" ", text)
    return re.sub(r"\b(?:ended|ending|as of|fy)\b", " ", text, flags=re.IGNORECASE).strip(" ,")


def agreement(asked: Period, there: Period) -> int:
    """1 when what both name agrees, -1 when some of it contradicts, 0 when they have nothing to compare.

    A text that names several years or lengths agrees when one of them is asked for. A quarter that is asked for agrees
    with a date in its year: which months a company's quarter has is its own affair.
    """
    verdicts = []
    if asked.days and there.days:
        verdicts.append(any(_same(a, b) for a in asked.days for b in there.days))
    if asked.years and there.years:
        verdicts.append(bool(asked.years & there.years))
    if asked.quarters and there.quarters:
        verdicts.append(bool(asked.quarters & there.quarters))
    if asked.months and there.months - {0}:  # what was so at a point in time may still answer for the quarter
        verdicts.append(bool(asked.months & there.months))
    return 0 if not verdicts else 1 if all(verdicts) else -1


def current(asked: Period, headers: Iterable[Period]) -> Period:
    """`asked` as the newest of `headers` names it: for a document's own period, whatever its company calls that year.

    Apple's first quarter of 2023 ended on December 31, 2022: in that quarter's report the newest column is meant.
    """
    newest = max((header.last for header in headers), default=(0, 0, 0))
    if not newest[0]:
        return replace(asked, years=frozenset(), quarters=frozenset())
    return Period(frozenset({newest[0]}), frozenset(), asked.months, frozenset({newest} if newest[1] else ()))


def _day(match: re.Match[str]) -> Day:
    if match[1]:
        return int(match[3] or 0), _MONTHS[match[1].lower()], int(match[2])
    return int(match[5]), _MONTHS[match[4].lower()], 0


def _same(a: Day, b: Day) -> bool:
    return all(x == y or not x or not y for x, y in zip(a, b, strict=True))

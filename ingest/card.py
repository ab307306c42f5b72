"""A document's card: whose it is, what it is called, what kind it is, and which period it covers.

It is read off what the document says of itself: its first pages and headings, its title, and of its file's name only
what these leave open. Each fact may be missing, and each can be put right (`Catalogue.correct`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from itertools import pairwise

from octavo.ingest.model import Element, ElementType, ParsedDocument
from octavo.ingest.periods import Period, end_of, find_periods

_FIRST = 3  # pages on which a document says what it is
_MOST = 120  # characters of an organisation's name, or of a line that has one
_HEADLINE = 5  # times that a name in a heading counts
_DAYS = 10  # by which a year of 52 or 53 weeks may end after its month
_CUT = r"\b([A-Z]) ([A-Z]{2,})\b"
_REPORTING = r"(?P<own>[A-Z][^,;:•]{1,80}?)\s+(?i:today\s+)?(?i:reports?|reported|announces?|announced)\b"
_LEGAL = "Inc|Corp|Corporation|Company|Co|Plc|Ltd|Limited|Llc|Llp|Ag|Gmbh|Se|N.?V|S.?A|Incorporated|Holdings"
_BODY = (
    "Department|Ministry|University|Office|Bureau|Institute|Administration|Agency|Bank|Commission|Board|Authority|Council|"
    "Service|Services|Center|Centre|Hospital|Foundation|Association|Society|College"
)
_WORD = r"(?:[A-Z][\w&'’.-]*|[0-9][A-Z]\w*)"
_ORGANISATIONS = [
    re.compile(rf"\b(?:{_WORD},?[ ]){{1,6}}(?:{_LEGAL}|{_LEGAL.upper()}|plc|AG|GmbH)\b\.?"),
    re.compile(
        rf"\b(?:{_WORD}[ ]){{0,4}}(?:{_BODY}|{_BODY.upper()})[ ](?:of|for|on|OF|FOR)(?:[ ](?:the|THE))?"
        rf"(?:[ ](?:{_WORD}|and)){{0,6}}[ ]{_WORD}"
    ),
    re.compile(
        rf"\b(?:{_WORD}[ ](?:and[ ](?={_WORD}))?){{1,4}}(?:{_BODY}|{_BODY.upper()})\b(?![ ](?:of|for|on|OF|FOR)\b)"
    ),
]
_INNER = re.compile(
    r"^(?:an?|each|every|our|this|that|such)\b"
    r"|\b(?:Board of Directors|Review Board|Exchange|(?:Reporting|Growth|Shell) Company)\b",
    re.I,
)
_BEYOND = re.compile(r"[’']s\b|\s(?:Annual|Quarterly|Strategic|Performance|Agency Financial|Fiscal|FY|Report)\b", re.I)
_CHARTER = re.compile(r"exact\s+name\s+of\s+(?:the\s+)?registrant", re.I)
_LISTED = re.compile(r"\((?:NYSE|NASDAQ|Nasdaq|LSE|TSX|ASX|OTC)[^():]{0,20}:\s*([A-Z.]{1,6})\b")
_SYMBOL = re.compile(
    r"(?<![\w.])([A-Z]{2,5})(?=\s+(?:The\s+)?(?:New York Stock|NYSE|NASDAQ|Nasdaq)\b)"
    r"|\b(?:NYSE|NASDAQ|Nasdaq|Market|Exchange)\s+([A-Z]{2,5})(?![\w.])"
)
_ENDED = re.compile(r"\b(?:year|period|quarter|months|weeks)\s+ended\b", re.I)
_SPAN = re.compile(
    r"\b(?:(three|six|nine|twelve|3|6|9|12)\s+months|(thirteen|twenty-six|thirty-nine|13|26|39)\s+weeks"
    r"|(?:(?:full|fiscal)\s+)?years?)\s+ended\b",
    re.I,
)
_QUARTERS = {"three": 1, "thirteen": 1, "six": 2, "twenty-six": 2, "nine": 3, "thirty-nine": 3, "twelve": 4} | {
    "3": 1, "13": 1, "6": 2, "26": 2, "9": 3, "39": 3, "12": 4
}  # fmt: skip

KINDS: dict[str, str] = {
    "annual report": r"form\s+(?:10-?k|20-?f|40-?f)\b|\b10-?ks?\b|annual\s+(?:financial\s+)?reports?\b",
    "quarterly report": r"form\s+10-?q\b|\b10-?qs?\b|(?:quarterly|interim)\s+reports?\b",
    "current report": r"form\s+(?:8|6)-?k\b|\b8-?ks?\b|current\s+reports?\b",
    "earnings release": r"\b(?:earnings|results|press)\s+releases?\b|\bearnings\s+(?:report|announcement)s?\b",
    "proxy statement": r"\bproxy\s+statements?\b|\bdef\s?14a\b",
    "performance report": r"\bperformance\s+(?:and\s+accountability\s+|plan\s+and\s+)?reports?\b",
    "performance plan": r"\bperformance\s+(?:report\s+and\s+)?plans?\b",
    "strategic plan": r"\bstrategic\s+plans?\b",
    "financial report": r"\bfinancial\s+reports?\b",
    "accident report": r"\b(?:accident|incident)\s+(?:[\w-]+\s+)?reports?\b",
    "study protocol": r"\b(?:study|trial|clinical)\s+protocols?\b|\bprotocol\b",
    "consent form": r"\b(?:informed\s+)?consent\s+forms?\b",
}
"""Kinds of documents with the words that name them, on a document's first pages as in a question."""

_RESULTS = re.compile(r"\b(?:reports?|announces?)\b.{0,60}\b(?:results|earnings)\b", re.I)


@dataclass(frozen=True, slots=True)
class Card:
    """What a document is, each fact "" where nothing tells.

    `organisation` is whose document it is, `also` other names of it by commas (trading symbols, say); `period`
    what it covers ("FY2018", "Q2 FY2023"), `date` the day on which that ends, or that it is of (ISO).
    """

    organisation: str = ""
    also: str = ""
    title: str = ""
    kind: str = ""
    period: str = ""
    date: str = ""

    def __str__(self) -> str:
        """In one line, as a reader would call it."""
        return ", ".join(filter(None, (self.organisation or self.title, self.kind, self.period or self.date)))


FACTS = tuple(field.name for field in fields(Card))
"""The names of a card's facts."""


def make_card(document: ParsedDocument, name: str) -> Card:
    """The card of a document; `name` is its file's name without the ending."""
    first = [e for e in document.elements if e.page <= _FIRST and e.text]
    kind = find_kind(first, document.title)
    organisation = _joined(_organisation(first, document.elements), document.elements)
    period, day = _period(document, first, kind, name)
    also = ", ".join(dict.fromkeys(s for s in _other_names(first) if s.lower() != organisation.lower()))
    return Card(organisation, also, document.title.replace("\0", ""), kind, period, day)


def corrected(card: Card, corrections: dict[str, str]) -> Card:
    """The card with some facts put right."""
    return Card(**asdict(card) | corrections)


# Kind


def find_kind(first: Sequence[Element], title: str) -> str:
    """The kind that the first pages, else the title, name first; a headline about results makes an earnings release."""
    opening = " ".join(e.text for e in first[:3])
    if _RESULTS.search(opening) and "form" not in opening.lower():
        return "earnings release"
    for text in ("\n".join(e.text[:_MOST] for e in first), title):
        named = kinds_in(text)
        if named:
            return named[0]
    return ""


def kinds_in(text: str) -> list[str]:
    """The kinds that `text` names, in its order."""
    found = {kind: match.start() for kind, words in KINDS.items() if (match := re.search(words, text, re.I))}
    return sorted(found, key=lambda kind: (found[kind], list(KINDS).index(kind)))


# Names


def _organisation(first: Sequence[Element], elements: Sequence[Element]) -> str:
    """The name before "exact name of registrant"; who reports in the headline; else the one the document has most."""
    for before, element in pairwise(first):
        if _CHARTER.search(element.text):
            own = _CHARTER.split(element.text)[0].strip(" (\n")
            return _tidy(own or before.text)
    for element in first[:3]:
        if _RESULTS.search(element.text) and (match := re.match(_REPORTING, element.text)):
            return _tidy(match["own"])
    names: Counter[str] = Counter()
    for element in first:
        weight = _HEADLINE if element.type is ElementType.HEADING else 1
        for form in _ORGANISATIONS:
            for match in form.finditer(element.text):
                names[_tidy(_BEYOND.split(match[0])[0])] += weight
    names = Counter({n: times for n, times in names.items() if " " in n and not _INNER.search(n)})
    if not names:
        return ""
    told = Counter(dict.fromkeys(names, 0))
    for element in elements:
        told.update(name for name in names if name in element.text)
    order = list(names)
    return max(order, key=lambda name: (told[name] + names[name], -order.index(name)))


def _other_names(first: Sequence[Element]) -> Iterable[str]:
    """Trading symbols on the first pages."""
    for element in first:
        text = element.text
        if element.table and element.table.rows and any("symbol" in cell.lower() for cell in element.table.rows[0]):
            column = next(n for n, cell in enumerate(element.table.rows[0]) if "symbol" in cell.lower())
            cells = [row[column].strip() for row in element.table.rows[1:2]]
            yield from (cell for cell in cells if re.fullmatch(r"[A-Z.]{1,6}", cell))
        elif "symbol" in text.lower():
            yield from (a or b for a, b in _SYMBOL.findall(text)[:1])
        yield from _LISTED.findall(text)


def _tidy(name: str) -> str:
    """A name on one line, without what stands around it."""
    return " ".join(name.split()).strip(" ,;:()_“”\"'").removeprefix("The ")[:_MOST]


def _joined(name: str, elements: Sequence[Element]) -> str:
    """The name with the letters joined that small capitals cut off ("R ESORTS"), where the document has them whole."""
    if not re.search(_CUT, name):
        return name
    words = Counter(word.lower() for e in elements for word in re.findall(r"\w+", e.text))
    return re.sub(_CUT, lambda m: m[1] + m[2] if words[(m[1] + m[2]).lower()] > words[m[2].lower()] else m[0], name)


# Period


def _period(document: ParsedDocument, first: Sequence[Element], kind: str, name: str) -> tuple[str, str]:
    """(period, date): from "... ended DATE" and what spans end then, else from titles and headings, else the name."""
    text = " ".join(e.text for e in first)
    if kind == "current report" and (day := end_of(text)):
        return "", day.isoformat()
    days = _ended(text)
    if kind == "earnings release" and days:  # its tables name the year before first
        told = [p for p in find_periods(" ".join(e.text for e in first[:2])) if not p.month]
        day = max(days)
        return str(
            told[0] if told else _fiscal(day, _span(document.elements, kind), document.elements)
        ), day.isoformat()
    if kind in ("annual report", "quarterly report") and days:
        span = _span(document.elements, kind)
        return str(_fiscal(days[0], span, document.elements)), days[0].isoformat()
    headings = [e.text for e in first if e.type is ElementType.HEADING]
    titles = [document.title] if " " in document.title else []  # others are a file's name
    for line in (*titles, *headings, document.title, name):
        if periods := [p for p in find_periods(line) if not p.month]:
            last = f"-{max(periods)}" if max(periods) != min(periods) else ""
            return f"{min(periods)}{last}", ""
    day = end_of(text) or end_of(name)
    return "", day.isoformat() if day else ""


def _ended(text: str) -> list[date]:
    """The days on which periods end that `text` tells of, in its order."""
    ends = (end_of(text[match.end() : match.end() + 80]) for match in _ENDED.finditer(text))
    return [day for day in ends if day]


def _span(elements: Sequence[Element], kind: str) -> int:
    """How many quarters of the fiscal year a report covers: all of an annual one, else the most that its tables do."""
    if kind == "annual report":
        return 4
    spans = Counter(
        _QUARTERS.get((m[1] or m[2] or "twelve").lower(), 4) for e in elements for m in _SPAN.finditer(e.text)
    )
    if kind == "quarterly report":
        spans.pop(4, None)  # the year before, to compare with
    often = [quarters for quarters, times in spans.items() if 10 * times >= spans.total()]
    return max(often, default=1 if kind == "quarterly report" else 4)


def _fiscal(day: date, quarters: int, elements: Sequence[Element]) -> Period:
    """The fiscal year, or quarter of it, that ends on `day`.

    A year goes by the calendar year in which it ends. One that ends in January or February may go by the year before:
    then the one counts that the document names more often as fiscal.
    """
    close = day - timedelta(days=_DAYS)
    month = close.month + 3 * (4 - quarters)
    year, last = close.year + (month - 1) // 12, (month - 1) % 12 + 1
    if last <= 2:
        said = Counter(m for e in elements for m in re.findall(r"\b[Ff]iscal\s+(?:[Yy]ear\s+)?(20\d\d|19\d\d)", e.text))
        year = max(year, year - 1, key=lambda y: said[str(y)])
    return Period(year, 0 if quarters == 4 else quarters)

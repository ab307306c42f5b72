"""A table's cells as candidates: each value with the labels, unit and period that make it a statement.

Knows nothing of the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from octavo.generation.candidates import Candidate, Kind, heading
from octavo.generation.periods import find
from octavo.ingest.model import Element, ElementType, Table
from octavo.ingest.tables import Cell, column_names, is_value, values
from octavo.retrieval.model import Hit

_SCALE = re.compile(r"\b(thousand|million|billion)s?\b", re.I)
_EXCEPT = re.compile(r"\bexcept\b.*", re.I)
_MONEY = re.compile(r"[$€£¥]")
_DOLLARS = re.compile(r"\bdollars?\b|\bUSD\b|[$]", re.I)
_UNSCALED = re.compile(r"\bper\b|\bpercent|%|\brates?\b|\bratio\b|\bmargin percentage\b|\byears?\b", re.I)
_IN_PERCENT = re.compile(r"(?:^|[,(]\s*|\bin )(?:%|per ?cent)(?:\)|,|\s|$)|^%", re.I)
_SHARES = re.compile(r"\bshares\b", re.I)
_SHARES_SCALE = re.compile(r"\bshares\b[^;]*?\b(thousand|million|billion)s?\b", re.I)
_NOTHING = re.compile(r"^[\s—–\-−/]*$")
_RUN_TOGETHER = re.compile(r"^(?:\(?[\d,.]{2,}\)?\s+)+\(?[\d,.]{2,}\)?$")  # rows that the grid did not part
_BRACKETS = re.compile(r"\([^)]*\)")
_UNIT = re.compile(r"\s*\([^)]*\bin (?:thousands|millions|billions)\b[^)]*\)", re.I)
_FOOTNOTE = re.compile(r"\s*(?:\(\d{1,2}\)|[®™*†‡^])+(?=\s|$|,)")


def cells(hit: Hit, element: Element, header: Table | None = None) -> Iterator[Candidate]:
    """The values of the table of `element`, one of `hit`'s; `header` is the table that it continues."""
    table = element.table
    if table is None:
        return
    notes = " ".join(e.text for e in hit.elements if e.type is not ElementType.TABLE)
    names = column_names(table)
    corner = names[0] if names else ""
    above = " ".join(filter(None, [heading(hit), notes]))
    found = list(values(table, header))
    corner = "" if any(cell.column == 0 for cell in found) else corner
    columns = {cell.column: find(f"{corner} {cell.header}") for cell in found}
    money = {c for c in columns if any(_MONEY.search(cell.text) for cell in found if cell.column == c)}
    headers = [text for row in table.rows[: table.header_rows] for text in row if _SCALE.search(text)]
    unit = " ".join([*headers, *_headings_with_unit(hit), notes])
    for cell in found:
        if _NOTHING.match(cell.text) or _RUN_TOGETHER.match(cell.text):
            continue
        label = plain(cell.label)
        row = label.removeprefix(f"{plain(cell.group)}: ") if cell.group else label
        value = quantity(cell, unit, cell.column in money)
        labels = ", ".join(
            filter(None, [label or heading(hit).rpartition(" › ")[2], _completed(corner, plain(cell.header))])
        )
        dated = find(label)
        period = find(f"{corner} {cell.header} {label}") if dated.years else columns[cell.column]
        yield Candidate(
            kind=Kind.CELL,
            hit=hit,
            element=element,
            bbox=cell.bbox or element.bbox,
            text=f"{value} ({labels})" if labels else value,
            own=" ".join(filter(None, [label, plain(cell.header)])),
            near=" ".join(filter(None, [above, corner])),
            value=value,
            period=period if period else find(f"{label} {notes}"),
            label=row,
            header=plain(cell.header),
            group=plain(cell.group),
            row=cell.row,
            column=cell.column,
            columns=tuple(columns.values()),
        )


def quantity(cell: Cell, unit: str, money: bool) -> str:
    """A cell's text with the sign and scale that its table gives it: "82,959" "(In millions)" is "$82,959 million".

    `unit` is all that the table says about units, `money` whether its column holds currency signs. Rates, shares and
    amounts per share are left as they stand, but for a scale that is given for shares.
    """
    text = re.sub(r"(?<=[$€£¥(])\s+|\s+(?=[%)])|\s*[$€£¥]$", "", cell.text)
    about = f"{cell.label} {cell.header}"
    if not is_value(cell.text) or "%" in text:
        return text
    if _IN_PERCENT.search(about):
        return f"{text}%"
    if _UNSCALED.search(about):
        return text
    if _SHARES.search(about):
        scale = _SHARES_SCALE.search(unit)
        return f"{text} {scale[1].lower()}" if scale else text
    scale = _SCALE.search(cell.header) or _SCALE.search(_EXCEPT.sub("", unit))
    signed = _MONEY.search(cell.header) if _SCALE.search(cell.header) else money or _DOLLARS.search(unit)
    sign = "$" if signed and not _MONEY.search(text) else ""
    minus = text[:1] if text.startswith(("-", "−")) else ""
    text = f"{minus}{sign}{text.removeprefix(minus)}"
    return f"{text} {scale[1].lower()}" if scale else text


def plain(label: str) -> str:
    """A label without footnote marks and units in brackets."""
    return _FOOTNOTE.sub("", _UNIT.sub("", label)).strip(" :")


def _headings_with_unit(hit: Hit) -> list[str]:
    """Headings that state a unit, such as "STATEMENTS OF INCOME (In millions)"."""
    return [part for part in hit.chunk.context.split(" › ")[1:] if _SCALE.search(part)]


def _completed(corner: str, header: str) -> str:
    """A column's header, led by the corner's text where that completes its date ("Three Months Ended June 30,")."""
    lead, own = find(corner), find(header)
    if lead.months - own.months or (lead.days and not own.days):
        return f"{_BRACKETS.sub('', corner).strip()} {header}"
    return header


def continued(element: Element, hit: Hit, others: Sequence[tuple[Hit, Element]]) -> Table | None:
    """The nearest earlier table among `others` of the same document whose columns could name those of `element`."""
    table = element.table
    if table is None or any(column_names(table)[1:]):
        return None
    before = [
        other
        for owner, other in others
        if other.table and owner.sha256 == hit.sha256 and 0 <= element.page - other.page <= 2 and other is not element
    ]
    fitting = [
        e for e in before if e.table and len(e.table.rows[0]) == len(table.rows[0]) and any(column_names(e.table)[1:])
    ]
    best = max(fitting, key=lambda e: (e.page, e.bbox[1]), default=None)
    return best.table if best else None

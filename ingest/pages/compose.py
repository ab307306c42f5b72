"""From what a page draws to the elements on it, in reading order. Shared by all backends; knows no PDF library.

Tables and figures first; then every word that shows goes to exactly one element: to the table or figure that it stands
in, else to the smallest region around it, else to a paragraph of its own kind, so that nothing that shows is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from octavo.ingest.figures import find_figures, is_blank, read_inside
from octavo.ingest.geometry import area, around, contains, covered, horizontal_overlap, middle, union
from octavo.ingest.lines import drawn_lines, text_of
from octavo.ingest.model import AROUND, Box, Element, ElementType, Page, Table
from octavo.ingest.pages.columns import columns
from octavo.ingest.pages.order import reading_order
from octavo.ingest.reader import PageContent
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.tables import find_tables
from octavo.ingest.text import join_lines
from octavo.ingest.traces import find_traces

_PROSE = {ElementType.TEXT, ElementType.LIST, ElementType.HEADING}
_PLACES = {ElementType.HEADER: 0, ElementType.FOOTNOTE: 2, ElementType.FOOTER: 3}  # others stand between, at 1
_COLUMNED = {ElementType.TEXT, ElementType.LIST}
_WHOLE = {ElementType.TABLE, ElementType.FIGURE}
_MOST_READ = 4  # figures of a page, at half a second each
_EDGE = 0.2  # of the page's height
_LINE = 6.0  # points; a box that reaches farther beyond the rows holds a line of text there
_ABSORBED = 0.7  # of a text region that lies in a table or figure: it is that one's text
_GAP = 0.8  # of a line's height: more between two lines makes two paragraphs


@dataclass(slots=True)
class _Draft:
    """An element to be, at its place in the reading order."""

    type: ElementType
    bbox: Box
    table: Table | None = None
    words: list[Word] = field(default_factory=list)


def compose(sheet: Sheet, prefix: str, render: Callable[[Box], bytes], ocr: bool = False) -> PageContent:
    """The elements of a page; their ids begin with `prefix`, `render` gives the PNG bytes of a box.

    With `ocr` the figures that no word stands in, the largest four of them, are asked for theirs.
    """
    drafts = _place(sheet)
    _give_words(sheet, drafts)
    drafts = [part for draft in drafts for part in _columns(draft)]
    elements, pictures, texts = [], {}, {}
    drafts = _in_order([draft for draft in drafts if draft.words or draft.table or draft.type is ElementType.FIGURE])
    mute = [draft for draft in drafts if draft.type is ElementType.FIGURE and not draft.words]
    asked = sorted(mute, key=lambda d: area(d.bbox))[-_MOST_READ:] if ocr and not sheet.recognised else []
    for n, draft in enumerate(drafts, 1):
        key = f"{prefix}-{sheet.number}-{n}"
        element = Element(key, draft.type, sheet.number, draft.bbox, _text(draft), table=draft.table)
        if draft.type is ElementType.FIGURE:
            png = render(draft.bbox)
            if not sheet.words and is_blank(png):
                continue
            pictures[f"{key}.png"] = png
            said = read_inside(png, draft.bbox) if any(draft is other for other in asked) else element.text
            element = replace(element, text=said, image=f"{key}.png")
        if element.type in _PROSE:
            texts[key] = draft.words
        elements.append(element)
    page = Page(sheet.number, sheet.width, sheet.height)
    traces = find_traces(sheet, texts)
    return PageContent(page, tuple(elements), pictures, sheet.recognised, sheet.hidden, traces)


def _place(sheet: Sheet) -> list[_Draft]:
    """Tables and figures, and the regions that none of them takes in."""
    tables = find_tables(sheet)
    figures = find_figures(sheet, [box for box, _ in tables])
    whole = [_Draft(ElementType.FIGURE, box) for box in figures]
    for box, table in tables:
        if not any(covered(box, figure) > _ABSORBED for figure in figures):  # else the lines of a drawing
            whole.append(_Draft(ElementType.TABLE, _rows_of(box, table), table))
    return whole + [
        _Draft(_type_of(region, sheet), region.bbox)
        for region in sheet.regions
        if region.type not in _WHOLE and not any(_takes(draft, region) for draft in whole)
    ]


def _rows_of(box: Box, table: Table) -> Box:
    """The box of a table without the title above and the notes below that are no rows of it: they are text."""
    x0, y0, x1, y1 = box
    cells = [cell for row in table.cells for cell in row if cell]
    top, bottom = min((cell[1] for cell in cells), default=y0), max((cell[3] for cell in cells), default=y1)
    return x0, top if top > y0 + _LINE else y0, x1, bottom if bottom < y1 - _LINE else y1


def _type_of(region: Region, sheet: Sheet) -> ElementType:
    """A header or footer runs near an edge of its page; what a layout model takes for one elsewhere is text."""
    low, high = _EDGE * sheet.height, (1 - _EDGE) * sheet.height
    inside = low < region.bbox[1] and region.bbox[3] < high
    return ElementType.TEXT if region.type in AROUND and inside else region.type


def _takes(whole: _Draft, region: Region) -> bool:
    """Whether a region of text is a part of a table or figure; captions and running headers stay outside figures."""
    return (
        region.type not in AROUND
        and covered(region.bbox, whole.bbox) > _ABSORBED
        and not (whole.type is ElementType.FIGURE and region.type is ElementType.CAPTION)
    )


def _give_words(sheet: Sheet, drafts: list[_Draft]) -> None:
    """Each word to the draft that it stands in; words in none become paragraphs, drafts too.

    A line that stands in a region of text whole goes there whole, though a smaller region overlaps some of it.
    """
    by_size = sorted(drafts, key=lambda draft: (draft.type not in _WHOLE, area(draft.bbox)))
    lost: list[Word] = []
    for line in drawn_lines(sheet.words):
        points = [middle(word.bbox) for word in line]
        x0, y0, x1, y1 = around(points)
        regions = (draft for draft in by_size if draft.type not in _WHOLE)
        whole = next((d for d in regions if contains(d.bbox, (x0, y0)) and contains(d.bbox, (x1, y1))), None)
        for word, point in zip(line, points, strict=True):
            home = next((draft for draft in by_size if contains(draft.bbox, point)), None)
            if home and whole and home.type not in _WHOLE:
                home = whole
            (lost if home is None else home.words).append(word)
    for paragraph, box in _paragraphs(lost):
        drafts.append(_Draft(ElementType.TEXT, box, words=paragraph))


def _paragraphs(words: Sequence[Word]) -> list[tuple[list[Word], Box]]:
    """Words that no region claims, as runs of lines that the file drew close under each other, with their boxes."""
    found: list[tuple[list[Word], Box]] = []
    for line in drawn_lines(words):
        box = union(word.bbox for word in line)
        if found:
            paragraph, above = found[-1]
            near = -1 < box[1] - above[3] < _GAP * (box[3] - box[1]) or 0 <= above[3] - box[1] < box[3] - box[1]
            if near and horizontal_overlap(above, box) > 0.5:
                paragraph += line
                found[-1] = paragraph, union((above, box))
                continue
        found.append((list(line), box))
    return found


def _columns(draft: _Draft) -> list[_Draft]:
    """The draft, or one for each column of its text, which a reader goes through one after the other."""
    parts = columns(draft.words) if draft.type in _COLUMNED else []
    if len(parts) < 2:
        return [draft]
    return [_Draft(draft.type, union(word.bbox for word in part), words=part) for part in parts]


def _in_order(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Running headers, what is read column by column, footnotes and running footers."""
    parts: dict[int, list[_Draft]] = {0: [], 1: [], 2: [], 3: []}
    for draft in drafts:
        parts[_PLACES.get(draft.type, 1)].append(draft)
    body = parts[1]
    parts[1] = [body[n] for n in reading_order([draft.bbox for draft in body])]
    return [draft for _, part in sorted(parts.items()) for draft in part]


def _text(draft: _Draft) -> str:
    if draft.table is not None:
        return "\n".join(" | ".join(row) for row in draft.table.rows)
    if draft.type is ElementType.FIGURE:
        return " ".join(word.text for word in draft.words)
    return join_lines(text_of(draft.words))

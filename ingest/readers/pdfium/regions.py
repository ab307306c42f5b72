"""Regions of a page from what a layout model sees on its picture and what the page draws.

The model sees blocks, roughly; the words say where they end, what they are, and what it missed. Knows neither the model
nor any PDF library.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from octavo.ingest.geometry import area, contains, covered, intersection, middle, union
from octavo.ingest.lines import drawn_lines
from octavo.ingest.model import Box, ElementType
from octavo.ingest.readers.pdfium.blocks import Line, body_of, goes_on, make_line, parts, type_of
from octavo.ingest.readers.pdfium.layout import Detection
from octavo.ingest.readers.pdfium.tabular import Row, is_tabular, rows, tabular_parts
from octavo.ingest.runs import inside, type_size
from octavo.ingest.sheet import Region, Sheet, Word
from octavo.ingest.text import opens_caption

_TYPES = {
    "title": ElementType.HEADING,
    "figure": ElementType.FIGURE,
    "figure_caption": ElementType.CAPTION,
    "table": ElementType.TABLE,
    "table_caption": ElementType.CAPTION,
    "header": ElementType.HEADER,
    "footer": ElementType.FOOTER,
}
_WHOLE = {ElementType.TABLE, ElementType.FIGURE}
_SURE, _LIKELY = 0.5, 0.2  # scores of a table or figure that is believed, of a table whose words agree
_INSIDE = 0.7
_FRAMED = 0.5  # of a figure; where text covers more of it, it is a frame round text
_PICTURE = 0.02  # of a figure's area; smaller images and curves do not make it one
_UNDER = 30.0  # points below a figure in which its caption begins
_APART = 2.0  # in sizes of type; a line at a table's edge with more white before it is not the table's
_HEADER, _ACROSS = 2.5, 0.8  # in sizes, of its width; a rule so near above a table and so long opens it
_SMALLER = 0.92  # times the type of a table: a note under it
_CUT = 0.4  # in sizes; a row that begins so near above a table is its header


def make_regions(detections: Sequence[Detection], sheet: Sheet) -> tuple[Region, ...]:
    """The regions of a sheet that has none. Every word is in one, but for those that only label a figure."""
    whole, texts = _settled(detections, sheet)
    blocks, rest = _blocks(sheet.words, whole, texts)
    for words in tabular_parts(rest):
        whole.append(Region(ElementType.TABLE, union(word.bbox for word in words)))
    among = {id(word) for region in whole for word in inside(rest, region.bbox)}
    left: list[Line] = []
    for line in _lines([word for word in rest if id(word) not in among]):
        block = next((lines for _, lines, _ in blocks if goes_on(lines, line)), left)
        block.append(line)
    blocks.append((ElementType.TEXT, left, True))
    body = body_of([word for _, lines, _ in blocks for line in lines for word in line.words], sheet.height)
    found = list(whole)
    for kind, lines, apart in blocks:
        for part in parts(lines, body, apart):
            found.append(Region(type_of(part, kind, body), union(line.bbox for line in part)))
    return tuple(found)


def _settled(detections: Sequence[Detection], sheet: Sheet) -> tuple[list[Region], list[Detection]]:
    """Tables and figures, each once and as large as its words say; and detections of text in no table."""
    texts = [d for d in detections if _TYPES.get(d.kind) not in _WHOLE and d.score >= _SURE]
    whole: list[Region] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        kind = _kind(detection, sheet, texts)
        if kind and not any(
            max(covered(detection.bbox, r.bbox), covered(r.bbox, detection.bbox)) > _INSIDE for r in whole
        ):
            fitted = _fitted(detection.bbox, kind, sheet)
            boxes = [fitted] if kind is ElementType.TABLE else _parted(fitted, sheet)
            whole += [Region(kind, box) for box in boxes]
    tables = [r.bbox for r in whole if r.type is ElementType.TABLE]
    return whole, [t for t in texts if not any(covered(t.bbox, table) > _INSIDE for table in tables)]


def _kind(detection: Detection, sheet: Sheet, texts: Sequence[Detection]) -> ElementType | None:
    """What the detection of a table or figure is, None for one that is neither."""
    kind = _TYPES.get(detection.kind)
    if kind not in _WHOLE or detection.score < (_SURE if kind is ElementType.FIGURE else _LIKELY):
        return None
    tabular = is_tabular(inside(sheet.words, detection.bbox))
    if kind is ElementType.TABLE:
        return kind if tabular or detection.score >= _SURE else None
    curves = [drawing.bbox for drawing in sheet.drawings if drawing.pictorial]
    drawn = [box for box in [*sheet.images, *curves] if covered(box, detection.bbox) > 0.5]
    if tabular and not any(area(box) > _PICTURE * area(detection.bbox) for box in drawn):
        return ElementType.TABLE
    prose = sum(area(text.bbox) for text in texts if covered(text.bbox, detection.bbox) > _INSIDE)
    return None if prose > _FRAMED * area(detection.bbox) else kind


def _fitted(box: Box, kind: ElementType, sheet: Sheet) -> Box:
    """The box less the captions that it takes in; of a table, less lines far from it, and with all of its header."""
    x0, y0, x1, y1 = box
    within = inside(sheet.words, box)
    size = type_size(within)
    made = rows(within)
    if kind is ElementType.TABLE:
        cut = inside(sheet.words, (x0, y0 - size, x1, y0 + size))
        header = [row for row in rows(cut) if len(row.cells) > 1 and row.bbox[3] > y0 - _CUT * size]
        y0 = min([y0, *(row.bbox[1] for row in header), *_heads(box, size, sheet)])
        made = rows(inside(sheet.words, (x0, y0, x1, y1)))
    first, last = _without_captions(made, middle(box)[1], size)
    if kind is ElementType.TABLE:
        while last - first > 1 and _is_note(made, last - 1, size):
            last -= 1
        while last - first > 1 and len(made[first].cells) == 1 and _white(made, first + 1) > _APART * size:
            first += 1
    top = made[first - 1].bbox[3] + 1 if first else y0
    return x0, top, x1, made[last].bbox[1] - 1 if last < len(made) else y1


def _without_captions(made: Sequence[Row], middle: float, size: float) -> tuple[int, int]:
    """The rows between a caption above the middle and one below."""
    first, last = 0, len(made)
    for n, row in enumerate(made):
        if not opens_caption(" ".join(word.text for word in row.words)):
            continue
        if row.bbox[1] > middle:
            return first, n
        first = n + 1
        while first < last - 1 and len(made[first].cells) == 1 and _white(made, first) < _CUT * size:
            first += 1
    return first, last


def _parted(box: Box, sheet: Sheet) -> Iterator[Box]:
    """Round all that is drawn in the box; as several, where what was seen as one stands over captions side by side."""
    x0, y0, x1, y1 = box
    captions = sorted(
        line.bbox for line in _lines(inside(sheet.words, (x0, y1, x1, y1 + _UNDER))) if opens_caption(line.text)
    )
    drawn = [*(d.bbox for d in sheet.drawings), *sheet.images, *(word.bbox for word in sheet.words)]
    within = sorted(b for b in drawn if contains(box, middle(b)))
    cuts = [x0]
    for left, right in pairwise(captions):
        white = [
            (b[0] - end, (b[0] + end) / 2)
            for end, b in zip(accumulate((b[2] for b in within), max), within[1:], strict=False)
            if left[0] < end < b[0] < right[2] and left[2] < right[0]
        ]
        cuts += [max(white)[1]] if white else []
    for start, end in pairwise([*cuts, x1]):
        own = [b for b in within if start <= middle(b)[0] <= end]
        yield intersection(union(own), box) if own else (start, y0, end, y1)


def _is_note(made: Sequence[Row], n: int, size: float) -> bool:
    """Whether the last row of a table is none: a line of its own, or in smaller type than the table is set in."""
    alone = len(made[n].cells) == 1 and _white(made, n) > _APART * size
    return alone or all(word.size < _SMALLER * size for word in made[n].words)


def _heads(box: Box, size: float, sheet: Sheet) -> Iterator[float]:
    """Where a rule over the whole table lies close above it, with no more than a line of its header between."""
    x0, y0, x1, _ = box
    for rule in sheet.rules:
        if y0 - _HEADER * size < rule[1] < y0 and min(x1, rule[2]) - max(x0, rule[0]) > _ACROSS * (x1 - x0):
            between = rows(inside(sheet.words, (x0, rule[1], x1, y0)))
            if not any(opens_caption(" ".join(word.text for word in row.words)) for row in between):
                yield rule[1]


def _white(made: Sequence[Row], n: int) -> float:
    """Points of white above row `n`."""
    return made[n].bbox[1] - made[n - 1].bbox[3]


def _blocks(
    words: Sequence[Word], whole: Sequence[Region], texts: Sequence[Detection]
) -> tuple[list[tuple[ElementType, list[Line], bool]], list[Word]]:
    """The lines of each detection of text; and the words in none, and in no table or figure."""
    texts = sorted(texts, key=lambda text: area(text.bbox))
    drawn: dict[int, list[tuple[int, Word]]] = defaultdict(list)
    for word in words:
        home = next((n for n, text in enumerate(texts) if covered(word.bbox, text.bbox) > 0.5), -1)
        takers = (ElementType.TABLE,) if home >= 0 else _WHOLE
        if not any(r.type in takers and covered(word.bbox, r.bbox) > 0.5 for r in whole):
            drawn[word.line].append((home, word))
    homes: dict[int, list[Word]] = defaultdict(list)
    for line in drawn.values():
        usual = Counter(home for home, _ in line if home >= 0).most_common(1)
        for home, word in line:
            homes[usual[0][0] if home < 0 and usual else home].append(word)
    rest = homes.pop(-1, [])
    return [(_TYPES.get(texts[n].kind, ElementType.TEXT), _lines(own), False) for n, own in homes.items()], rest


def _lines(words: Sequence[Word]) -> list[Line]:
    return list(map(make_line, drawn_lines(words)))

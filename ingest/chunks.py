"""What is embedded: chunks that respect structure.

Paragraphs under one heading join up to a size; a table is its caption, unit and rows, each a line in words that names
its columns, so that any part of it can be read alone; a figure is its caption, its inner text and what mentions it.
Headers and footers are not indexed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from octavo.ingest.links import joined_tables
from octavo.ingest.model import AROUND, Chunk, Element, ElementType, LinkType, ParsedDocument, Table
from octavo.ingest.tables import column_names, values

_READ = 256  # word pieces: what small embedders read of a text
_LEAST = 80  # pieces left for what a chunk says, however much is said before it
_PIECE = re.compile(r"\d{1,3}|[A-Za-z]{1,8}|[^\sA-Za-z\d]")  # a word piece, nearly: MiniLM's are .95 as many (sd .06)
_UNIT = re.compile(r"\b(in|amounts?|dollars?|thousands|millions|billions|percent|unaudited)\b", re.I)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(\"“•])")


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def make_chunks(document: ParsedDocument, name: str) -> list[Chunk]:
    """The chunks of a document in reading order; `name` is its file's name without the ending."""
    return list(_Chunker(document, name).chunks())


def source_line(document: ParsedDocument, name: str) -> str:
    """What names a document in all its chunks: its file's name, and its title."""
    return f"{name}: {document.title}" if document.title else name


def captions(document: ParsedDocument) -> dict[str, Element]:
    """The captions by the ids of the tables and figures that they are of."""
    by_id = {e.id: e for e in document.elements}
    return {link.target: by_id[link.source] for link in document.links if link.type is LinkType.CAPTION_OF}


class _Chunker:
    def __init__(self, document: ParsedDocument, name: str) -> None:
        self.document = document
        self.by_id = {e.id: e for e in document.elements}
        self.source = source_line(document, name)
        self.captions = captions(document)
        self.captioning = {caption.id for caption in self.captions.values()}
        whole = joined_tables(document.elements, document.links)
        told = [(joined, _in_words(joined.table)) for joined in whole]
        self.joined = {part.id: (joined, lines) for joined, lines in told for part in joined.parts}
        self.mentions: dict[str, list[str]] = defaultdict(list)
        for link in document.links:
            if link.type is LinkType.MENTION_OF:
                self.mentions[link.target].append(link.source)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks; a heading with nothing under it, which no chunk's context holds, is one by itself."""
        spoken: set[str] = set()
        for chunk, headings in self._sections():
            spoken |= {h.id for h in headings}
            yield chunk
        for element in self.document.elements:
            if element.type is ElementType.HEADING and element.id not in spoken and element.text:
                yield Chunk(ElementType.HEADING, element.page, self.source, element.text, (element.id,))

    def _sections(self) -> Iterator[tuple[Chunk, Sequence[Element]]]:
        """Each chunk with the headings it stands under."""
        headings: list[Element] = []
        paragraphs: list[Element] = []
        before: Element | None = None
        for element in self.document.elements:
            if element.type in AROUND or element.id in self.captioning:
                continue
            if element.type is ElementType.HEADING:
                yield from ((chunk, headings) for chunk in self._text(paragraphs, headings))
                paragraphs = []
                nested = before is not None and before.type is ElementType.HEADING
                headings = [h for h in headings if h.level < element.level or (nested and h.level == element.level)]
                headings = [*headings[-3:], element]
            elif element.type is ElementType.TABLE:
                unit = (
                    paragraphs[-1:] if before is not None and before.page == element.page and _is_unit(before) else []
                )
                yield from ((chunk, headings) for chunk in self._table(element, headings, unit))
            elif element.type is ElementType.FIGURE:
                yield from ((chunk, headings) for chunk in self._figure(element, headings))
            else:
                paragraphs.append(element)
            before = element
        yield from ((chunk, headings) for chunk in self._text(paragraphs, headings))

    def _context(self, headings: Sequence[Element]) -> str:
        return " › ".join([self.source, *(h.text for h in headings)])

    def _text(self, paragraphs: Sequence[Element], headings: Sequence[Element]) -> Iterator[Chunk]:
        """Paragraphs joined while they fit; one too long by itself is cut between sentences."""
        group: list[Element] = []
        context = self._context(headings)
        room = _room(context)
        for element in [*paragraphs, None]:
            size = sum(_size(e.text) for e in group)
            if group and (element is None or size + _size(element.text) > room or element.page != group[0].page):
                text = "\n".join(e.text for e in group if e.text)
                for part in _pack(sentences(text) if size > room else [text], " ", room):
                    kind = group[0].type if len(group) == 1 else ElementType.TEXT
                    yield Chunk(kind, group[0].page, context, part, tuple(e.id for e in group))
                group = []
            if element is not None and element.text:
                group.append(element)

    def _table(self, element: Element, headings: Sequence[Element], unit: Sequence[Element]) -> Iterator[Chunk]:
        table = element.table
        if table is None or not any(any(row) for row in table.rows):
            return
        joined, lines = self.joined[element.id]
        caption = self._caption(joined.parts[0])
        lead = [*(e.text for e in (*caption, *unit)), column_names(joined.table)[0]]
        body = [lines[n] for n in joined.body_of(element)] or [_row(row) for row in table.rows]
        ids = tuple(e.id for e in (element, *caption, *unit))
        context = self._context(headings)
        for part in _pack([row for row in body if row], "\n", _room(context, *lead)):
            yield Chunk(ElementType.TABLE, element.page, context, "\n".join([*filter(None, lead), part]), ids)

    def _figure(self, element: Element, headings: Sequence[Element]) -> Iterator[Chunk]:
        caption = self._caption(element)
        mentions = [self.by_id[source].text for source in self.mentions[element.id][:2]]
        text = "\n".join(
            filter(None, [*(e.text for e in caption), element.text[: 4 * _READ], *(m[:300] for m in mentions)])
        )
        if not text:  # a picture without a word about it is found by the headings that it stands under
            text = headings[-1].text if headings else ""
        if text:
            ids = tuple(e.id for e in (element, *caption))
            yield Chunk(ElementType.FIGURE, element.page, self._context(headings), text, ids)

    def _caption(self, element: Element) -> list[Element]:
        caption = self.captions.get(element.id)
        return [caption] if caption else []


def _is_unit(element: Element) -> bool:
    return element.type is ElementType.TEXT and len(element.text) <= 150 and bool(_UNIT.search(element.text))


def _in_words(table: Table) -> list[str]:
    """Each row of the table as a line: "Net sales: Products: 2022: 63,355; 2021: 63,948"."""
    told: dict[int, list[str]] = defaultdict(list)
    for (row, label), cells in groupby(values(table), key=lambda cell: (cell.row, cell.label)):
        entries = "; ".join(": ".join(filter(None, [cell.header, cell.text])) for cell in cells)
        told[row].append(": ".join(filter(None, [label, entries])))
    return ["; ".join(told[n]) or _row(row) for n, row in enumerate(table.rows)]


def _row(cells: Sequence[str]) -> str:
    return " | ".join(filter(None, cells))


def _size(text: str) -> int:
    return sum(1 for _ in _PIECE.finditer(text))


def _room(*before: str) -> int:
    """Word pieces that a chunk may hold after what stands `before` it."""
    return max(_LEAST, _READ - sum(map(_size, before)))


def _pack(parts: Sequence[str], glue: str, most: int) -> Iterator[str]:
    """Parts glued together while they stay within `most` word pieces; one that alone is longer is cut between words."""
    packed: list[str] = []
    size = 0
    for part in (piece for whole in parts for piece in ([whole] if _size(whole) <= most else wrap(whole, 3 * most))):
        pieces = _size(part)
        if packed and size + pieces > most:
            yield glue.join(packed)
            packed, size = [], 0
        packed.append(part)
        size += pieces
    if packed:
        yield glue.join(packed)

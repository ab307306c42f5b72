"""A document as pictures: one chunk for each page, table and figure, with the text that stands under it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from octavo.ingest.chunks import captions, source_line
from octavo.ingest.model import Chunk, Element, ElementType, ParsedDocument

_SHOWN = {ElementType.TABLE, ElementType.FIGURE}


def make_pictures(document: ParsedDocument, name: str) -> list[Chunk]:
    """The pictures of a document, each page's before those on it; `name` is its file's name without the ending.

    A page with nothing on it is not one.
    """
    return list(_pictures(document, source_line(document, name)))


def _pictures(document: ParsedDocument, source: str) -> Iterator[Chunk]:
    captioned = captions(document)
    on_page: dict[int, list[Element]] = defaultdict(list)
    for element in document.elements:
        on_page[element.page].append(element)
    for page in document.pages:
        elements = on_page[page.number]
        if elements:
            yield _picture(ElementType.PAGE, source, elements)
        for element in elements:
            if element.type in _SHOWN:
                caption = captioned.get(element.id)
                yield _picture(element.type, source, [element, *([caption] if caption else [])])


def _picture(kind: ElementType, source: str, elements: list[Element]) -> Chunk:
    text = "\n".join(e.text for e in elements if e.text)
    return Chunk(kind, elements[0].page, source, text, tuple(e.id for e in elements), picture=True)

"""A document as pictures: one chunk for each page, table and figure, with the text that stands under it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from octavo.ingest.model import Chunk, Element, ElementType, LinkType, ParsedDocument

_SHOWN = {ElementType.TABLE, ElementType.FIGURE}


def make_pictures(document: ParsedDocument, name: str) -> list[Chunk]:
    """The pictures of a document, each page's before those on it; `name` is its file's name without the ending.

    A page with nothing on it is not one.
    """
    return list(_pictures(document, f"{name}: {document.title}" if document.title else name))


def _pictures(document: ParsedDocument, source: str) -> Iterator[Chunk]:
    by_id = {e.id: e for e in document.elements}
    captions = {link.target: by_id[link.source] for link in document.links if link.type is LinkType.CAPTION_OF}
    on_page: dict[int, list[Element]] = defaultdict(list)
    for element in document.elements:
        on_page[element.page].append(element)
    for page in document.pages:
        elements = on_page[page.number]
        if elements:
            yield _picture(ElementType.PAGE, source, elements)
        for element in elements:
            if element.type in _SHOWN:
                caption = captions.get(element.id)
                yield _picture(element.type, source, [element, *([caption] if caption else [])])


def _picture(kind: ElementType, source: str, elements: list[Element]) -> Chunk:
    text = "\n".join(e.text for e in elements if e.text)
    return Chunk(kind, elements[0].page, source, text, tuple(e.id for e in elements), picture=True)

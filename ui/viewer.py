"""The viewer: a page of a document with its elements as coloured boxes, and what they say and lead to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st

from octavo.colours import colour
from octavo.ingest.model import Element, ElementType, Link, LinkType, ParsedDocument
from octavo.ingest.reader import UnreadableError
from octavo.ui import pages, session
from octavo.ui.citations import swatch
from octavo.ui.words import plain, sentence, short

_DPI = 130
_TEXT = 400  # characters of an element
_LINKS = {
    LinkType.CAPTION_OF: "captions",
    LinkType.MENTION_OF: "mentions",
    LinkType.CONTINUES: "continues",
    LinkType.UNDER_HEADING: "stands under",
}


def page() -> None:
    st.page_link(pages.documents(), label="Documents", icon=":material/arrow_back:")
    sha256 = st.query_params.get("document", "")
    info = next((info for info in session.documents() if info.sha256 == sha256), None)
    if info is None:
        st.title("No such document", anchor=False)
        st.markdown("It is not, or no longer, in this library. The documents page lists those that are.")
        return
    st.title(plain(short(info.title or info.name, 120)), anchor=False)
    st.caption(plain(info.name))
    document = session.parsed(sha256)
    if not document.pages:
        st.markdown("This document has not been read yet.")
        return
    number = _choose_page(document.pages[-1].number)
    if any(page.number == number for page in document.pages):
        _page(sha256, document, number)
    else:
        st.markdown(f"Page {number} could not be read, so answers cannot come from it.")


def _choose_page(last: int) -> int:
    """The page to show; it is in the address, where a citation's link puts it."""
    if last == 1:
        return 1
    return st.pagination(last, key="page", bind="query-params")


def _page(sha256: str, document: ParsedDocument, number: int) -> None:
    elements = [element for element in document.elements if element.page == number]
    present = [kind for kind in ElementType if any(element.type is kind for element in elements)]
    wanted = st.pills(
        "Boxes",
        present,
        selection_mode="multi",
        default=present,
        format_func=lambda kind: f"{swatch(kind)} {kind}",
        key=f"kinds-{sha256[:16]}-{number}",
        label_visibility="collapsed",
    )
    shown = [element for element in elements if element.type in wanted]
    boxes = tuple((element.bbox, colour(element.type)) for element in shown)
    with st.container(key="viewer"):
        left, right = st.columns([3, 2], gap="medium")
    try:
        picture = session.page_picture(sha256, number, boxes, _DPI)
        left.image(picture, width="stretch", alt=f"Page {number} with its boxes")
    except UnreadableError as error:
        left.caption(plain(sentence(str(error))))
    with right.container(height=640, border=False, key="elements"):
        if not shown:
            st.caption("No boxes on this page." if not elements else "No boxes chosen.")
        named = {element.id: element for element in document.elements}
        leads: dict[str, list[Link]] = defaultdict(list)
        for link in document.links:
            leads[link.source].append(link)
        captions = {link.target: named[link.source].text for link in document.links if link.type is LinkType.CAPTION_OF}
        for element in shown:
            _element(element, leads[element.id], named, captions)


def _element(
    element: Element, links: Sequence[Link], named: Mapping[str, Element], captions: Mapping[str, str]
) -> None:
    said = plain(short(element.text, _TEXT)) or ":gray[no text]"
    lines = [f":small[{swatch(element.type)} :gray[{element.type}]]", said]
    for link in links:
        if (target := named.get(link.target)) and link.type is not LinkType.UNDER_HEADING:
            what = plain(short(captions.get(target.id, ""), 50)) or f"the {target.type}"
            lines.append(f":small[:gray[↳ {_LINKS[link.type]} {what}, page {target.page}]]")
    st.markdown("  \n".join(lines))

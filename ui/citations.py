"""An answer as it is kept (`octavo.contract.answer`), with the pages that it cites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from octavo.colours import colour
from octavo.ingest.model import Box, Element, ElementType
from octavo.ingest.reader import UnreadableError
from octavo.ingest.text import count
from octavo.ui import pages, session
from octavo.ui.closeup import close_up
from octavo.ui.words import plain, short, with_marks

Json = dict[str, Any]
_NEAR = 3  # pages that are named where no hit was kept
_QUOTED = 320  # characters of a cited element that are shown beside its picture


def show(answer: Json, key: str) -> None:
    """The whole of an answer; `key` tells it from the others on the page."""
    if answer["answer"]:
        links = {citation["number"]: _anchor(citation, key) for citation in answer["citations"]}
        st.markdown(with_marks(answer["answer"], links))
    for note in answer["notes"]:
        st.caption(f":material/info: {plain(note)}")
    if not answer["selection"]["kept"]:
        _nearest(answer["selection"]["dropped"])
    if numbers := answer["unsupported"]:
        listed = ", ".join(map(plain, numbers))
        stand = "This number stands" if len(numbers) == 1 else "These numbers stand"
        st.warning(f"{stand} in no cited place: **{listed}**. Check before you rely on it.", icon=":material/warning:")
    if answer["citations"]:
        _sources(answer, key)
    if answer["generator"]:
        _evidence(answer, key)


def legend(types: Sequence[str]) -> None:
    """Which colour stands for which type of element."""
    kinds = sorted({ElementType(kind) for kind in types}, key=list(ElementType).index)
    st.markdown(" \u2003".join(f":small[{swatch(kind)} {kind}]" for kind in kinds), width="content")


def swatch(kind: str) -> str:
    """A little square in the colour of an element's type, as Markdown."""
    red, green, blue = (round(255 * part) for part in colour(ElementType(kind)))
    return f':color[■]{{foreground="rgb({red},{green},{blue})"}}'


def _nearest(dropped: Sequence[Json]) -> None:
    """What came nearest where no hit was kept, as far as it is still in the library."""
    held = {info.sha256 for info in session.documents()} if dropped else set()
    near = {(hit["sha256"], hit["page"]): hit["document"] for hit in dropped if hit.get("sha256") in held}
    if near:
        st.caption("What came nearest:")
    for (sha256, page), document in list(near.items())[:_NEAR]:
        pages.link_to_page(sha256, page, plain(f"{short(document, 60)}, page {page}"), ":material/description:")


def _sources(answer: Json, key: str) -> None:
    """A card for each cited page, in order of citation."""
    citations, said = answer["citations"], " ".join(answer["answer"].split())
    by_page: dict[tuple[str, int], list[Json]] = defaultdict(list)
    for citation in citations:
        by_page[citation["sha256"], citation["page"]].append(citation)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Read from {count(len(by_page), 'page')}", width="content")
        legend([citation["type"] for citation in citations])
    held = {info.sha256 for info in session.documents()}
    for number, ((sha256, page), cited) in enumerate(by_page.items()):
        with st.container(border=True, key=f"card-{key}-{number}"):
            _card(sha256, page, cited, sha256 in held, said, key)


def _card(sha256: str, page: int, cited: Sequence[Json], held: bool, said: str, key: str) -> None:
    name = f"{short(cited[0]['document'], 60)}, page {page}"
    pictures = _pictures(sha256, page, cited) if held else None
    if pictures is None:
        st.markdown(f"**{plain(name)}**")
        st.caption(
            ":material/delete: This document was deleted: it is no longer in the library, nor are its pages and words."
        )
        for citation in cited:
            _heading(citation, key)
            _quotation(citation, said)
        return
    whole, places = pictures
    left, right = st.columns([2, 3], gap="medium")
    left.image(whole, width="stretch", alt=f"{name}, cited places in colour")
    with right:
        pages.link_to_page(sha256, page, plain(name), ":material/description:")
        for citation, place in zip(cited, places, strict=True):
            _heading(citation, key)
            st.image(place, width="stretch", alt=f"The {citation['type']} cited as {citation['number']}")
            _quotation(citation, said)


def _pictures(sha256: str, page: int, cited: Sequence[Json]) -> tuple[bytes, list[bytes]] | None:
    """The page with all its cited boxes, and each of them close up; None if it cannot be drawn, or was deleted."""
    boxes = tuple((_box(citation), colour(ElementType(citation["type"]))) for citation in cited)
    try:
        places = [close_up(sha256, page, *box, _element(c)) for box, c in zip(boxes, cited, strict=True)]
        return session.page_picture(sha256, page, boxes), places
    except (OSError, RuntimeError, IndexError, UnreadableError):
        return None


def _heading(citation: Json, key: str) -> None:
    """Where the answer's mark leads."""
    number, kind = citation["number"], citation["type"]
    st.subheader(f"\\[{number}\\] {swatch(kind)} {kind}", anchor=_anchor(citation, key))


def _anchor(citation: Json, key: str) -> str:
    return f"source-{key}-{citation['number']}"


def _quotation(citation: Json, said: str) -> None:
    """The cited text, unless the answer has just said it."""
    if " ".join(citation["text"].split()) not in said:
        st.caption(plain(short(citation["text"], _QUOTED)))


def _box(citation: Json) -> Box:
    x0, y0, x1, y1 = citation["bbox"]
    return x0, y0, x1, y1


def _element(citation: Json) -> Element | None:
    elements = session.parsed(citation["sha256"]).elements if citation["type"] == ElementType.TABLE else ()
    return next((element for element in elements if element.id == citation["element"]), None)


def _evidence(answer: Json, key: str) -> None:
    """What was found and kept, and what was left out, with the reasons; a deleted document's places are in neither."""
    selection: Mapping[str, Sequence[Any]] = answer["selection"]
    with st.expander("Why this evidence", type="compact", key=f"why-{key}"):
        seconds = sum(answer["timings"].values())
        found = " Places found, the best first:" if selection["kept"] else ""
        st.caption(f"Written by {plain(answer['generator'])} in {seconds:.1f} s.{found}")
        for rank, hit in enumerate(selection["kept"], 1):
            _hit(f"{rank}", hit, hit["why"])
        if selection["dropped"]:
            st.caption("Left out:")
        for hit in selection["dropped"]:
            _hit("–", hit, [hit["reason"], *hit["why"]])
        held = {info.sha256 for info in session.documents()}
        stripped = not selection["kept"] and not selection["dropped"]
        if stripped or any(citation["sha256"] not in held for citation in answer["citations"]):
            st.caption(":material/delete: Places in a document that was deleted since are not listed.")
        for looked in selection.get("looked", ()):  # answers of before have none
            st.caption(
                plain(f"Looked in {looked['document']}: {looked['card']}, probability {looked['probability']:.2f}")
            )
        for note in selection["notes"]:
            st.caption(plain(note))


def _hit(rank: str, hit: Json, reasons: Sequence[str]) -> None:
    where = f"**{rank}** {swatch(hit['type'])} {plain(hit['document'])}, page {hit['page']}, {hit['type']}"
    why = f"score {hit['score']:.4f}; {'; '.join(reasons)}"
    st.markdown(f"{where}  \n:small[{plain(short(hit['text'], 160))}]  \n:small[:gray[{plain(why)}]]")

"""The documents page: what is in the library, what is being taken in, and what is to go."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from octavo.ingest.model import State
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.ingest.text import count
from octavo.ui import pages, session, uploads
from octavo.ui.words import plain, sentence, short, size

_PER_PAGE = 20
_FINDABLE = 8  # documents from which on a field to find them is worth its place
_STATES = {
    State.QUEUED: ":gray[○] queued",
    State.PARSED: ":orange[◐] being embedded",
    State.READY: ":green[●] ready",
    State.FAILED: ":red[●] failed",
}


def page() -> None:
    st.title("Documents", anchor=False)
    infos = session.documents()
    if (job := uploads.job()) and job.running:  # shown with its progress, not twice
        infos = [info for info in infos if info.state in (State.READY, State.FAILED)]
    if infos:
        pages_, chunks = sum(i.pages for i in infos), sum(i.chunks for i in infos)
        st.caption(f"{count(len(infos), 'document')} · {count(pages_, 'page')} · {count(chunks, 'chunk')}")
    elif not job:
        st.markdown("Nothing here yet. Drop PDFs below; each becomes searchable as soon as it has been read.")
    uploads.show()
    if infos:
        _list(infos)


def _list(infos: Sequence[DocumentInfo]) -> None:
    wanted = ""
    if len(infos) >= _FINDABLE:
        wanted = st.text_input(
            "Find a document", placeholder="Find by name or title", key="find", label_visibility="collapsed"
        )
        infos = [info for info in infos if wanted.strip().lower() in f"{info.name} {info.title}".lower()]
    if not infos:
        st.markdown(f"No document is called anything like “{plain(wanted)}”.")
        return
    last = -(-len(infos) // _PER_PAGE)
    number = min(int(st.session_state.get("documents-page", 1)), last)
    with st.container(key="shelved"):
        for info in infos[_PER_PAGE * (number - 1) : _PER_PAGE * number]:
            with st.container(gap="xsmall", key=f"document-{info.sha256[:16]}"):
                _row(info)
    if last > 1:
        st.pagination(last, key="documents-page")


def _row(info: DocumentInfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        with st.container(gap=None):
            name = f"**{plain(short(info.name, 80))}**"
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                if info.pages:
                    pages.link_to_page(info.sha256, 1, name)
                else:
                    st.markdown(f":small[{name}]")
                if info.title and info.title != info.name:
                    st.caption(plain(short(info.title, 80)), width="content")
            st.caption(f"{_STATES[info.state]} · {_numbers(info)}")
        if st.button("", key=f"delete-{info.sha256[:16]}", icon=":material/delete:", type="tertiary", help="Delete"):
            _confirm(info)
    if info.error:
        st.markdown(f":small[:red[{plain(sentence(info.error))}]]")
    for warning in info.warnings:
        st.caption(f":material/info: {plain(warning)}")


def _numbers(info: DocumentInfo) -> str:
    if not info.pages:
        return size(info.size)
    counts = (info.pages, "page"), (info.elements, "element"), (info.chunks, "chunk")
    return " · ".join([*(count(number, noun) for number, noun in counts), size(info.size)])


@st.dialog("Delete this document?", icon=":material/delete:")
def _confirm(info: DocumentInfo) -> None:
    names = " = ".join(f"**{plain(name)}**" for name in info.names)
    st.markdown(
        f"{names} goes from the library with its {count(info.pages, 'page')}, its pictures and its "
        "index entries. Conversations that cite it keep their words and lose its pages."
    )
    with st.container(horizontal=True):
        gone = st.button(
            "Delete", type="primary", key="confirm-delete", on_click=session.attempt, args=(_delete, info.sha256)
        )
        kept = st.button("Keep", key="keep-document")
    if gone or kept:
        st.rerun()


def _delete(sha256: str) -> None:
    session.library().delete(sha256)
    session.forget_documents(pictures=True)

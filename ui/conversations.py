"""The sidebar's list of conversations."""

from __future__ import annotations

import streamlit as st

from octavo.ui import pages, session
from octavo.ui.words import plain, short

_SHOWN = 30
_TITLE = 60  # characters


def title(question: str) -> str:
    """What a conversation that begins with `question` is called."""
    return short(question, _TITLE)


def show() -> None:
    if st.button("New conversation", icon=":material/add:", width="stretch", key="new-conversation"):
        _go(None)
    library = session.library()
    known = library.conversations()
    current = session.conversation()
    if known:
        st.caption("Conversations")
    shown = known if st.session_state.get("all-conversations") else known[:_SHOWN]
    with st.container(gap=None, key="conversations"):
        for key, name in shown:
            _row(key, name, key == current)
    if len(shown) < len(known):
        st.button(
            f"Show {len(known) - len(shown)} older",
            key="older-conversations",
            type="tertiary",
            on_click=lambda: st.session_state.update({"all-conversations": True}),
        )


def _row(key: int, name: str, current: bool) -> None:
    if not current:
        if st.button(plain(name), key=f"conversation-{key}", type="tertiary", width="stretch", wrap=False):
            _go(key)
        return
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center", key="current"):
        if st.button(f"**{plain(name)}**", key=f"conversation-{key}", type="tertiary", width="stretch", wrap=False):
            _go(key)
        delete = st.button("", key="delete-conversation", type="tertiary", icon=":material/delete:", help="Delete")
    if delete:
        _confirm(key, name)


def _go(key: int | None) -> None:
    session.open_conversation(key)
    st.switch_page(pages.chat())


@st.dialog("Delete this conversation?", icon=":material/delete:")
def _confirm(key: int, name: str) -> None:
    st.markdown(f"“{plain(name)}” and its answers will be gone for good. The documents stay.")
    with st.container(horizontal=True):
        gone = st.button(
            "Delete",
            type="primary",
            key="confirm-delete-conversation",
            on_click=session.attempt,
            args=(_delete, key),
        )
        kept = st.button("Keep", key="keep-conversation")
    if gone or kept:
        st.rerun()


def _delete(key: int) -> None:
    session.library().delete_conversation(key)
    session.open_conversation(None)

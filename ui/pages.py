"""The pages and the ways between them. Pages are imported when they are made, so that each may link to the others."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage


def chat() -> StreamlitPage:
    from octavo.ui.chat import page

    return st.Page(page, title="Chat", icon=":material/forum:", url_path="chat", default=True)


def documents() -> StreamlitPage:
    from octavo.ui.documents import page

    return st.Page(page, title="Documents", icon=":material/library_books:", url_path="documents")


def viewer() -> StreamlitPage:
    from octavo.ui.viewer import page

    return st.Page(page, title="Pages", url_path="pages", visibility="hidden")


def link_to_page(sha256: str, number: int, label: str, icon: str | None = None) -> None:
    """A link to a page of a document in the viewer."""
    st.page_link(viewer(), label=label, icon=icon, query_params={"document": sha256, "page": str(number)})

"""The chat's entry: `octavo serve` runs this script, once for each visitor and again at each of their clicks."""

from __future__ import annotations

import streamlit as st

from octavo.ui.theme import LOGO, MARK, STYLE


def main() -> None:
    st.set_page_config("Octavo", ":material/auto_stories:", layout="centered")
    st.html(STYLE)
    st.logo(LOGO, size="large", icon_image=MARK)
    with st.spinner("Opening Octavo…"):
        from octavo.ui import conversations, pages, session  # several seconds when the server has just started

    chosen = st.navigation([pages.chat(), pages.documents(), pages.viewer()])
    with st.sidebar:
        session.guarded(conversations.show)
    session.guarded(chosen.run)


main()

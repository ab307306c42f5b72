"""The chat's entry: `octavo serve` runs this script, once for each visitor and again at each of their clicks.

The processes that read PDFs import it too, as every spawned process imports its parent's main script: hence imports
inside `main`, and the guard.
"""


def main() -> None:
    import streamlit as st

    from octavo.ui.theme import LOGO, MARK, STYLE

    st.set_page_config("Octavo", MARK, layout="centered")  # an icon by name would be fetched from the network
    st.html(STYLE)
    st.logo(LOGO, size="large", icon_image=MARK)
    with st.spinner("Opening Octavo…"):
        from octavo.ui import conversations, pages, session  # several seconds when the server has just started

    chosen = st.navigation([pages.chat(), pages.documents(), pages.viewer()])
    with st.sidebar:
        session.guarded(conversations.show)
    session.show_problem()
    session.guarded(chosen.run)


if __name__ == "__main__":
    main()

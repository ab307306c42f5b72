"""The chat page: a conversation, and the answer that is being written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Event

import streamlit as st

from octavo.ingest.store.catalogue import DocumentInfo, Message
from octavo.ingest.text import count
from octavo.library import Library
from octavo.ui import answering, citations, controls, pages, session, uploads
from octavo.ui.conversations import title
from octavo.ui.words import plain, short

_PATIENCE = 3.0  # seconds; a click starts a new run beside the one that it stops, which has its answer to keep
_LISTED = 6  # documents named on the first page
_AVATAR = ":material/auto_stories:"  # not shown; the kind that is shown by default needs a picture
_SCROLL = """<script>/* {} */
setTimeout(() => [...document.querySelectorAll('[class*="st-key-asked-"]')].at(-1)
  ?.scrollIntoView({{ behavior: "smooth" }}), 150)
</script>"""


def page() -> None:
    library, ready = session.library(), session.ready()
    conversation = session.conversation()
    controls.ask(ready, _take_question)
    if writing := st.session_state.get("writing"):
        writing.wait(_PATIENCE)
    messages = library.messages(conversation) if conversation else []
    if conversation:
        st.query_params["conversation"] = str(conversation)
    else:
        st.query_params.clear()
    for number, message in enumerate(messages):
        _message(message, f"{number}-{conversation}")
    if st.session_state.pop("scroll", False):
        _scroll_to_last(len(messages))
    if conversation and messages and messages[-1].role == "user":
        _answer(library, conversation, messages, ready)
    elif conversation and messages and answering.unfinished(messages[-1].answer):
        _offer_again(messages)
    elif not messages:
        _welcome(ready)


def _take_question() -> None:
    """A callback: it runs before the page, so the sidebar already lists the conversation that it starts."""
    question = st.session_state["question"]
    if question and question.strip():
        session.attempt(_ask, question.strip())


def _ask(question: str) -> None:
    library, conversation = session.library(), session.conversation()
    if conversation is None:
        conversation = library.start_conversation(title(question))
        session.open_conversation(conversation)
    library.add_message(conversation, "user", question)
    st.session_state["asked"] = True


def _message(message: Message, key: str) -> None:
    with st.chat_message(message.role, avatar=_AVATAR):
        if message.answer is not None:
            citations.show(message.answer, key)
        else:
            with st.container(key=f"asked-{key}"):
                st.markdown(plain(message.text))


def _answer(library: Library, conversation: int, messages: list[Message], ready: Mapping[str, DocumentInfo]) -> None:
    """Answers the question that was just asked; one that a crash left without an answer is not asked again unbidden."""
    question = messages[-1].text
    if not st.session_state.pop("asked", False):
        st.caption("This question was not answered.")
        _again(question)
        return
    chosen, generator = controls.chosen_documents(ready), controls.chosen_generator(library.settings)
    how = controls.chosen_how(library.settings)
    _scroll_to_last(len(messages))
    written = st.session_state["writing"] = Event()
    try:
        with st.container(key="writing"), st.chat_message("assistant", avatar=_AVATAR):
            answering.answer(library, conversation, question, chosen, generator, how)
    finally:
        written.set()
    st.session_state["scroll"] = True
    st.rerun()


def _scroll_to_last(number: int) -> None:
    """Brings the last question to the top: the page stays where it was when it grows."""
    st.html(_SCROLL.format(number), unsafe_allow_javascript=True)


def _offer_again(messages: list[Message]) -> None:
    asked = [message.text for message in messages if message.role == "user"]
    if asked:
        _again(asked[-1])


def _again(question: str) -> None:
    st.button("Ask again", icon=":material/refresh:", on_click=session.attempt, args=(_ask, question), key="again")


def _welcome(ready: Mapping[str, DocumentInfo]) -> None:
    if not ready:
        st.title("Ask your documents", anchor=False)
        st.markdown(
            "This library is empty. Add reports, filings or papers as PDFs and ask about them: every answer comes "
            "with the pages that it was read from, and the place on each page."
        )
        uploads.show()
        return
    st.title("Ask your documents", anchor=False)
    st.markdown("Every answer comes with the pages that it was read from, and the place on each page.")
    uploads.show_running()
    with st.container(gap="xsmall", key="shelf"):
        titles = Counter(info.title for info in ready.values())
        for info in list(ready.values())[:_LISTED]:
            name = info.title if titles[info.title] == 1 and info.title else info.name
            label = f"{plain(short(name, 80))} :gray[· {count(info.pages, 'page')}]"
            pages.link_to_page(info.sha256, 1, label, ":material/description:")
    if len(ready) > _LISTED:
        st.page_link(pages.documents(), label=f"All {count(len(ready), 'document')}", icon=":material/library_books:")

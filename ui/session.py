"""What the pages share: the library, opened once for all visitors, and what this visitor is looking at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st

from octavo.errors import explain
from octavo.ingest.catalogue import DocumentInfo
from octavo.ingest.model import Box, State
from octavo.ingest.render import Colour
from octavo.library import Library
from octavo.settings import Settings

_log = logging.getLogger(__name__)
_FRESH = 10.0  # seconds for which the list of documents may be out of date after a change from elsewhere


def library() -> Library:
    """The library of the settings; other settings (a test's, say) open another."""
    return _open(Settings().model_dump_json())


@st.cache_resource(show_spinner="Opening the library…")
def _open(key: str) -> Library:
    return Library(settings=Settings())


def documents() -> list[DocumentInfo]:
    """All documents by name."""
    return _documents(str(library().folder.resolve()))


@st.cache_resource(ttl=_FRESH, show_spinner="Looking at the documents…")
def _documents(folder: str) -> list[DocumentInfo]:
    return library().documents()


def ready() -> dict[str, DocumentInfo]:
    """The documents that answers can come from, by SHA-256."""
    return {info.sha256: info for info in documents() if info.state is State.READY}


def forget_documents(pictures: bool = False) -> None:
    """To be called after a change; with `pictures` after a deletion, which leaves nothing of a document behind."""
    _documents.clear()
    if pictures:
        _page_picture.clear()


def page_picture(sha256: str, page: int, boxes: tuple[tuple[Box, Colour], ...] = (), dpi: int = 110) -> bytes:
    """As `Library.page_picture`, kept for the next run of the script."""
    return _page_picture(str(library().folder.resolve()), sha256, page, boxes, dpi)


@st.cache_data(max_entries=200, show_spinner=False)
def _page_picture(folder: str, sha256: str, page: int, boxes: tuple[tuple[Box, Colour], ...], dpi: int) -> bytes:
    return library().page_picture(sha256, page, boxes, dpi)


def conversation() -> int | None:
    """The conversation that is open; kept in the address too, so that reloading the page finds it again."""
    if "conversation" not in st.session_state:
        asked = st.query_params.get("conversation", "")
        known = {key for key, _ in library().conversations()}
        st.session_state["conversation"] = int(asked) if asked.isdecimal() and int(asked) in known else None
    chosen: int | None = st.session_state["conversation"]
    return chosen


def open_conversation(conversation: int | None) -> None:
    st.session_state["conversation"] = conversation


def line(error: Exception) -> str:
    """What went wrong in one line; a fault of ours goes to the log with its traceback, never to the page."""
    if text := explain(error):
        return text[0].upper() + text[1:]
    _log.error("the chat failed", exc_info=error)
    return "Something in Octavo itself went wrong. The terminal that runs `octavo serve` has the details."


def guarded(show: Callable[..., None], *arguments: Any) -> None:
    """Runs `show`; what it raises becomes words in its place."""
    try:
        show(*arguments)
    except Exception as error:  # noqa: BLE001 - the last stop before the visitor
        from octavo.ui.words import plain

        st.error(plain(line(error)), icon=":material/error:")

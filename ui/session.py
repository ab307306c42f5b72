"""What the pages share: the library, opened once for all visitors, and what this visitor is looking at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import streamlit as st

from octavo.errors import explain
from octavo.ingest.model import Box, ParsedDocument, State
from octavo.ingest.render import Colour
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.library import Library
from octavo.settings import Settings
from octavo.ui.words import plain, sentence

_log = logging.getLogger(__name__)
_KEPT = 600.0  # seconds for which pages and elements stay in memory
_FRESH = 10.0  # seconds for which the list of documents may be out of date after a change from elsewhere


def library() -> Library:
    """The library of the settings; other settings (a test's, say) open another."""
    return _open(Settings().model_dump_json())


@st.cache_resource(show_spinner="Opening the library…")
def _open(key: str) -> Library:
    opened = Library(settings=Settings())
    Thread(target=_warm, args=(opened,), name="warm", daemon=True).start()
    return opened


def _warm(library: Library) -> None:
    """Loads the text model while the visitor still types; a model that is missing is told when it is asked for."""
    with suppress(Exception):
        library.embedder.encode(["ready"])


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
        _parsed.clear()


def page_picture(sha256: str, page: int, boxes: tuple[tuple[Box, Colour], ...] = (), dpi: int = 110) -> bytes:
    """As `Library.page_picture`, kept for the next run of the script."""
    return _page_picture(str(library().folder.resolve()), sha256, page, boxes, dpi)


@st.cache_data(ttl=_KEPT, max_entries=200, show_spinner=False)
def _page_picture(folder: str, sha256: str, page: int, boxes: tuple[tuple[Box, Colour], ...], dpi: int) -> bytes:
    return library().page_picture(sha256, page, boxes, dpi)


def parsed(sha256: str) -> ParsedDocument:
    """As `Library.parsed`, kept for a while."""
    return _parsed(str(library().folder.resolve()), sha256)


@st.cache_resource(ttl=_KEPT, max_entries=8, show_spinner="Opening the document…")
def _parsed(folder: str, sha256: str) -> ParsedDocument:
    return library().parsed(sha256)


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
        return sentence(text)
    _log.error("the chat failed", exc_info=error)
    return "Something in Octavo itself went wrong. The terminal that runs `octavo serve` has the details."


def guarded(show: Callable[..., None], *arguments: Any) -> None:
    """Runs `show`; what it raises becomes words in its place."""
    try:
        show(*arguments)
    except Exception as error:  # noqa: BLE001 - the last stop before the visitor
        _say(line(error))


def attempt(action: Callable[..., None], *arguments: Any) -> None:
    """Runs `action` in a callback, where nothing can be drawn: what it raises is said by `show_problem`."""
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001 - the last stop before the visitor
        st.session_state["problem"] = line(error)


def show_problem() -> None:
    if problem := st.session_state.pop("problem", None):
        _say(problem)


def _say(problem: str) -> None:
    st.error(plain(problem), icon=":material/error:")

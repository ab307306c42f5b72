"""An answer while it is being written, until it is kept in its conversation."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any, cast

import streamlit as st

from octavo import contract
from octavo.generation.model import Answer
from octavo.library import How, Library
from octavo.settings import Generator as GeneratorName
from octavo.ui import session
from octavo.ui.beside import follow
from octavo.ui.words import plain

_STOPPED = "Stopped before it was finished."


def answer(
    library: Library,
    conversation: int,
    question: str,
    documents: Sequence[str],
    generator: GeneratorName,
    how: How,
) -> None:
    """Writes the answer to `question` and keeps it as the conversation's next message.

    Stopped (by the button, another page, a closed window) or failed, it is kept as far as it came, with the reason.
    """
    place = st.empty()
    st.button("Stop", icon=":material/stop_circle:", key="stop")  # any click ends this run, hence the writing
    stream = cast("Generator[str | Answer, None, None]", library.stream(question, documents, generator, **how))
    text, finished = "", None
    try:
        with closing(follow(stream)) as pieces:
            for piece in pieces:
                if isinstance(piece, Answer):
                    finished = piece
                    continue
                text += piece or ""
                waiting = "Searching the documents…" if generator == "extractive" else "Reading what was found…"
                place.markdown(f"{plain(text)} :shimmer[▍]" if text else f":shimmer[{waiting}]")
        kept = contract.answer(finished) if finished else _unfinished(text, _STOPPED)
    except Exception as error:  # noqa: BLE001 - kept, and shown, as one line
        kept = _unfinished(text, session.line(error))
    except BaseException:  # how Streamlit ends a run: nothing can be drawn any more, only kept
        _keep(library, conversation, _unfinished(text, _STOPPED))
        raise
    _keep(library, conversation, kept)


def _keep(library: Library, conversation: int, answer: contract.Json) -> None:
    library.add_message(conversation, "assistant", answer["answer"], answer)


def _unfinished(text: str, why: str) -> contract.Json:
    nothing: dict[str, list[Any]] = {"kept": [], "dropped": [], "notes": []}
    return {
        "answer": text,
        "citations": [],
        "generator": "",
        "unsupported": [],
        "notes": [why],
        "selection": nothing,
        "timings": {},
    }


def unfinished(answer: contract.Json | None) -> bool:
    """Whether a kept answer was stopped or failed."""
    return answer is not None and not answer.get("generator")

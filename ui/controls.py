"""What stands above the question: which documents to ask, what writes the answer, and the question itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import streamlit as st

from octavo.ingest.store.catalogue import DocumentInfo
from octavo.ingest.text import count
from octavo.library import How, Library
from octavo.retrieval.domains import AUTO, WEIGHTED
from octavo.retrieval.model import Mode, Rule
from octavo.settings import EMBEDDED, Generator, Settings
from octavo.ui import session
from octavo.ui.words import plain, short

_NAMES: dict[Generator, str] = {"extractive": "Exact quotes", "local": "Local model", "openai": "Endpoint"}
_WAYS = {
    Mode.TEXT: ("Texts", "Passages and tables, by meaning and by words."),
    Mode.IMAGE: ("Pictures", "Whole pages, tables and figures, one vector each."),
    Mode.FUSION: ("Both, by rank", "Texts and pictures; a page that both find rises."),
    Mode.JOINT: ("Both, in one space", "Texts and pictures by one measure of likeness."),
}
_RULES = {
    Rule.ALL: ("All", "As many as were asked for."),
    Rule.GAP: ("Up to the first gap", "Stops where the score falls sharply."),
    Rule.RATIO: ("Near the best", "Drops what scores far below the best."),
    Rule.CALIBRATED: ("Likely enough", "As calibrated; says so where nothing is likely to answer."),
}


def ask(ready: Mapping[str, DocumentInfo], on_question: Callable[[], None]) -> None:
    """The pinned bar at the bottom; `on_question` runs as a callback when a question is sent."""
    with st.bottom:
        if ready:
            with st.container(horizontal=True, gap="small", key="controls"):
                _documents(ready)
                _evidence(ready, session.library().settings)
                _generator(session.library())
        words = "Ask a question about your documents" if ready else "Add a PDF first, then ask about it"
        st.chat_input(
            words, key="question", max_chars=2000, submit_mode="disable", disabled=not ready, on_submit=on_question
        )


def chosen_documents(ready: Mapping[str, DocumentInfo]) -> list[str]:
    """SHA-256 of the documents to ask; none means all. Those deleted meanwhile do not count."""
    return [key for key in st.session_state.get("documents") or () if key in ready]


def chosen_generator(settings: Settings) -> Generator:
    return cast(Generator, st.session_state.get("generator") or settings.generator)


def chosen_how(settings: Settings) -> How:
    """How evidence is found and chosen, and how much of its pictures a model reads."""
    state = st.session_state
    how: How = {
        "mode": state.get("mode") or settings.mode,
        "rule": state.get("rule") or settings.selection,
        "domain": state.get("domain", settings.domain),
    }
    shown = _percent(settings)
    if _thins(settings) and state.get("keep_visual", shown) != shown:  # unmoved, the settings' share stands as it is
        how["keep_visual"] = state["keep_visual"] / 100
    return how


def _percent(settings: Settings) -> int:
    """The settings' share of visual tokens, as a slider of whole percents can show it."""
    return max(1, round(100 * settings.keep_visual))


def _thins(settings: Settings) -> bool:
    """Whether the chosen generator is a local model whose visual tokens can be thinned out."""
    return chosen_generator(settings) == "local" and _looks(settings.local_model)


@st.cache_data(ttl=600, show_spinner=False)
def _looks(local_model: str) -> bool:
    """As `Library.thins_pictures`, kept by the model's name, since a hub is asked about it."""
    return session.library().thins_pictures


def _evidence(ready: Mapping[str, DocumentInfo], settings: Settings) -> None:
    domains = sorted({info.domain for info in ready.values() if info.domain})
    choices = [None, *domains, *([AUTO, WEIGHTED] if len(domains) > 1 else [])]
    names = {None: "All domains", AUTO: "The one that fits the question", WEIGHTED: "Each by how well it fits"}
    st.session_state.setdefault("mode", settings.mode)
    st.session_state.setdefault("rule", settings.selection)
    if st.session_state.get("domain") not in choices:
        st.session_state["domain"] = settings.domain if settings.domain in choices else None
    how = chosen_how(settings)
    with st.popover(_WAYS[Mode(how["mode"])][0], icon=":material/manage_search:", type="tertiary", key="evidence"):
        _radio("Search in", _WAYS, "mode")
        calibrated = session.library().calibration(how["mode"]) is not None
        rules = {rule: words for rule, words in _RULES.items() if calibrated or rule is not Rule.CALIBRATED}
        if st.session_state["rule"] not in rules:  # of another way of searching
            st.session_state["rule"] = Rule.ALL
        _radio("Hits that an answer may use", rules, "rule")
        if domains:
            st.selectbox(
                "Domain",
                choices,
                format_func=lambda name: names.get(name, name),
                key="domain",
                persist_state="session",
            )
        else:
            st.caption("`octavo domains discover` finds domains among the documents, to search in one alone.")
        if settings.visual_embedder is None:
            st.caption(
                "Pictures are found by the text under them; no pixels are looked at until a visual embedder is named."
            )


def _radio(label: str, choices: Mapping[Any, tuple[str, str]], key: str) -> None:
    st.radio(
        label,
        list(choices),
        format_func=lambda name: choices[name][0],
        captions=[caption for _, caption in choices.values()],
        key=key,
        persist_state="session",
    )


def _documents(ready: Mapping[str, DocumentInfo]) -> None:
    chosen = chosen_documents(ready)
    st.session_state["documents"] = chosen
    if not chosen:
        label = "All documents"
    elif len(chosen) == 1:
        label = plain(short(ready[chosen[0]].name, 32))
    else:
        label = f"{len(chosen)} of {count(len(ready), 'document')}"
    with st.popover(label, icon=":material/filter_list:", type="tertiary", key="filter"):
        st.multiselect(
            "Answer only from",
            list(ready),
            format_func=lambda key: ready[key].name,
            key="documents",
            placeholder="All documents",
            persist_state="session",
        )


def _generator(library: Library) -> None:
    settings = library.settings
    model = library.local_name + (", small" if settings.local_model == EMBEDDED else "")
    thins = _thins(settings)
    does = "sees pages, tables and figures, and reads" if thins or settings.local_projector else "phrases"
    endpoint = f"“{plain(settings.openai_model)}” at {plain(settings.openai_base_url)}"
    what = {
        "extractive": "The sentence or table cell that answers, word for word. Needs no model and invents nothing.",
        "local": f"A model on this machine {does} what was found: {plain(model)}.",
        "openai": f"The model {endpoint} reads what was found.",
    }
    st.session_state.setdefault("generator", settings.generator)
    with st.popover(_NAMES[chosen_generator(settings)], icon=":material/edit_note:", type="tertiary", key="writer"):
        st.radio(
            "What writes the answer",
            list(_NAMES),
            format_func=lambda key: _NAMES[key],
            captions=[what[key] for key in _NAMES],
            key="generator",
            persist_state="session",
        )
        if thins:
            st.slider(
                "Visual tokens kept, in percent",
                1,
                100,
                _percent(settings),
                key="keep_visual",
                help="Of each picture those parts are kept that are most unlike each other. Fewer are read faster.",
                persist_state="session",
            )
        st.caption(
            "For a larger model, start Octavo with its name:\n\n"
            "`OCTAVO_LOCAL_MODEL=/path/model.gguf octavo serve`\n\n"
            "`OCTAVO_LOCAL_MODEL=Qwen/Qwen3-VL-8B-Instruct octavo serve`\n\n"
            "`OCTAVO_OPENAI_BASE_URL=http://host:8000/v1 OCTAVO_OPENAI_MODEL=name octavo serve`"
        )

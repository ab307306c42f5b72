"""Taking PDFs in: the place to drop them, and how far the ingestion is.

An ingestion runs in a thread of its own and belongs to the library, not to a visitor: it goes on when the page is left,
and every page shows how far it is. The thread only writes to its `Job`; what is drawn is drawn by the script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from octavo.ingest.model import State
from octavo.ingest.pipeline import IngestReport, Progress
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.ingest.text import count
from octavo.library import Library
from octavo.ui import session
from octavo.ui.words import plain, sentence

_LINES = 20  # documents named in a report
_EVERY = 0.5  # seconds between looks at a running ingestion
_starting = Lock()


@dataclass(slots=True)
class Job:
    """One ingestion: the names it was given, what has happened, and in the end its report or its error."""

    names: list[str]
    progress: Progress | None = None
    finished: list[DocumentInfo] = field(default_factory=list)
    report: IngestReport | None = None
    error: str | None = None

    @property
    def running(self) -> bool:
        return self.report is None and self.error is None

    def note(self, progress: Progress) -> None:
        """Called from the ingestion's threads, one at a time."""
        if progress.document:
            self.finished.append(progress.document)
            session.forget_documents()
        self.progress = progress

    def run(self, library: Library, files: Iterable[tuple[str, bytes]]) -> None:
        try:
            report = library.upload(files, self.note)
        except Exception as error:  # noqa: BLE001 - shown where the progress was
            self.error = session.line(error)
        else:
            session.forget_documents()  # before the end is seen, so that what is seen with it is new
            self.report = report


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[Path, Job]:
    """The latest ingestion of each library."""
    return {}


def job() -> Job | None:
    """The ingestion that runs, or the last one if its report has not been put away."""
    return _jobs().get(session.library().folder.resolve())


def show() -> None:
    """The place to drop PDFs, and what became of the last ones."""
    current = job()
    if not (_waiting() or (current and current.running)):
        _place()
    show_running()


def _key() -> str:
    return f"upload-{st.session_state.setdefault('uploads', 0)}"


def _waiting() -> bool:
    """Whether this visitor has dropped files that no ingestion has taken yet."""
    return bool(st.session_state.get(_key()))


def _place() -> None:
    files = st.file_uploader(
        "Add PDFs: drop them here or choose them", type="pdf", accept_multiple_files=True, key=_key()
    )
    if files and _start(files):
        st.session_state["uploads"] += 1  # a new key empties the widget
        st.rerun()
    elif files:
        st.info("Other files are being taken in. Yours come next: leave this page open until then.")


def _start(files: Sequence[UploadedFile]) -> bool:
    """Starts an ingestion of `files`, unless one runs."""
    library = session.library()
    folder = library.folder.resolve()
    with _starting:
        if (current := _jobs().get(folder)) and current.running:
            return False
        contents = _handed_over([(file.name, file.getvalue()) for file in files])
        job = _jobs()[folder] = Job([file.name for file in files])
    Thread(target=job.run, args=(library, contents), name="ingest", daemon=True).start()
    return True


def _handed_over(files: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The files in their order, each forgotten here once it is taken: a thread keeps its arguments to its end."""
    files.reverse()
    while files:
        yield files.pop()


def show_running() -> None:
    """The ingestion that runs, or the report of the last one until it is put away; above it, files that wait."""
    if _waiting():
        _place()
    current = job()
    if current is None:
        return
    with st.container(border=True, key="ingestion"):
        if current.running:
            st.fragment(_watch, run_every=_EVERY)(current)
        else:
            _report(current)


def _watch(job: Job) -> None:
    finished = len(job.finished)
    if not job.running or finished != st.session_state.get("seen-finished", finished):
        st.session_state.pop("seen-finished", None)
        st.rerun()  # the whole page: what is ready can be asked from now on
    st.session_state["seen-finished"] = finished
    progress = job.progress
    if progress is None:
        st.progress(0.0, "Starting to read…")
    else:
        done = progress.bytes_done / progress.bytes if progress.bytes else 0.0
        rate = f", {progress.pages / progress.seconds:.1f} pages a second" if progress.seconds > 1 else ""
        text = f"{progress.done} of {count(progress.documents, 'document')}, {count(progress.pages, 'page')} read{rate}"
        st.progress(min(done, 1.0), text)
    waiting = (Counter(job.names) - Counter(info.name for info in job.finished)).elements()
    _lines([*map(_line, job.finished), *(f":material/hourglass_top: {plain(n)} :gray[· in work]" for n in waiting)])
    st.caption("You may leave this page: reading goes on.")


def _lines(lines: Sequence[str]) -> None:
    more = [f":gray[and {len(lines) - _LINES} more]"] if len(lines) > _LINES else []
    st.markdown("  \n".join(f":small[{line}]" for line in [*lines[:_LINES], *more]))


def _line(info: DocumentInfo, unchanged: bool = False) -> str:
    if info.state is State.FAILED:
        return f":red[:material/error:] {plain(info.name)} :gray[·] {plain(sentence(info.error or 'failed'))}"
    what = "was here already" if unchanged else f"{count(info.pages, 'page')}, {count(info.chunks, 'chunk')}"
    return f":green[:material/check:] {plain(info.name)} :gray[· {what}]"


def _report(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(_summary(job), width="stretch")
        close = st.button("Close", key="close-report", type="tertiary")
    if job.report:
        failed_first = sorted(job.report.documents, key=lambda info: info.state is not State.FAILED)
        _lines([_line(info, info.sha256 in job.report.unchanged) for info in failed_first])
    if close:
        _jobs().pop(session.library().folder.resolve(), None)
        st.rerun()


def _summary(job: Job) -> str:
    report = job.report
    if report is None:
        return f":red[:material/error:] {plain(job.error or '')}"
    failed = len(report.failed)
    added = len(report.documents) - failed - len(report.unchanged)
    words = f"{count(added, 'document')} added" + (f", {failed} failed" if failed else "")
    return f"**{words}** :gray[· {count(report.pages, 'page')} in {report.seconds:.0f} s]"

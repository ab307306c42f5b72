"""Taking PDFs in: once each, whole or with a reason, and through crashes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import pymupdf
import pytest

from octavo import Library, Settings, contract
from octavo.ingest.model import State
from octavo.ingest.parse import read
from octavo.ingest.reader import Outline, PageContent, UnreadableError
from octavo.ingest.readers import BACKENDS
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader
from octavo.ingest.sources import discover
from octavo.ingest.workers import Limits, Workers
from octavo.library import LibraryError


def write_pdf(path: Path, *pages: str, **save: Any) -> Path:
    """A PDF with a paragraph on each page."""
    with pymupdf.open() as document:
        for text in pages:
            document.new_page().insert_textbox((72, 72, 500, 700), text, fontsize=11)
        document.save(path, **save)
    return path


def bad_files(folder: Path) -> dict[str, str]:
    """Writes files that cannot be ingested; for each name what its error must say."""
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "text.pdf").write_text("This is only text.")
    whole = write_pdf(folder / "whole.pdf", "A page to cut.").read_bytes()
    (folder / "whole.pdf").unlink()
    (folder / "truncated.pdf").write_bytes(whole[:40])
    (folder / "no-pages.pdf").write_bytes(
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    encryption = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": "secret", "owner_pw": "owner"}
    write_pdf(folder / "encrypted.pdf", "A secret.", **encryption)
    write_pdf(folder / "blank.pdf", "")
    halved = write_pdf(folder / "halved.pdf", "A page whose words come last.", garbage=0).read_bytes()
    (folder / "halved.pdf").write_bytes(halved[: halved.index(b"stream")])  # the page is there, its words are not
    return {
        "empty.pdf": "empty",
        "text.pdf": "not a PDF",
        "truncated.pdf": "damaged|no pages",
        "no-pages.pdf": "damaged|no pages",
        "encrypted.pdf": "encrypted",
        "blank.pdf": "nothing to index",
        "halved.pdf": "damaged or cut off",
    }


@pytest.fixture(scope="module", params=BACKENDS)
def mixed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, dict[str, str]]:
    """A library after a folder with one good PDF among bad files was ingested; the report; what each error must say."""
    folder = tmp_path_factory.mktemp("mixed")
    expected = bad_files(folder)
    write_pdf(folder / "good.pdf", "The quick brown fox jumps over the lazy dog near the river bank.")
    library = Library(tmp_path_factory.mktemp("library"), Settings(reader=request.param))
    return library, library.ingest([folder]), expected


@pytest.mark.parametrize("reader", BACKENDS)
@pytest.mark.slow
def test_what_is_recovered_of_a_cut_file_comes_with_a_warning(samples: Path, tmp_path: Path, reader: str) -> None:
    whole = (samples / "states-crime-schooling.pdf").read_bytes()
    (tmp_path / "cut.pdf").write_bytes(whole[: len(whole) * 9 // 10])
    with Library(tmp_path / "library", Settings(reader=reader, ocr=False)) as library:
        [info] = library.ingest([tmp_path / "cut.pdf"]).documents
    assert info.state is State.READY
    assert info.warnings[0].startswith("the file is damaged or cut off")


@pytest.mark.parametrize(
    "name", ["empty.pdf", "text.pdf", "truncated.pdf", "no-pages.pdf", "encrypted.pdf", "blank.pdf", "halved.pdf"]
)
def test_a_bad_file_fails_with_one_line_that_says_why(mixed: tuple[Any, Any, dict[str, str]], name: str) -> None:
    _, report, expected = mixed
    info = next(i for i in report.documents if i.name == name)
    assert info.state is State.FAILED
    assert info.error is not None
    assert "\n" not in info.error
    assert any(words in info.error for words in expected[name].split("|"))


def test_a_bad_file_harms_no_other(mixed: tuple[Any, Any, dict[str, str]]) -> None:
    library, report, _ = mixed
    assert [i.name for i in report.documents if i.state is State.READY] == ["good.pdf"]
    assert library.search("fox")[0].document == "good.pdf"


def test_a_second_run_leaves_everything_alone(own_library: Any, samples: Path) -> None:
    report = own_library.ingest([samples])
    assert len(report.unchanged) == len(report.documents) == 5
    assert report.pages == 0


def test_a_path_without_pdfs_is_a_problem_that_names_it(own_library: Any, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    report = own_library.ingest([tmp_path / "nothing", tmp_path / "absent"])
    assert [line.split(": ")[1].split(";")[0] for line in report.problems] == [
        "no PDF in this folder",
        "no such file or folder",
    ]


@pytest.mark.slow
def test_subfolders_are_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    write_pdf(tmp_path / "a" / "b" / "deep.pdf", "A sentence that lies two folders down.")
    with Library(tmp_path / "library") as library:
        assert library.ingest([tmp_path / "a"]).problems
        assert [i.name for i in library.ingest([tmp_path / "a"], recursive=True).documents] == ["deep.pdf"]


@pytest.mark.slow
def test_a_changed_file_replaces_what_stood_at_its_path(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "report.pdf", "The first edition speaks of apples and of pears.")
    with Library(tmp_path / "library") as library:
        library.ingest([path])
        old = library.documents()[0].sha256
        write_pdf(path, "The second edition speaks of cherries and of plums.")
        report = library.ingest([path])
        assert report.replaced == ["report.pdf"]
        assert [i.sha256 for i in library.documents()] != [old]
        assert len(library.documents()) == 1
        assert not library.files.pdf(old).exists()
        (snapshot,) = (library.folder / "index").glob("vectors-*.faiss")
        assert faiss.read_index(str(snapshot)).ntotal == 1
        assert "cherries" in library.search("apples")[0].chunk.text


@pytest.mark.slow
def test_a_crash_between_two_editions_leaves_one_of_them(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "report.pdf", "The first edition speaks of apples and of pears.")
    with Library(tmp_path / "library") as library:
        library.ingest([path])
        write_pdf(path, "The second edition speaks of cherries and of plums.")
        library.files.remove = lambda _: os._exit(9)  # what a kill just after the commit leaves
        child = os.fork()
        if not child:
            library.ingest([path])
        os.waitpid(child, 0)
    with Library(tmp_path / "library") as again:
        assert [i.state for i in again.documents()] == [State.READY]
        again.ingest([path])
        assert len(list(again.files.pdfs.iterdir())) == 1


@pytest.mark.slow
def test_a_file_copied_over_another_replaces_it(tmp_path: Path) -> None:
    first = write_pdf(tmp_path / "a.pdf", "This edition speaks of apples and of pears.")
    second = write_pdf(tmp_path / "b.pdf", "That edition speaks of cherries and of plums.")
    with Library(tmp_path / "library") as library:
        library.ingest([first, second])
        first.write_bytes(second.read_bytes())
        assert library.ingest([first]).replaced == ["a.pdf"]
        assert [i.name for i in library.documents()] == ["b.pdf"]


@pytest.mark.slow
def test_a_name_that_is_not_utf8_is_taken_in(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "plain.pdf", "A page about the coffee trade of the eighteenth century.")
    os.rename(path, os.fsencode(tmp_path) + b"/caf\xe9.pdf")  # noqa: PTH104 - bytes are the point
    with Library(tmp_path / "library") as library:
        assert [(i.name, i.state) for i in library.ingest([tmp_path]).documents] == [("caf\ufffd.pdf", State.READY)]


@pytest.mark.slow
def test_a_name_cannot_forge_a_line_of_a_listing(tmp_path: Path) -> None:
    write_pdf(tmp_path / "good.pdf\nother.pdf: ready \u202etxt.pdf", "A page about the coffee trade of Java.")
    with Library(tmp_path / "library") as library:
        (info,) = library.ingest([tmp_path]).documents
        assert info.name == "good.pdf\ufffdother.pdf: ready \ufffdtxt.pdf"


@pytest.mark.slow
def test_equal_bytes_under_two_names_are_one_document(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "one.pdf", "The same bytes stand under two names.")
    (tmp_path / "two.pdf").write_bytes(path.read_bytes())
    with Library(tmp_path / "library") as library:
        assert [i.names for i in library.ingest([tmp_path]).documents] == [("one.pdf", "two.pdf")]
        (info,) = library.documents()
        assert contract.document(info)["names"] == ["one.pdf", "two.pdf"]
        hits = [library.search("bytes", documents=[name])[0] for name in info.names]
        assert hits[0] == hits[1]
        write_pdf(path, "Other bytes stand under the first name now.")
        library.ingest([tmp_path])
        assert [i.names for i in library.documents()] == [("one.pdf",), ("two.pdf",)]
        assert library.delete("two.pdf").document.sha256 == info.sha256
        assert [i.names for i in library.documents()] == [("one.pdf",)]


@pytest.fixture
def two_names(tmp_path: Path) -> Iterator[Library]:
    """A library with one document that goes by two names."""
    with Library(tmp_path / "library") as library:
        data = write_pdf(tmp_path / "one.pdf", "The same bytes stand under two names.").read_bytes()
        library.upload([("one.pdf", data), ("two.pdf", data)])
        yield library


@pytest.mark.slow
def test_deleting_one_of_two_names_leaves_the_document_under_the_other(two_names: Library) -> None:
    done = two_names.delete("one.pdf")
    [kept] = two_names.documents()
    assert (done.names, done.kept) == (("one.pdf",), kept)
    assert contract.deleted(done) == {"deleted": None, "unnamed": "one.pdf", "kept": contract.document(kept)}
    assert [i.names for i in two_names.documents()] == [("two.pdf",)]
    assert [hit.document for hit in two_names.search("bytes")] == ["two.pdf"]


@pytest.mark.slow
def test_deleting_by_its_hash_takes_a_document_under_all_its_names(two_names: Library) -> None:
    (info,) = two_names.documents()
    done = two_names.delete(info.sha256[:12])
    assert (done.names, done.kept) == (("one.pdf", "two.pdf"), None)
    assert contract.deleted(done) == {"deleted": contract.document(info), "unnamed": None, "kept": None}
    assert two_names.documents() == []


@pytest.mark.slow
def test_a_name_of_two_documents_deletes_neither_and_lists_both(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        write_pdf(tmp_path / folder / "harbour.pdf", f"The harbour is {folder}.")
    with Library(tmp_path / "library") as library:
        library.ingest([tmp_path / "old", tmp_path / "new"])
        old, new = library.documents()
        with pytest.raises(LibraryError) as refused:
            library.delete("harbour.pdf")
        assert library.documents() == [old, new]
    assert str(refused.value) == (
        "2 documents go by 'harbour.pdf': name one by its SHA-256, "
        f"{old.sha256[:12]} ({tmp_path}/old/harbour.pdf), {new.sha256[:12]} ({tmp_path}/new/harbour.pdf)"
    )


@pytest.mark.slow
def test_a_copy_put_in_the_place_of_another_document_replaces_it(tmp_path: Path) -> None:
    one = write_pdf(tmp_path / "one.pdf", "This edition speaks of apples and of pears.")
    two = write_pdf(tmp_path / "two.pdf", "That edition speaks of cherries and of plums.")
    with Library(tmp_path / "library") as library:
        library.ingest([tmp_path])
        two.write_bytes(one.read_bytes())
        assert library.ingest([tmp_path]).replaced == ["two.pdf"]
        assert [i.names for i in library.documents()] == [("one.pdf", "two.pdf")]


@pytest.mark.slow
def test_the_librarys_own_copies_are_not_taken_in(tmp_path: Path) -> None:
    write_pdf(tmp_path / "one.pdf", "A page beside the library.")
    with Library(tmp_path / "library") as library:
        for _ in range(2):
            library.ingest([tmp_path], recursive=True)
        assert [i.names for i in library.documents()] == [("one.pdf",)]


@pytest.mark.slow
def test_a_document_over_the_limit_of_pages_is_refused(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "long.pdf", "One page.", "Another page.", "A third page.")
    with Library(settings=Settings(library=tmp_path / "library", max_pages=2)) as library:
        (info,) = library.ingest([path]).documents
    assert info.error == "3 pages, over the limit of 2 (OCTAVO_MAX_PAGES raises it)"


def test_a_document_over_the_limit_of_bytes_is_not_copied(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "large.pdf", "A page.")
    with Library(settings=Settings(library=tmp_path / "library", max_bytes=100)) as library:
        (info,) = library.ingest([path]).documents
        assert info.error
        assert "over the limit" in info.error
        assert not list(library.files.pdfs.iterdir())


def test_deleting_leaves_nothing_of_a_document_behind(own_library: Any) -> None:
    from sqlalchemy import inspect, text

    for info in own_library.documents():
        own_library.delete(info.name)
    with own_library.catalogue.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version", "sqlite_sequence", "choices"}
        assert {t for t in tables if connection.scalar(text(f"select count(*) from {t}"))} == set()  # noqa: S608
    assert len(own_library.index.vectors) == 0
    assert len(own_library.index.words.keys) == 0
    assert not [p for folder in (own_library.files.pdfs, own_library.files.images) for p in folder.iterdir()]


def test_deleting_takes_its_quotes_out_of_conversations(own_library: Any) -> None:
    answer = contract.answer(own_library.ask("Which year had the highest yearly sunspot number since 1700?"))
    conversation = own_library.start_conversation("Sunspots")
    own_library.add_message(conversation, "assistant", answer["answer"], answer)
    own_library.delete("sunspot-cycles.pdf")
    (message,) = own_library.messages(conversation)
    assert [c["text"] for c in message.answer["citations"] if c["document"] == "sunspot-cycles.pdf"] == [""]
    assert "sunspot-cycles.pdf" not in {hit["document"] for hit in message.answer["selection"]["kept"]}


@pytest.mark.slow
def test_deleting_a_document_leaves_the_quotes_of_another_of_its_name(tmp_path: Path) -> None:
    texts = {"old": "The harbour was built of granite.", "new": "The harbour was built of sandstone."}
    for folder, text in texts.items():
        (tmp_path / folder).mkdir()
        write_pdf(tmp_path / folder / "harbour.pdf", text)
    with Library(tmp_path / "library") as library:
        old, new = (library.ingest([tmp_path / folder]).documents[0].sha256 for folder in texts)
        answer = contract.answer(library.ask("What was the harbour built of?"))
        before = [{key: hit[key] for key in hit if key != "sha256"} for hit in answer["selection"]["kept"]]
        talk = library.start_conversation("The harbour")
        for kept in (answer, answer | {"selection": {"kept": before, "dropped": [], "notes": []}}):
            library.add_message(talk, "assistant", answer["answer"], kept)
        library.delete(old)
        now, earlier = (message.answer for message in library.messages(talk))
    assert {hit["sha256"] for hit in answer["selection"]["kept"]} == {old, new}
    assert [(hit["sha256"], hit["text"]) for hit in now["selection"]["kept"]] == [(new, texts["new"])]
    assert all(bool(cited["text"]) == (cited["sha256"] == new) for cited in now["citations"])
    assert earlier["selection"]["kept"] == []  # of an answer from before hits had one, all of that name


def test_a_deletion_leaves_no_text_of_it_among_the_dropped_hits(own_library: Any) -> None:
    answer = contract.answer(own_library.ask("How many doctor visits were there?", ["doctor-visits.pdf"]))
    dropped = contract.hit(own_library.search("sunspot number", 1, ["sunspot-cycles.pdf"])[0]) | {"reason": "far"}
    answer["selection"]["dropped"] = [dropped]
    conversation = own_library.start_conversation("visits")
    own_library.add_message(conversation, "assistant", answer["answer"], answer)
    own_library.delete("sunspot-cycles.pdf")
    (message,) = own_library.messages(conversation)
    assert message.answer["selection"]["dropped"] == []


class Faulty(PyMuPDFReader):
    """A reader that hangs or dies on page 2, also by its words alone if `always`."""

    def __init__(self, fault: str, always: bool) -> None:
        super().__init__()
        self.fault, self.always = fault, always

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        if first <= 2 <= last and (self.always or not simple):
            while self.fault == "hang":
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(path, prefix, first, last, simple)


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "why"), [("hang", "took too long"), ("die", "crashed or ran out of memory")])
def test_a_page_that_hangs_or_crashes_its_reader_is_read_by_its_words_alone_or_left_out(
    tmp_path: Path, fault: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octavo.ingest.workers._START_SECONDS", 8.0)
    path = write_pdf(tmp_path / "three.pdf", "The first page.", "The second page.", "The third page.")
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=1.0, worker_bytes=3 * 2**30)
    with Workers(Faulty(fault, always=True), limits) as workers:
        document = read(workers, path, "x")
    assert [page.number for page in document.pages] == [1, 3]
    assert document.warnings[0].startswith("page 2 is missing: ")
    assert why in document.warnings[0]
    with Workers(Faulty(fault, always=False), limits) as workers:
        document = read(workers, path, "x")
    assert [element.text for element in document.elements] == ["The first page.", "The second page.", "The third page."]
    assert document.warnings[0].startswith("page 2 was read by its words alone, without tables and figures: ")
    assert why in document.warnings[0]


class Waiting(PyMuPDFReader):
    """A reader that waits long for its turn on the processor."""

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        time.sleep(10)
        return super().read(path, prefix, first, last, simple)


@pytest.mark.slow
def test_time_in_which_others_have_the_processor_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octavo.ingest.workers._START_SECONDS", 7.0)
    path = write_pdf(tmp_path / "one.pdf", "The first page.")
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=1.0, worker_bytes=3 * 2**30)
    with Workers(Waiting(), limits) as workers:
        document = read(workers, path, "x")
    assert [element.text for element in document.elements] == ["The first page."]
    assert document.warnings == ()


class Failing(PyMuPDFReader):
    """A reader that fails on every page in full, and by words alone from page 3 on."""

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        if simple and last < 3:
            return super().read(path, prefix, first, last, simple)
        raise ValueError("out of order")


@pytest.mark.slow
def test_what_a_document_may_lose_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octavo.ingest.parse._MOST_LOST", 3)
    path = write_pdf(tmp_path / "ten.pdf", *(f"This is page {n}." for n in range(1, 11)))
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=60.0, worker_bytes=3 * 2**30)
    with Workers(Failing(), limits) as workers:
        document = read(workers, path, "x")
    assert [page.number for page in document.pages] == [1, 2]
    assert document.warnings == (
        "page 3-5 is missing: reading it failed (ValueError: out of order)",
        "page 6-10 is missing: too much before it failed",
        "page 1-2 was read by its words alone, without tables and figures: "
        "reading it failed (ValueError: out of order)",
    )


class Slow(PyMuPDFReader):
    """A reader that reads pages alone, and fails on page 5 in full."""

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        if not simple and (first < last or first == 5):
            raise ValueError("too slow")
        return super().read(path, prefix, first, last, simple)


@pytest.mark.slow
def test_ranges_whose_pages_are_read_alone_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octavo.ingest.parse._MOST_LOST", 2)
    monkeypatch.setattr("octavo.ingest.parse._RANGE", 2)
    path = write_pdf(tmp_path / "ten.pdf", *(f"This is page {n}." if n != 5 else "" for n in range(1, 11)))
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=60.0, worker_bytes=3 * 2**30)
    with Workers(Slow(), limits) as workers:
        document = read(workers, path, "x")
    assert [page.number for page in document.pages] == list(range(1, 11))
    assert document.warnings == (
        "page 5 is missing: it has no words without OCR, tables and figures: reading it failed (ValueError: too slow)",
        "no text on page 5",
    )


class Halted(PyMuPDFReader):
    """A reader that is stopped at each page in full, as OCR is on a machine that gives it no time."""

    def read(self, path: Path, prefix: str, first: int, last: int, simple: bool = False) -> list[PageContent]:
        if not simple:
            raise ValueError("no time")
        return super().read(path, prefix, first, last, simple)


def test_a_document_without_a_page_that_could_be_read_in_full_or_by_words_says_what_stopped_it(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "scan.pdf", "", "")
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=60.0, worker_bytes=3 * 2**30)
    with Workers(Halted(), limits) as workers, pytest.raises(UnreadableError) as refused:
        read(workers, path, "x")
    assert str(refused.value) == (
        "page 1-2 is missing: it has no words without OCR, tables and figures: reading it failed (ValueError: no time)"
    )


_RESTRICTED = """
import os, resource
from octavo.ingest.workers import restrict
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
if os.geteuid() == 0:
    os.setuid(65534)
restrict(2**32)
print(*resource.getrlimit(resource.RLIMIT_AS))
restrict(2**30)
print(*resource.getrlimit(resource.RLIMIT_AS))
"""


def test_a_worker_keeps_to_a_limit_that_is_lower_than_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", _RESTRICTED], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(2**31), str(2**31), str(2**30), str(2**30)], done.stderr


def test_files_that_are_not_octavos_stay(tmp_path: Path) -> None:
    theirs = [
        tmp_path / "files" / "thesis.docx",
        tmp_path / "files" / "a.pdf",
        tmp_path / "images" / "holiday" / "a.jpg",
    ]
    ours = [tmp_path / "files" / f"{'0a' * 32}.pdf", tmp_path / "images" / ("0a" * 32) / "1.png"]
    for path in theirs + ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    with Library(tmp_path) as library:
        library.ingest([])
    assert [path.exists() for path in theirs + ours] == [True, True, True, False, False]


class Closed(PyMuPDFReader):
    def outline(self, path: Path) -> Outline:
        raise UnreadableError("the shop is closed")


@pytest.mark.slow
def test_a_reader_that_refuses_is_quoted(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "any.pdf", "Some text.")
    limits = Limits(workers=1, max_bytes=10**6, max_pages=10, page_seconds=1.0, worker_bytes=3 * 2**30)
    with Workers(Closed(), limits) as workers, pytest.raises(UnreadableError, match="the shop is closed"):
        read(workers, path, "x")


@pytest.mark.slow
def test_after_a_kill_the_next_run_ends_as_an_undisturbed_one(library: Any, samples: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "octavo", "ingest", str(samples), "--library", str(tmp_path / "library")]
    for wait in (6, 12, 18):
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with Library(tmp_path / "library") as survived:
        survived.ingest([samples])
        assert contents(survived) == contents(library)
        assert len(survived.index.vectors) == len(library.index.vectors)
        files = {p.relative_to(survived.folder) for p in survived.files.images.rglob("*")}
        assert files == {p.relative_to(library.folder) for p in library.files.images.rglob("*")}


def contents(library: Any) -> list[tuple[Any, ...]]:
    """What a library holds, but for the order in which documents came."""
    infos = library.documents()
    return [(i.name, i.state, i.pages, i.chunks, library.catalogue.parsed(i.sha256)) for i in infos]


def test_a_folder_that_cannot_be_looked_into_is_told_and_the_rest_is_found(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    shutil.copy(samples / "sunspot-cycles.pdf", tmp_path / "one.pdf")
    look = os.scandir

    def denied(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", denied)
    sources, problems = discover([tmp_path], recursive=True)
    assert [source.name for source in sources] == ["one.pdf"]
    assert problems == [f"{tmp_path / 'locked'}: this folder cannot be looked into (Permission denied)"]

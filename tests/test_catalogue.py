"""The catalogue keeps what it is given, and its schema is what the migrations make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from octavo.ingest.model import (
    Chunk,
    Element,
    ElementType,
    Link,
    LinkType,
    Page,
    ParsedDocument,
    Span,
    State,
    Table,
)
from octavo.ingest.store.catalogue import Catalogue
from octavo.ingest.store.schema import Base, NameRow


def test_the_migrations_make_the_tables_that_the_code_declares(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    with catalogue.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_kill_during_the_first_opening_leaves_a_library_that_opens(database_url: str) -> None:
    script = (
        "import os; from alembic import op; from octavo.ingest.store.catalogue import Catalogue\n"
        "made, create = [], op.create_table\n"
        "def dying(*a, **k): made.append(1); len(made) == 4 and os._exit(9); return create(*a, **k)\n"
        f"op.create_table = dying; Catalogue({database_url!r})"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert Catalogue(database_url).documents() == []


def test_sqlite_runs_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    with catalogue.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.slow
def test_processes_that_open_a_new_database_at_once_all_can(database_url: str) -> None:
    script = f"from octavo.ingest.store.catalogue import Catalogue; print(Catalogue({database_url!r}).documents())"
    openings = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [opening.communicate()[0] for opening in openings] == ["[]\n"] * 3


def test_what_was_read_comes_back_as_it_was(database_url: str) -> None:
    table = Table((("a", "1"), ("b", "")), (((0.1, 0.2, 1.5, 2.5), None), (None, None)), (Span(0, 0, 1, 2),), 1)
    elements = (
        Element("e2", ElementType.TEXT, 1, (0.1, 72.25, 300.5, 80.0), "Größe “x” 𝜆, as Table 1 has it"),
        Element("e1", ElementType.TABLE, 1, (0.0, 1 / 3, 2.0, 3.0), "a 1\nb", table=table),
        Element("e0", ElementType.FIGURE, 2, (0.0, 0.0, 1.0, 1.0), "", image="e0.png"),
    )
    links = (Link("e2", "e1", LinkType.MENTION_OF, 0.9), Link("e1", "e0", LinkType.CONTINUES, 1.0))
    parsed = ParsedDocument((Page(1, 612.0, 792.0), Page(2, 595.3, 841.9)), elements, links, "A title", ("a warning",))
    chunks = [
        Chunk(ElementType.TEXT, 1, "one.pdf", elements[0].text, ("e2",)),
        Chunk(ElementType.TABLE, 1, "one.pdf", "a | 1", ("e1",)),
    ]
    catalogue = Catalogue(database_url)
    catalogue.queue("a" * 64, "one.pdf", 3 * 2**30, "/reports/one.pdf")
    catalogue.store_parsed("a" * 64, parsed, chunks)
    again = Catalogue(database_url)
    assert again.parsed("a" * 64) == parsed
    info = again.documents()[0]
    assert (info.size, info.state, info.elements, info.chunks) == (3 * 2**30, State.PARSED, 3, 2)
    first, second = again.unembedded("model", pictures=False)
    assert (first.text, second.text) == (elements[0].text, "a | 1")
    vectors = np.asarray([[0.6, 0.8], [1, 0]], np.float32)
    again.store_vectors("model", [first.id, second.id], vectors)
    again.finish("a" * 64)
    assert np.array_equal(again.vectors("model", [second.id, first.id])[1], vectors[::-1])
    assert again.linked_chunks(["e2"]) == [("e2", "e1", LinkType.MENTION_OF, 0.9, second.id)]
    assert [hit.elements for hit in again.chunks([second.id])] == [(elements[1],)]


def test_deleting_a_document_leaves_no_row_of_it(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    elements = tuple(Element(f"e{n}", ElementType.TEXT, 1, (0, 0, 1, 1), "text") for n in range(2))
    parsed = ParsedDocument((Page(1, 1, 1),), elements, (Link("e0", "e1", LinkType.CONTINUES, 1.0),))
    catalogue.queue("a" * 64, "one.pdf", 10, None)
    catalogue.store_parsed("a" * 64, parsed, [Chunk(ElementType.TEXT, 1, "", "text", ("e0", "e1"))])
    catalogue.store_vectors("model", [chunk.id for chunk in catalogue.unembedded("model", False)], np.ones((1, 2)))
    catalogue.delete("a" * 64)
    with catalogue.engine.connect() as connection:
        left = {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
    assert left == dict.fromkeys(left, 0) | {"choices": 2}


def test_documents_are_in_the_same_order_in_every_database(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    for n, name in enumerate(["b.pdf", "a.pdf", "Ä.pdf", "_c.pdf", "B.pdf", "a b.pdf"]):
        catalogue.queue(f"abcdef{n}" + "0" * 57, name, 10, None)
    ordered = ["B.pdf", "_c.pdf", "a b.pdf", "a.pdf", "b.pdf", "Ä.pdf"]
    assert [info.name for info in catalogue.documents()] == ordered
    assert [info.name for info in catalogue.find("ABCDEF")] == ordered


def test_nul_characters_are_left_out(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    talk = catalogue.start_conversation("a\0b")
    catalogue.add_message(talk, "assistant", "x\0y", {"answer": "x\0y"})
    assert catalogue.conversations() == [(talk, "ab")]
    assert [(m.text, m.answer) for m in catalogue.messages(talk)] == [("xy", {"answer": "x\0y"})]


def test_a_failed_document_is_queued_again_and_a_ready_one_is_not(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    catalogue.queue("a" * 64, "one.pdf", 10, None)
    catalogue.fail("a" * 64, "it broke")
    assert catalogue.queue("a" * 64, "one.pdf", 10, None).state is State.QUEUED
    catalogue.finish("a" * 64)
    assert catalogue.queue("a" * 64, "one.pdf", 10, None).state is State.READY


def test_vectors_come_back_in_the_order_asked_for(library: Any) -> None:
    model = library.embedder.name
    ids = library.catalogue.ready_ids(model, pictures=False)[:3]
    (kept, forwards), (_, backwards) = (
        library.catalogue.vectors(model, ids),
        library.catalogue.vectors(model, ids[::-1]),
    )
    assert kept == ids
    assert np.array_equal(forwards, backwards[::-1])
    assert np.allclose(np.linalg.norm(forwards, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_chunk_id_that_was_deleted_never_comes_back(own_library: Any, samples: Path) -> None:
    before = max(own_library.catalogue.ready_ids(own_library.embedder.name, pictures=False))
    for info in own_library.documents():
        own_library.delete(info.name)
    own_library.ingest([samples / "sunspot-cycles.pdf"])
    assert min(own_library.catalogue.ready_ids(own_library.embedder.name, pictures=False)) > before


def test_conversations_are_kept_newest_first(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    first, second = catalogue.start_conversation("First"), catalogue.start_conversation("Second")
    catalogue.add_message(first, "user", "What?")
    catalogue.add_message(first, "assistant", "That.", {"answer": "That."})
    catalogue.close()
    again = Catalogue(database_url)
    assert again.conversations() == [(second, "Second"), (first, "First")]
    assert [(m.role, m.text, m.answer) for m in again.messages(first)] == [
        ("user", "What?", None),
        ("assistant", "That.", {"answer": "That."}),
    ]


def test_a_document_goes_with_its_last_name(database_url: str, tmp_path: Path) -> None:
    catalogue = Catalogue(database_url)
    places = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for place in places:
        place.touch()
    catalogue.queue("a" * 64, "one.pdf", 10, str(places[0]))
    catalogue.name("a" * 64, "two.pdf", str(places[1]))
    assert [i.names for i in catalogue.find("two.pdf")] == [("one.pdf", "two.pdf")]
    assert catalogue.forget([str(places[0]), "/none.pdf"]) == ([], [("one.pdf", "two.pdf", "a" * 64)])
    assert [i.names for i in catalogue.documents()] == [("two.pdf",)]
    assert catalogue.forget([str(places[1])]) == ([("two.pdf", "a" * 64)], [])
    assert catalogue.documents() == []


def test_the_only_name_of_a_document_is_not_taken(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    for place in ("/old/same.pdf", "/new/same.pdf"):  # where no file is, so that both stay
        catalogue.queue("a" * 64, "same.pdf", 10, place)
    with pytest.raises(ValueError, match=r"'same\.pdf' is the only name"):
        catalogue.unname("a" * 64, "same.pdf")
    with pytest.raises(NoResultFound):
        catalogue.unname("b" * 64, "same.pdf")
    assert [i.names for i in catalogue.documents()] == [("same.pdf",)]


def test_of_two_files_of_one_name_the_place_of_the_other_is_told(database_url: str, tmp_path: Path) -> None:
    catalogue = Catalogue(database_url)
    places = [tmp_path / folder / "same.pdf" for folder in ("old", "new")]
    for place in places:
        place.parent.mkdir()
        place.touch()
        catalogue.queue("a" * 64, "same.pdf", 10, str(place))
    assert catalogue.forget([str(places[0])]) == ([], [("same.pdf", str(places[1]), "a" * 64)])


def test_of_a_document_that_goes_with_very_many_files_none_is_told_to_stay(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    places = [f"/{n}.pdf" for n in range(2000)]  # more than one query takes
    catalogue.queue("a" * 64, "p.pdf", 10, places[0])
    rows = [NameRow(document_id=1, name="q.pdf", source=place) for place in places[1:]]
    with Session(catalogue.engine) as session, session.begin():
        session.add_all(rows)
    assert catalogue.forget(places) == ([("p.pdf", "a" * 64)], [])
    assert catalogue.documents() == []


def test_the_name_of_a_file_that_was_moved_follows_it(database_url: str, tmp_path: Path) -> None:
    catalogue = Catalogue(database_url)
    catalogue.queue("a" * 64, "one.pdf", 10, str(tmp_path / "one.pdf"))
    catalogue.name("a" * 64, "two.pdf", str(tmp_path / "two.pdf"))
    assert [(i.names, i.sources) for i in catalogue.documents()] == [(("two.pdf",), (str(tmp_path / "two.pdf"),))]


def test_an_uploaded_document_goes_by_each_name_that_it_was_given(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    for name in ("one.pdf", "two.pdf", "one.pdf"):
        catalogue.queue("a" * 64, name, 10, None)
    assert [i.names for i in catalogue.documents()] == [("one.pdf", "two.pdf")]


def test_what_failed_leaves_the_place_of_its_successor_at_once(database_url: str) -> None:
    catalogue = Catalogue(database_url)
    for n, state in enumerate(("ready", "failed", "queued")):
        catalogue.queue(str(n) * 64, f"{state}.pdf", 10, "/reports/one.pdf")
        if state == "ready":
            catalogue.finish("0" * 64, ["/reports/one.pdf"])
        elif state == "failed":
            catalogue.fail("1" * 64, "damaged")
    assert [i.name for i in catalogue.documents()] == ["queued.pdf", "ready.pdf"]
    assert catalogue.finish("2" * 64, ["/reports/one.pdf"]) == [("ready.pdf", "0" * 64)]
    assert [i.name for i in catalogue.documents()] == ["queued.pdf"]

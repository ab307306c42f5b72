"""Question files: ours, FinanceBench's and UniDoc-Bench's, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from octavo.evaluation.questions import Question, QuestionsError, read_questions, resolve
from tests.conftest import ROOT

GOOD = {"question": "How many?", "answer": "Two.", "evidence": [{"document": "a.pdf", "page": 2}]}


def written(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_our_own_lines_are_read(tmp_path: Path) -> None:
    line = GOOD | {"type": "count", "id": "q7", "facts": [["2", "two"], "pairs"], "answer": 2}
    assert read_questions(written(tmp_path / "q.jsonl", line, "", GOOD)) == [
        Question("q7", "How many?", "2", frozenset({("a.pdf", 2)}), "count", facts=(("2", "two"), ("pairs",))),
        Question("3", "How many?", "Two.", frozenset({("a.pdf", 2)})),
    ]


def test_the_sample_questions_have_their_kinds_as_types() -> None:
    questions = read_questions(ROOT / "examples" / "questions.jsonl")
    assert {(q.type, sum(p.type == q.type for p in questions)) for q in questions} == {
        ("text", 5),
        ("table", 5),
        ("figure", 5),
    }


def test_financebench_pages_count_from_0_in_the_file_and_from_1_here(data: Path) -> None:
    questions = read_questions(data / "financebench" / "questions.jsonl")
    assert len(questions) == 60
    first = questions[0]
    assert (first.id, first.type, first.answer) == ("financebench_id_03029", "metrics-generated", "$1577.00")
    assert first.evidence == {("3M_2018_10K", 60)}


def published() -> dict[str, Any]:
    return {
        "question": "How did it change?",
        "answer": "It grew.",
        "gt_image_paths": [
            "images/finance/0022610/0022610_page_0005.png",
            "images/finance/0022610/0022610_page_0012.png",
        ],
        "question_type": "comparison",
        "answer_type": "image_only",
        "domain": "finance",
        "longdoc_image_paths": ["images/finance/0022610/0022610_page_0001.png"],
    }


UNIDOC = Question(
    "1",
    "How did it change?",
    "It grew.",
    frozenset({("0022610", 5), ("0022610", 12)}),
    "comparison",
    "image_only",
    "finance",
)


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet"])
def test_unidoc_bench_is_read_as_published(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"finance.{form}"
    if form == "parquet":
        from pyarrow import Table, parquet

        parquet.write_table(Table.from_pylist([published()]), path)
    else:
        path.write_text(json.dumps([published()] if form == "json" else published()))
    assert read_questions(path) == [UNIDOC]


def test_unidoc_bench_is_read_as_its_repository_has_it(tmp_path: Path) -> None:
    entry = {
        "rewritten_question_obscured": "How did it change?",
        "complete_answer": "It grew.",
        "chunk_used": {
            "chunk_0": {"used": True, "metadata": {"source": "/x/finance_database/0022610_id_4_pg8_pg10.txt"}},
            "chunk_1": {"used": False, "metadata": {"source": "/x/finance_database/0022610_id_9_pg20.txt"}},
            "img_0": {"used": True, "metadata": "/x/finance_figures/0022610/figure-5-7.jpg", "facts": ["It grew."]},
            "tab_0": {"used": True, "metadata": "/x/finance_figures/0022610/table-12-1.jpg"},
        },
        "question_type": "comparison",
        "answer_type": "image_plus_text_as_answer",
    }
    (tmp_path / "finance.json").write_text(json.dumps([entry]))
    (question,) = read_questions(tmp_path / "finance.json")
    assert question.evidence == {("0022610", page) for page in (5, 8, 9, 10, 12)}
    assert (question.domain, question.answer_type) == ("finance", "image_plus_text_as_answer")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json", "not JSON (Expecting property name enclosed in double quotes, column 2)"),
        ("[1]", "a question is a JSON object, not list"),
        ({"question": "How many?"}, 'no "evidence" (keys: question)'),
        (GOOD | {"question": " "}, 'no "question"'),
        (GOOD | {"evidence": []}, "no page of evidence"),
        (GOOD | {"evidence": "a.pdf"}, '"evidence" is no list'),
        (GOOD | {"evidence": [{"page": 1}]}, 'an item of "evidence" names no "document"'),
        (
            GOOD | {"evidence": [{"document": "a.pdf", "page": 0}]},
            'the "page" of a.pdf in "evidence" is 0, not a number',
        ),
        (GOOD | {"evidence": [{"document": "a.pdf", "page": "2"}]}, 'is "2", not a number from 1'),
        (GOOD | {"answer": ["Two."]}, '"answer" is no text'),
        (GOOD | {"facts": "two"}, '"facts" is no list of lists of spellings'),
        (published() | {"gt_image_paths": ["cover.png"]}, "no document and page in 'cover.png'"),
        (GOOD | {"id": "1"}, "its id '1' is that of line 1"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(line: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(QuestionsError) as caught:
        read_questions(written(tmp_path / "questions.jsonl", GOOD, GOOD, line))
    assert str(caught.value).startswith("questions.jsonl, line 3: ")
    assert words in str(caught.value)


def test_more_broken_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match=r"q\.jsonl, line 2: not JSON .* \(1 more like it\)"):
        read_questions(written(tmp_path / "q.jsonl", GOOD, "{", GOOD, "}"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("q.jsonl", b"\n\n", "q.jsonl: no questions in it"),
        ("q.jsonl", b"\xff\xfe\x00", "q.jsonl: not UTF-8 text (byte 0)"),
        ("q.json", b'[{"a": 1},\n{"b" 2}]', "q.json, line 2: not JSON (Expecting ':' delimiter)"),
        ("q.parquet", b"no parquet", "q.parquet: no Parquet file"),
    ],
)
def test_a_broken_file_is_one_line(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(QuestionsError) as caught:
        read_questions(tmp_path / name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def asked(*evidence: tuple[str, int]) -> Question:
    return Question("q1", "How many?", "", frozenset(evidence))


def test_documents_are_matched_with_or_without_their_suffix() -> None:
    (with_it,) = resolve([asked(("a", 2))], {"a.pdf": 3}, "q.jsonl")
    (without,) = resolve([asked(("a.pdf", 2))], {"a": 3}, "q.jsonl")
    assert (with_it.evidence, without.evidence) == ({("a.pdf", 2)}, {("a", 2)})


def test_documents_that_are_not_there_are_named_up_to_three() -> None:
    questions = [asked(*((f"{letter}.pdf", 1) for letter in "abcde"))]
    with pytest.raises(QuestionsError) as caught:
        resolve(questions, {"a.pdf": 1}, "q.jsonl")
    assert str(caught.value) == (
        "q.jsonl names 4 of its 5 documents that the library lacks (b.pdf, c.pdf, d.pdf and 1 more): "
        "take them in with `octavo ingest`"
    )


def test_a_page_beyond_the_end_of_its_document_is_named() -> None:
    with pytest.raises(QuestionsError, match=r"question q1: its evidence is page 4 of a\.pdf, which has 3 pages"):
        resolve([asked(("a.pdf", 4))], {"a.pdf": 3}, "q.jsonl")

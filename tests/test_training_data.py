"""Reading and splitting of training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from octavo.cli import main
from octavo.training.data import Row, Split, TrainingDataError, read_rows, split_by_report
from octavo.training.trainer import batch_of, rows_of


def write(path: Path, *entries: dict[str, Any] | str) -> Path:
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries), encoding="utf-8")
    return path


def pairs(count: int) -> list[dict[str, Any]]:
    return [{"question": f"what is {n}?", "report": f"report {n // 2}"} for n in range(count)]


@pytest.mark.parametrize("key", ["report", "positive", "passage"])
def test_the_text_goes_by_any_of_three_names(tmp_path: Path, key: str) -> None:
    file = write(tmp_path / "a.jsonl", {"question": "q", key: "one"}, "", {"question": "q", key: "two"})
    assert read_rows([file]) == [Row("q", "one", True, False), Row("q", "two", True, False)]


def test_reports_that_differ_in_white_space_alone_are_one(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *({"question": "q", "report": r} for r in (" a  b", "a\nb ", "c")))
    assert {row.report for row in read_rows([file])} == {"a b", "c"}


def test_a_line_with_label_0_is_a_wrong_report(tmp_path: Path) -> None:
    lines = [{"question": "q", "report": "r", "label": 1}, {"question": "q", "report": "s", "label": 0}]
    assert [row.right for row in read_rows([write(tmp_path / "a.jsonl", *lines)])] == [True, False]


BROKEN: list[tuple[list[dict[str, Any] | str], str]] = [
    ([], "bad.jsonl: the file is empty"),
    (["", "  "], "bad.jsonl: the file is empty"),
    ([*pairs(2), '{"question": "q", "report": '], "bad.jsonl, line 3: not JSON: "),
    ([*pairs(2), "[1]"], "bad.jsonl, line 3: an object is needed"),
    ([{"report": "r"}], 'bad.jsonl, line 1: no text under "question"'),
    ([{"question": "q"}], 'bad.jsonl, line 1: no text under "report" or "positive" or "passage"'),
    ([{"question": "q", "report": "  "}], "bad.jsonl: no line has both a question and a report"),
    ([{"question": "q", "report": 3}], 'bad.jsonl, line 1: no text under "report"'),
    ([{"question": "q", "report": "r", "label": 2}], "bad.jsonl, line 1: the label must be 0 or 1, not 2"),
    ([{"question": "q", "report": "r", "label": "1"}], "bad.jsonl, line 1: the label must be 0 or 1, not '1'"),
    (
        [{"question": "q", "report": "r"}, {"question": "p", "report": "r"}],
        "one class only, every line has the same re",
    ),
    ([p | {"label": 1} for p in pairs(40)], "bad.jsonl: one class only, every line has label 1"),
    ([p | {"label": 0} for p in pairs(40)], "bad.jsonl: one class only, every line has label 0"),
    ([*pairs(40), pairs(1)[0] | {"label": 0}], "labels 1 and 0 for the same pair, of the question 'what is 0?'"),
    (pairs(10), "5 distinct reports that answer a question are too few to split"),
]


@pytest.mark.parametrize(("lines", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_what_cannot_be_trained_on_is_one_line_and_leaves_nothing(
    tmp_path: Path, lines: list[dict[str, Any] | str], words: str
) -> None:
    file = write(tmp_path / "bad.jsonl", *lines)
    result = CliRunner().invoke(main, ["train", str(file), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("octavo: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_line_with_an_empty_text_is_left_out_and_told(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *pairs(4), {"question": "", "report": "r"})
    told: list[str] = []
    assert len(read_rows([file], told.append)) == 4
    assert told == ["a.jsonl, line 5"]


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(b'{"question": "\xff"}')
    with pytest.raises(TrainingDataError, match=r"bad.jsonl: not text in UTF-8 \(byte 14\)"):
        read_rows([tmp_path / "bad.jsonl"])


@pytest.mark.parametrize("path", ["absent.jsonl", "."])
def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path, path: str) -> None:
    result = CliRunner().invoke(main, ["train", str(tmp_path / path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: {tmp_path / path}: ")


def test_no_report_is_in_two_splits(data: Path) -> None:
    rows = read_rows(sorted((data / "medical").glob("*.jsonl")))
    splits = split_by_report(rows, seed=0)
    parts = [set(part.reports) for part in (splits.train, splits.dev, splits.test)]
    assert [len(part) for part in parts] == [325, 69, 69]
    assert len(set.union(*parts)) == 463
    assert set.union(*parts) == {row.report for row in rows}
    assert sum(part.pairs for part in (splits.train, splits.dev, splits.test)) == len(
        {(row.question, row.report) for row in rows}
    )


def test_a_split_depends_on_the_seed_and_not_on_the_order_of_lines() -> None:
    rows = [Row(p["question"], p["report"], True, False) for p in pairs(60)]
    splits = split_by_report(rows, seed=1)
    assert set(split_by_report(rows[::-1], seed=1).test.reports) == set(splits.test.reports)
    assert set(split_by_report(rows, seed=2).test.reports) != set(splits.test.reports)


def test_a_question_about_several_reports_has_all_those_of_its_split() -> None:
    rows = [Row("the same?", f"report {n}", True, False) for n in range(20)]
    splits = split_by_report(rows, seed=0)
    assert splits.train.questions == ("the same?",)
    assert splits.train.right == (frozenset(range(14)),)
    assert splits.shared_questions == 1


def test_reports_that_answer_nothing_are_split_too() -> None:
    rows = [Row(f"q{n}", f"right {n}", True, True) for n in range(20)]
    rows += [Row(f"q{n}", f"wrong {n}", False, True) for n in range(20)]
    splits = split_by_report(rows, seed=0)
    assert [len(part.reports) for part in (splits.train, splits.dev, splits.test)] == [28, 6, 6]


def split(right: list[set[int]], wrong: list[set[int]], reports: int) -> Split:
    names = tuple(f"r{n}" for n in range(reports))
    return Split(
        tuple(f"q{n}" for n in range(len(right))), names, tuple(map(frozenset, right)), tuple(map(frozenset, wrong))
    )


def test_a_row_for_each_right_pair() -> None:
    rows = rows_of(split([{0, 1}, {2}], [set(), set()], 3), seed=0)
    assert rows.to_list() == [
        {"anchor": "q0", "positive": "r0"},
        {"anchor": "q0", "positive": "r1"},
        {"anchor": "q1", "positive": "r2"},
    ]


def test_hard_negatives_are_the_named_ones_and_then_other_wrong_ones() -> None:
    rows = rows_of(split([{0}, {1}], [{2, 3}, set()], 4), seed=0).to_list()
    assert {rows[0]["negative_1"], rows[0]["negative_2"]} == {"r2", "r3"}
    assert {rows[1]["negative_1"], rows[1]["negative_2"]} <= {"r0", "r2", "r3"}


def test_a_batch_is_no_larger_than_rows_without_a_text_in_common() -> None:
    part = split([{0}, {1}, {1}, {2}], [set()] * 4, 3)
    assert batch_of(part, rows_of(part, 0), 32, 0) == 3
    assert batch_of(part, rows_of(part, 0), 2, 0) == 2


def test_one_question_alone_has_no_negative_in_a_batch() -> None:
    part = split([{0, 1, 2}], [set()], 3)
    with pytest.raises(TrainingDataError, match="1 questions about 3 reports: too few for a batch of two"):
        batch_of(part, rows_of(part, 0), 32, 0)

"""`octavo evaluate`: its contract, its resumption, and what it says of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from octavo.cli import main
from tests.conftest import ROOT
from tests.tiny_models import text_model

SAMPLES = ROOT / "examples" / "questions.jsonl"
WAYS = ["text", "image", "fusion", "joint"]


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *(str(argument) for argument in arguments)])


@pytest.mark.slow
def test_the_four_ways_are_compared_in_one_json_document(library: Any, tmp_path: Path) -> None:
    result = evaluate(SAMPLES, "--library", library.folder, "--limit", 3, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert list(told["ways"]) == WAYS
    assert (told["questions"], told["k"], told["ndcg"], told["seed"]) == (3, 10, "standard", 0)
    for way in WAYS:
        assert set(told["ways"][way]["metrics"]) >= {
            "precision",
            "recall",
            "ndcg",
            "ndcg_unidoc",
            "mrr",
            "exact",
            "cited",
        }
        assert set(told["ways"][way]["search"]) == {"median", "p95"}
    assert {group["value"] for group in told["groups"]} == {"text", "table", "figure"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("results.jsonl", "report.md", "report.html"),
        *("recall.png", "metrics.png", "answers.png", "recall-by-type.png"),
    }


@pytest.mark.slow
def test_answers_are_the_same_one_by_one_and_many_at_once(
    library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octavo.generation.weights.has_bfloat16", lambda: False)
    monkeypatch.setenv("OCTAVO_LOCAL_MODEL", str(text_model(tmp_path / "model")))
    monkeypatch.setenv("OCTAVO_MAX_ANSWER_TOKENS", "40")
    replies = []
    for batch in (1, 3):
        out = tmp_path / f"out{batch}"
        options = ["--limit", 3, "--mode", "text", "-g", "local", "--batch", batch, "--out", out]
        result = evaluate(SAMPLES, "--library", library.folder, *options)
        assert result.exit_code == 0, result.stderr
        lines = (out / "results.jsonl").read_text().splitlines()[1:]
        replies.append([json.loads(line)["reply"] | {"seconds": 0} for line in lines])
    assert replies[0] == replies[1]
    assert any("local (model)" in note for reply in replies[0] for note in reply["notes"])  # it was asked


@pytest.mark.slow
def test_a_second_run_adds_only_what_is_missing(library: Any, tmp_path: Path) -> None:
    options = ["--library", library.folder, "--no-answers", "--out", tmp_path]
    results = tmp_path / "results.jsonl"
    assert evaluate(SAMPLES, *options, "--mode", "text", "--limit", 2).exit_code == 0
    first = results.read_text()
    assert len(first.splitlines()) == 1 + 2
    result = evaluate(SAMPLES, *options, "--mode", "joint", "--mode", "text", "--limit", 3)
    assert result.exit_code == 0, result.stderr
    assert results.read_text().startswith(first)
    assert len(results.read_text().splitlines()) == 1 + 6
    assert [line.split()[0] for line in result.stdout.splitlines()[1:4]] == ["way", "text", "joint"]


@pytest.mark.slow
def test_a_folder_with_a_run_of_other_settings_is_refused_unless_fresh(library: Any, tmp_path: Path) -> None:
    options = [SAMPLES, "--library", library.folder, "--no-answers", "--mode", "text", "--limit", 1, "--out", tmp_path]
    assert evaluate(*options).exit_code == 0
    refused = evaluate(*options, "-k", 5)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "other settings (k 10 there, 5 now)" in refused.stderr
    assert evaluate(*options, "-k", 5, "--fresh").exit_code == 0


def changed(library: Any) -> tuple[Any, ...]:
    """What tells whether a library was changed."""
    return library.catalogue.stamp(), sorted(path.name for path in library.folder.iterdir())


def test_a_broken_line_is_one_line_and_changes_nothing(library: Any, tmp_path: Path) -> None:
    before = changed(library)
    path = tmp_path / "broken.jsonl"
    path.write_text(SAMPLES.read_text().splitlines()[0] + "\n{oops\n")
    result = evaluate(path, "--library", library.folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == (
        "octavo: broken.jsonl, line 2: not JSON (Expecting property name enclosed in double quotes, column 2)\n"
    )
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()
    assert changed(library) == before


def test_a_document_that_the_library_lacks_is_one_line_and_changes_nothing(library: Any, tmp_path: Path) -> None:
    before = changed(library)
    path = tmp_path / "absent.jsonl"
    path.write_text(json.dumps({"question": "What?", "evidence": [{"document": "absent", "page": 1}]}))
    result = evaluate(path, "--library", library.folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == (
        "octavo: absent.jsonl names 1 of its 1 documents that the library lacks (absent): "
        "take them in with `octavo ingest`\n"
    )
    assert not (tmp_path / "out").exists()
    assert changed(library) == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["absent.jsonl"], 2, "absent.jsonl: no such file"),
        ([SAMPLES], 1, "no library at octavo-library: `octavo ingest FOLDER` makes one"),
        ([SAMPLES, "--mode", "smell"], 2, "'smell' is not one of"),
        ([SAMPLES, "-k", "0"], 2, "0 is not in the range"),
        ([], 2, "Missing argument 'QUESTIONS'"),
    ],
)
def test_wrong_use_gives_one_line_and_the_right_exit_code(
    arguments: list[Any], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = evaluate(*arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr

"""`octavo preferences` over a real library, with a scripted generator behind a real endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from octavo.cli import main
from octavo.training.dpo import read_pairs
from tests.test_training_data import write

pytestmark = pytest.mark.slow


class Scripted(ThreadingHTTPServer):
    """Knows the answers where it is shown a passage, says so differently under a second picture, and else guesses."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.first: dict[str, str] = {}
        self.prompts: list[str] = []

    def answer(self, content: Any) -> str:
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        text = parts[0]["text"]
        self.prompts.append(text)
        question = text.rpartition("Question: ")[2]
        if "<passage>" not in text:
            return "I would guess."
        picture = parts[1]["image_url"]["url"] if len(parts) > 1 else ""
        own = self.first.setdefault(question, picture) == picture
        return f"{'It is' if own else 'The text says'} {self.answers[question]}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = self.server.answer(asked["messages"][-1]["content"])
        message = {"role": "assistant", "content": said}
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted"}
        data = json.dumps(body | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def questions(samples: Path, tmp_path: Path) -> Path:
    """Three of the samples' questions, about three documents."""
    lines = {json.loads(line)["evidence"][0]["document"]: line for line in (samples / "questions.jsonl").open()}
    return write(tmp_path / "questions.jsonl", *[line.strip() for line in list(lines.values())[:3]])


@pytest.fixture
def server(questions: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    entries = [json.loads(line) for line in questions.read_text().splitlines()]
    server = Scripted({entry["question"]: entry["answer"] for entry in entries})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OCTAVO_OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(library: Any, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["preferences", *map(str, arguments), "--library", str(library.folder)])


def test_a_generator_that_sees_pictures_gives_pairs_of_both_kinds(
    library: Any, questions: Path, server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTAVO_OPENAI_IMAGES", "true")
    result = run(library, questions, "-g", "openai", "--out", tmp_path / "pairs.jsonl", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["pairs"] == {"cross-modal": 3, "overall": 3}
    pairs = read_pairs(tmp_path / "pairs.jsonl")
    for pair in pairs:
        said = (pair["chosen"][0]["content"].split()[0], pair["rejected"][0]["content"].split()[0])
        assert said == (("It", "The") if pair["kind"] == "cross-modal" else ("It", "I"))
        assert Path(pair["images"][0]).read_bytes().startswith(b"\x89PNG")
        assert pair["prompt"][0]["content"] in server.prompts


def test_a_generator_that_sees_none_gives_overall_pairs_and_says_so(
    library: Any, questions: Path, server: Scripted, tmp_path: Path
) -> None:
    result = run(library, questions, "-g", "openai", "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "octavo: cross-modal pairs need a generator that sees pictures; overall pairs only\n"
    pairs = read_pairs(tmp_path / "pairs.jsonl")
    assert [(pair["kind"], pair["images"]) for pair in pairs] == [("overall", [])] * 3


def test_no_pairs_are_one_line_with_the_reasons_and_no_file(
    library: Any, questions: Path, server: Scripted, tmp_path: Path
) -> None:
    server.answers = dict.fromkeys(server.answers, "nothing of the kind")
    result = run(library, questions, "-g", "openai", "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last == "Error: no pairs from 3 questions: 3 right neither with the retrieved text nor alone"
    assert not (tmp_path / "pairs.jsonl").exists()


def test_the_extractive_generator_is_refused(library: Any, questions: Path, tmp_path: Path) -> None:
    result = run(library, questions, "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 1
    assert "the extractive generator writes nothing to prefer" in result.stderr


def test_an_endpoint_that_is_not_there_is_one_line(
    library: Any, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTAVO_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = run(library, questions, "-g", "openai", "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 1
    assert "cannot reach http://127.0.0.1:9/v1" in result.stderr.splitlines()[-1]


def test_a_file_that_is_there_is_left_alone(library: Any, questions: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("mine")
    result = run(library, questions, "-g", "openai", "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 1
    assert "there is such a file already" in result.stderr
    assert (tmp_path / "pairs.jsonl").read_text() == "mine"


def test_questions_that_are_not_there_are_wrong_use(library: Any, tmp_path: Path) -> None:
    result = run(library, tmp_path / "absent.jsonl", "--out", tmp_path / "pairs.jsonl")
    assert result.exit_code == 2
    assert "no such file" in result.stderr

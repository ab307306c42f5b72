"""`octavo train` from end to end, on a tiny model of a real class."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from octavo.cli import main
from octavo.training.trainer import Plan, Progress, train
from tests.test_training_data import write
from tests.tiny_models import sentence_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

ORGANS = ["heart", "lung", "bone", "spine", "rib", "liver", "kidney", "aorta"]
FINDINGS = ["nodule", "mass", "effusion", "edema", "fracture", "scar", "stone", "cyst"]


def entries() -> list[dict[str, Any]]:
    """40 reports, each of one finding in one organ, and three questions about each."""
    draw = random.Random(0)  # noqa: S311
    lines: list[dict[str, Any]] = []
    for organ, finding in draw.sample([(o, f) for o in ORGANS for f in FINDINGS], 40):
        report = f"there is a {finding} of the {organ} and nothing else was seen"
        for form in ("does the {} show a {}?", "is the {} with {}?", "{}: any {}?"):
            lines.append({"question": form.format(organ, finding), "report": report})
    return lines


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data.jsonl and model/."""
    folder = tmp_path_factory.mktemp("training")
    lines = entries()
    write(folder / "data.jsonl", *lines)
    sentence_model(folder, [text for line in lines for text in line.values()])
    return folder


def plan(place: Path, **changes: Any) -> Plan:
    plain = Plan(str(place / "model"), epochs=2, batch_size=8, learning_rate=5e-3, evaluate_every=4, patience=50)
    return replace(plain, **changes)


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A folder trained without a disturbance."""
    train([place / "data.jsonl"], place / "trained", plan(place))
    return place / "trained"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def report(folder: Path) -> Any:
    return json.loads((folder / "report.json").read_text())


def test_the_folder_is_a_sentence_transformers_model_that_the_library_can_use(trained: Path) -> None:
    from octavo.retrieval.embedder import SentenceEmbedder

    vectors = SentenceEmbedder(str(trained)).encode(["a nodule of the lung", "a cyst of the liver"])
    assert vectors.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_report_holds_the_four_figures_before_and_after_with_intervals(trained: Path) -> None:
    figures = report(trained)["figures"]
    assert list(figures) == ["auc", "mrr", "ndcg@10", "recall@10"]
    for figure in figures.values():
        assert figure["difference"]["value"] == pytest.approx(figure["after"]["value"] - figure["before"]["value"])
        for estimate in figure.values():
            assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_training_makes_the_ranking_of_unseen_reports_better(trained: Path) -> None:
    auc = report(trained)["figures"]["auc"]
    assert auc["after"]["value"] > auc["before"]["value"]


def test_the_weights_kept_are_those_of_the_best_dev_figure(trained: Path) -> None:
    written = report(trained)
    best = max(written["history"][1:], key=lambda line: line["ndcg@10"])
    assert written["chosen"] == best["step"]
    kept = weights(trained / "checkpoints" / f"checkpoint-{best['step']}")
    assert all(np.array_equal(kept[name], value) for name, value in weights(trained).items())


def test_the_history_begins_with_the_model_as_it_came(trained: Path) -> None:
    steps = [line["step"] for line in report(trained)["history"]]
    assert steps == [0, *range(4, 21, 4)]


def test_the_last_step_is_evaluated_too(place: Path, tmp_path: Path) -> None:
    written = train([place / "data.jsonl"], tmp_path / "out", plan(place, epochs=1, evaluate_every=4))
    assert [line["step"] for line in written.history] == [0, 4, 8, 10]


def test_the_report_says_how_many_questions_and_reports_each_split_has(trained: Path) -> None:
    data = report(trained)["data"]
    assert data["train"] == {"questions": 84, "reports": 28, "pairs": 84}
    assert data["test"] == {"questions": 18, "reports": 6, "pairs": 18}
    assert "18 questions, 6 reports" in (trained / "report.md").read_text()


def test_the_roc_plot_is_a_picture(trained: Path) -> None:
    from PIL import Image

    with Image.open(trained / "roc.png") as picture:
        assert picture.size == (1500, 690)


def test_checkpoints_are_the_best_and_the_last_and_hold_no_pickled_settings(trained: Path) -> None:
    checkpoints = sorted((trained / "checkpoints").iterdir())
    assert 1 <= len(checkpoints) <= 2
    assert all(path.name.startswith("checkpoint-") for path in checkpoints)
    assert not list(trained.rglob("training_args.bin"))


def test_the_model_card_quotes_no_text_of_the_data(trained: Path) -> None:
    assert "nothing else was seen" not in (trained / "README.md").read_text()


@pytest.mark.parametrize("at", [5, pytest.param(10, marks=pytest.mark.slow)])
def test_a_training_cut_off_and_resumed_ends_with_the_same_weights(
    place: Path, trained: Path, tmp_path: Path, at: int
) -> None:
    def cut(progress: Progress) -> None:
        if progress.step == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([place / "data.jsonl"], tmp_path / "out", plan(place), on_progress=cut)
    assert not (tmp_path / "out" / "modules.json").exists()
    seen: list[int] = []
    train([place / "data.jsonl"], tmp_path / "out", plan(place), resume=True, on_progress=lambda p: seen.append(p.step))
    assert min(seen) == at - at % 4 + 1
    resumed, undisturbed = weights(tmp_path / "out"), weights(trained)
    assert all(np.array_equal(resumed[name], value) for name, value in undisturbed.items())
    assert report(tmp_path / "out")["history"] == report(trained)["history"]


def test_a_crash_after_the_last_step_only_writes_the_model_again(place: Path, trained: Path, tmp_path: Path) -> None:
    out = shutil.copytree(trained, tmp_path / "out")
    for name in ("modules.json", "report.json"):
        (out / name).unlink()
    (out / "checkpoints" / "checkpoint-99").mkdir()  # what a crash leaves of one
    seen: list[int] = []
    train([place / "data.jsonl"], out, plan(place), resume=True, on_progress=lambda p: seen.append(p.step))
    assert seen == []
    assert all(np.array_equal(weights(out)[name], value) for name, value in weights(trained).items())
    assert report(out)["figures"] == report(trained)["figures"]


@pytest.mark.slow
def test_patience_ends_a_training_that_gets_no_better(place: Path, tmp_path: Path) -> None:
    flat = plan(place, learning_rate=1e-12, epochs=4, evaluate_every=2, patience=2)
    written = train([place / "data.jsonl"], tmp_path / "out", flat)
    assert [line["step"] for line in written.history] == [0, 2, 4, 6]
    assert written.chosen == 2
    assert any("no checkpoint was better than the model it began with" in note for note in written.notes())


@pytest.mark.slow
def test_the_contrastive_loss_and_hard_negatives_train_too(place: Path, tmp_path: Path) -> None:
    lines = entries()
    wrong = [line | {"report": lines[n - 5]["report"], "label": 0} for n, line in enumerate(lines)]
    file = write(tmp_path / "hard.jsonl", *(line | {"label": 1} for line in lines), *wrong)
    for loss in ("mw", "contrastive"):
        out = tmp_path / loss
        result = run(file, "--out", out, "--model", place / "model", "--loss", loss, "--epochs", 1, "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["plan"]["loss"] == loss
        assert (out / "modules.json").is_file()


@pytest.mark.slow
def test_nothing_but_one_json_document_is_on_stdout_and_nothing_on_stderr(place: Path, tmp_path: Path) -> None:
    result = run(place / "data.jsonl", "--out", tmp_path / "out", "--model", place / "model", "--epochs", 1, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["model"] == str(tmp_path / "out")
    assert result.stderr == ""


def refused(result: Result, words: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("octavo: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_folder_with_a_finished_model_is_left_alone(place: Path, trained: Path) -> None:
    before = (trained / "report.json").stat().st_mtime_ns
    result = run(place / "data.jsonl", "--out", trained, "--model", place / "model")
    refused(result, "the folder holds a finished model; name another")
    assert (trained / "report.json").stat().st_mtime_ns == before


def test_a_folder_of_something_else_is_left_alone(place: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for more in ([], ["--resume"]):
        result = run(place / "data.jsonl", "--out", tmp_path, "--model", place / "model", *more)
        refused(result, "the folder is not empty; name another for the model")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_going_on_with_other_settings_is_refused(place: Path, trained: Path) -> None:
    result = run(place / "data.jsonl", "--out", trained, "--model", place / "model", "--seed", 7, "--resume")
    refused(result, "cannot go on with other settings than it began with: ")
    assert "seed 0, now 7" in result.stderr


def test_a_model_that_is_not_there_is_named_and_leaves_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(place / "data.jsonl", "--out", tmp_path / "out", "--model", tmp_path / "empty")
    refused(result, f"cannot load the model '{tmp_path / 'empty'}'")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_line(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(place / "data.jsonl", "--out", tmp_path / "file" / "out", "--model", place / "model")
    refused(result, "Not a directory")

"""DPO of a tiny model of a real class, against the formula."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from octavo.cli import main
from octavo.training.data import TrainingDataError
from octavo.training.dpo import dpo, load_generator, read_pairs
from octavo.training.folder import TrainingFolderError
from tests.test_training_data import write
from tests.tiny_models import chat_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

COLOURS = ["red", "green", "blue", "black", "white", "grey"]


def pair(n: int) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": f"which colour has box {n} ?"}],
        "chosen": [{"role": "assistant", "content": f"it is {COLOURS[n]} ."}],
        "rejected": [{"role": "assistant", "content": f"nobody knows box {n} , not even {COLOURS[-n]} ."}],
        "kind": "overall",
    }


PAIRS = [pair(n) for n in range(6)]
TEXTS = [str(message["content"]) for p in PAIRS for key in ("prompt", "chosen", "rejected") for message in p[key]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_model(tmp_path_factory.mktemp("chat"), [*TEXTS, "Answer :"])


def log_probability(model: Any, tokenizer: Any, example: dict[str, Any], key: str) -> float:
    """The sum of the answer's tokens' log-probabilities, one by one."""
    apply = tokenizer.apply_chat_template
    before = apply(example["prompt"], add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
    whole = apply(example["prompt"] + example[key], tokenize=True, return_dict=True)["input_ids"]
    assert whole[: len(before)] == before
    with torch.no_grad():
        logits = model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
    return sum(float(logits[at - 1, whole[at]]) for at in range(len(before), len(whole)))


def loss_by_hand(tuned: Any, reference: Any, tokenizer: Any, beta: float) -> float:
    """The mean over PAIRS of -log sigmoid(beta * (log-ratio of chosen - log-ratio of rejected))."""
    losses = []
    for example in PAIRS:
        ratio = {
            key: log_probability(tuned, tokenizer, example, key) - log_probability(reference, tokenizer, example, key)
            for key in ("chosen", "rejected")
        }
        losses.append(math.log1p(math.exp(-beta * (ratio["chosen"] - ratio["rejected"]))))
    return sum(losses) / len(losses)


def test_the_loss_of_each_step_is_that_of_the_formula(model: Path, tmp_path: Path) -> None:
    """Worked out from log-probabilities between the steps, with the model as it then is."""
    network, tokenizer = load_generator(str(model), pictures=False)
    reference, _ = load_generator(str(model), pictures=False)
    by_hand: list[float] = []
    report = dpo(
        network,
        tokenizer,
        PAIRS,
        tmp_path / "out",
        learning_rate=1e-2,
        epochs=4,
        batch_size=len(PAIRS),
        beta=0.3,
        on_step=lambda step, steps: by_hand.append(loss_by_hand(network, reference, tokenizer, beta=0.3)),
    )
    losses = [step["loss"] for step in report.steps]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-6)  # the model is its own reference then
    assert losses[1:] == pytest.approx(by_hand[:-1], abs=1e-4)
    assert by_hand[-1] < 0.5 * losses[0]


def test_the_adapter_that_is_written_is_the_one_that_was_trained(model: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    network, tokenizer = load_generator(str(model), pictures=False)
    dpo(network, tokenizer, PAIRS, tmp_path / "out", learning_rate=1e-2, epochs=2, batch_size=6)
    base, _ = load_generator(str(model), pictures=False)
    read = PeftModel.from_pretrained(base, tmp_path / "out")
    key, example = "chosen", PAIRS[1]
    trained = log_probability(network, tokenizer, example, key)
    assert log_probability(read, tokenizer, example, key) == pytest.approx(trained, abs=1e-5)


def test_training_raises_the_margin_and_leaves_the_base_model_alone(model: Path, tmp_path: Path) -> None:
    network, tokenizer = load_generator(str(model), pictures=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    report = dpo(network, tokenizer, PAIRS, tmp_path / "out", learning_rate=1e-2, epochs=3, batch_size=3)
    assert report.steps[-1]["rewards/margins"] > report.steps[0]["rewards/margins"]
    fresh, _ = load_generator(str(model), pictures=False)
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items())
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "dpo.json", "tokenizer.json"} <= written
    assert not {path.suffix for path in (tmp_path / "out").rglob("*")} & {".bin", ".pt", ".pth"}


def test_equal_seeds_give_equal_steps(model: Path, tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        network, tokenizer = load_generator(str(model), pictures=False)
        report = dpo(network, tokenizer, PAIRS, tmp_path / name, learning_rate=1e-2, batch_size=2, seed=3)
        runs.append([step["loss"] for step in report.steps])
    assert runs[0] == runs[1]


def test_a_base_model_without_a_chat_template_is_tuned_on_texts(tmp_path: Path) -> None:
    folder = chat_model(tmp_path / "base", [*TEXTS, "Answer :"], template=False)
    network, tokenizer = load_generator(str(folder), pictures=False)
    report = dpo(network, tokenizer, PAIRS, tmp_path / "out", learning_rate=1e-2, epochs=2, batch_size=6)
    assert report.steps[1]["loss"] < report.steps[0]["loss"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["dpo", *map(str, arguments)])


def test_the_command_prints_one_json_document(model: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "pairs.jsonl", *PAIRS)
    result = run(file, "--model", model, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert (printed["pairs"], printed["kinds"], printed["plan"]["learning_rate"]) == (6, {"overall": 6}, 1e-7)
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "pairs.jsonl: the file is empty"),
        ([PAIRS[0], "{"], "pairs.jsonl, line 2: not JSON"),
        ([{"prompt": "p", "chosen": "c"}], "pairs.jsonl, line 1: no text or messages under 'rejected'"),
        ([PAIRS[0] | {"chosen": [{"role": "assistant"}]}], "pairs.jsonl, line 1: no text or messages under 'chosen'"),
        ([PAIRS[0] | {"rejected": PAIRS[0]["chosen"]}], "line 1: chosen and rejected are the same"),
        ([PAIRS[0] | {"prompt": "p"}], "line 1: prompt, chosen and rejected must all be texts, or all messages"),
        ([PAIRS[0] | {"images": ["absent.png"]}], "line 1: no picture at "),
    ],
)
def test_what_are_no_pairs_is_one_line_and_leaves_nothing(
    model: Path, tmp_path: Path, lines: list[dict[str, Any] | str], words: str
) -> None:
    result = run(write(tmp_path / "pairs.jsonl", *lines), "--model", model, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("octavo: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_pictures_need_a_model_that_reads_them(model: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    file = write(tmp_path / "pairs.jsonl", PAIRS[0] | {"images": ["a.png"]})
    result = run(file, "--model", model, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "as a model that sees pictures, as these pairs need" in result.stderr
    network, tokenizer = load_generator(str(model), pictures=False)
    with pytest.raises(TrainingDataError, match="1 pairs have pictures, and this model reads none"):
        dpo(network, tokenizer, read_pairs(file), tmp_path / "out")


def test_a_folder_in_use_is_left_alone(model: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    result = run(write(tmp_path / "pairs.jsonl", *PAIRS), "--model", model, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "the folder is not empty" in result.stderr


def test_a_tuning_cut_off_begins_again_and_a_finished_one_is_left_alone(model: Path, tmp_path: Path) -> None:
    def cut(step: int, steps: int) -> None:
        raise KeyboardInterrupt

    network, tokenizer = load_generator(str(model), pictures=False)
    with pytest.raises(KeyboardInterrupt):
        dpo(network, tokenizer, PAIRS, tmp_path / "out", on_step=cut)
    assert not (tmp_path / "out" / "adapter_config.json").exists()
    network, tokenizer = load_generator(str(model), pictures=False)
    dpo(network, tokenizer, PAIRS, tmp_path / "out")
    with pytest.raises(TrainingFolderError, match="holds a finished model; name another"):
        dpo(network, tokenizer, PAIRS, tmp_path / "out")


def test_a_file_that_is_not_there_is_wrong_use(model: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "absent.jsonl", "--model", model, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def test_a_model_that_reads_pictures_is_tuned_on_them(tmp_path: Path) -> None:
    from PIL import Image

    from tests.tiny_models import seeing_model

    folder = seeing_model(tmp_path / "seeing", TEXTS)
    for n, colour in enumerate(COLOURS):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{n}.png")
    lines = [{**example, "kind": "cross-modal", "images": [f"{n}.png"]} for n, example in enumerate(PAIRS)]
    pairs = read_pairs(write(tmp_path / "pairs.jsonl", *lines))
    network, processor = load_generator(str(folder), pictures=True)
    report = dpo(network, processor, pairs, tmp_path / "out", learning_rate=1e-2, epochs=3, batch_size=3)
    losses = [step["loss"] for step in report.steps]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-6)
    assert losses[-1] < 0.9 * losses[0]
    assert report.kinds == {"cross-modal": 6}

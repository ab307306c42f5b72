"""The device is one setting: what its names mean, and what is said of a GPU that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from octavo import Library
from octavo.cli import main
from octavo.kernels.device import DeviceError, resolve_device
from octavo.retrieval.gpu import faiss_gpus
from octavo.settings import Settings
from octavo.training.device import training_device

ABSENT = "cuda:99"
SAID = r"no GPU for device 'cuda:99': torch sees \d+ here.*; take auto or cpu"


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two, as torch tells of it; nothing runs there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_names_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [str(resolve_device(name)) for name in ("auto", "cpu")] == ["cpu", "cpu"]


@pytest.mark.usefixtures("two_gpus")
def test_names_where_there_are_two() -> None:
    names = "auto", "cpu", "cuda", "cuda:1"
    assert [str(resolve_device(name)) for name in names] == ["cuda:0", "cpu", "cuda:0", "cuda:1"]


@pytest.mark.usefixtures("two_gpus")
def test_training_refuses_to_be_spread_over_several() -> None:
    assert str(training_device("cpu")) == "cpu"
    with pytest.raises(DeviceError, match=r"training runs on one GPU and sees 2: CUDA_VISIBLE_DEVICES=0 shows it"):
        training_device("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CUDA", "mps", ""])
def test_other_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=rf"^no device '{name}': take auto, cpu, cuda or cuda:N$"):
        Library(settings=Settings(library=tmp_path / "library", device=name))


def test_a_gpu_that_is_not_there_is_known_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=SAID):
        Library(settings=Settings(library=tmp_path / "library", device=ABSENT))
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("command", [["ingest", "."], ["train", "rows.jsonl", "--out", "out"]])
def test_a_command_says_so_in_one_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OCTAVO_DEVICE", ABSENT)
    rows = "".join(f'{{"question": "what is {n}", "report": "it is {n}"}}\n' for n in range(40))
    Path("rows.jsonl").write_text(rows)
    with pytest.raises(SystemExit) as exit_:
        main(command)
    assert exit_.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("octavo: no GPU for device 'cuda:99'")
    assert err.count("\n") == 1
    assert not Path("out").exists()


def test_faiss_searches_on_the_cpu_where_it_is_told_to_or_has_no_gpu() -> None:
    assert faiss_gpus("cpu") == []
    assert faiss_gpus(ABSENT) == []

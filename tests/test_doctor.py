"""What `octavo doctor` says of an installation that lacks something, and what it must not say or do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from octavo import doctor
from octavo.settings import Settings

_WITHOUT_FAISS = """
import sys
sys.modules["faiss"] = None
from octavo.cli import main
main(["doctor", "--json", "--library", sys.argv[1]])
"""


@pytest.mark.slow
def test_a_missing_faiss_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "library" / "files").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_FAISS, tmp_path / "library"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {name for name, check in checks.items() if not check["ok"]} == {"faiss", "library"}
    assert checks["faiss"]["detail"] == checks["library"]["detail"]
    assert checks["faiss"]["detail"].startswith("FAISS is not installed: pip install")


def test_a_finding_is_its_message_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=2**30)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    check = doctor._check("library", lambda: doctor._library(Settings(library=tmp_path)))
    assert not check.ok
    assert check.detail.startswith("only 1.0 GiB of disk left")


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@host/octavo", "postgresql://me@host/octavo?password=s3cret", "me:s3cret@host"]
)
def test_passwords_are_not_shown(url: str) -> None:
    check = doctor._check("settings", lambda: doctor._settings(Settings(database_url=url, openai_api_key="s3cret")))
    assert "s3cret" not in check.detail
    assert check.ok == url.startswith("postgresql")


def test_settings_show_the_catalogue_they_name() -> None:
    assert "database_url=postgresql://me:***@host/octavo," in doctor._settings(
        Settings(database_url="postgresql://me:s3cret@host/octavo")
    )


@pytest.mark.parametrize("there", [False, True])
def test_looking_makes_no_library(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "library"
    if there:
        folder.mkdir()
    assert "no library" in doctor._library(Settings(library=folder))
    assert folder.exists() == there
    assert not [*tmp_path.rglob("library/*")]

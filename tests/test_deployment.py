"""What deploys Octavo says what the package says, and linters have nothing against it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from octavo.settings import Settings

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
APPS = [name for name, service in SERVICES.items() if "build" in service]
HAS_COMPOSE = (
    shutil.which("docker")
    and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
)


def test_the_dockerfile_passes_its_linter() -> None:
    done = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_passes_a_linter_of_security() -> None:
    done = subprocess.run([BIN / "compose-lint", "check", ROOT / "compose.yaml"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.skipif(not HAS_COMPOSE, reason="needs docker with its compose plugin")
@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_docker_compose_reads_the_file(profile: str) -> None:
    done = subprocess.run(
        ["docker", "compose", "config", "--format", "json"],
        cwd=ROOT,
        env=os.environ | {"POSTGRES_PASSWORD": "x", "COMPOSE_PROFILES": profile},
        capture_output=True,
        check=True,
    )
    services = {name for name, service in SERVICES.items() if profile in service.get("profiles", [profile])}
    assert json.loads(done.stdout)["services"].keys() == services


@pytest.mark.parametrize("app", APPS)
def test_the_settings_of_a_service_are_settings(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in SERVICES[app]["environment"].items() if name.startswith("OCTAVO_")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    chosen = Settings().model_dump(mode="json", exclude_unset=True)
    assert {f"OCTAVO_{name.upper()}" for name in chosen} == given.keys()


def test_the_gpus_app_asks_the_model_that_its_server_runs() -> None:
    settings, server = SERVICES["app-gpu"]["environment"], SERVICES["vllm"]["command"]
    assert settings["OCTAVO_OPENAI_MODEL"] == server[0]
    assert re.match(r"http://(\w+):8000/v1$", settings["OCTAVO_OPENAI_BASE_URL"])[1] == "vllm"


def test_ports_are_published_on_loopback_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_password_is_written_down() -> None:
    secrets = [
        value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if "PASSWORD" in name
    ]
    assert set(secrets) == {"${POSTGRES_PASSWORD:?set it in .env}"}
    assert "POSTGRES_PASSWORD=\n" in (ROOT / ".env.example").read_text()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_images_are_pinned() -> None:
    images = [service["image"] for name, service in SERVICES.items() if name not in APPS]
    images.append(f"python:{re.search(r'^ARG PYTHON=(.+)$', DOCKERFILE, re.M)[1]}")
    assert [image for image in images if not re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?(-[\w-]+)?", image)] == []


def test_torch_is_the_same_wherever_it_is_pinned() -> None:
    files = ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / "Dockerfile"
    pins = [re.findall(r"torch==([\d.]+)", file.read_text()) for file in files]
    assert len({pin for found in pins for pin in found}) == 1
    assert all(pins)


def test_the_image_has_extras_that_there_are() -> None:
    asked = re.search(r'pip install "\.\[(.+)\]"', DOCKERFILE)[1].replace("${FAISS}", "cpu,gpu").split(",")
    assert set(asked) <= PYPROJECT["project"]["optional-dependencies"].keys()


def test_the_image_gets_every_folder_of_the_package_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    folders = set(PYPROJECT["tool"]["setuptools"]["package-dir"].values())
    assert lines[1] == "*"
    assert let_in == {
        *folders,
        "pyproject.toml",
        PYPROJECT["project"]["readme"],
        *PYPROJECT["project"]["license-files"],
    }


def test_the_image_runs_as_no_root() -> None:
    assert re.findall(r"^USER (\d+)$", DOCKERFILE, re.M) == ["10001"]

"""Starts the Streamlit chat over a library, on loopback unless told otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from ipaddress import ip_address

from octavo.library import Library
from octavo.settings import Settings


def serve(settings: Settings, host: str, port: int, browser: bool) -> None:
    """Runs the chat until it is stopped. What is wrong with the library shows before it starts."""
    Library(settings=settings).close()
    if not _is_loopback(host):
        print(f"octavo: {host} is not loopback: anyone who can reach it can read this library", file=sys.stderr)
    chosen = settings.model_dump(mode="json", exclude_unset=True, exclude={"openai_api_key"})
    environment = os.environ | {f"OCTAVO_{name.upper()}": str(value) for name, value in chosen.items()}
    environment["OCTAVO_LIBRARY"] = str(settings.library.resolve())
    page = str(files("octavo.ui") / "app.py")
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.maxUploadSize": str(settings.max_bytes // 2**20),
        "server.enableXsrfProtection": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    print(f"Octavo is at http://{host}:{port} (Ctrl-C stops it)", file=sys.stderr)
    try:
        code = subprocess.run(  # noqa: S603 - our own interpreter and page
            [sys.executable, "-m", "streamlit", "run", page, *flags], env=environment, check=False
        ).returncode
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

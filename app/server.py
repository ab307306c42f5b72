"""Hands over to the chat, on loopback unless told otherwise.

The chat stands above this folder, so it is started by name, in place of this process, and not imported.
"""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, create_server

from octavo.library import Library, LibraryError
from octavo.settings import Settings


def serve(settings: Settings, host: str, port: int, browser: bool) -> None:
    """Becomes the chat's server; does not return. What is wrong with the library shows before it starts."""
    Library(settings=settings).close()
    _check_port(host, port)
    if not _is_loopback(host):
        print(f"octavo: {host} is not loopback: anyone who can reach it can read this library", file=sys.stderr)
    chosen = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"openai_api_key"})
    environment = os.environ | {f"OCTAVO_{name.upper()}": str(value) for name, value in chosen.items()}
    environment["OCTAVO_LIBRARY"] = str(settings.library.resolve())
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.maxUploadSize": str(max(1, settings.max_bytes // 2**20)),
    }
    print(f"Octavo starts at http://{host}:{port} (Ctrl-C stops it)", file=sys.stderr, flush=True)
    flags = [f"--{name}={value}" for name, value in options.items()]
    os.execve(sys.executable, [sys.executable, "-m", "octavo.ui", *flags], environment)  # noqa: S606


def _check_port(host: str, port: int) -> None:
    """Raises LibraryError where nothing can listen there."""
    try:
        create_server((host, port), family=AF_INET6 if ":" in host else AF_INET).close()
    except OSError as error:
        raise LibraryError(
            f"cannot listen at {host}:{port} ({error.strerror}): name another --port or --host"
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Commands about the installation: serve, doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from octavo.commands.options import GENERATORS, json_option, library_option, print_json, settings_of


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback unless you say otherwise."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("-g", "--generator", type=GENERATORS, help="What writes the answers at first.")
@click.option("--open/--no-open", "browser", default=False, help="Open the chat in a browser.")
@library_option
@click.pass_context
def serve(
    context: click.Context, host: str, port: int, generator: str | None, browser: bool, library: Path | None
) -> None:
    """Serve the chat on this machine."""
    from octavo.server import serve as run

    run(settings_of(context, library, generator=generator), host, port, browser)


@click.command()
@library_option
@json_option
@click.pass_context
def doctor(context: click.Context, library: Path | None, as_json: bool) -> None:
    """Check the installation, the models and the library, and show the settings."""
    from octavo.doctor import examine

    checks = examine(settings_of(context, library))
    if as_json:
        print_json({"ok": all(c.ok for c in checks), "checks": [c._asdict() for c in checks]})
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        sys.exit(1)

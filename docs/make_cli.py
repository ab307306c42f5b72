"""Writes docs/cli.md from the command line's own help; `tests/test_docs.py` fails when the two part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from octavo.cli import main

HEAD = """# The command line

Made by `python docs/make_cli.py` from each command's `--help`.
"""


def page() -> str:
    """The whole page as Markdown."""
    context = click.Context(main, info_name="octavo", help_option_names=["-h", "--help"])
    return "\n".join([HEAD, *_sections("octavo", main, context)])


def _sections(title: str, command: click.Command, context: click.Context) -> Iterator[str]:
    """A command's section, and those of the commands in it."""
    yield _section(title, command, context)
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _sections(f"{title} {name}", inner, click.Context(inner, info_name=name, parent=context))


def _section(title: str, command: click.Command, context: click.Context) -> str:
    context.max_content_width = 100
    context.terminal_width = 100
    return f"## {title}\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(page(), encoding="utf-8")

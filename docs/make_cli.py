"""Writes docs/cli.md from the command line's own help; `tests/test_docs.py` fails when the two part."""

from __future__ import annotations

from pathlib import Path

import click

from octavo.cli import main

HEAD = """# The command line

Made by `python docs/make_cli.py` from each command's `--help`.
"""


def page() -> str:
    """The whole page as Markdown."""
    parent = click.Context(main, info_name="octavo", help_option_names=["-h", "--help"])
    parts = [HEAD, _section("octavo", main, parent)]
    for name, command in sorted(main.commands.items()):
        parts.append(_section(f"octavo {name}", command, click.Context(command, info_name=name, parent=parent)))
    return "\n".join(parts)


def _section(title: str, command: click.Command, context: click.Context) -> str:
    context.max_content_width = 100
    context.terminal_width = 100
    return f"## {title}\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(page(), encoding="utf-8")

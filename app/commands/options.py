"""What the commands share: options, settings from them, and output."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from octavo.settings import Settings

GENERATORS = click.Choice(["extractive", "local", "openai"])


def library_option(command: Any) -> Any:
    """`--library` behind the command as well as before it."""
    return click.option(
        "--library", type=click.Path(path_type=Path, file_okay=False), help="Folder that holds the library."
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
document_option = click.option(
    "-d", "--document", "documents", multiple=True, metavar="NAME", help="Only in this document; may be repeated."
)


MODES = click.Choice(["text", "image", "fusion", "joint"])


def evidence_options(command: Any) -> Any:
    """How evidence is found and chosen; each is a setting of that name, so `existing` takes them as they come."""
    for option in (
        click.option(
            "--ratio",
            type=float,
            help="By the ratio rule: keep hits while the best is below so many times theirs.",
        ),
        click.option(
            "--gamma", type=float, help="By the gap rule: stop where the logarithm of the score falls by more."
        ),
        click.option(
            "--select",
            "selection",
            type=click.Choice(["all", "gap", "ratio", "calibrated"]),
            help="Keep all hits, those before the scores' first gap, those near the best, or those likely enough to be "
            "evidence by `octavo calibrate`; default: the settings'.",
        ),
        click.option(
            "--documents-first/--everywhere",
            default=None,
            help="Look in the documents that the question names, or in all of them alike; default: the settings'.",
        ),
        click.option(
            "--domain", help="Only in this domain; 'auto': the one that fits; 'weighted': each by how well it fits."
        ),
        click.option(
            "--mode",
            type=MODES,
            help="Search texts, pictures of pages, tables and figures, both fused by rank, or both in one space.",
        ),
        click.option("--reranker", metavar="NAME", help="CrossEncoder, name or folder, that ranks what is found anew."),
        click.option(
            "--expand",
            type=click.IntRange(0, 100),
            metavar="N",
            help="At most so many chunks that belong to the hits: what these name, and what they go on from or in.",
        ),
        click.option("-k", type=click.IntRange(1, 1000), help="Hits to find; default 10."),
    ):
        command = option(command)
    return command


def with_rule(how: dict[str, Any]) -> dict[str, Any]:
    """`how` with the rule that --gamma or --ratio is of, where --select names none."""
    rules = [rule for rule, option in (("gap", "gamma"), ("ratio", "ratio")) if how[option] is not None]
    if how["selection"] is not None or not rules:
        return how
    if len(rules) > 1:
        raise click.UsageError("--gamma and --ratio are of two rules: name one by --select")
    return how | {"selection": rules[0]}


def existing(context: click.Context, library: Path | None, **changes: Any) -> Settings:
    """As `settings_of`, for a command that needs a library that is there."""
    settings = settings_of(context, library, **changes)
    if not settings.library.is_dir():
        raise click.ClickException(f"no library at {settings.library}: `octavo ingest FOLDER` makes one")
    return settings


def files_only(paths: Iterable[Path]) -> None:
    """Raises click.UsageError for a path that is no file."""
    for path in paths:
        if not path.is_file():
            raise click.UsageError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")


def settings_of(context: click.Context, library: Path | None, **changes: Any) -> Settings:
    chosen = {"library": library or context.obj["library"], **changes}
    try:
        return Settings(**{key: value for key, value in chosen.items() if value is not None})
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise click.UsageError(f"settings: {fields}") from error
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"octavo.toml: {error}") from error


def print_json(value: Any) -> None:
    """Prints the one JSON document of `--json`."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def short(text: str, most: int = 100) -> str:
    """`text` on one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"

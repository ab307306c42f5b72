"""The command about domains: what a library's documents and questions are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from octavo.commands.options import existing, json_option, library_option, print_json
from octavo.ingest.text import count


@click.group(invoke_without_command=True)
@library_option
@json_option
@click.pass_context
def domains(context: click.Context, library: Path | None, as_json: bool) -> None:
    """Show and make domains: groups of documents that a question may be sent to.

    \b
    octavo domains discover                 finds them by what the documents are about
    octavo domains use                      takes the eight of UniDoc-Bench, or your own by examples
    octavo domains set aviation a.pdf b.pdf makes or changes one by hand
    octavo domains tune aviation -k 20      says how one is searched: by a model of its own, weights, k
    octavo domains identify "QUESTION"      says which one a question belongs to
    octavo ask "QUESTION" --domain auto     answers from the documents of that one, or from all if unsure

    Documents that come in later are put where they surely fit.
    """
    context.obj["library"] = library or context.obj["library"]
    if context.invoked_subcommand is None:
        _show(context, as_json)


@domains.command()
@click.option("-n", "number", type=click.IntRange(2, 100), help="How many; default: what sets documents apart best.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--replace", is_flag=True, help="In place of the domains that are there.")
@library_option
@json_option
@click.pass_context
def discover(
    context: click.Context, number: int | None, seed: int, replace: bool, library: Path | None, as_json: bool
) -> None:
    """Find domains among the documents, and name each by its words."""
    from octavo.library import Library

    with Library(settings=existing(context, library)) as shelf:
        shelf.discover_domains(number, seed, replace)
        _print(shelf, as_json)


@domains.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.option("--replace", is_flag=True, help="In place of the domains that are there.")
@library_option
@json_option
@click.pass_context
def use(context: click.Context, file: Path | None, replace: bool, library: Path | None, as_json: bool) -> None:
    """Take domains told by examples, from FILE or the eight of UniDoc-Bench, and put documents into them.

    FILE is JSON: {"law": ["Contracts and clauses", "Who is liable?"], "trade": [...]}. A document that surely belongs
    to none of them stays without, and is searched whatever the domain that a question is taken for.
    """
    from octavo.library import Library

    with Library(settings=existing(context, library)) as shelf:
        shelf.use_domains(file.read_text(encoding="utf-8") if file else None, replace)
        _print(shelf, as_json)


@domains.command("set")
@click.argument("domain")
@click.argument("documents", nargs=-1, required=True)
@library_option
@json_option
@click.pass_context
def set_(context: click.Context, domain: str, documents: tuple[str, ...], library: Path | None, as_json: bool) -> None:
    """Put DOCUMENTS (names or SHA-256) into DOMAIN, which is made if it is not there; "" takes them out."""
    from octavo.library import Library

    with Library(settings=existing(context, library)) as shelf:
        shelf.set_domain(domain or None, documents)
        _print(shelf, as_json)


@domains.command()
@click.argument("domain")
@click.option("--model", metavar="FOLDER|NAME", help="sentence-transformers model that embeds the domain's texts.")
@click.option("--dense", type=click.FloatRange(0), help="What ranks by meaning count; 1 elsewhere.")
@click.option("--bm25", type=click.FloatRange(0), help="What ranks by words count; 1 elsewhere.")
@click.option("--image", type=click.FloatRange(0), help="What ranks of pictures count in fusion; 1 elsewhere.")
@click.option("-k", type=click.IntRange(1, 1000), help="Hits to find, where none are asked for.")
@click.option("--reset", is_flag=True, help="Take back what was said before.")
@library_option
@json_option
@click.pass_context
def tune(
    context: click.Context,
    /,
    domain: str,
    model: str | None,
    k: int | None,
    reset: bool,
    library: Path | None,
    as_json: bool,
    **weights: float | None,
) -> None:
    """Say how DOMAIN is searched, where a question surely belongs there or the domain is named.

    The texts of its documents, and of those without a domain, are embedded by the model, which is copied into the
    library. What is not named stays as it was.
    """
    from octavo.library import Library
    from octavo.progress import steps_bar

    named = {name: value for name, value in weights.items() if value is not None}
    with Library(settings=existing(context, library)) as shelf:
        with steps_bar("embedding", "chunk", leave=False) as show:
            shelf.tune_domain(domain, model, named, k, reset, show)
        _print(shelf, as_json)


@domains.command()
@click.argument("question")
@library_option
@json_option
@click.pass_context
def identify(context: click.Context, question: str, library: Path | None, as_json: bool) -> None:
    """Say which domain QUESTION belongs to, with the probability of each."""
    from octavo.library import Library
    from octavo.retrieval.domains import sure

    with Library(settings=existing(context, library)) as shelf:
        odds = shelf.identify_domain(question)
    found = sure(odds)
    if as_json:
        print_json({"domain": found or None, "domains": odds})
        return
    if not found:
        click.echo("unsure: --domain auto searches all of them")
    for name, probability in odds.items():
        click.echo(f"{probability:.3f}  {name}")


def _show(context: click.Context, as_json: bool) -> None:
    from octavo.library import Library

    with Library(settings=existing(context, None)) as shelf:
        _print(shelf, as_json)


def _print(shelf: Any, as_json: bool) -> None:
    found, tunings = shelf.domains(), shelf.tunings()
    if as_json:
        named = {name: [info.name for info in infos] for name, infos in found.items()}
        print_json({"domains": named, "tuned": {name: tuning.model_dump() for name, tuning in tunings.items()}})
        return
    if not found.keys() - {""}:
        click.echo("no domains yet: `octavo domains discover` finds some")
    for name, infos in found.items():
        own = f" ({tunings[name]})" if name in tunings else ""
        click.echo(f"{name or '(none)'}: {count(len(infos), 'document')}{own}")
        for info in infos:
            click.echo(f"    {info.name}")

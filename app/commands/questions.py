"""Commands about questions: search, ask."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from octavo.commands.options import (
    GENERATORS,
    document_option,
    evidence_options,
    existing,
    json_option,
    library_option,
    print_json,
    short,
    with_rule,
)

if TYPE_CHECKING:
    from octavo.retrieval.model import Selection


_NEAREST = 3  # hits that are shown where none is kept


@click.command()
@click.argument("query")
@evidence_options
@document_option
@library_option
@json_option
@click.pass_context
def search(
    context: click.Context, /, query: str, documents: tuple[str, ...], library: Path | None, as_json: bool, **how: Any
) -> None:
    """Find the chunks that fit QUERY best, with the reasons for each."""
    from octavo import contract
    from octavo.library import Library

    with Library(settings=existing(context, library, **with_rule(how))) as shelf:
        found = shelf.select(query, documents, links=how["expand"] is not None)
    if as_json:
        chosen = contract.selection(found)
        print_json({"hits": chosen.pop("kept"), **chosen})
        return
    _say_where(found)
    for n, hit in enumerate(found.kept, 1):
        click.echo(f"{n:>3}. {hit.document}, page {hit.page}, {hit.chunk.type}  ({'; '.join(hit.why)})")
        click.echo(f"     {short(hit.chunk.text, 160)}")
    for hit, reason in found.dropped:
        click.echo(f"  -  {hit.document}, page {hit.page}, {hit.chunk.type}: {reason}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if not found.kept and not found.dropped:
        click.echo("nothing: no document is both among those named and in the domain", err=True)


@click.command()
@click.argument("question")
@click.option("-g", "--generator", type=GENERATORS, help="What writes the answer; default: the settings'.")
@click.option(
    "--model", metavar="NAME", help="Local model that writes it: a GGUF file, a transformers folder, a hub id."
)
@click.option(
    "--keep-visual",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Share of each picture's tokens that a local vision-language model reads, such as 0.1.",
)
@click.option(
    "--pictures", type=click.Path(path_type=Path, file_okay=False), help="Draw the cited pages here, as PNGs."
)
@evidence_options
@document_option
@library_option
@json_option
@click.pass_context
def ask(
    context: click.Context,
    /,
    question: str,
    generator: str | None,
    model: str | None,
    keep_visual: float | None,
    pictures: Path | None,
    documents: tuple[str, ...],
    library: Path | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Answer QUESTION from the library, with document, page and box of each source."""
    from octavo import contract
    from octavo.library import How, Library
    from octavo.pictures import draw_citations

    if keep_visual is not None and isnan(keep_visual):  # which no range keeps out
        raise click.BadParameter("is not a number", param_hint="--keep-visual")
    if model is not None and generator not in (None, "local"):
        raise click.UsageError(f"--model names a local model, which the generator {generator} does not ask")
    writer = {"generator": "local" if model else generator, "local_model": model}
    with Library(settings=existing(context, library, **writer, **with_rule(how))) as shelf:
        seen: How = {} if keep_visual is None else {"keep_visual": keep_visual}
        answer = shelf.ask(question, documents, **seen)
        drawn = draw_citations(shelf, answer, pictures) if pictures else []
    if as_json:
        print_json(contract.answer(answer) | ({"pictures": [str(path) for path in drawn]} if pictures else {}))
        return
    click.echo(answer.text)
    for c in answer.citations:
        box = ", ".join(f"{value:.0f}" for value in c.bbox)
        click.echo(f"  [{c.number}] {c.document}, page {c.page}, {c.type} ({box}): {short(c.text)}")
    for hit, _ in answer.selection.dropped[: 0 if answer.selection.kept else _NEAREST]:
        click.echo(f"  nearest: {hit.document}, page {hit.page}, {hit.chunk.type}: {short(hit.chunk.text)}")
    for number in answer.unsupported:
        click.echo(f"  warning: {number} stands in no cited element")
    _say_where(answer.selection)
    for note in (*answer.notes, *answer.selection.notes):
        click.echo(f"  note: {note}")
    for path in drawn:
        click.echo(f"  picture: {path}")


def _say_where(selection: Selection) -> None:
    for looked in selection.looked:
        click.echo(f"  looked in {looked.document} ({looked.card}), probability {looked.probability:.2f}")

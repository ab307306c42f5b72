"""Commands about documents: parse, ingest, documents, card, delete, index."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from octavo.commands.options import existing, json_option, library_option, print_json, settings_of, short
from octavo.ingest.model import State
from octavo.ingest.text import count, counts, printable

if TYPE_CHECKING:
    from octavo.ingest.pipeline import IngestReport
    from octavo.ingest.store.catalogue import DocumentInfo
    from octavo.library import Library

_WARNING = 200  # characters of one under a document in the list: all but the longest runs of pages


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="Write the figures' PNGs here.")
@json_option
@click.pass_context
def parse(context: click.Context, file: Path, images: Path | None, as_json: bool) -> None:
    """Read one PDF and show its elements and links; nothing is kept."""
    from octavo import contract
    from octavo.ingest.parse import read, sha256_of
    from octavo.ingest.reader import UnreadableError
    from octavo.ingest.readers import make_reader
    from octavo.ingest.workers import Workers
    from octavo.opened import limits
    from octavo.progress import pages_bar

    if not file.is_file():
        raise click.UsageError(f"{file}: no such file")
    settings = settings_of(context, None)
    if file.stat().st_size > settings.max_bytes:
        size, limit = (value / 2**20 for value in (file.stat().st_size, settings.max_bytes))
        raise click.ClickException(f"{file}: {size:.0f} MiB, over the limit, {limit:.0f} (OCTAVO_MAX_BYTES raises it)")
    reader = make_reader(settings.reader, settings.ocr)
    with Workers(reader, limits(settings)) as workers, pages_bar(file.name) as advance:
        try:
            document = read(workers, file, sha256_of(file)[:16], advance)
        except UnreadableError as error:
            raise click.ClickException(f"{file}: {error}") from error
    if images:
        images.mkdir(parents=True, exist_ok=True)
        for name, png in document.pictures.items():
            (images / name).write_bytes(png)
    if as_json:
        print_json(contract.parsed(document))
        return
    for warning in document.warnings:
        click.echo(f"warning: {warning}", err=True)
    for element in document.elements:
        x0, y0, x1, y1 = element.bbox
        click.echo(
            f"p{element.page:<4} {element.type:<9} ({x0:.0f}, {y0:.0f}, {x1:.0f}, {y1:.0f})  {short(element.text)}"
        )


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option("-r", "--recursive", is_flag=True, help="Look into subfolders too.")
@click.option("-j", "--workers", type=click.IntRange(1), help="Processes that read PDFs; default: one a core.")
@click.option("--watch", is_flag=True, help="Keep the library in step with one folder until Ctrl-C ends it.")
@library_option
@json_option
@click.pass_context
def ingest(
    context: click.Context,
    paths: tuple[Path, ...],
    recursive: bool,
    workers: int | None,
    watch: bool,
    library: Path | None,
    as_json: bool,
) -> None:
    """Take PDFs in: files, and folders of them.

    Documents already in are left alone, a changed file replaces what stood at its path, and what an interrupted
    run left is finished. A document that fails harms no other; the exit code is then 1.

    With --watch what comes to the folder, or changes, is taken in once it has stopped growing, and what is gone from
    it is deleted; --json then prints one document a line, for each change.
    """
    from octavo.library import Library

    if watch and not (len(paths) == 1 and paths[0].is_dir()):
        raise click.UsageError("--watch takes one folder")
    with Library(settings=settings_of(context, library, workers=workers)) as shelf:
        if watch:
            _watch(shelf, paths[0], recursive, as_json)
        else:
            _take_in(shelf, paths, recursive, as_json)


def _take_in(shelf: Library, paths: Sequence[Path], recursive: bool, as_json: bool) -> None:
    from octavo import contract
    from octavo.progress import ingest_bar

    with ingest_bar() as show:
        report = shelf.ingest(paths, recursive=recursive, on_progress=show)
    if as_json:
        print_json(contract.report(report))
    elif report.documents:
        added = len(report.documents) - len(report.failed) - len(report.unchanged)
        rate = f", {report.pages / report.seconds:.1f} pages/s" if report.pages else ""
        click.echo(
            f"{added} ingested, {len(report.unchanged)} unchanged, {len(report.failed)} failed; "
            f"{count(report.pages, 'page')} read in {report.seconds:.1f} s{rate}"
        )
        for name in report.replaced:
            click.echo(f"replaced: an older {name}")
    _complain(report)
    if report.problems or report.failed:
        missing = report.problems and not report.documents and not any(path.exists() for path in paths)
        sys.exit(2 if missing else 1)


def _watch(shelf: Library, folder: Path, recursive: bool, as_json: bool) -> None:
    from octavo import contract
    from octavo.progress import ingest_bar

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)  # as a service is stopped
    click.echo(f"watching {folder}; Ctrl-C ends it", err=True)
    with suppress(KeyboardInterrupt), ingest_bar() as show:
        for report in shelf.watch(folder, recursive=recursive, on_progress=show):
            if as_json:
                click.echo(json.dumps(contract.report(report), ensure_ascii=False))
                continue
            for info in report.documents:
                if info.state is State.READY:
                    known = info.sha256 in report.unchanged
                    kept = "in already" if known else counts(page=info.pages, chunk=info.chunks)
                    click.echo(f"{_names(info)}: {kept}")
            for name, left, _ in report.unnamed:
                click.echo(f"{name}: gone, the document stays{f' as {printable(left)}' if left else ''}")
            for done, names in (("replaced", report.replaced), ("deleted", report.removed)):
                for name in names:
                    click.echo(f"{name}: {done}")
            _complain(report)
    click.echo(f"no longer watching {folder}; the same command goes on from here", err=True)


def _complain(report: IngestReport) -> None:
    """Says on stderr what is wrong with what was taken in."""
    for info in report.documents:
        for warning in info.warnings if info.sha256 not in report.unchanged else ():
            click.echo(f"octavo: {info.name}: {warning}", err=True)
    for line in (*report.problems, *(f"{info.name}: {info.error}" for info in report.failed)):
        click.echo(f"octavo: {line}", err=True)


def _names(info: DocumentInfo) -> str:
    return " = ".join(info.names)


@click.command()
@library_option
@json_option
@click.pass_context
def documents(context: click.Context, library: Path | None, as_json: bool) -> None:
    """List the library's documents."""
    from octavo import contract
    from octavo.shelf import Shelf

    with Shelf(settings=existing(context, library)) as shelf:
        infos = shelf.documents()
    if as_json:
        print_json({"documents": [contract.document(info) for info in infos]})
        return
    if not infos:
        click.echo("no documents yet: `octavo ingest FOLDER` takes PDFs in")
    for info in infos:
        detail = info.error or counts(page=info.pages, element=info.elements, chunk=info.chunks)
        taken = f" ({info.card})" if info.card and str(info.card) else ""
        click.echo(f"{info.sha256[:12]}  {info.state:<7}  {_names(info)}: {detail}{taken}")
        for warning in info.warnings:
            click.echo(f"    warning: {short(warning, _WARNING)}")


@click.command()
@click.argument("document")
@click.argument("facts", nargs=-1, metavar="[FACT=VALUE]...")
@click.option("--reset", is_flag=True, help="Take back what was put right before.")
@library_option
@json_option
@click.pass_context
def card(
    context: click.Context, document: str, facts: tuple[str, ...], reset: bool, library: Path | None, as_json: bool
) -> None:
    """Show the card of DOCUMENT (a name or SHA-256), or put facts of it right.

    \b
    octavo card report.pdf                                    what the document was taken for
    octavo card report.pdf organisation="Acme" period=FY2018  what it is; "kind=" leaves a fact open

    Questions that name an organisation, a kind or a period are answered from the documents whose cards fit.
    """
    from octavo import contract
    from octavo.library import Library

    for fact in facts:
        if "=" not in fact:
            raise click.UsageError(f"{fact!r} is no FACT=VALUE, such as period=FY2018")
    with Library(settings=existing(context, library)) as shelf:
        right = {name: value.strip() for name, _, value in (fact.partition("=") for fact in facts)}
        info = shelf.correct_card(document, right, reset) if right or reset else shelf.find(document)
    if as_json:
        print_json(contract.document(info))
        return
    for name, value in asdict(info.card).items() if info.card else ():
        click.echo(f"{name:<13} {value}{'  (put right)' if name in info.corrected else ''}")


@click.command()
@click.argument("document")
@library_option
@json_option
@click.pass_context
def delete(context: click.Context, document: str, library: Path | None, as_json: bool) -> None:
    """Delete DOCUMENT (a name or SHA-256) with all that is kept of it.

    Where the same bytes came in under several names, a name takes that name alone, and the document stays under the
    others; its SHA-256, as `octavo documents` shows it, deletes it whole.
    """
    from octavo import contract
    from octavo.library import Library

    with Library(settings=existing(context, library)) as shelf:
        done = shelf.delete(document)
    info = done.document
    if as_json:
        print_json(contract.deleted(done))
    elif done.kept:
        click.echo(
            f"{done.names[0]} is gone; the document stays as {_names(done.kept)}, "
            f"`octavo delete {info.sha256[:12]}` deletes it"
        )
    else:
        click.echo(f"deleted {_names(info)} ({counts(page=info.pages, chunk=info.chunks)})")


@click.command()
@click.option(
    "--model",
    metavar="FOLDER|NAME",
    help="Make this sentence-transformers model (a checkpoint of `octavo train`, say) the library's embedder, "
    "'embedded' the one it began with.",
)
@click.option(
    "--rebuild", is_flag=True, help="Make the indexes anew instead of mending them; --model may be of other dimensions."
)
@library_option
@json_option
@click.pass_context
def index(context: click.Context, model: str | None, rebuild: bool, library: Path | None, as_json: bool) -> None:
    """Bring the indexes in line with the catalogue, and embed what a new embedder has not embedded yet."""
    from octavo.library import Library
    from octavo.progress import steps_bar

    with Library(settings=existing(context, library)) as shelf, steps_bar("embedding", "chunk", leave=False) as show:
        indexed = shelf.adopt(model, rebuild, show) if model else shelf.reindex(rebuild, show)
        embedder, kind = shelf.embedder.name, shelf.index.vectors.vectors.type
    if as_json:
        print_json({"chunks": indexed, "embedder": embedder, "index": kind})
    else:
        click.echo(f"{count(indexed, 'chunk')} indexed by {embedder}; index: {kind}")

"""The command line. `octavo --help` lists the commands; `--json` prints exactly one JSON document on stdout.

Exit code 0 on success, 2 on wrong use, 1 on failure, with one line on stderr that says what is wrong and what to do.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from octavo.settings import Settings

_GENERATORS = click.Choice(["extractive", "local", "openai"])


class _Commands(click.Group):
    """Commands whose expected errors are one line on stderr, whatever layer they come from."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            _fail("interrupted; what was done is kept, and the same command goes on from there", 130)
        except ModuleNotFoundError as error:
            if error.name != "faiss":
                raise
            from octavo.doctor import FAISS_MISSING

            _fail(FAISS_MISSING)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - lives until the exit that follows
            sys.exit(0)
        except Exception as error:
            from octavo.errors import explain

            line = explain(error)
            if line is None:
                raise
            _fail(line)


def _fail(line: str, code: int = 1) -> None:
    click.echo(f"octavo: {line}", err=True)
    sys.exit(code)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--library", type=click.Path(path_type=Path, file_okay=False), help="Folder that holds the library.")
@click.option("-v", "--verbose", is_flag=True, help="Say more of what happens, on stderr.")
@click.version_option(package_name="octavo")
@click.pass_context
def main(context: click.Context, library: Path | None, verbose: bool) -> None:
    """Octavo answers questions over PDFs and shows the boxes the answers came from.

    \b
    octavo ingest reports/        takes in the PDFs of a folder
    octavo ask "What ...?"        answers, with document, page and box of each source
    octavo serve                  opens the chat

    The library is --library, else $OCTAVO_LIBRARY, else ./octavo-library. Other settings come from $OCTAVO_<NAME>
    or octavo.toml; `octavo doctor` shows them.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True)
    logging.getLogger("octavo").setLevel(logging.INFO if verbose else logging.WARNING)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads and our processes do not mix
    context.obj = {"library": library}


def library_option(command: Any) -> Any:
    """`--library` behind the command as well as before it."""
    return click.option(
        "--library", type=click.Path(path_type=Path, file_okay=False), help="Folder that holds the library."
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
document_option = click.option(
    "-d", "--document", "documents", multiple=True, metavar="NAME", help="Only in this document; may be repeated."
)


def _existing(context: click.Context, library: Path | None, **changes: Any) -> Settings:
    """As `_settings`, for a command that needs a library that is there."""
    settings = _settings(context, library, **changes)
    if not settings.library.is_dir() and settings.database_url is None:
        raise click.ClickException(f"no library at {settings.library}: `octavo ingest FOLDER` makes one")
    return settings


def _settings(context: click.Context, library: Path | None, **changes: Any) -> Settings:
    chosen = {"library": library or context.obj["library"], **changes}
    try:
        return Settings(**{key: value for key, value in chosen.items() if value is not None})
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise click.UsageError(f"settings: {fields}") from error
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"octavo.toml: {error}") from error


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="Write the figures' PNGs here.")
@json_option
@click.pass_context
def parse(context: click.Context, file: Path, images: Path | None, as_json: bool) -> None:
    """Read one PDF and show its elements and links; nothing is kept."""
    from octavo import contract
    from octavo.ingest.parse import read, sha256_of
    from octavo.ingest.reader import PyMuPDFReader, UnreadableError
    from octavo.ingest.workers import Workers
    from octavo.library import limits
    from octavo.progress import pages_bar

    if not file.is_file():
        raise click.UsageError(f"{file}: no such file")
    with Workers(PyMuPDFReader(), limits(_settings(context, None))) as workers, pages_bar(file.name) as advance:
        try:
            document = read(workers, file, sha256_of(file)[:16], advance)
        except UnreadableError as error:
            raise click.ClickException(f"{file}: {error}") from error
    if images:
        images.mkdir(parents=True, exist_ok=True)
        for name, png in document.pictures.items():
            (images / name).write_bytes(png)
    if as_json:
        _print_json(contract.parsed(document))
        return
    for warning in document.warnings:
        click.echo(f"warning: {warning}", err=True)
    for element in document.elements:
        x0, y0, x1, y1 = element.bbox
        click.echo(
            f"p{element.page:<4} {element.type:<9} ({x0:.0f}, {y0:.0f}, {x1:.0f}, {y1:.0f})  {_short(element.text)}"
        )


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-r", "--recursive", is_flag=True, help="Look into subfolders too.")
@click.option("-j", "--workers", type=click.IntRange(1), help="Processes that read PDFs; default: one a core.")
@library_option
@json_option
@click.pass_context
def ingest(
    context: click.Context,
    paths: tuple[Path, ...],
    recursive: bool,
    workers: int | None,
    library: Path | None,
    as_json: bool,
) -> None:
    """Take PDFs in: files, and folders of them.

    Documents already in are left alone, a changed file replaces what stood at its path, and what an interrupted
    run left is finished. A document that fails harms no other; the exit code is then 1.
    """
    from octavo import contract
    from octavo.library import Library
    from octavo.progress import ingest_bar

    with Library(settings=_settings(context, library, workers=workers)) as shelf:
        with ingest_bar() as show:
            report = shelf.ingest(paths, recursive=recursive, on_progress=show)
        if as_json:
            _print_json(contract.report(report))
        elif report.documents:
            added = len(report.documents) - len(report.failed) - len(report.unchanged)
            rate = f", {report.pages / report.seconds:.1f} pages/s" if report.pages else ""
            click.echo(
                f"{added} ingested, {len(report.unchanged)} unchanged, {len(report.failed)} failed; "
                f"{report.pages} pages read in {report.seconds:.1f} s{rate}"
            )
            for name in report.replaced:
                click.echo(f"replaced: an older {name}")
        for info in report.documents:
            for warning in info.warnings if info.sha256 not in report.unchanged else ():
                click.echo(f"octavo: {info.name}: {warning}", err=True)
        for line in (*report.problems, *(f"{info.name}: {info.error}" for info in report.failed)):
            click.echo(f"octavo: {line}", err=True)
        if report.problems or report.failed:
            missing = report.problems and not report.documents and not any(path.exists() for path in paths)
            sys.exit(2 if missing else 1)


@main.command()
@library_option
@json_option
@click.pass_context
def documents(context: click.Context, library: Path | None, as_json: bool) -> None:
    """List the library's documents."""
    from octavo import contract
    from octavo.library import Library

    with Library(settings=_existing(context, library)) as shelf:
        infos = shelf.documents()
    if as_json:
        _print_json({"documents": [contract.document(info) for info in infos]})
        return
    if not infos:
        click.echo("no documents yet: `octavo ingest FOLDER` takes PDFs in")
    for info in infos:
        detail = info.error or f"{info.pages} pages, {info.elements} elements, {info.chunks} chunks"
        click.echo(f"{info.sha256[:12]}  {info.state:<7}  {info.name}: {detail}")


@main.command()
@click.argument("document")
@library_option
@json_option
@click.pass_context
def delete(context: click.Context, document: str, library: Path | None, as_json: bool) -> None:
    """Delete a document, named by its file name or SHA-256, with all that is kept of it."""
    from octavo import contract
    from octavo.library import Library

    with Library(settings=_existing(context, library)) as shelf:
        info = shelf.delete(document)
    if as_json:
        _print_json({"deleted": contract.document(info)})
    else:
        click.echo(f"deleted {info.name} ({info.pages} pages, {info.chunks} chunks)")


@main.command()
@click.argument("query")
@click.option("-k", type=click.IntRange(1, 1000), help="Hits to return; default 10.")
@document_option
@library_option
@json_option
@click.pass_context
def search(
    context: click.Context, query: str, k: int | None, documents: tuple[str, ...], library: Path | None, as_json: bool
) -> None:
    """Find the chunks that fit QUERY best, with the reasons for each."""
    from octavo import contract
    from octavo.library import Library

    with Library(settings=_existing(context, library)) as shelf:
        hits = shelf.search(query, k, documents)
    if as_json:
        _print_json({"hits": [contract.hit(hit) for hit in hits]})
        return
    for n, hit in enumerate(hits, 1):
        click.echo(f"{n:>3}. {hit.document}, page {hit.page}, {hit.chunk.type}  ({'; '.join(hit.why)})")
        click.echo(f"     {_short(hit.chunk.text, 160)}")


@main.command()
@click.argument("question")
@click.option("-g", "--generator", type=_GENERATORS, help="What writes the answer; default: the settings'.")
@click.option(
    "--pictures", type=click.Path(path_type=Path, file_okay=False), help="Draw the cited pages here, as PNGs."
)
@document_option
@library_option
@json_option
@click.pass_context
def ask(
    context: click.Context,
    question: str,
    generator: str | None,
    pictures: Path | None,
    documents: tuple[str, ...],
    library: Path | None,
    as_json: bool,
) -> None:
    """Answer QUESTION from the library, with document, page and box of each source."""
    from octavo import contract
    from octavo.library import Library
    from octavo.pictures import draw_citations

    with Library(settings=_existing(context, library, generator=generator)) as shelf:
        answer = shelf.ask(question, documents)
        drawn = draw_citations(shelf, answer, pictures) if pictures else []
    if as_json:
        _print_json(contract.answer(answer) | ({"pictures": [str(path) for path in drawn]} if pictures else {}))
        return
    click.echo(answer.text)
    for c in answer.citations:
        box = ", ".join(f"{value:.0f}" for value in c.bbox)
        click.echo(f"  [{c.number}] {c.document}, page {c.page}, {c.type} ({box}): {_short(c.text)}")
    for number in answer.unsupported:
        click.echo(f"  warning: {number} stands in no cited element")
    for note in answer.notes:
        click.echo(f"  note: {note}")
    for path in drawn:
        click.echo(f"  picture: {path}")


@main.command()
@library_option
@click.option("--rebuild", is_flag=True, help="Make both indexes anew instead of mending them.")
@json_option
@click.pass_context
def index(context: click.Context, library: Path | None, rebuild: bool, as_json: bool) -> None:
    """Bring the indexes in line with the catalogue, and embed what a new embedder has not embedded yet."""
    from octavo.library import Library
    from octavo.progress import chunks_bar

    with Library(settings=_existing(context, library)) as shelf, chunks_bar() as show:
        count = shelf.reindex(rebuild, show)
    if as_json:
        _print_json({"chunks": count})
    else:
        click.echo(f"{count} chunks indexed")


@main.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback unless you say otherwise."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("-g", "--generator", type=_GENERATORS, help="What writes the answers at first.")
@click.option("--open/--no-open", "browser", default=False, help="Open the chat in a browser.")
@library_option
@click.pass_context
def serve(
    context: click.Context, host: str, port: int, generator: str | None, browser: bool, library: Path | None
) -> None:
    """Serve the chat on this machine."""
    from octavo.server import serve as run

    run(_settings(context, library, generator=generator), host, port, browser)


@main.command()
@library_option
@json_option
@click.pass_context
def doctor(context: click.Context, library: Path | None, as_json: bool) -> None:
    """Check the installation, the models and the library, and show the settings."""
    from octavo.doctor import examine

    checks = examine(_settings(context, library))
    if as_json:
        _print_json({"ok": all(c.ok for c in checks), "checks": [c._asdict() for c in checks]})
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        sys.exit(1)


def _short(text: str, most: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"

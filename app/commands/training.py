"""Commands that train retrievers: train, train-pages."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from octavo.commands.options import existing, files_only, json_option, library_option, print_json, settings_of
from octavo.ingest.text import counts
from octavo.progress import steps_bar


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the model.")
@click.option("--model", default="embedded", show_default=True, help="What to start from: embedded, a folder, a name.")
@click.option("--loss", type=click.Choice(["mw", "contrastive"]), default="mw", show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=2, show_default=True)
@click.option("--batch-size", type=click.IntRange(2), default=32, show_default=True, help="Rows of one step.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=2e-5, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=20.0,
    show_default=True,
    help="Cosines are multiplied by this.",
)
@click.option(
    "--metric",
    type=click.Choice(["auc", "mrr", "ndcg@10", "recall@10"]),
    default="ndcg@10",
    show_default=True,
    help="What the dev split is watched for.",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Stop after so many evaluations without a better one.",
)
@click.option(
    "--evaluate-every",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Steps between evaluations; default: half epochs.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the split, the shuffles, the dropout.")
@click.option("--resume", is_flag=True, help="Go on with the training that was cut off in --out.")
@json_option
@click.pass_context
def train(
    context: click.Context, /, data: tuple[Path, ...], out: Path, resume: bool, as_json: bool, **plan: Any
) -> None:
    """Fine-tune the text embedder on questions and the reports that answer them.

    DATA are JSON Lines files of {"question", "report"}; a "label" of 0 marks a report as wrong for the question. The
    reports are split into train, dev and test; figures before and after are of the test split. The folder that results
    is an ordinary sentence-transformers model, with report.md, report.json and roc.png beside it:

    \b
    octavo train questions.jsonl --out models/mine
    octavo index --model models/mine
    """
    files_only(data)
    from octavo.training.report import table
    from octavo.training.trainer import Plan
    from octavo.training.trainer import train as run

    try:
        with steps_bar("training", "step") as show:
            report = run(
                data,
                out,
                Plan(**plan),
                device=settings_of(context, None).device,
                resume=resume,
                on_progress=lambda progress: show(progress.step, progress.steps, progress.dev.get("auc")),
            )
    except KeyboardInterrupt:
        click.echo("octavo: interrupted; the same command with --resume goes on from the last evaluation", err=True)
        sys.exit(130)
    if as_json:
        print_json(report.as_dict() | {"model": str(out)})
        return
    test = report.data["test"]
    numbers = counts(question=test["questions"], report=test["reports"])
    click.echo(f"test split: {numbers}, {report.seconds:.0f} s")
    click.echo("\n".join(table(report.figures)))
    for note in report.notes():
        click.echo(f"note: {note}")
    click.echo(f"model and report: {out}")


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the encoder.")
@click.option("--pages", type=click.IntRange(3), default=2000, show_default=True, help="Most pages, drawn by seed.")
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True)
@click.option("--batch-size", type=click.IntRange(2), default=64, show_default=True, help="Crops of one step.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the pages, the split, the weights, the order.")
@click.option("--resume", is_flag=True, help="Go on with the training that was cut off in --out.")
@library_option
@json_option
@click.pass_context
def train_pages(
    context: click.Context, /, out: Path, resume: bool, library: Path | None, as_json: bool, **plan: Any
) -> None:
    """Teach a page encoder to place pictures where the text under them lies.

    A small network reads crops of the library's pages (paragraphs, tables, figures, whole pages) and learns the
    vectors that the library's embedder gave the text under each. The documents are split into train, dev and test. The
    folder that results embeds pictures by their pixels, with report.md, report.json and curves.png beside it:

    \b
    octavo train-pages --out models/pages
    OCTAVO_VISUAL_EMBEDDER=models/pages octavo index
    """
    settings = existing(context, library)
    from octavo.library import Library
    from octavo.training.page_report import table
    from octavo.training.page_trainer import PagePlan, Spaces
    from octavo.training.page_trainer import train as run

    try:
        with (
            Library(settings=settings) as shelf,
            steps_bar("drawing", "page") as drawn,
            steps_bar("training", "step") as stepped,
        ):
            report = run(
                shelf.catalogue,
                shelf.files,
                Spaces(shelf.embedder.name, shelf.looker.name),
                out,
                PagePlan(**plan),
                device=settings.device,
                resume=resume,
                on_page=drawn,
                on_step=stepped,
            )
    except KeyboardInterrupt:
        click.echo("octavo: interrupted; the same command with --resume goes on from the last epoch", err=True)
        sys.exit(130)
    if as_json:
        print_json(asdict(report) | {"model": str(out)})
        return
    test = report.data["test"]
    click.echo(f"test split: {counts(crop=test['crops'], document=test['documents'])}, {report.seconds:.0f} s")
    click.echo("\n".join(table(report.figures)))
    click.echo(f"encoder and report: {out}")

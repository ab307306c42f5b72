"""The command that calibrates what an answer may use: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from octavo.commands.options import MODES, existing, json_option, library_option, print_json
from octavo.ingest.model import State

if TYPE_CHECKING:
    from octavo.retrieval.calibration import Calibration


@click.command()
@click.argument("questions", type=click.Path(path_type=Path))
@click.option(
    "--lose",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="Share of questions whose evidence may be lost, at most; what the search misses counts too.",
)
@click.option("-k", type=click.IntRange(1, 1000), default=50, show_default=True, help="Hits to choose among.")
@click.option("--mode", type=MODES, help="The way of searching that is calibrated; default: the settings'.")
@click.option("--documents-first/--everywhere", default=None, help="As it will be searched; default: the settings'.")
@click.option("--reranker", metavar="NAME", help="As it will be searched; default: the settings'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the halves of the questions.")
@library_option
@json_option
@click.pass_context
def calibrate(
    context: click.Context,
    questions: Path,
    lose: float,
    k: int,
    mode: str | None,
    documents_first: bool | None,
    reranker: str | None,
    seed: int,
    library: Path | None,
    as_json: bool,
) -> None:
    """Learn from QUESTIONS with known evidence which hits an answer needs, for `--select calibrated`.

    QUESTIONS is a file as `octavo evaluate` takes. One half teaches how probably a hit is evidence, the other sets the
    probability from which on hits are kept, so that further questions like these lose their evidence at most as seldom
    as --lose says. Where nothing passes, the answer is that these documents do not say.
    """
    from octavo.evaluation.questions import read_questions, resolve
    from octavo.library import Library

    if not questions.is_file():
        raise click.UsageError(f"{questions}: no such file")
    asked = read_questions(questions)
    how = {"mode": mode, "documents_first": documents_first, "reranker": reranker}
    with Library(settings=existing(context, library, **how)) as shelf:
        there = {info.name: info.pages for info in shelf.documents() if info.state == State.READY}
        asked = resolve(asked, there, questions.name)
        with tqdm(total=len(asked), desc="searching", unit="question", disable=None, dynamic_ncols=True) as bar:
            made = shelf.calibrate(asked, lose, k, seed=seed, on_progress=lambda done, of: bar.update(done - bar.n))
        way = shelf.settings.mode
    if as_json:
        print_json({"mode": way, **made.model_dump(mode="json")})
        return
    _print(made, way)


def _print(made: Calibration, way: str) -> None:
    click.echo(
        f"{way}: `--select calibrated` loses the evidence of at most {made.lose:.1%} of questions like these "
        f"{made.questions}, choosing among {made.k} hits"
    )
    for domain, cut in made.cuts.items():
        which = f"in the domain {domain}" if domain else "in no other domain" if len(made.cuts) > 1 else "all"
        click.echo(
            f"  {which}: hits from probability {cut.least:.3g} on, by {cut.questions} questions, "
            f"{cut.missed} of whose evidence was not found"
        )

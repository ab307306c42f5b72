"""The command that compares ways of retrieval: evaluate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from octavo.commands.options import GENERATORS, MODES, existing, json_option, library_option, print_json
from octavo.ingest.model import State
from octavo.ingest.text import counts
from octavo.retrieval.model import Mode, Rule

if TYPE_CHECKING:
    from octavo.evaluation.protocol import Way
    from octavo.evaluation.summary import Summary
    from octavo.library import Library
    from octavo.settings import Generator

_ANSWERING: dict[str, set[str]] = {
    "extractive": set(),
    "local": {"local_model", "local_projector", "keep_visual", "max_pictures", "max_answer_tokens"},
    "openai": {"openai_base_url", "openai_model", "openai_images", "max_pictures", "max_answer_tokens"},
}  # the settings that each generator's answers depend on


@click.command()
@click.argument("questions", type=click.Path(path_type=Path))
@click.option("--mode", "modes", multiple=True, type=MODES, help="A way to try; may be repeated; default: all four.")
@click.option("-k", type=click.IntRange(1, 1000), default=10, show_default=True, help="Items that count.")
@click.option(
    "--ndcg", type=click.Choice(["standard", "unidoc"]), default="standard", show_default=True, help="nDCG shown first."
)
@click.option("--answers/--no-answers", default=True, help="Answer the questions too, or only search.")
@click.option("-g", "--generator", type=GENERATORS, help="What writes the answers; default: the settings'.")
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Questions before the generator at once: prompts in one pass of a model in torch, requests to an endpoint.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of results and reports.")
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on with what the folder holds.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals' resampling.")
@click.option("--limit", type=click.IntRange(1), help="Only so many questions, the first.")
@library_option
@json_option
@click.pass_context
def evaluate(
    context: click.Context,
    questions: Path,
    modes: tuple[str, ...],
    k: int,
    ndcg: Any,
    answers: bool,
    generator: Generator | None,
    batch: int,
    out: Path | None,
    fresh: bool,
    seed: int,
    limit: int | None,
    library: Path | None,
    as_json: bool,
) -> None:
    """Ask the library QUESTIONS with known answers in up to four ways, and report how each does.

    QUESTIONS holds lines {"question", "answer", "evidence": [{"document", "page"}]}, or is a file of FinanceBench or
    UniDoc-Bench as published. Results are kept in --out (default: octavo-evaluation/ and the file's name) as they come,
    so the same command goes on where it was interrupted; report.md and report.html are written there at the end.
    """
    from octavo.evaluation.protocol import run
    from octavo.evaluation.questions import read_questions, resolve
    from octavo.evaluation.reports import write_reports
    from octavo.evaluation.results import Results
    from octavo.evaluation.summary import summarise
    from octavo.library import Library

    if not questions.is_file():
        raise click.UsageError(f"{questions}: no such file")
    asked = read_questions(questions)
    with Library(settings=existing(context, library, generator=generator)) as shelf:
        there = {info.name: info.pages for info in shelf.documents() if info.state == State.READY}
        asked = resolve(asked[:limit], there, questions.name)
        ways = [_way(shelf, mode, k, answers, batch) for mode in Mode if not modes or mode.value in modes]
        folder = out or Path("octavo-evaluation") / questions.stem
        folder.mkdir(parents=True, exist_ok=True)
        settings = _settings(shelf, k, answers, batch)
        marks = settings | {"questions": _digest(questions.read_bytes())}
        with Results(folder / "results.jsonl", marks, fresh) as results, _bar() as show:
            outcomes = run(asked, ways, results, k, show, batch)
    summary = summarise(questions.name, asked, outcomes, k, ndcg, seed, settings)
    written = write_reports(folder, summary, asked, outcomes)
    if as_json:
        print_json(asdict(summary) | {"reports": [str(path) for path in written]})
    else:
        _print(summary)
        click.echo(f"intervals, differences and question types: {written[0]}, {written[1]}")


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A bar over questions times ways; what an earlier run did counts as done, but not for the rate."""
    with tqdm(desc="evaluating", unit="question", disable=None, dynamic_ncols=True) as bar:

        def show(done: int, of: int) -> None:
            if bar.total != of:
                bar.initial = done
                bar.reset(of)
            bar.update(done - bar.n)

        yield show


def _way(shelf: Library, mode: Mode, k: int, answers: bool, batch: int) -> Way:
    from octavo.evaluation.protocol import Way

    return Way(
        mode.value,
        search=lambda question: shelf.search(question, k, mode=mode),
        ask=(lambda questions: shelf.ask_all(questions, together=batch, mode=mode, k=k)) if answers else None,
    )


def _settings(shelf: Library, k: int, answers: bool, batch: int) -> dict[str, Any]:
    """All that the results depend on: a run may only go on under the same."""
    ready = sorted(
        (info.sha256, info.chunks, info.domain or "", repr(info.card))
        for info in shelf.documents()
        if info.state == State.READY
    )
    named = {"domain", "documents_first", "reranker"}
    if answers:
        named |= {"generator", "selection", "gamma", "ratio", *_ANSWERING[shelf.settings.generator]}
    calibrated = answers and shelf.settings.selection is Rule.CALIBRATED
    calibrations = [shelf.calibration(mode) for mode in Mode] if calibrated else []
    together = answers and shelf.settings.generator == "local"  # in bfloat16 a close choice may hang on the batch
    return {
        "octavo": version("octavo"),
        "k": k,
        "answers": answers,
        **({"batch": batch} if together else {}),
        "embedders": list(dict.fromkeys([shelf.embedder.name, shelf.looker.name])),
        **shelf.settings.model_dump(mode="json", include=named),
        **({"calibrations": _digest(repr(calibrations).encode())} if calibrated else {}),
        "documents": len(ready),
        "library": _digest(repr(ready).encode()),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _print(summary: Summary) -> None:
    """A table of means: a line for each way."""
    from octavo.evaluation.summary import METRICS

    first = next(iter(summary.ways.values()))
    hidden = "ndcg_unidoc" if summary.ndcg == "standard" else "ndcg"
    names = [name for name in METRICS if name in first.metrics and name != hidden]
    numbers = counts(question=summary.questions, document=summary.documents)
    click.echo(f"{numbers} with evidence, k = {summary.k}")
    heads = [METRICS[name] for name in names]
    click.echo("  ".join([f"{'way':<7}", *heads, "s/search"]))
    for way, found in summary.ways.items():
        cells = [f"{found.metrics[name].mean:>{len(head)}.3f}" for name, head in zip(names, heads, strict=True)]
        click.echo("  ".join([f"{way:<7}", *cells, f"{found.search.median:>8.2f}"]))

"""Commands that tune a generator on what is preferred: preferences, dpo."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from octavo.commands.options import (
    GENERATORS,
    existing,
    files_only,
    json_option,
    library_option,
    print_json,
    settings_of,
)
from octavo.ingest.text import count, counts
from octavo.progress import steps_bar

if TYPE_CHECKING:
    from octavo.evaluation.questions import Question
    from octavo.library import Library
    from octavo.settings import Generator
    from octavo.training.preferences import Record, Respond

_HITS, _CHARACTERS = 3, 1500  # of retrieved text in a preference pair's prompt, and of each hit


@click.command()
@click.argument("questions", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File for the pairs.")
@click.option("-g", "--generator", type=GENERATORS, help="What answers; default: the settings'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of unrelated pictures.")
@click.option("--limit", type=click.IntRange(1), help="Only so many questions, the first.")
@library_option
@json_option
@click.pass_context
def preferences(
    context: click.Context,
    questions: Path,
    out: Path,
    generator: Generator | None,
    seed: int,
    limit: int | None,
    library: Path | None,
    as_json: bool,
) -> None:
    """Build preference pairs for `octavo dpo` from what a generator answers about the library.

    QUESTIONS holds lines {"question", "answer", "evidence": [{"document", "page"}]}. Each is asked with the retrieved
    text, without it, and, of a generator that sees pictures, with the picture of an unrelated page. Where the answers
    differ in the right way, a line of TRL's preference format is written to --out (MMed-RAG's RAG-PT, both kinds).
    """
    files_only((questions,))
    if out.exists():
        raise click.ClickException(f"{out}: there is such a file already; name another")
    from octavo.evaluation.questions import read_questions, resolve
    from octavo.ingest.model import State
    from octavo.library import Library
    from octavo.training.preferences import Kind, build, write_pairs

    asked = [question for question in read_questions(questions)[:limit] if question.answer]
    if not asked:
        raise click.ClickException(f"{questions}: no question has a reference answer to judge by")
    settings = existing(context, library, generator=generator)
    respond, pictures = _respond(settings)
    kinds = tuple(Kind) if pictures else (Kind.OVERALL,)
    if not pictures:
        click.echo("octavo: cross-modal pairs need a generator that sees pictures; overall pairs only", err=True)
    with Library(settings=settings) as shelf, steps_bar("asking", "question") as show:
        there = {info.name: info.pages for info in shelf.documents() if info.state == State.READY}
        records = [_record(shelf, question, pictures) for question in resolve(asked, there, questions.name)]
        found = build(records, respond, _right, kinds=kinds, seed=seed, on_progress=lambda done, of: show(done, of))
    none = {str(kind): dict(found.none[kind]) for kind in kinds}
    if not found.pairs:
        reasons = "; ".join(f"{number} {why}" for own in none.values() for why, number in own.items())
        raise click.ClickException(f"no pairs from {count(len(records), 'question')}: {reasons}")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_pairs(out, found.pairs)
    pairs = {str(kind): found.count(kind) for kind in kinds}
    if as_json:
        print_json({"questions": len(records), "pairs": pairs, "none": none, "file": str(out)})
        return
    for kind, made in pairs.items():
        reasons = "; ".join(f"{number} {why}" for why, number in none[kind].items())
        click.echo(f"{kind}: {count(made, 'pair')} from {count(len(records), 'question')} ({reasons or 'every one'})")
    click.echo(f"pairs: {out}")


def _respond(settings: Any) -> tuple[Respond, bool]:
    """How the settings' generator answers, and whether it sees pictures."""
    from octavo.training.asking import respond_with

    if settings.generator == "extractive":
        raise click.ClickException("the extractive generator writes nothing to prefer: use -g local or -g openai")
    if settings.generator == "local":
        from octavo.generators import local_chat

        local = local_chat(settings)
        return respond_with(local, completion=local.completion, pictures=local.vision), local.vision
    from openai import OpenAIError

    from octavo.generation.endpoint import connect, explain

    chat = connect(
        settings.openai_base_url,
        settings.openai_model,
        settings.openai_api_key,
        max_tokens=settings.max_answer_tokens,
    )
    ask = respond_with(chat, pictures=settings.openai_images)

    def respond(*question: Any) -> str:
        try:
            return ask(*question)
        except OpenAIError as error:
            raise click.ClickException(explain(chat, error)) from error

    return respond, settings.openai_images


def _record(shelf: Library, question: Question, pictures: bool) -> Record:
    """The question with what a search finds for it, and the picture of its first page of evidence."""
    from octavo.generation.prompts import render_hit
    from octavo.training.asking import fenced
    from octavo.training.preferences import Record

    hits = shelf.search(question.text, _HITS, mode="text")
    picture = None
    if pictures and question.evidence:
        document, page = min(question.evidence)
        picture = shelf.page_picture(shelf.find(document).sha256, page)
    passages = [render_hit(hit, _CHARACTERS, question.text) for hit in hits]
    return Record(question.text, question.answer, fenced(passages), picture)


def _right(answer: str, reference: str) -> bool:
    """Whether an answer says its reference: a number to 1%, else the reference's words, as `octavo evaluate` has it."""
    from octavo.evaluation.matching import contains, numeric_match

    number = numeric_match(answer, reference)
    return contains(answer, reference) if number is None else number


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="The generator to tune: a folder, or a hub name.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the adapter.")
@click.option(
    "--beta",
    type=click.FloatRange(0, min_open=True),
    default=0.1,
    show_default=True,
    help="How dear it is to leave the model as it was.",
)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-7, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=2, show_default=True, help="Pairs of one step.")
@click.option("--rank", type=click.IntRange(1), default=16, show_default=True, help="Of the LoRA adapter.")
@click.option("--alpha", type=click.IntRange(1), default=32, show_default=True, help="Of the LoRA adapter.")
@click.option("--length", type=click.IntRange(16), default=2048, show_default=True, help="Most tokens of a side.")
@click.option("--seed", type=int, default=0, show_default=True)
@json_option
@click.pass_context
def dpo(context: click.Context, /, pairs: Path, model: str, out: Path, as_json: bool, **plan: Any) -> None:
    """Tune a generator on preference PAIRS (direct preference optimisation, LoRA).

    PAIRS is what `octavo preferences` writes, or any file of TRL's preference format. The folder that results holds
    the LoRA adapter with its tokenizer, and dpo.json with the loss and the margins of each step.
    """
    files_only((pairs,))
    from octavo.training.dpo import DPOPlan, tune

    with steps_bar("tuning", "step") as show:
        report = tune(pairs, model, out, DPOPlan(**plan), show, settings_of(context, None).device)
    if as_json:
        print_json(asdict(report) | {"adapter": str(out)})
        return
    first, last = report.steps[0], report.steps[-1]
    click.echo(counts(pair=report.pairs, step=len(report.steps)))
    click.echo(f"loss {first['loss']:.4f} to {last['loss']:.4f}")
    click.echo(f"margin {first['rewards/margins']:.4f} to {last['rewards/margins']:.4f}")
    click.echo(f"adapter: {out}")

"""The command line. `octavo --help` lists the commands; `--json` prints exactly one JSON document on stdout.

Exit code 0 on success, 2 on wrong use, 1 on failure, with one line on stderr that says what is wrong and what to do.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from octavo.commands import (
    calibration,
    documents,
    domains,
    evaluation,
    preferences,
    quantization,
    questions,
    service,
    training,
)


class _Commands(click.Group):
    """Commands whose expected errors are one line on stderr, whatever layer they come from."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            _fail("interrupted; what was stored is kept, and the same command goes on from there, or begins again", 130)
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
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # or it tells of each try to reach a hub
    context.obj = {"library": library}


for _command in (
    *(documents.parse, documents.ingest, documents.documents, documents.card, documents.delete),
    *(documents.index,),
    *(questions.search, questions.ask, domains.domains),
    *(evaluation.evaluate, calibration.calibrate),
    *(training.train, training.train_pages),
    *(preferences.preferences, preferences.dpo),
    *(quantization.quantize, service.serve, service.doctor),
):
    main.add_command(_command)

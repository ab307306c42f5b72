"""How fast texts become vectors on a CPU, and whether a search finds the same: Octavo beside sentence-transformers.

    python benchmarks/embedding.py rate ../shared/data/financebench/pdfs [--texts 32] [--rounds 5]
    python benchmarks/embedding.py search ../shared/data/financebench [--every 8]

`rate` takes chunks of 1,000 characters of the pages' text (overlap 100), and those that Octavo makes of a few pages.
All ways run in turn, in short rounds, each over texts of its own, so that other work on the machine meets all of them;
the medians of one run compare. Sentence-transformers stands there as it comes and with one thread: two of them in one
operation spin while they wait for each other, which costs most where cores are shared.

`search` ranks the chunks of every n-th page, and of the pages with evidence, for the questions beside them
(FinanceBench's, or the column "Question" of a CSV, which has no evidence). Its reference are Octavo's float32 vectors,
which `rate` shows to be those of sentence-transformers.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from octavo.evaluation.metrics import Page
from octavo.evaluation.questions import read_questions
from octavo.evaluation.statistics import Estimate, mean_interval
from octavo.ingest.chunks import make_chunks
from octavo.ingest.directions import unit
from octavo.ingest.parse import assemble
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.readers.mupdf.reader import PyMuPDFReader
from octavo.kernels.device import has_bfloat16
from octavo.retrieval.embedder import EMBEDDED, SentenceEmbedder, load_model
from octavo.retrieval.packed import packed

Vectors = NDArray[np.float32]
Encode = Callable[[list[str]], Vectors]

K = 10
_SIZE, _STEP = 1000, 900  # characters
_AT_ONCE = 512


def pages_of(path: Path) -> Iterator[tuple[Page, str]]:
    """Each page of a PDF with its text."""
    with pymupdf.open(path) as document:
        for number, page in enumerate(document, 1):
            yield (path.stem, number), page.get_text()


def cut(text: str) -> list[str]:
    """The chunks of a page that a tutorial makes."""
    starts = range(0, max(len(text) - (_SIZE - _STEP), 1), _STEP)
    return [part for start in starts if (part := text[start : start + _SIZE]).strip()]


def octavo_chunks(paths: list[Path], pages: int) -> list[str]:
    """What Octavo embeds of `pages` pages from the middle of each PDF."""
    reader, texts = PyMuPDFReader(), []
    with TemporaryDirectory() as folder:
        for path in tqdm(paths, desc="reading", leave=False):
            excerpt = Path(folder) / path.name
            with pymupdf.open(path) as whole, pymupdf.open() as part:
                first = max(0, (whole.page_count - pages) // 2)
                part.insert_pdf(whole, from_page=first, to_page=min(whole.page_count, first + pages) - 1)
                part.save(excerpt)
            outline = reader.outline(excerpt)
            document = assemble(outline, reader.read(excerpt, "x", 1, outline.pages))
            texts += [chunk.indexed_text for chunk in make_chunks(document, path.stem)]
    return texts


def plain(dtype: torch.dtype) -> Encode:
    """The embedded model through sentence-transformers, as its users call it."""
    model = load_model(EMBEDDED, dtype, torch.device("cpu"))
    return lambda texts: unit(model.encode(texts, convert_to_tensor=True).float().numpy())


def ours(dtype: torch.dtype) -> Encode:
    """The embedded model packed."""
    model = packed(load_model(EMBEDDED, dtype, torch.device("cpu")))
    if model is None:
        raise SystemExit("this processor has no oneDNN: Octavo embeds through sentence-transformers here")
    return lambda texts: unit(model.encode(texts))


def alone(encode: Encode) -> Encode:
    """`encode` in one thread."""

    def limited(texts: list[str]) -> Vectors:
        with threadpool_limits(1, "openmp"):
            return encode(texts)

    return limited


def rates(kinds: dict[str, list[str]], rounds: int) -> None:
    """Prints chunks a second of each way, for each kind of texts."""
    ways = {"sentence-transformers, float32": plain(torch.float32)}
    ways["the same, one thread"] = alone(ways["sentence-transformers, float32"])
    if has_bfloat16():
        ways["sentence-transformers, bfloat16"] = plain(torch.bfloat16)
    ways |= {"Octavo, float32": ours(torch.float32), "Octavo": SentenceEmbedder(device="cpu").encode}
    for kind, texts in kinds.items():
        length = sum(map(len, texts)) / len(texts)
        print(f"\n{len(texts)} chunks, {kind}, {length:.0f} characters on average, in {rounds} rounds\n")
        wall: dict[str, list[float]] = defaultdict(list)
        busy: dict[str, list[float]] = defaultdict(list)
        vectors: dict[str, list[Vectors]] = defaultdict(list)
        for encode in ways.values():
            encode(["warm"])
        for turn in tqdm(range(rounds), desc=kind, leave=False):
            some = texts[turn::rounds]
            for name, encode in ways.items():
                start, used = perf_counter(), process_time()
                made = encode(some)
                wall[name].append(len(some) / (perf_counter() - start))
                busy[name].append(len(some) / (process_time() - used))
                vectors[name].append(made)
        print("| | chunks/s | ratio, least to most | chunks/s of processor time | ratio | cosine, least / mean |")
        print("|---|---|---|---|---|---|")
        first = next(iter(ways))
        for name in ways:
            cosine = (np.concatenate(vectors[name]) * np.concatenate(vectors[first])).sum(axis=1)
            ratio = [a / b for a, b in zip(wall[name], wall[first], strict=True)]
            print(
                f"| {name} | {median(wall[name]):.1f} | {median(ratio):.2f}, {min(ratio):.2f} to {max(ratio):.2f} "
                f"| {median(busy[name]):.1f} | {median(busy[name]) / median(busy[first]):.2f} "
                f"| {cosine.min():.5f} / {cosine.mean():.5f} |"
            )


def search(folder: Path, every: int) -> None:
    """Prints how far the rankings by Octavo's vectors are those by float32 vectors."""
    if (tables := sorted(folder.glob("*.csv"))) and not (folder / "questions.jsonl").exists():
        with tables[0].open(encoding="utf-8-sig") as file:
            questions, evidence = [row["Question"] for row in csv.DictReader(file)], None
    else:
        read = read_questions(folder / "questions.jsonl")
        questions, evidence = [q.text for q in read], [{(Path(d).stem, p) for d, p in q.evidence} for q in read]
    wanted = set().union(*evidence) if evidence else set()
    pages: list[Page] = []
    texts: list[str] = []
    for path in sorted(folder.rglob("*.pdf")):
        for page, text in pages_of(path):
            if page[1] % every == 0 or page in wanted:
                parts = cut(text)
                pages += [page] * len(parts)
                texts += parts
    ways = {"float32": ours(torch.float32), "Octavo": SentenceEmbedder(device="cpu").encode}
    documents = {name: many(encode, texts, name) for name, encode in ways.items()}
    asked = {name: encode(questions) for name, encode in ways.items()}
    cosine = (documents["float32"] * documents["Octavo"]).sum(axis=1)
    print(f"{len(questions)} questions over {len(texts)} chunks; cosine {cosine.min():.5f} / {cosine.mean():.5f}\n")
    print(f"| documents, questions | the same {K} chunks | the same first chunk | evidence pages in {K} pages |")
    print("|---|---|---|---|")
    reference: list[list[int]] = []
    found: dict[str, list[float]] = {}
    for name, (docs, asks) in {
        "float32, float32": ("float32", "float32"),
        "Octavo, Octavo": ("Octavo", "Octavo"),
        "Octavo, float32": ("Octavo", "float32"),
    }.items():
        ranking = np.argsort(-(asked[asks] @ documents[docs].T), axis=1, kind="stable").tolist()
        reference = reference or ranking
        pairs = list(zip(ranking, reference, strict=True))
        same = mean_interval([len({*a[:K]} & {*b[:K]}) / K for a, b in pairs])
        first = mean_interval([float(a[0] == b[0]) for a, b in pairs])
        recall = "none known"
        if evidence:
            found[name] = [recalled([pages[n] for n in row], e) for row, e in zip(ranking, evidence, strict=True)]
            less = [a - b for a, b in zip(found[name], found["float32, float32"], strict=True)]
            recall = f"{shown(mean_interval(found[name]))}; difference {shown(mean_interval(less))}"
        print(f"| {name} | {shown(same)} | {shown(first)} | {recall} |")


def many(encode: Encode, texts: list[str], name: str) -> Vectors:
    """Vectors of all `texts`, with progress."""
    starts = tqdm(range(0, len(texts), _AT_ONCE), desc=name, leave=False)
    return np.concatenate([encode(texts[start : start + _AT_ONCE]) for start in starts])


def recalled(ranking: list[Page], evidence: set[Page]) -> float:
    """The share of `evidence` among the first K distinct pages."""
    return len(evidence & set(list(dict.fromkeys(ranking))[:K])) / len(evidence)


def shown(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rate", "search"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=32, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=int, default=8, help="of how many pages one is searched")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "search":
        search(options.folder, options.every)
        return
    random = Random(options.seed)  # noqa: S311
    paths = sorted(options.folder.rglob("*.pdf"))
    fixed = [
        part for path in random.sample(paths, min(6, len(paths))) for _, text in pages_of(path) for part in cut(text)
    ]
    own = octavo_chunks(random.sample(paths, min(8, len(paths))), pages=5)
    kinds = {"1,000 characters": fixed, "as Octavo makes them": own}
    most = options.texts * options.rounds
    rates({kind: random.sample(texts, min(most, len(texts))) for kind, texts in kinds.items()}, options.rounds)


if __name__ == "__main__":
    main()

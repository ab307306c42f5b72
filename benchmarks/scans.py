"""How well pages without a text layer are read: those of real PDFs, rendered to pictures, beside PyMuPDF4LLM's own OCR.

    python benchmarks/scans.py DATA [--pages 8] [--dpi 150 200] [--documents 6] [--cache FOLDER]

Text: of `ntsb`, `agency` and `sec10q`, pages drawn by a seed. What is read of the picture is compared with what the
same reader reads of the page's text layer: the character error rate is their edit distance over the latter's length,
in reading order; the word error rate is 1 - F1 of the words of both as two bags, whatever their order. Tables: the
first `--documents` of `icdar2013`, as `score_tables.py` beside DATA scores them. Seconds are of CPU, for a page that is
read by OCR. Intervals: 2.5 and 97.5 percentiles over 2,000 draws of pages with replacement.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any

from rapidfuzz.distance import Levenshtein

TEXTS = ("ntsb", "agency", "sec10q")
_LEAST_WORDS = 100
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "|": " "})
Page = dict[str, Any]
"""Of a page as read: its `text` in reading order, its `tables` as rows of strings, the CPU `seconds` it took."""


def octavo_reads(path: Path) -> list[Page]:
    from octavo.ingest.model import ElementType
    from octavo.ingest.parse import assemble
    from octavo.ingest.readers.mupdf.reader import PyMuPDFReader

    reader, pages = PyMuPDFReader(ocr=True), []
    outline = reader.outline(path)
    for number in range(1, outline.pages + 1):
        start = process_time()
        elements = assemble(outline, reader.read(path, "x", number, number)).elements
        tables = [e.table.rows for e in elements if e.type is ElementType.TABLE and e.table]
        pages.append({"text": "\n".join(e.text for e in elements), "tables": tables, "seconds": process_time() - start})
    return pages


def pymupdf4llm_reads(path: Path) -> list[Page]:
    import pymupdf
    import pymupdf4llm

    pymupdf.use_layout(True)
    pages = []
    with pymupdf.open(path) as document:
        for number in range(document.page_count):
            start = process_time()
            boxes = json.loads(pymupdf4llm.to_json(document, pages=[number]))["pages"][0]["boxes"]
            tables = [box["table"]["extract"] for box in boxes if box["table"]]
            texts = [
                "\n".join(" | ".join(cell or "" for cell in row) for row in box["table"]["extract"])
                if box["table"]
                else "\n".join(" ".join(span["text"] for span in line["spans"]) for line in box["textlines"] or ())
                for box in boxes
            ]
            pages.append({"text": "\n".join(texts), "tables": tables, "seconds": process_time() - start})
    return pages


READERS: dict[str, Callable[[Path], list[Page]]] = {"octavo": octavo_reads, "pymupdf4llm": pymupdf4llm_reads}


def read(reader: str, path: Path, folder: Path) -> list[Page]:
    """The pages of a PDF by a reader in a process of its own, since each sets PyMuPDF up in its way."""
    kept = folder / f"{reader}-{path.stem}-{version()}.json"
    if not kept.exists():
        command = [sys.executable, __file__, "--reader", reader, str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        kept.write_text(done.stdout.splitlines()[-1])
    return json.loads(kept.read_text())


@cache
def version() -> str:
    """A digest of the code that reads, since pages read by another are not to be shown as its own."""
    modules = sorted((Path(__file__).parents[1] / "ingest").rglob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()[:12]


def sample(folder: Path, pages: int, target: Path) -> Path:
    """A PDF of pages drawn from those of a folder."""
    import pymupdf

    paths, draw = sorted(folder.rglob("*.pdf")), random.Random(folder.name)  # noqa: S311
    path = target / f"{folder.name}-{pages}.pdf"
    with pymupdf.open() as chosen:
        while chosen.page_count < pages:
            with pymupdf.open(draw.choice(paths)) as source:
                number = draw.randrange(source.page_count)
                if len(source[number].get_text("words")) >= _LEAST_WORDS:
                    chosen.insert_pdf(source, from_page=number, to_page=number)
        chosen.save(path)
    return path


def rendered(path: Path, dpi: int, target: Path) -> Path:
    """The PDF as a scanner would have it: each page its picture."""
    import pymupdf

    scanned = target / f"{path.stem}-{dpi}.pdf"
    with pymupdf.open(path) as source, pymupdf.open() as pictures:
        for page in source:
            sheet = pictures.new_page(width=page.rect.width, height=page.rect.height)
            sheet.insert_image(sheet.rect, stream=page.get_pixmap(dpi=dpi, alpha=False).tobytes("jpg", 90))
        pictures.save(scanned)
    return scanned


def plain(text: str) -> str:
    """Quotes, dashes and spaces made alike, as no reader of the page could tell more of them."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_QUOTES)).strip()


def errors(truth: str, seen: str) -> tuple[float, float]:
    """Character error rate in reading order, and word error rate out of any order."""
    truth, seen = plain(truth), plain(seen)
    a, b = Counter(truth.split()), Counter(seen.split())
    return Levenshtein.distance(truth, seen) / len(truth), 1 - 2 * (a & b).total() / (a.total() + b.total())


def interval(values: Sequence[float]) -> str:
    draw = random.Random(0)  # noqa: S311
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(2000))
    return f"{mean(values):.4f} ({means[50]:.4f} to {means[1949]:.4f})"


def score(readings: Mapping[Path, Sequence[Page]], data: Path) -> str:
    """What `score_tables.py` says of the pages that a reader made of documents."""
    with tempfile.TemporaryDirectory() as truth, tempfile.TemporaryDirectory() as found:
        for path, pages in readings.items():
            for file in (path, path.with_name(f"{path.stem}-str.xml")):
                (Path(truth) / file.name).symlink_to(file.resolve())
            elements = [
                {"type": "table", "page": number, "rows": rows}
                for number, page in enumerate(pages, 1)
                for rows in page["tables"]
            ]
            (Path(found) / f"{path.stem}.json").write_text(json.dumps({"elements": elements}))
        scorer = data.parent / "bench" / "score_tables.py"
        return subprocess.run([sys.executable, scorer, truth, found], check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--dpi", type=int, nargs="+", default=[150, 200])
    parser.add_argument("--documents", type=int, default=6)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "octavo-scans")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reader:
        print(json.dumps(READERS[given.reader](given.data)))
        return
    given.cache.mkdir(parents=True, exist_ok=True)

    print("| pages | dpi | reader | characters wrong | words wrong | s/page |\n|---|---|---|---|---|---|")
    for folder in TEXTS:
        path = sample(given.data / folder, given.pages, given.cache)
        for dpi in given.dpi:
            for reader in READERS:
                truth = read(reader, path, given.cache)
                seen = read(reader, rendered(path, dpi, given.cache), given.cache)
                wrong = [errors(a["text"], b["text"]) for a, b in zip(truth, seen, strict=True)]
                characters, words = (interval(values) for values in zip(*wrong, strict=True))
                seconds = mean(page["seconds"] for page in seen)
                print(f"| {folder} | {dpi} | {reader} | {characters} | {words} | {seconds:.1f} |", flush=True)

    paths = sorted((given.data / "icdar2013").glob("*.pdf"))[: given.documents]
    for reader in READERS:
        for dpi in (None, *given.dpi):
            files = {path: rendered(path, dpi, given.cache) if dpi else path for path in paths}
            readings = {path: read(reader, file, given.cache) for path, file in files.items()}
            print(f"tables of {f'{dpi} dpi' if dpi else 'the text layer'}, {reader}:", score(readings, given.data))


if __name__ == "__main__":
    main()

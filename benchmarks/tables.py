"""Tables of the ICDAR-2013 competition: Octavo by each of its readers, PyMuPDF4LLM, and PyMuPDF's `find_tables`.

    python benchmarks/tables.py FOLDER SCORER [--html OUT]

FOLDER holds NAME.pdf and NAME-str.xml, SCORER is the program `score_tables.py`. The tools read at the same time, one
process each, with the threads they take by default; the seconds are of the CPU, the start left out. `--html`
writes a page with each true table as a picture beside its rows and those that Octavo found, the worst first.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

Found = list[dict[str, Any]]


def octavo(path: Path, backend: str = "pymupdf") -> Found:
    from octavo import contract
    from octavo.ingest.parse import assemble
    from octavo.ingest.readers import make_reader

    reader = make_reader(backend, ocr=False)
    outline = reader.outline(path)
    parsed = contract.parsed(assemble(outline, reader.read(path, "x", 1, outline.pages)))
    return [element for element in parsed["elements"] if element["type"] == "table"]


def pymupdf4llm(path: Path) -> Found:
    import pymupdf

    pymupdf.use_layout(True)
    import pymupdf4llm

    with pymupdf.open(path) as document:
        pages = json.loads(pymupdf4llm.to_json(document, use_ocr=False))["pages"]
    return [
        {"type": "table", "page": page["page_number"], "rows": box["table"]["extract"]}
        for page in pages
        for box in page["boxes"]
        if box["table"]
    ]


def find_tables(path: Path) -> Found:
    import pymupdf

    pymupdf.use_layout(True)
    with pymupdf.open(path) as document:
        return [
            {"type": "table", "page": page.number + 1, "rows": table.extract()}
            for page in document
            for table in page.find_tables(union=True, refine=True).tables
        ]


TOOLS: dict[str, Callable[[Path], Found]] = {
    "Octavo": octavo,
    "Octavo, pdfium": partial(octavo, backend="pdfium"),
    "PyMuPDF4LLM to_json": pymupdf4llm,
    "find_tables(union, refine)": find_tables,
}


def run(tool: str, folder: Path, target: Path) -> None:
    """Writes what `tool` finds in each PDF of `folder` to `target`, and prints the seconds it took."""
    paths = sorted(folder.glob("*.pdf"))
    TOOLS[tool](paths[0])
    start = process_time()
    found = {path.stem: TOOLS[tool](path) for path in paths}
    print(process_time() - start)
    for name, tables in found.items():
        (target / f"{name}.json").write_text(json.dumps({"elements": tables}))


def page_count(folder: Path) -> int:
    import pymupdf

    return sum(len(pymupdf.open(path)) for path in folder.glob("*.pdf"))


def losses(folder: Path, found: Path, scorer: dict[str, Any]) -> Iterator[tuple[float, str, int, Any, Any, Any]]:
    """For each true table its likeness to the best found one, where it stands, its rows, the found ones and its box."""
    import xml.etree.ElementTree as ET

    for path in sorted(folder.glob("*-str.xml")):
        name = path.name.removesuffix("-str.xml")
        if not (folder / f"{name}.pdf").exists():
            continue
        tables = json.loads((found / f"{name}.json").read_text())["elements"]
        boxes: dict[int, list[list[float]]] = {}
        for region in ET.parse(path).getroot().iter("region"):  # noqa: S314
            sides = [[float(box.get(side)) for side in ("x1", "y1", "x2", "y2")] for box in region.iter("bounding-box")]
            x0, y0, x1, y1 = zip(*sides, strict=True)
            boxes.setdefault(int(region.get("page", 1)), []).append([min(x0), min(y0), max(x1), max(y1)])
        for page, true in scorer["truth"](path).items():
            seen = [scorer["clean"](table["rows"]) for table in tables if table["page"] == page]
            for rows, box in zip(true, boxes[page], strict=True):
                best = max(seen, key=lambda one, rows=rows: scorer["similarity"](rows, one), default=[])
                yield scorer["similarity"](rows, best), name, page, rows, best, box


def as_html(folder: Path, found: Path, scorer: dict[str, Any]) -> str:
    import pymupdf

    parts = ["<style>td { border: 1px solid #bbb; font: 11px sans-serif; vertical-align: top }</style>"]
    for like, name, page, true, best, (x0, y0, x1, y1) in sorted(losses(folder, found, scorer)):
        with pymupdf.open(folder / f"{name}.pdf") as document:
            sheet = document[page - 1]
            whole = pymupdf.Rect(x0, y0, x1, y1) * ~pymupdf.Matrix(1, 0, 0, -1, 0, sheet.mediabox.height)
            clip = (whole.normalize() * sheet.rotation_matrix + (-20, -20, 20, 20)) & sheet.rect
            picture = base64.b64encode(sheet.get_pixmap(clip=clip, dpi=90).tobytes("png")).decode()
        parts.append(f"<h3>{name}, page {page}: {like:.3f}</h3><img src='data:image/png;base64,{picture}'>")
        for title, rows in (("truth", true), ("found", best)):
            cells = ("".join(f"<td>{html.escape(text)}</td>" for text in row) for row in rows)
            parts.append(f"<h4>{title}</h4><table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scorer", type=Path)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--tool", choices=TOOLS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tool:
        run(options.tool, options.folder, options.scorer)
        return
    pages = page_count(options.folder)
    print("| | adjacency F1 | TEDS | detection P / R | CPU s/page |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(len(TOOLS)) as threads:
        targets = {tool: Path(scratch) / str(n) for n, tool in enumerate(TOOLS)}
        for target in targets.values():
            target.mkdir()
        seconds = threads.map(lambda tool: spent(tool, options.folder, targets[tool]), TOOLS)
        for tool, cost in zip(TOOLS, seconds, strict=True):
            print(row(tool, scored(options.scorer, options.folder, targets[tool]), cost / pages), flush=True)
        if options.html:
            scorer = runpy.run_path(str(options.scorer))
            options.html.write_text(as_html(options.folder, targets["Octavo"], scorer))


def spent(tool: str, folder: Path, target: Path) -> float:
    """CPU seconds that `tool` takes for the PDFs of `folder` in a process of its own."""
    command = [sys.executable, __file__, str(folder), str(target), "--tool", tool]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def scored(scorer: Path, folder: Path, found: Path) -> dict[str, float]:
    command = [sys.executable, str(scorer), str(folder), str(found)]
    line: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return line


def row(tool: str, line: dict[str, float], seconds: float) -> str:
    found = f"{line['detection_p']:.3f} / {line['detection_r']:.3f}"
    return f"| {tool} | {line['adjacency_f1']:.3f} | {line['teds']:.3f} | {found} | {seconds:.2f} |"


if __name__ == "__main__":
    main()

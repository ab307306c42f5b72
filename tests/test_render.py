"""Pages as pictures, whatever reads them: the page or a part, boxes drawn where they lie on the displayed page."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pebble import ProcessPool
from PIL import Image

from octavo.ingest import render
from octavo.ingest.model import Box
from octavo.ingest.reader import UnreadableError
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.render import page_png

RED = (1.0, 0.0, 0.0)
DPI = 72


@pytest.fixture(params=[0, 90, 180, 270])
def marked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Box]:
    """A cropped page displayed turned, with one black square on it; and where the square is displayed."""
    path = tmp_path / "marked.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=600)
        page.draw_rect((150, 200, 190, 260), fill=(0, 0, 0))
        document.xref_set_key(page.xref, "CropBox", "[100 50 390 500]")
        page.set_rotation(request.param)
        document.save(path)
    left, top, right, bottom = 150 - 100, 200 - 100, 190 - 100, 260 - 100
    width, height = 290, 450
    return path, {
        0: (left, top, right, bottom),
        90: (height - bottom, left, height - top, right),
        180: (width - right, height - bottom, width - left, height - top),
        270: (top, width - right, bottom, width - left),
    }[request.param]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def extent(mask: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_box_is_drawn_where_the_displayed_page_has_it(marked: tuple[Path, Box]) -> None:
    path, box = marked
    plain, drawn = pixels(page_png(path, 1, dpi=DPI)), pixels(page_png(path, 1, [(box, RED)], dpi=DPI))
    assert np.allclose(extent(plain.max(axis=2) < 128), box, atol=1.5)
    changed = np.abs(plain - drawn).max(axis=2) > 10
    assert np.allclose(extent(changed), (box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), atol=1.5)


def test_a_part_is_shown_alone_with_its_boxes(marked: tuple[Path, Box]) -> None:
    path, box = marked
    clip = box[0] - 10, box[1] - 20, box[2] + 10, box[3] + 20
    part = pixels(page_png(path, 1, [(box, RED)], dpi=2 * DPI, clip=clip))
    assert np.allclose(part.shape[:2], (2 * (clip[3] - clip[1]), 2 * (clip[2] - clip[0])), atol=2)
    dark = part.max(axis=2) < 128
    assert np.allclose(extent(dark), (20, 40, 2 * (box[2] - clip[0]), 2 * (box[3] - clip[1])), atol=3)


def test_a_page_that_claims_to_be_huge_is_drawn_small(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page(width=14000, height=7000)
        document.save(tmp_path / "huge.pdf")
    assert pixels(page_png(tmp_path / "huge.pdf", 1)).shape[:2] == (2000, 4000)


def test_threads_that_draw_first_share_a_pool(marked: tuple[Path, Box], monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def slow(**how: Any) -> ProcessPool:
        time.sleep(0.2)
        made.append(ProcessPool(**how))
        return made[-1]

    monkeypatch.setattr(render, "ProcessPool", slow)
    monkeypatch.setattr(render, "_pool", cache(render._pool.__wrapped__))
    with ThreadPoolExecutor(4) as threads:
        drawn = set(threads.map(lambda _: page_png(marked[0], 1), range(4)))
    for pool in made:
        pool.stop()
        pool.join()
    assert (len(drawn), len(made)) == (1, 1)


def test_a_page_that_is_not_there_is_an_error(marked: tuple[Path, Box]) -> None:
    with pytest.raises(IndexError, match="page 2 of 1"):
        page_png(marked[0], 2)


def test_a_file_that_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    (tmp_path / "text.pdf").write_text("This is only text.")
    with pytest.raises(UnreadableError, match="not a PDF"):
        page_png(tmp_path / "text.pdf", 1)


def test_a_pool_that_is_broken_is_made_anew(marked: tuple[Path, Box]) -> None:
    path, _ = marked
    page_png(path, 1, dpi=DPI)
    broken = render._pool()
    broken.stop()
    broken.join()
    assert pixels(page_png(path, 1, dpi=DPI)).any()
    assert render._pool() is not broken

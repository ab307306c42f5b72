"""What the glyphs of a page say, where PyMuPDF by itself tells something else than is shown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from octavo.ingest.geometry import covered, middle
from octavo.ingest.model import Box
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.sheet import Word
from octavo.ingest.text import clean

_SPACED = re.compile(rb"(<[0-9A-Fa-f]+>\s*)<0020((?:[0-9A-Fa-f]{4})+)>")
SHOWN = pymupdf.TEXTFLAGS_WORDS | pymupdf.TEXT_ACCURATE_BBOXES | pymupdf.TEXT_IGNORE_ACTUALTEXT
"""How text is taken: as the glyphs say, not as an `ActualText` says in their place, which nobody sees."""


def mend_maps(page: pymupdf.Page) -> None:
    """Takes the space, in memory, from glyphs that a font's map to Unicode gives one and more, as InDesign does.

    With it "69.70%" is "69 .70%", and a full stop has no width, so that it is lost.
    """
    for xref, *_ in page.get_fonts():
        with suppress(ValueError, RuntimeError, pymupdf.mupdf.FzErrorBase):  # a damaged font is read as it is
            kind, at = page.parent.xref_get_key(xref, "ToUnicode")
            told = page.parent.xref_stream(int(at.split()[0])) if kind == "xref" else None
            if told and _SPACED.search(told):
                page.parent.update_stream(int(at.split()[0]), _SPACED.sub(rb"\1<\2>", told))


def recased(words: Sequence[Word], page: pymupdf.Page) -> Iterator[Word]:
    """The words, each in the case in which `ActualText` has it where that differs in no more.

    Capitals of two sizes are often a font whose small letters look like capitals: "PerFormAnce".
    """
    shown = {(word.text, *_near(word.bbox)) for word in words}
    told: dict[str, list[tuple[Box, str]]] = defaultdict(list)
    for x0, y0, x1, y1, raw, *_ in page.get_text("words", flags=pymupdf.TEXTFLAGS_WORDS):
        text, box = clean(raw), (x0, y0, x1, y1)
        if (text, *_near(box)) not in shown:  # as nearly all are
            told[text.casefold()].append((box, text))
    for word in words:
        others = told.get(word.text.casefold(), ())
        text = next((text for box, text in others if covered(word.bbox, box) > 0.5), word.text)
        yield word if text == word.text else replace(word, text=text)


def _near(box: Box) -> tuple[int, int]:
    x, y = middle(box)
    return round(x), round(y / 4)

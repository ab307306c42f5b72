"""What the glyphs of a page say, where PyMuPDF by itself tells something else than is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product

from octavo.ingest.geometry import covered, middle
from octavo.ingest.model import Box
from octavo.ingest.readers.mupdf.door import pymupdf
from octavo.ingest.sheet import Word
from octavo.ingest.text import clean

_SPACED = re.compile(rb"<\s*0020\s*002[Ee]\s*>")  # in a font's map to Unicode
_LONGEST = 2**21  # bytes of such a map; one of all 65,536 glyphs of a font has half as many
SHOWN = pymupdf.TEXTFLAGS_WORDS | pymupdf.TEXT_ACCURATE_BBOXES | pymupdf.TEXT_IGNORE_ACTUALTEXT
"""How text is taken: as the glyphs say, not as an `ActualText` says in their place, which nobody sees."""


def mend_maps(page: pymupdf.Page, seen: set[int]) -> None:
    """Takes the space, in memory, from full stops that a font's map to Unicode gives one, as InDesign does.

    With it "69.70%" is "69 .70%", and a full stop has no width, so that it is lost. Accents keep theirs, without which
    they would go to the letter before. A map of over 2 MiB stays as it is. `seen` remembers which maps of the
    document were looked at.
    """
    for font, *_ in page.get_fonts():
        with suppress(ValueError, RuntimeError, pymupdf.mupdf.FzErrorBase):  # a damaged font is read as it is
            kind, at = page.parent.xref_get_key(font, "ToUnicode")
            xref = int(at.split()[0]) if kind == "xref" else 0
            if xref and xref not in seen:
                seen.add(xref)  # at once, since one that cannot be read would cost as much each time
                told = _opening(page.parent, xref)
                if len(told) <= _LONGEST and _SPACED.search(told):
                    page.parent.update_stream(xref, _SPACED.sub(b"<002E>", told))


def _opening(document: pymupdf.Document, xref: int) -> bytes:
    """A stream unpacked, or of a longer one the first `_LONGEST` bytes and one more."""
    stream = pymupdf.mupdf.pdf_open_stream_number(pymupdf.mupdf.pdf_document_from_fz_document(document.this), xref)
    opening = pymupdf.mupdf.fz_open_null_filter(stream, _LONGEST + 1, 0)
    return bytes(pymupdf.mupdf.fz_buffer_extract(pymupdf.mupdf.fz_read_all(opening, 2**16)))


def recased(words: Sequence[Word], page: pymupdf.Page) -> Sequence[Word]:
    """The words, each in the case in which `ActualText` has it where that differs in no more.

    Capitals of two sizes are often a font whose small letters look like capitals: "PerFormAnce".
    """
    if not _tells(page):  # as nearly all do not: the text need not be taken again
        return words
    shown = {(word.text, word.bbox) for word in words}
    told: dict[tuple[str, int, int], tuple[Box, str]] = {}
    for x0, y0, x1, y1, raw, *_ in page.get_text("words", flags=SHOWN & ~pymupdf.TEXT_IGNORE_ACTUALTEXT):
        text, box = clean(raw), (x0, y0, x1, y1)
        if (text, box) not in shown:
            told.setdefault((text.casefold(), *_cell(box)), (box, text))
    return [replace(word, text=_told(word, told)) for word in words] if told else words


def _told(word: Word, told: Mapping[tuple[str, int, int], tuple[Box, str]]) -> str:
    letters, (column, row) = word.text.casefold(), _cell(word.bbox)
    for place in product((letters,), range(column - 1, column + 2), range(row - 1, row + 2)):
        box, text = told.get(place, (word.bbox, word.text))
        if text != word.text and covered(word.bbox, box) > 0.5:
            return text
    return word.text


def _cell(box: Box) -> tuple[int, int]:
    """Where a box lies, roughly: an `ActualText` stands up to a few letters from what is shown."""
    x, y = middle(box)
    return int(x // 12), int(y // 4)


class _Told(pymupdf.mupdf.FzDevice2):  # type: ignore[misc]
    """Draws nothing, and hears whether an `ActualText` has letters."""

    def __init__(self) -> None:
        super().__init__()
        self.use_virtual_begin_metatext()
        self.letters = False

    def begin_metatext(self, _context: object, kind: int, text: str) -> None:
        self.letters |= kind == pymupdf.mupdf.FZ_METATEXT_ACTUALTEXT and any(map(str.isalpha, text))


def _tells(page: pymupdf.Page) -> bool:
    """Whether an `ActualText` with letters stands on the page: in its contents, a form's, or its tree of structure."""
    device = _Told()
    pymupdf.mupdf.fz_run_page(page.this, device, pymupdf.mupdf.FzMatrix(), pymupdf.mupdf.FzCookie())
    pymupdf.mupdf.fz_close_device(device)
    return device.letters

"""How a page is read, whichever backend draws it: upright, by OCR where its text layer does not serve, and composed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Protocol

from octavo.ingest.geometry import sides
from octavo.ingest.model import Box
from octavo.ingest.pages.compose import compose
from octavo.ingest.pages.turning import turned_back
from octavo.ingest.reader import PageContent
from octavo.ingest.readers.fills import thin
from octavo.ingest.sheet import Region, Sheet
from octavo.ingest.textlayer.hidden import Pixels
from octavo.ingest.textlayer.ocr import available
from octavo.ingest.textlayer.scan import Scan, read_scan

_MOSTLY = 0.7  # of a page's letters: so many run in the direction in which the page is read


class DrawnPage(Protocol):
    """One page as a backend gives it. Boxes are in points from the top left of the page as it is turned by then."""

    def lean(self) -> int:
        """By how many degrees clockwise the page must be turned for most of its letters to stand upright."""
        ...

    def turn(self, degrees: int) -> None:
        """Turns the page clockwise, in memory, for all that is asked of it from then on."""
        ...

    def words_alone(self) -> Sheet:
        """The words that show, and nothing else of the page; what pictures hide is not looked at."""
        ...

    def drawn(self) -> Sheet:
        """All that the page draws, without regions."""
        ...

    def regions(self, drawn: Sheet, scan: Scan | None) -> tuple[Region, ...]:
        """What stands where on it: by what it draws, or by its `scan` where that is read in place of its text."""
        ...

    def pixels(self, dpi: float) -> Pixels:
        """The page in RGB (height, width, 3)."""
        ...

    def png(self, box: Box) -> bytes:
        """The box as a vision model can read it."""
        ...


def read_page(page: DrawnPage, prefix: str, ocr: bool, simple: bool) -> PageContent:
    """The elements of a page, their ids beginning with `prefix`; see `PageReader.read` for `simple`."""
    turn = page.lean()
    if turn:
        page.turn(turn)
    sheet, more = (page.words_alone(), 0) if simple else look(page, ocr)
    content = compose(sheet, prefix, page.png, ocr and available())
    turn = (turn + more) % 360
    return turned_back(content, turn) if turn else content


def usual_turn(letters: Counter[int]) -> int:
    """By how many degrees clockwise most letters of a page must be turned, by how many each must; 0 in doubt."""
    turn, count = max(letters.items(), key=lambda item: item[1], default=(0, 0))
    return turn if count > _MOSTLY * letters.total() else 0


def rules_of(box: Box, outlined: bool) -> list[Box]:
    """The rules that a drawn box makes: itself where it is thin, its sides where it is outlined."""
    if thin(box):
        return [box]
    return sides(box) if outlined else []


def look(page: DrawnPage, ocr: bool) -> tuple[Sheet, int]:
    """What a page shows, by OCR where its text layer does not serve; and how far clockwise it was turned for that."""
    drawn = page.drawn()
    scan = read_scan(drawn, page.pixels) if ocr else None
    if scan is None:
        return replace(drawn, regions=page.regions(drawn, None)), 0
    if scan.turn:
        page.turn(scan.turn)
        drawn = page.drawn()
    return scan.fill(drawn, page.regions(drawn, scan)), scan.turn

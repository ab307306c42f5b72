"""PDFs made to hang, bloat or crash their reader. Each has a sentence on its page, if one can get at it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

SENTENCE = b"BT /F1 12 Tf 72 700 Td (The harbour was built of granite.) Tj ET\n"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>%s>>>>"


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects over a plain one-page document: 1 catalogue, 2 page tree, 3 page, 4 contents, 5 font."""
    plain = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: PAGE % b"",
        4: stream(SENTENCE),
        5: FONT,
    }
    out, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, body in sorted({**plain, **objects}.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(offsets) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00000 f \n"
    return bytes(out + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def stream(data: bytes, keys: bytes = b"", packed: bool = True) -> bytes:
    """A stream object, by default deflated."""
    data = zlib.compress(data, 9) if packed else data
    return b"<</Length %d%s%s>>\nstream\n%s\nendstream" % (
        len(data),
        b"/Filter/FlateDecode" if packed else b"",
        keys,
        data,
    )


def deep_nesting(depth: int = 1_000_000) -> bytes:
    return pdf({6: b"[" * depth + b"]" * depth, 1: b"<</Type/Catalog/Pages 2 0 R/Extra 6 0 R>>"})


def deep_page_tree(depth: int = 20_000) -> bytes:
    nodes = {n: b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>" % (n - 1, n + 1) for n in range(10, 10 + depth)}
    nodes[10 + depth] = PAGE % b""
    return pdf({2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>", **nodes})


def nested_contents(depth: int = 3_000_000) -> bytes:
    return pdf({4: stream(SENTENCE + b"[" * depth)})


def saved_states(depth: int = 5_000_000) -> bytes:
    return pdf({4: stream(b"q\n" * depth + SENTENCE)})


def bomb(gigabytes: int = 8) -> bytes:
    """Contents that unpack to gigabytes, packed twice."""
    packer, packed, zeros = zlib.compressobj(9), bytearray(), b" " * 2**24
    for _ in range(gigabytes * 64):
        packed += packer.compress(zeros)
    packed += packer.compress(SENTENCE) + packer.flush()
    twice = zlib.compress(bytes(packed), 9)
    body = b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n%s\nendstream" % (len(twice), twice)
    return pdf({4: body})


def drawings(count: int = 1_000_000) -> bytes:
    """Short strokes all over the page, each a path of its own."""
    strokes = b"".join(
        b"%d %d m %d %d l S\n" % (n % 600, n // 600 % 790, n % 600 + 3, n // 600 % 790 + 2) for n in range(count)
    )
    return pdf({4: stream(SENTENCE + strokes)})


def words(count: int = 300_000) -> bytes:
    text = b"".join(b"BT /F1 1 Tf %d %d Td (a%d) Tj ET\n" % (n % 600, n // 600 % 790, n) for n in range(count))
    return pdf({4: stream(SENTENCE + text)})


def wide_page(points: int = 30_000) -> bytes:
    art = b"".join(b"%d 100 %d %d re f\n" % (x, points // 60, 100 + x % 300) for x in range(0, points, points // 40))
    return pdf({3: (PAGE % b"").replace(b"612 792", b"%d %d" % (points, points)), 4: stream(SENTENCE + art)})


def circular_page_tree() -> bytes:
    return pdf({2: b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2/Parent 2 0 R>>"})


def circular_form() -> bytes:
    """Two forms that draw each other, eight times each."""
    forms = {
        n: stream(
            b"/X Do\n" * 8,
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X %d 0 R>>>>" % (15 - n),
        )
        for n in (7, 8)
    }
    return pdf({3: PAGE % b"/XObject<</X 7 0 R>>", 4: stream(SENTENCE + b"/X Do\n"), **forms})


def form_tree(depth: int = 30) -> bytes:
    """Forms that each draw the next one ten times: 10 ** depth in all."""
    forms = {
        n: stream(
            b"/X Do\n" * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X %d 0 R>>>>" % (n + 1),
        )
        for n in range(7, 7 + depth)
    }
    forms[7 + depth] = stream(b"0 0 9 9 re f\n", b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]")
    return pdf({3: PAGE % b"/XObject<</X 7 0 R>>", 4: stream(SENTENCE + b"/X Do\n"), **forms})


def circular_outline() -> bytes:
    return pdf(
        {
            1: b"<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>",
            6: b"<</Type/Outlines/First 7 0 R/Last 7 0 R/Count 1>>",
            7: b"<</Title(a)/Parent 6 0 R/Next 7 0 R/First 7 0 R/Prev 7 0 R>>",
        }
    )


def circular_length() -> bytes:
    return pdf({4: b"<</Length 4 0 R>>\nstream\n" + SENTENCE + b"endstream"})


def huge_image(side: int = 30_000) -> bytes:
    packer, packed, row = zlib.compressobj(9), bytearray(), b"\0" * (side * 3)
    for _ in range(side // 10):
        packed += packer.compress(row)
    packed += packer.flush()
    keys = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB" % (side, side)
    image = b"<</Length %d/Filter/FlateDecode%s>>\nstream\n%s\nendstream" % (len(packed), keys, packed)
    return pdf(
        {3: PAGE % b"/XObject<</X 6 0 R>>", 4: stream(SENTENCE + b"q 500 0 0 500 50 100 cm /X Do Q\n"), 6: image}
    )


def fonts(count: int = 5_000) -> bytes:
    named = b"".join(b"/G%d %d 0 R" % (n, n + 10) for n in range(count))
    page = (PAGE % b"").replace(b"/F1 5 0 R", b"/F1 5 0 R" + named)
    text = b"".join(
        b"BT /G%d 2.5 Tf %d %d Td (w%d) Tj ET\n" % (n, 20 + n % 20 * 28, 780 - n // 20 * 3, n) for n in range(count)
    )
    return pdf({3: page, 4: stream(SENTENCE + text), **{n + 10: FONT for n in range(count)}})


def huge_map(megabytes: int = 100, count: int = 40) -> bytes:
    """Fonts that no text is in, with one map to Unicode among them."""
    packer, packed = zlib.compressobj(9), bytearray()
    for _ in range(megabytes):
        packed += packer.compress(b" " * 2**20)
    packed += packer.flush()
    told = b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(packed), packed)
    named = b"".join(b"/G%d %d 0 R" % (n, n + 10) for n in range(count))
    page = (PAGE % b"").replace(b"/F1 5 0 R", b"/F1 5 0 R" + named)
    font = FONT.replace(b">>", b"/ToUnicode 6 0 R>>")
    return pdf({3: page, 6: told, **{n + 10: font for n in range(count)}})


def broken_xref() -> bytes:
    whole = pdf({})
    start = whole.index(b"xref\n")
    return whole[:start] + whole[start:].replace(b"0", b"7")


def circular_xref() -> bytes:
    whole = pdf({})
    return pdf({}, b"/Prev %d" % whole.index(b"xref\n"))


def false_count(count: int = 2_000_000_000) -> bytes:
    return pdf({2: b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % count})


MAKERS: Mapping[str, Callable[[], bytes]] = {
    maker.__name__: maker
    for maker in (
        *(deep_nesting, deep_page_tree, nested_contents, saved_states, bomb, drawings, words, wide_page),
        *(circular_page_tree, circular_form, form_tree, circular_outline, circular_length, huge_image, fonts),
        *(huge_map, broken_xref, circular_xref, false_count),
    )
}


def write(folder: Path, name: str) -> Path:
    path = folder / f"{name.replace('_', '-')}.pdf"
    path.write_bytes(MAKERS[name]())
    return path

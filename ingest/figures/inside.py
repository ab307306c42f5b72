"""What a figure says where its page's text layer says nothing: text in images, and text drawn as paths, by OCR."""

from __future__ import annotations

from io import BytesIO
from math import ceil

from octavo.ingest.model import Box
from octavo.ingest.textlayer.ocr import DPI, recognise

_LEAST = 4  # letters and digits; a photograph's leaves and windows are read as fewer


def read_inside(png: bytes, box: Box) -> str:
    """The words in the picture of a box, from the top; "" where it has none. A larger picture is read at 150 dpi."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        image.thumbnail((ceil((box[2] - box[0]) * DPI / 72), ceil((box[3] - box[1]) * DPI / 72)))
        text = " ".join(word.text for word in recognise(np.asarray(image.convert("RGB")), 72).words)
    return text if sum(map(str.isalnum, text)) >= _LEAST else ""

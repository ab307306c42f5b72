"""What a figure says where its page's text layer says nothing: text in images, and text drawn as paths, by OCR."""

from __future__ import annotations

from io import BytesIO
from math import ceil

from octavo.ingest.model import Box
from octavo.ingest.textlayer.ocr import DPI, recognise

_BLANK = 16  # levels of 255
_LEAST = 4  # letters and digits; a photograph's leaves and windows are read as fewer


def is_blank(png: bytes) -> bool:
    """Whether a picture shows next to nothing, as of the back of a scanned sheet; its noise is not looked at."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        levels = np.asarray(image.convert("L").resize((32, 32)))
    return int(np.ptp(levels)) < _BLANK


def read_inside(png: bytes, box: Box) -> str:
    """The words in the picture of a box, from the top; "" where it has none. A larger picture is read at 150 dpi."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        image.thumbnail((ceil((box[2] - box[0]) * DPI / 72), ceil((box[3] - box[1]) * DPI / 72)))
        text = " ".join(word.text for word in recognise(np.asarray(image.convert("RGB")), 72).words)
    return text if sum(map(str.isalnum, text)) >= _LEAST else ""

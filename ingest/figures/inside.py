"""What a figure says where its page's text layer says nothing: text in images, and text drawn as paths, by OCR."""

from __future__ import annotations

from io import BytesIO

from octavo.ingest.ocr import recognise

_LEAST = 4  # letters and digits; a photograph's leaves and windows are read as fewer


def read_inside(png: bytes) -> str:
    """The words in a picture, from the top; "" where it has none."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        text = " ".join(word.text for word in recognise(np.asarray(image.convert("RGB")), 72).words)
    return text if sum(map(str.isalnum, text)) >= _LEAST else ""

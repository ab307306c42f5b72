"""Pictures for models to look at, and messages that hold them."""

from __future__ import annotations

import base64
import io

from langchain_core.messages import BaseMessage, HumanMessage
from PIL import Image


def png(width: int, height: int, period: int) -> bytes:
    """Stripes of so many shades, as a PNG file."""
    data = io.BytesIO()
    shades = Image.linear_gradient("L").resize((width, height)).point(lambda shade: shade % period)
    shades.convert("RGB").save(data, "PNG")
    return data.getvalue()


def question(text: str, *pictures: bytes) -> list[BaseMessage]:
    """A message of `text`, then `pictures`."""
    blocks = [{"type": "image", "base64": base64.b64encode(p).decode(), "mime_type": "image/png"} for p in pictures]
    return [HumanMessage([{"type": "text", "text": text}, *blocks])]

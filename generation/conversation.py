"""langchain messages as what transformers' chat templates and processors take. Knows nothing of any one model.

Pictures come inside the messages, as langchain image blocks or data URIs; an address on the web is never fetched.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from PIL import Image

from octavo.generation.weights import LocalModelError

MOST_PIXELS = 512 * 28 * 28
"""Largest picture that a model is shown, as UniDoc-Bench has it: about 512 tokens of Qwen2.5-VL. Larger are scaled."""

_LONGEST = 100
"""Most times that a picture's one side is the other; a thinner one is put on white. Qwen-VL takes at most 200."""


def turns(messages: Sequence[BaseMessage]) -> tuple[list[dict[str, Any]], list[Image.Image]]:
    """Each message as {"role", "content"}, with pictures as {"type": "image"}; and the pictures in their order.

    Raises LocalModelError for a picture that is not in the message itself, or that cannot be read.
    """
    pictures: list[Image.Image] = []
    said = []
    for message in convert_to_openai_messages(list(messages), text_format="block"):
        parts = []
        for part in message["content"]:
            if part["type"] == "text":
                parts.append({"type": "text", "text": part["text"]})
            elif part["type"] == "image_url":
                pictures.append(_picture(part["image_url"]["url"]))
                parts.append({"type": "image"})
            else:
                raise LocalModelError(f"a message holds a part of type {part['type']!r}: only texts and pictures serve")
        said.append({"role": message["role"], "content": parts})
    return said, pictures


def has_pictures(messages: Iterable[BaseMessage]) -> bool:
    """Whether any message holds a picture; nothing is read."""
    return any(isinstance(part, dict) and "image" in part["type"] for m in messages for part in m.content)


def text_of(turn: dict[str, Any]) -> dict[str, str]:
    """A turn with its texts as one string, as the templates of text models want it."""
    return {"role": turn["role"], "content": "\n".join(part["text"] for part in turn["content"])}


def _picture(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        raise LocalModelError("a picture must stand in the message itself, in base64: nothing is fetched")
    try:
        file = io.BytesIO(base64.b64decode(data, validate=True))
        picture = Image.open(file, formats=("PNG", "JPEG", "WEBP")).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # as Pillow's readers have it
        raise LocalModelError(f"a picture in the message cannot be read: {error}") from None
    return _fitted(picture)


def _fitted(picture: Image.Image) -> Image.Image:
    """A picture of at most `MOST_PIXELS`, and no thinner than `_LONGEST` allows."""
    room = max(picture.width, picture.height // _LONGEST), max(picture.height, picture.width // _LONGEST)
    scale = min(1.0, (MOST_PIXELS / (room[0] * room[1])) ** 0.5)
    if scale < 1:
        picture = picture.resize(_scaled(picture.size, scale))
    size = _scaled(room, scale)
    if size == picture.size:
        return picture
    white = Image.new("RGB", size, "white")
    white.paste(picture)
    return white


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))

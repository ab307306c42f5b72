"""langchain messages as what transformers' chat templates and processors take. Knows nothing of any one model.

Pictures come inside the messages, as langchain image blocks or data URIs; an address on the web is never fetched.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from PIL import Image

from octavo.generation.weights import LocalModelError

MOST_PIXELS = 512 * 28 * 28
"""Largest picture that a model is shown, as UniDoc-Bench has it: about 512 tokens of Qwen2.5-VL. Larger are scaled."""


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


def text_of(turn: dict[str, Any]) -> dict[str, str]:
    """A turn with its texts as one string, as the templates of text models want it."""
    return {"role": turn["role"], "content": "\n".join(part["text"] for part in turn["content"])}


def _picture(url: str) -> Image.Image:
    head, _, data = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        raise LocalModelError("a picture must stand in the message itself, in base64: nothing is fetched")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True))).convert("RGB")
    except (OSError, binascii.Error, Image.DecompressionBombError) as error:
        raise LocalModelError(f"a picture in the message cannot be read: {error}") from None
    scale = (MOST_PIXELS / (picture.width * picture.height)) ** 0.5
    if scale >= 1:
        return picture
    return picture.resize((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))

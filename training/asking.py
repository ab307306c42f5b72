"""A langchain chat model as the generator whose answers become preference pairs: asked directly, nothing checked."""

from __future__ import annotations

import base64

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import HumanMessage

from octavo.generation.prompts import fence, unfence
from octavo.training.preferences import Picture, Respond, prompt


def respond_with(model: BaseChatModel, *, completion: bool = False, pictures: bool = False) -> Respond:
    """Asks `model` with the very prompt that the pairs will have.

    A model that goes on from a text instead of answering (`completion`) gets "Answer:" after it and is stopped at the
    end of the line. Pictures are sent only where the model takes `pictures`.
    """

    def respond(question: str, picture: Picture | None, context: str | None) -> str:
        text = prompt(question, context)
        if completion:
            reply = model.invoke([HumanMessage(f"{text}\nAnswer:")], stop=["\n"])
        elif pictures and picture is not None:
            data = picture if isinstance(picture, bytes) else picture.read_bytes()
            image = {"type": "image", "base64": base64.b64encode(data).decode(), "mime_type": "image/png"}
            reply = model.invoke([HumanMessage([{"type": "text", "text": text}, image])])
        else:
            reply = model.invoke([HumanMessage(text)])
        return unfence(str(reply.text).rpartition("</think>")[2].strip())

    return respond


def fenced(passages: list[str]) -> str:
    """Retrieved passages as one text that cannot leave its fence."""
    return fence("\n\n".join(passages))

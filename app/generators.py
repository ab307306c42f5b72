"""From settings to what writes answers: the extractive reader alone, or with a model that phrases."""

from __future__ import annotations

from functools import partial

from langchain_core.language_models import BaseChatModel

from octavo.generation.answerer import Answerer, Images, Reader, endpoint_policy, first_line, local_policy
from octavo.generation.local import LlamaCppChat
from octavo.settings import EMBEDDED, Generator, Settings


def make_answerer(settings: Settings, generator: Generator, reader: Reader, images: Images | None) -> Answerer:
    """What answers as `generator` says. Raises LocalModelError when the settings name no GGUF file."""
    match generator:
        case "extractive":
            return Answerer(reader)
        case "local":
            local = LlamaCppChat(model=settings.local_model, max_tokens=settings.max_answer_tokens)
            name = "local (Gemma 3 270M)" if settings.local_model == EMBEDDED else f"local ({local.path.name})"
            return Answerer(reader, local, local_policy(name, local.completion))
        case "openai":
            from octavo.generation.endpoint import connect, explain  # a second of imports that others are spared

            chat = connect(
                settings.openai_base_url,
                settings.openai_model,
                settings.openai_api_key,
                max_tokens=settings.max_answer_tokens,
            )
            policy = endpoint_policy(f"openai ({settings.openai_model})", partial(explain, chat))
            return Answerer(reader, chat, policy, images)


def wrap(model: BaseChatModel, reader: Reader, images: Images | None) -> Answerer:
    """Any chat model as what answers, judged as an endpoint is."""
    name = str(getattr(model, "model_name", None) or model._llm_type)
    return Answerer(reader, model, endpoint_policy(name, first_line), images)

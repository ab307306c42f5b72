"""From settings to what writes answers: the extractive reader alone, or with a model that phrases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from langchain_core.language_models import BaseChatModel

from octavo.generation.answerer import Answerer, Images, Reader
from octavo.generation.local import LlamaCppChat
from octavo.generation.policy import local_policy, reading_policy
from octavo.generation.weights import is_vision, path_of
from octavo.settings import EMBEDDED, Generator, Settings

if TYPE_CHECKING:
    from octavo.generation.transformers_chat import TransformersChat


def make_answerer(settings: Settings, generator: Generator, reader: Reader, images: Images) -> Answerer:
    """What answers as `generator` says; a model that sees is shown `images`.

    Raises LocalModelError when the settings name no model that this machine can run.
    """
    match generator:
        case "extractive":
            return Answerer(reader)
        case "local":
            local = local_chat(settings)
            name = f"local ({local_name(settings.local_model)})"
            if local.vision:
                return Answerer(reader, local, reading_policy(name), images, settings.max_pictures)
            return Answerer(reader, local, local_policy(name, local.completion))
        case "openai":
            from octavo.generation.endpoint import connect, explain  # a second of imports that others are spared

            chat = connect(
                settings.openai_base_url,
                settings.openai_model,
                settings.openai_api_key,
                max_tokens=settings.max_answer_tokens,
            )
            policy = reading_policy(f"openai ({settings.openai_model})", partial(explain, chat))
            return Answerer(reader, chat, policy, images if settings.openai_images else None, settings.max_pictures)


def wrap(model: BaseChatModel, settings: Settings, reader: Reader, images: Images) -> Answerer:
    """Any chat model as what answers, judged as an endpoint is; whether it sees, it says itself or the settings do."""
    name = str(getattr(model, "model_name", None) or model._llm_type)
    sees = getattr(model, "vision", settings.openai_images)
    return Answerer(reader, model, reading_policy(name), images if sees else None, settings.max_pictures)


def local_chat(settings: Settings) -> LlamaCppChat | TransformersChat:
    """The local model as a chat model: a GGUF file by llama.cpp, anything else by transformers."""
    if runs_in_llama_cpp(settings.local_model):
        projector = settings.local_projector and str(settings.local_projector)
        return LlamaCppChat(model=settings.local_model, projector=projector, max_tokens=settings.max_answer_tokens)
    from octavo.generation.transformers_chat import TransformersChat  # torch

    return TransformersChat(
        model=settings.local_model,
        device=settings.device,
        max_tokens=settings.max_answer_tokens,
        keep_visual=settings.keep_visual,
    )


def runs_in_llama_cpp(local_model: str) -> bool:
    """Whether a local model is the embedded one or a GGUF file. Raises LocalModelError as `path_of`."""
    path = path_of(local_model)
    return local_model == EMBEDDED or path.suffix == ".gguf" or path.is_file()


def thins_pictures(local_model: str) -> bool:
    """Whether a local model sees pictures through transformers, so that `keep_visual` bears on it.

    Reads the model's configuration alone. Raises LocalModelError.
    """
    return not runs_in_llama_cpp(local_model) and is_vision(local_model)


def local_name(local_model: str) -> str:
    """What a person knows a local model by."""
    return "Gemma 3 270M" if local_model == EMBEDDED else local_model.rstrip("/").rpartition("/")[2]

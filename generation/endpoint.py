"""An OpenAI-compatible endpoint (OpenAI, vLLM, llama.cpp's server, ...) as a langchain chat model.

Knows nothing of documents or evidence.
"""

from __future__ import annotations

import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr


def connect(
    base_url: str,
    model: str,
    api_key: SecretStr,
    *,
    max_tokens: int = 512,
    temperature: float = 0.0,
    seed: int | None = 0,
    timeout: float = 120.0,
    retries: int = 2,
) -> ChatOpenAI:
    """The chat model `model` behind `base_url` (which ends in "/v1" as a rule); nothing is sent before the first call.

    `timeout` in seconds is for each try, and for each wait between two pieces of a streamed answer.
    """
    return ChatOpenAI(
        base_url=base_url,
        model=model,
        api_key=api_key,
        max_completion_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        timeout=timeout,
        max_retries=retries,
        use_responses_api=False,  # /v1/chat/completions is what they all have
    )


def explain(chat: ChatOpenAI, error: Exception) -> str:
    """Why a call to `chat` failed and what to do, in one line."""
    where = chat.openai_api_base
    match error:
        case openai.APITimeoutError():
            return f"{where} did not answer in {chat.request_timeout} s"
        case openai.APIConnectionError():
            return f"cannot reach {where}: is the server running, and OCTAVO_OPENAI_BASE_URL right?"
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return f"{where} refused the API key ({error.status_code}): set OCTAVO_OPENAI_API_KEY"
        case openai.NotFoundError():
            return (
                f"{where} has no model '{chat.model_name}' or no chat completions (404): "
                "set OCTAVO_OPENAI_MODEL or OCTAVO_OPENAI_BASE_URL"
            )
        case openai.APIStatusError():
            body = error.body if isinstance(error.body, dict) else {}
            return f"{where} answered {error.status_code}: {' '.join(str(body.get('message', error)).split())}"
        case _:
            return f"{where} failed: {type(error).__name__}: {' '.join(str(error).split())}"

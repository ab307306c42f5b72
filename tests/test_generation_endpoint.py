"""An OpenAI-compatible endpoint: llama.cpp's own server on loopback, with the real embedded model behind it."""

import io

import pytest
from PIL import Image
from pydantic import SecretStr

from octavo.generation.endpoint import connect, explain
from octavo.generation.grammar import grammar
from octavo.generation.prompts import Passage, chat_prompt
from octavo.generation.weights import embedded_path

pytestmark = pytest.mark.slow

xllamacpp = pytest.importorskip("xllamacpp")

KEY = SecretStr("loopback")
# The embedded model is a base model: this template makes its completion prompt of the messages.
TEMPLATE = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}\nAnswer:{% endif %}{% endfor %}"
PASSAGES = [
    Passage(1, "Operating expenses were $8 million."),
    Passage(2, "Net revenue for fiscal 2021 was $12.4 million, compared with $10.1 million in fiscal 2020."),
]


@pytest.fixture(scope="module")
def url():
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(embedded_path())
    parameters.n_ctx = 1024
    parameters.verbosity = -1
    parameters.cache_ram_mib = 0
    parameters.chat_template = TEMPLATE
    parameters.api_keys = [KEY.get_secret_value()]
    server = xllamacpp.Server(parameters)
    yield server.listening_address + "/v1"
    del server  # and with it the listener


def why_it_fails(chat, messages="Hello"):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which class is what `explain` is for)
        chat.invoke(messages)
    reason = explain(chat, caught.value)
    assert "\n" not in reason
    return reason


def test_it_answers_over_http(url):
    chat = connect(url, "gemma", KEY, max_tokens=32).model_copy(update={"extra_body": {"grammar": grammar([1, 2])}})
    answer = chat.invoke(chat_prompt("What were operating expenses?", PASSAGES))
    assert answer.text.strip() == "Operating expenses were $8 million. [1]"


def test_it_streams(url):
    pieces = [chunk.text for chunk in connect(url, "gemma", KEY, max_tokens=8).stream("Once upon a time") if chunk.text]
    assert len(pieces) > 4


def test_it_writes_at_most_max_tokens(url):
    message = connect(url, "gemma", KEY, max_tokens=5).invoke("Once upon a time")
    assert message.usage_metadata["output_tokens"] == 5


def test_a_wrong_key_is_named(url):
    assert why_it_fails(connect(url, "gemma", SecretStr("wrong"))) == (
        f"{url} refused the API key (401): set OCTAVO_OPENAI_API_KEY"
    )


def test_the_key_is_not_in_what_is_said(url):
    assert "wrong" not in why_it_fails(connect(url, "gemma", SecretStr("wrong")))


def test_a_server_that_is_not_there():
    chat = connect("http://127.0.0.1:9/v1", "gemma", KEY, retries=0)
    assert why_it_fails(chat).startswith("cannot reach http://127.0.0.1:9/v1: is the server running")


def test_a_model_or_path_that_the_server_does_not_know(url):
    chat = connect(url + "/elsewhere", "gemma", KEY)
    assert why_it_fails(chat).startswith(f"{url}/elsewhere has no model 'gemma' or no chat completions (404)")


def test_a_server_that_takes_too_long(url):
    chat = connect(url, "gemma", KEY, timeout=0.05, retries=0)
    assert why_it_fails(chat) == f"{url} did not answer in 0.05 s"


def test_a_request_that_the_server_refuses_keeps_the_server_s_words(url):
    reason = why_it_fails(connect(url, "gemma", KEY), "word " * 2000)
    assert reason.startswith(f"{url} answered 400: request (")
    assert "exceeds the available context size" in reason


def test_pictures_reach_a_server_and_one_without_vision_says_so(url):
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, "PNG")
    prompt = chat_prompt("What does the picture show?", [Passage(1, "Figure 1", (png.getvalue(),))])
    reason = why_it_fails(connect(url, "gemma", KEY, retries=0), prompt)
    assert reason.startswith(f"{url} answered 500: image input is not supported")

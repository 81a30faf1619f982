"""A vision-language model with random weights: what it is shown and asked, and which answers pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_build_models as tiny
import torch
from clips import Frames, box_mask, moving_clip

from vivid_bench.build.models import chat, loading
from vivid_bench.build.models.captioning import MAX_TOKENS, OUTLINE, PROMPTS, ChatCaptioner, outlined
from vivid_bench.build.models.chat import ChatModel, ChatTagger
from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT

T, H, W = 3, 48, 64


@pytest.fixture(scope="module")
def model(saved: Path) -> ChatModel:
    return ChatModel(str(saved / "llava"), "cpu")


@pytest.fixture(scope="module", params=["llava", "qwen2-vl"])
def each_model(saved: Path, request: pytest.FixtureRequest) -> ChatModel:
    return ChatModel(str(saved / request.param), "cpu")


@pytest.fixture(scope="module")
def frames() -> Frames:
    return moving_clip(T, H, W)


class Canned:
    """Gives set answers and keeps what it was shown and asked."""

    name = "owner/canned"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, str, int]] = []

    def answer(self, image: Any, question: str, max_tokens: int) -> str:
        self.asked.append((image, question, max_tokens))
        return self.answers.pop(0)


def captioner(*answers: str) -> ChatCaptioner:
    return ChatCaptioner(Canned(*answers))  # type: ignore[arg-type]


def test_a_caption_for_each_level(each_model: ChatModel, frames: Frames) -> None:
    captions = ChatCaptioner(each_model)(frames, box_mask(T, H, W), "dog")
    texts = (captions.short, captions.medium, captions.long)
    assert len(set(texts)) == 3
    for text, level in zip(texts, PROMPTS, strict=True):
        assert text == " ".join(text.split()) != ""
        assert len(text) <= MAX_TOKENS[level]  # a token is a letter


def test_question_and_picture_reach_the_model(
    model: ChatModel, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    generate = model._model.generate

    def spy(**inputs: Any) -> Any:
        calls.append(inputs)
        return generate(**inputs)

    monkeypatch.setattr(model._model, "generate", spy)
    model.answer(frames[0], "What is it?", 7)
    (call,) = calls
    text = model._processor.tokenizer.decode(call["input_ids"][0])
    # 32x32 pixels in patches of 8.
    assert text == f"user: {'<image>' * 16}What is it? assistant: "
    assert call["pixel_values"].shape == (1, 3, 32, 32)
    assert (call["max_new_tokens"], call["do_sample"]) == (7, False)


def test_answers_depend_on_picture_and_question_only(each_model: ChatModel, frames: Frames) -> None:
    answer = each_model.answer(frames[0], "What is it?", 12)
    assert each_model.answer(frames[0], "What is it?", 12) == answer
    assert each_model.answer(255 - frames[0], "What is it?", 12) != answer
    assert each_model.answer(frames[0], "Who is it?", 12) != answer


def test_the_weights_decide(model: ChatModel, frames: Frames, tmp_path: Path) -> None:
    other = ChatModel(str(tiny.llava(tmp_path / "other", seed=1)), "cpu")
    assert other.answer(frames[0], "What is it?", 12) != model.answer(frames[0], "What is it?", 12)


def test_decoding_is_greedy_whatever_the_model_prefers(saved: Path, frames: Frames) -> None:
    model = ChatModel(str(saved / "llava"), "cpu")
    model._model.generation_config.update(do_sample=True, temperature=5.0, num_beams=3)
    answers = {model.answer(frames[0], "What is it?", 12) for _ in range(3)}
    assert len(answers) == 1


def test_it_works_in_half_precision(saved: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "half_on_gpu", lambda device: torch.bfloat16)
    assert ChatModel(str(saved / "llava"), "cpu").answer(frames[0], "What is it?", 4)


def test_white_space_of_an_answer_becomes_single_spaces(
    model: ChatModel, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model._processor, "decode", lambda tokens, **options: " a red\n\n dog\t\n", raising=False)
    assert model.answer(frames[0], "What is it?", 4) == "a red dog"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("A dog runs. It is re", "A dog runs."),
        ("A dog runs! It is red? And b", "A dog runs! It is red?"),
        ("A dog runs. It is red.", "A dog runs. It is red."),
        ("a dog of 1.5 me", "a dog of 1.5 me"),
        ("", ""),
    ],
)
def test_a_sentence_that_was_cut_off_is_left_out(text: str, whole: str) -> None:
    assert chat._whole_sentences(text) == whole


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    tiny.llava(tmp_path / "llava", chat_template=None)
    with pytest.raises(InputError, match="expected a vision-language model with a chat template, found none"):
        ChatModel(str(tmp_path / "llava"), "cpu")


def test_a_model_of_another_kind_is_refused(saved: Path) -> None:
    with pytest.raises(InputError, match="expected a AutoModelForImageTextToText of transformers"):
        ChatModel(str(saved / "sam"), "cpu")


def test_the_three_questions_are_asked_with_the_label(frames: Frames) -> None:
    ask = captioner("a dog", "A red dog.", "A red dog. It runs.")
    captions = ask(frames, box_mask(T, H, W), "dog")
    assert (captions.short, captions.medium, captions.long) == ("a dog", "A red dog.", "A red dog. It runs.")
    asked = ask._model.asked  # type: ignore[attr-defined]
    assert [question for _, question, _ in asked] == [f"{text} It is probably this: dog." for text in PROMPTS.values()]
    assert [tokens for _, _, tokens in asked] == [24, 64, 160]
    for picture, _, _ in asked:
        np.testing.assert_array_equal(picture, outlined(frames, box_mask(T, H, W)))


def test_no_label_is_no_hint(frames: Frames) -> None:
    ask = captioner("a dog", "A red dog.", "A red dog. It runs.")
    ask(frames, box_mask(T, H, W), None)
    assert ask._model.asked[0][1] == PROMPTS["short"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "found"),
    [("", "an empty answer"), ("...", r"'\.\.\.'"), (DELETE_PROMPT.upper(), "the prompt of all deletes")],
)
def test_an_answer_that_says_nothing_is_refused(frames: Frames, answer: str, found: str) -> None:
    with pytest.raises(InputError, match=f"owner/canned: expected a medium caption, found {found}; caption this"):
        captioner("a dog", answer)(frames, box_mask(T, H, W), None)


def test_the_entity_is_shown_where_it_is_largest_with_a_line_around_it() -> None:
    frames = np.full((3, 200, 300, 3), 100, np.uint8)
    frames[:, :, :, 2] = np.arange(3)[:, None, None]
    mask = np.zeros((3, 200, 300), bool)
    mask[0, 90:100, 100:110] = mask[1, 90:110, 100:120] = mask[2, 90:110, 100:120] = True
    picture = outlined(frames, mask)
    # 32 pixels around 20: the mask is at 32..51 of 84.
    assert (picture.shape, picture.dtype) == ((84, 84, 3), np.uint8)
    np.testing.assert_array_equal(picture[32:52, 32:52], np.broadcast_to((100, 100, 1), (20, 20, 3)))
    for y, x in ((31, 40), (30, 40), (52, 40), (40, 31), (40, 53)):
        assert tuple(picture[y, x]) == OUTLINE
    for y, x in ((29, 40), (40, 54), (0, 0)):
        assert tuple(picture[y, x]) == (100, 100, 1)
    assert (frames[..., 0] == 100).all()


def test_a_large_entity_has_a_quarter_around_it_as_far_as_the_frame_goes() -> None:
    frames, mask = np.zeros((1, 480, 640, 3), np.uint8), np.zeros((1, 480, 640), bool)
    mask[0, 100:400, 20:420] = True  # 100 pixels around
    assert outlined(frames, mask).shape == (480, 520, 3)


def test_a_mask_that_is_empty_throughout_cannot_be_captioned(frames: Frames) -> None:
    with pytest.raises(ValueError, match="empty in every frame"):
        outlined(frames, np.zeros((T, H, W), bool))


def test_a_tagger_asks_for_a_list(frames: Frames) -> None:
    canned = Canned("person, dog")
    tagger = ChatTagger(canned)  # type: ignore[arg-type]
    assert tagger(frames[0]) == "person, dog"
    assert canned.asked[0][1:] == (chat.TAG_PROMPT, chat.TAG_TOKENS)

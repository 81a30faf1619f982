"""Grounding DINO and SAM with random weights: what reaches them, and what is made of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_build_models as tiny
import torch
from clips import Frames, moving_clip

from vivid_bench.build.models import detection
from vivid_bench.build.models.detection import GroundedSelector, apart, fit_boxes, parse_tags, prompt
from vivid_bench.build.types import Entity
from vivid_bench.errors import InputError

T, H, W = 3, 48, 64


@pytest.fixture(scope="module")
def frames() -> Frames:
    return moving_clip(T, H, W)


def make(saved: Path, tags: Any = ("Person", "dog"), sam: str = "sam", **options: float) -> GroundedSelector:
    return GroundedSelector(str(saved / "grounding-dino"), str(saved / sam), tags, "cpu", **options)


@pytest.fixture(scope="module")
def select(saved: Path) -> GroundedSelector:
    """Takes whatever box the random weights give."""
    return make(saved, box_threshold=0.0)


@pytest.fixture(scope="module")
def entities(select: GroundedSelector, frames: Frames) -> list[Entity]:
    return select(frames, 1)


@contextmanager
def inputs_of(model: Any) -> Iterator[list[dict[str, Any]]]:
    calls: list[dict[str, Any]] = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: calls.append(dict(kwargs)), with_kwargs=True)
    yield calls
    hook.remove()


def test_entities_hold_what_their_type_says(entities: list[Entity]) -> None:
    assert len(entities) >= 2
    for entity in entities:
        assert (entity.mask.shape, entity.mask.dtype) == ((H, W), bool)
        assert entity.mask.any()
        assert 0 <= entity.score <= 1
        assert isinstance(entity.score, float)
    assert {entity.label for entity in entities} <= {None, "person", "dog", "person dog"}
    assert any(entity.label for entity in entities)


def test_masks_do_not_overlap(entities: list[Entity]) -> None:
    assert np.sum([entity.mask for entity in entities], axis=0).max() == 1


def test_the_surest_come_first(entities: list[Entity]) -> None:
    scores = [entity.score for entity in entities]
    assert scores == sorted(scores, reverse=True)


def test_the_tags_reach_the_detector(select: GroundedSelector, frames: Frames) -> None:
    with inputs_of(select._detector.model) as calls:
        select(frames, 1)
    (call,) = calls
    text = select._detector.processor.tokenizer.decode(call["input_ids"][0], skip_special_tokens=True)
    assert text.replace(" ", "") == "person.dog."


@pytest.mark.parametrize("at_once", [32, 7])
def test_all_boxes_go_to_sam_in_batches(
    select: GroundedSelector, frames: Frames, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes, _, _ = select._boxes(frames[1], "person. dog.")
    together = select._masks(frames[1], boxes)
    monkeypatch.setattr(detection, "BOXES_AT_ONCE", at_once)
    with inputs_of(select._segmenter.model) as calls, inputs_of(select._segmenter.model.vision_encoder) as encodings:
        batched = select._masks(frames[1], boxes)
    assert [call["input_boxes"].shape[1] for call in calls] == ([20] if at_once == 32 else [7, 7, 6])
    assert len(encodings) == 1
    # SAM works at 64 pixels of the longer side, which the frame has.
    np.testing.assert_allclose(np.concatenate([call["input_boxes"][0] for call in calls]), boxes, atol=1e-4)
    assert all(call["multimask_output"] for call in calls)
    np.testing.assert_array_equal(batched, together)


def test_sam_answers_with_the_mask_it_trusts_most(select: GroundedSelector, frames: Frames) -> None:
    answers: list[Any] = []
    hook = select._segmenter.model.register_forward_hook(lambda module, args, output: answers.append(output))
    boxes = torch.tensor([[4.0, 4, 30, 30], [20, 10, 60, 40]])
    masks = select._masks(frames[1], boxes)
    hook.remove()
    assert (masks.shape, masks.dtype) == ((2, H, W), bool)
    for mask, trust, found in zip(masks, answers[0].iou_scores[0], answers[0].pred_masks[0], strict=True):
        # SAM's answers have 32 pixels, of which 24 rows are the frame's.
        same = [(mask[::2, ::2] == (answer[:24] > 0).numpy()).mean() for answer in found]
        assert int(np.argmax(same)) == int(trust.argmax())


def test_boxes_below_the_threshold_are_dropped(saved: Path, select: GroundedSelector, frames: Frames) -> None:
    _, scores, _ = select._boxes(frames[1], "person. dog.")
    threshold = (scores[1] + scores[2]) / 2
    _, above, _ = make(saved, box_threshold=threshold)._boxes(frames[1], "person. dog.")
    assert above == scores[:2]


def test_words_below_the_threshold_are_left_out(saved: Path, frames: Frames) -> None:
    labels = {entity.label for entity in make(saved, box_threshold=0.0, text_threshold=1.0)(frames, 1)}
    assert labels == {None}


def test_nothing_found_is_no_entity(saved: Path, frames: Frames) -> None:
    assert make(saved, box_threshold=1.0)(frames, 1) == []


def test_the_same_frame_has_the_same_entities(select: GroundedSelector, frames: Frames, entities: list[Entity]) -> None:
    for entity, again in zip(entities, select(frames, 1), strict=True):
        np.testing.assert_array_equal(entity.mask, again.mask)
        assert (entity.score, entity.label) == (again.score, again.label)


def test_frame_tags_and_weights_decide(
    saved: Path, tmp_path: Path, select: GroundedSelector, frames: Frames, entities: list[Entity]
) -> None:
    scores = [entity.score for entity in entities]
    assert [entity.score for entity in select(255 - frames, 1)] != scores
    assert [entity.score for entity in make(saved, ("car",), box_threshold=0.0)(frames, 1)] != scores
    tiny.grounding_dino(tmp_path / "grounding-dino", seed=3)
    tiny.sam(tmp_path / "sam", seed=1)
    other = make(tmp_path, box_threshold=0.0)
    assert [entity.score for entity in other(frames, 1)] != scores


def test_a_tagger_is_asked_in_each_keyframe(saved: Path, select: GroundedSelector, frames: Frames) -> None:
    asked: list[Any] = []

    def tagger(image: Any) -> str:
        asked.append(image)
        return "Person | dog"

    by_tagger = make(saved, tagger, box_threshold=0.0)
    for t in range(2):
        assert [e.score for e in by_tagger(frames, t)] == [e.score for e in select(frames, t)]
    np.testing.assert_array_equal(np.stack(asked), frames[:2])


def test_a_tagger_that_sees_nothing_leaves_nothing(saved: Path, frames: Frames) -> None:
    assert make(saved, lambda image: " 1. ", box_threshold=0.0)(frames, 1) == []


def test_tags_are_needed(saved: Path) -> None:
    with pytest.raises(InputError, match="tags: expected the names of things, found none"):
        make(saved, ("", " . "))


def test_more_tags_than_the_detector_reads_are_refused(saved: Path, frames: Frames) -> None:
    many = [f"{first} {second}" for first in tiny.WORDS for second in tiny.WORDS]
    with pytest.raises(InputError, match=r"expected at most 24 tokens, found 77 tokens: person person\. person dog"):
        make(saved, many)
    with pytest.raises(InputError, match="expected at most 24 tokens"):
        make(saved, lambda image: ",".join(many))(frames, 0)


def test_other_models_are_refused(saved: Path) -> None:
    with pytest.raises(InputError, match="expected a model of type sam, found one of type sam2_video"):
        make(saved, sam="sam2")


def test_the_defaults_are_the_authors() -> None:
    assert (detection.BOX_THRESHOLD, detection.TEXT_THRESHOLD) == (0.35, 0.25)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("person | dog | red car", ("person", "dog", "red car")),  # Recognize Anything
        ("person. dog.", ("person", "dog")),
        ("A person, a dog;\n a  person", ("a person", "a dog")),
        ("1. Person\n2. dog\n* 'tree'", ("person", "dog", "tree")),
        (" . | , ", ()),
        ("vélo, 自行车", ("vélo", "自行车")),
    ],
)
def test_tags_are_read_from_text(text: str, tags: tuple[str, ...]) -> None:
    assert parse_tags(text) == tags


def test_a_prompt_is_lower_case_with_dots() -> None:
    assert prompt(["Person", " Red  Car. ", "person"]) == "person. red car."


def test_boxes_of_the_whole_frame_of_nothing_and_seen_twice_are_dropped() -> None:
    boxes = torch.tensor(
        [
            [10.0, 10, 30, 30],
            [11, 11, 31, 31],  # IoU with the first 361/439
            [-5, -5, 105, 105],
            [50, 50, 50, 60],
            [20, 20, 40, 40],  # IoU with the first 100/700
            [200, 0, 220, 20],
        ]
    )
    scores = torch.tensor([0.8, 0.9, 0.99, 0.7, 0.5, 0.6])
    assert fit_boxes(boxes, scores, (100, 100)) == [1, 4]


@pytest.mark.parametrize(("side", "kept"), [(94, [0]), (96, [])])  # 0.88 and 0.92 of the frame
def test_a_box_may_be_large(side: float, kept: list[int]) -> None:
    assert fit_boxes(torch.tensor([[0.0, 0, side, side]]), torch.tensor([0.9]), (100, 100)) == kept


def test_no_boxes_are_fine() -> None:
    assert fit_boxes(torch.zeros(0, 4), torch.zeros(0), (100, 100)) == []


def test_a_pixel_belongs_to_the_surest() -> None:
    first, half, most, none = np.zeros((4, 1, 8), bool)
    first[0, :4] = True
    half[0, 2:6] = True  # loses 2 of 4
    most[0, 3:8] = True  # 3 of 5 are taken
    kept = apart(np.stack([first, half, most, none]))
    assert [index for index, _ in kept] == [0, 1]
    np.testing.assert_array_equal(kept[1][1][0], [0, 0, 0, 0, 1, 1, 0, 0])


@pytest.mark.parametrize(
    ("phrase", "label"), [("dog", "dog"), ("red car .", "red car"), ("[CLS] . [SEP]", None), ("", None)]
)
def test_labels_hold_words_only(phrase: str, label: str | None) -> None:
    assert detection._label(phrase) == label

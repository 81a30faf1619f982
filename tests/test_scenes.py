import hashlib
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.masks import MASK_KINDS, augment, bounding_box
from vivid_bench.scenes import (
    COLOURS,
    FOLDS,
    PATTERNS,
    PHOTOGRAPHS,
    SHAPES,
    SIZES,
    Entity,
    combinations,
    dominant_colour,
    render_sample,
)
from vivid_bench.scenes.backgrounds import SPECTRAL_EXPONENTS
from vivid_bench.scenes.entities import Rendered, composite
from vivid_bench.scenes.textures import FAMILIES, spectral_noise
from vivid_bench.types import DELETE_PROMPT, TASKS, Hole, Task

SMALL = {"frames": 5, "height": 48, "width": 64}


def digest(task: Task, seed: int, fold: str) -> str:
    sample = render_sample(task, seed, fold=fold, **SMALL)
    pixels = sample.source.tobytes() + sample.mask.tobytes() + sample.reference.tobytes()
    return hashlib.sha256(pixels + sample.prompt.encode()).hexdigest()


@settings(max_examples=60, deadline=None)
@given(
    task=st.sampled_from(TASKS),
    seed=st.integers(0, 2**32),
    fold=st.sampled_from(FOLDS),
    kind=st.sampled_from([None, *MASK_KINDS]),
)
def test_source_and_reference_are_equal_outside_the_mask(task: Task, seed: int, fold: str, kind: str | None) -> None:
    sample = render_sample(task, seed, fold=fold, mask_kind=kind, **SMALL)
    assert sample.source.shape == sample.reference.shape == (5, 48, 64, 3)
    assert sample.source.dtype == sample.reference.dtype == np.uint8
    assert sample.mask.shape == (5, 48, 64)
    assert sample.mask.dtype == np.bool_
    assert sample.mask.any()
    np.testing.assert_array_equal(sample.source[~sample.mask], sample.reference[~sample.mask])


@pytest.mark.parametrize("task", TASKS)
def test_the_same_arguments_give_the_same_bytes_in_another_process(task: Task) -> None:
    code = f"from tests.test_scenes import digest; print(digest({task!r}, 11, 'train'))"
    root = Path(__file__).parents[1]
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert child.stdout.strip() == digest(task, 11, "train")


def test_seeds_tasks_and_folds_give_other_scenes() -> None:
    digests = {digest(task, seed, fold) for task in TASKS for seed in (0, 1) for fold in FOLDS}
    assert len(digests) == 3 * 2 * 3


def test_another_mask_leaves_the_picture_as_it_is() -> None:
    loose = render_sample("modify", 4, fold="train", mask_kind="rect+expand", **SMALL)
    tight = render_sample("modify", 4, fold="train", mask_kind="original", **SMALL)
    np.testing.assert_array_equal(loose.source, tight.source)
    assert (loose.mask | tight.mask == loose.mask).all()
    assert loose.mask.sum() > tight.mask.sum()


def test_delete_with_a_visible_hole_shows_an_entity_and_its_clean_background() -> None:
    sample = render_sample("delete", 3, fold="test", hole="visible", **SMALL)
    assert sample.prompt == DELETE_PROMPT
    assert sample.entity is None
    assert sample.entity_mask is None
    assert (sample.source != sample.reference).any()


def test_delete_with_a_hidden_hole_is_its_own_reference() -> None:
    sample = render_sample("delete", 3, fold="test", hole="hidden", mask_kind="original", **SMALL)
    assert sample.hole == "hidden"
    np.testing.assert_array_equal(sample.source, sample.reference)
    assert sample.mask[2].any()


def test_hidden_masks_move_with_the_background() -> None:
    # Moved as the mask moves, an early frame matches a late one better than it does unmoved.
    better = 0
    for seed in range(12):
        sample = render_sample("delete", seed, fold="train", hole="hidden", mask_kind="original", frames=9)
        boxes = [bounding_box(sample.mask[t]) for t in (2, 6)]
        assert boxes[0] is not None
        assert boxes[1] is not None
        dx = round((boxes[1][0] + boxes[1][2] - boxes[0][0] - boxes[0][2]) / 2)
        dy = round((boxes[1][1] + boxes[1][3] - boxes[0][1] - boxes[0][3]) / 2)
        first, last = sample.source[2].astype(int), sample.source[6].astype(int)
        moved = np.roll(first, (dy, dx), (0, 1))
        inner = (slice(24, 72), slice(24, 72))
        better += np.abs(moved - last)[inner].mean() <= np.abs(first - last)[inner].mean()
    assert better >= 10


def test_add_prompts_for_what_the_reference_shows() -> None:
    sample = render_sample("add", 8, fold="test", **SMALL)
    assert sample.entity is not None
    assert sample.entity_mask is not None
    assert sample.prompt == sample.entity.caption()
    assert (sample.mask | sample.entity_mask == sample.mask).all()
    assert (sample.source[sample.entity_mask] != sample.reference[sample.entity_mask]).any(axis=-1).mean() > 0.95


def test_modify_changes_the_colour() -> None:
    for seed in range(6):
        sample = render_sample("modify", seed, fold="test", mask_kind="original")
        assert sample.entity_mask is not None
        assert dominant_colour(sample.reference, sample.entity_mask) != dominant_colour(
            sample.source, sample.entity_mask
        )


@pytest.mark.parametrize("task", ["add", "modify"])
def test_another_entity_can_be_shown_in_the_same_scene(task: Task) -> None:
    plain = render_sample(task, 3, fold="test", frames=3)
    other = next(entity for entity in combinations("test") if entity != plain.entity)
    shown = render_sample(task, 3, fold="test", frames=3, shown=other)
    assert shown.entity == other
    assert shown.prompt == other.caption() != plain.prompt
    assert np.array_equal(shown.source, plain.source)
    assert not np.array_equal(shown.reference, plain.reference)
    with pytest.raises(ValueError, match="shows no entity"):
        render_sample("delete", 3, fold="test", frames=3, shown=other)


def test_the_named_colour_is_recognised_on_the_reference() -> None:
    hits = total = 0
    for task in ("add", "modify"):
        for seed in range(110):
            sample = render_sample(cast(Task, task), seed, fold="test", frames=3, height=64, width=64)
            assert sample.entity is not None
            assert sample.entity_mask is not None
            hits += dominant_colour(sample.reference, sample.entity_mask) == sample.entity.colour
            total += 1
    assert hits >= 0.98 * total


def test_dominant_colour_ignores_the_edge() -> None:
    frames = np.full((1, 12, 12, 3), COLOURS["blue"], np.uint8)
    mask = np.zeros((1, 12, 12), bool)
    mask[0, 2:8, 2:8] = True
    frames[0, 2:8, 2] = frames[0, 2:8, 7] = frames[0, 2, 2:8] = frames[0, 7, 2:8] = COLOURS["yellow"]
    assert dominant_colour(frames, mask) == "blue"
    with pytest.raises(ValueError, match="empty mask"):
        dominant_colour(frames, np.zeros_like(mask))


def test_colour_words_are_far_apart() -> None:
    palette = np.array(list(COLOURS.values()), float)
    distance = np.linalg.norm(palette[:, None] - palette[None], axis=-1) + 1e9 * np.eye(len(palette))
    assert len(palette) >= 8
    assert distance.min() > 80


def test_caption_holds_all_four_words() -> None:
    assert Entity("red", "star", "striped", "large").caption() == "A large striped red star."


def test_folds_share_no_combination_and_training_sees_every_word() -> None:
    folds = {fold: set(combinations(fold)) for fold in FOLDS}
    assert sum(map(len, folds.values())) == len(COLOURS) * len(SHAPES) * len(PATTERNS) * len(SIZES)
    assert len(set().union(*folds.values())) == sum(map(len, folds.values()))
    seen = folds["train"]
    assert {e.colour for e in seen} == set(COLOURS)
    assert {e.shape for e in seen} == set(SHAPES)
    assert {e.pattern for e in seen} == set(PATTERNS)
    assert {e.size for e in seen} == set(SIZES)


def test_folds_share_no_texture_and_no_photograph() -> None:
    names = [family for fold in FOLDS for family in FAMILIES[fold]]
    assert len(set(names)) == len(names)
    photographs = [name for fold in PHOTOGRAPHS for name in PHOTOGRAPHS[fold]]
    assert len(set(photographs)) == len(photographs)
    assert "train" not in PHOTOGRAPHS
    ranges = sorted(SPECTRAL_EXPONENTS.values())
    assert all(low[1] <= high[0] for low, high in pairwise(ranges))


def test_photographs_are_used_only_where_asked_and_only_by_their_fold() -> None:
    pytest.importorskip("skimage", reason="photographs come with scikit-image")
    plain = render_sample("delete", 0, fold="test", **SMALL)
    photo = render_sample("delete", 0, fold="test", photograph="coffee", **SMALL)
    assert (plain.reference != photo.reference).mean() > 0.5
    with pytest.raises(ValueError, match="fold 'train' has no photograph 'coffee'"):
        render_sample("delete", 0, fold="train", photograph="coffee", **SMALL)


@pytest.mark.parametrize(("task", "hole", "fold"), [("add", "hidden", "test"), ("delete", None, "tset")])
def test_impossible_requests_are_refused(task: Task, hole: Hole | None, fold: str) -> None:
    with pytest.raises(ValueError, match=r"has no hidden hole|unknown fold 'tset'"):
        render_sample(task, 0, fold=fold, hole=hole)


def test_composite_keeps_the_bytes_where_no_entity_is() -> None:
    background = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3)).astype(np.uint8)
    opacity = np.zeros((2, 8, 9), np.float32)
    opacity[:, 2, 3] = 1
    layer = Rendered(np.full((2, 8, 9, 3), 200, np.float32) * opacity[..., None], opacity, np.zeros_like(opacity))
    result = composite(background, [layer])
    assert (result[:, 2, 3] == 200).all()
    changed = (result != background).any(axis=-1)
    changed[:, 2, 3] = False
    assert not changed.any()


def test_masks_are_augmented_as_asked() -> None:
    tight = render_sample("add", 5, fold="train", mask_kind="original", **SMALL)
    boxed = render_sample("add", 5, fold="train", mask_kind="rect", **SMALL)
    np.testing.assert_array_equal(boxed.mask, augment(tight.mask, "rect", 0))


def test_spectral_noise_has_the_asked_spectrum() -> None:
    noise = spectral_noise(np.random.default_rng(1), 128, 128, 1.2)
    assert noise.shape == (128, 128)
    assert abs(float(noise.mean())) < 1e-3
    assert abs(float(noise.std()) - 1) < 1e-3
    amplitude = np.abs(np.fft.fft2(noise))
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None]) * 128
    bands = [(4, 8), (8, 16), (16, 32), (32, 64)]
    means = [amplitude[(frequency >= low) & (frequency < high)].mean() for low, high in bands]
    slope = np.polyfit(np.log([6, 12, 24, 48]), np.log(means), 1)[0]
    assert slope == pytest.approx(-1.2, abs=0.1)

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vivid_bench.metrics.clip_model import ClipModel
from vivid_bench.metrics.training.mini_clip import (
    CONTEXT_LENGTH,
    MARGIN,
    Recipe,
    background_objective,
    build_tokenizer,
    load,
    make,
    objective,
    train_images,
    train_texts,
    write_untrained,
)
from vivid_bench.metrics.training.mini_clip_scenes import (
    SHOWN,
    WORDS,
    Variants,
    draw_backgrounds,
    draw_pictures,
    near_misses,
    nothing,
    render_variants,
)
from vivid_bench.scenes import Entity, combinations
from vivid_bench.types import HOLE_GREY

TINY = Recipe(scenes=3, frames=2, side=32, steps=4, batch=2, text_steps=2)


@pytest.fixture(scope="module")
def scenes() -> list[Variants]:
    return [render_variants(seed, TINY.frames, TINY.side) for seed in range(TINY.scenes)]


@pytest.fixture
def untrained(tmp_path: Path) -> ClipModel:
    torch.manual_seed(0)
    write_untrained(tmp_path)
    return load(tmp_path, trained=False)


def test_near_misses_differ_by_the_one_word() -> None:
    star = Entity("red", "star", "plain", "small")
    assert near_misses(star, "size") == [
        Entity("red", "star", "plain", "medium"),
        Entity("red", "star", "plain", "large"),
    ]
    assert [len(near_misses(star, word)) for word in WORDS] == [9, 7, 3, 2]


def test_variants_are_of_the_training_fold_and_all_differ(scenes: list[Variants]) -> None:
    for scene in scenes:
        assert len(set(scene.entities)) == SHOWN
        assert set(scene.entities) <= set(combinations("train"))
        assert scene.clean.shape == (2, 32, 32, 3)
        assert scene.edits.shape == (SHOWN, 2, 32, 32, 3)


def test_variants_equal_the_clean_scene_outside_their_masks(scenes: list[Variants]) -> None:
    for scene in scenes:
        for edit, mask in zip(scene.edits, scene.masks, strict=True):
            np.testing.assert_array_equal(edit[~mask], scene.clean[~mask])
            assert (edit[mask] != scene.clean[mask]).any()


def test_nothing_changes_the_hole_alone(scenes: list[Variants]) -> None:
    clean, mask = scenes[0].clean[0], scenes[0].masks[0, 0]
    seen = {nothing(np.random.default_rng(seed), clean, mask).tobytes() for seed in range(40)}
    assert len(seen) == 3  # clean, Telea, grey
    for seed in range(10):
        np.testing.assert_array_equal(nothing(np.random.default_rng(seed), clean, mask)[~mask], clean[~mask])


def test_pictures_are_nothing_then_each_entity_as_a_metric_sees_them(scenes: list[Variants]) -> None:
    rng = np.random.default_rng(0)
    shapes = set()
    for _ in range(20):
        pictures = draw_pictures(rng, scenes[:2])
        assert len(pictures) == 2 * (1 + SHOWN)
        assert len({picture.tobytes() for picture in pictures[: 1 + SHOWN]}) == 1 + SHOWN
        shapes.update(picture.shape for picture in pictures)
    assert (32, 32, 3) in shapes  # whole frames
    assert len(shapes) > 2  # squares around masks
    assert all(height == width for height, width, _ in shapes)


def test_backgrounds_are_behind_the_hole_beside_it_and_grey(scenes: list[Variants]) -> None:
    for seed in range(10):
        behind, beside, grey = draw_backgrounds(np.random.default_rng(seed), scenes[:1])
        assert behind.shape == grey.shape
        assert beside.shape[0] == beside.shape[1]
        hole = (grey == HOLE_GREY).all(axis=2)
        assert hole.any()
        np.testing.assert_array_equal(behind[~hole], grey[~hole])


def test_the_background_objective_is_least_where_beside_is_like_behind() -> None:
    behind = torch.eye(2, 3)
    grey = torch.tensor([[0.0, 0.0, 1.0]]).expand(2, 3)
    alike = background_objective(torch.stack([behind, behind, grey], dim=1))
    swapped = background_objective(torch.stack([behind, behind.flip(0), grey], dim=1))
    # Of cosines 1, 0, 0, 0 times 10: the right one is the 1, or a 0.
    assert float(alike) == pytest.approx(np.log(1 + 3 * np.exp(-10)), abs=1e-6)
    assert float(swapped) == pytest.approx(np.log(np.exp(10) + 3))


def test_the_objective_is_least_in_the_right_order() -> None:
    """Two scenes of six entities with features of their own: only the angle to nothing and to wrong ones changes."""
    rows = torch.arange(2 * SHOWN).reshape(2, SHOWN)
    shared = torch.zeros(2 * SHOWN + 1)
    shared[-1] = 1
    texts = torch.nn.functional.normalize(torch.eye(2 * SHOWN, 2 * SHOWN + 1) + shared, dim=1)
    entities = texts.reshape(2, SHOWN, -1)

    def loss(empty: torch.Tensor) -> float:
        images = torch.cat([empty.expand(2, 1, -1), entities], dim=1)
        return float(objective(images, texts, rows, torch.tensor(50.0)))

    assert MARGIN < 0.5  # of what the right entity (cosine 1), a wrong one (1/2) and nothing (-1/sqrt 2) are apart
    assert loss(-shared) < 0.01
    assert loss(shared) > 10  # nothing looks more like each caption (1/sqrt 2) than a wrong entity does


def test_the_end_token_has_the_highest_id_and_survives_a_cut(untrained: ClipModel) -> None:
    tokenizer = build_tokenizer()
    assert tokenizer.eos_token_id == len(tokenizer) - 1
    short, long = untrained.tokenizer(["A red star.", "a red star " * 40])
    assert len(short) == len(long) == CONTEXT_LENGTH
    assert int(short.argmax()) == 5  # start, a, red, star, full stop, end
    assert int(long.argmax()) == CONTEXT_LENGTH - 1
    assert untrained.is_truncated("a red star " * 40)
    assert not untrained.is_truncated("A red star.")


def test_words_of_captions_are_one_token_each_and_other_text_is_spelt() -> None:
    tokenizer = build_tokenizer()
    for entity in combinations("test"):
        assert len(tokenizer(entity.caption()).input_ids) == 8  # start, a, four words, full stop, end
    assert tokenizer.decode(tokenizer("Zebra, été!").input_ids, skip_special_tokens=True).strip() == "zebra, été!"


def test_texts_come_to_be_alike_by_shared_words(untrained: ClipModel) -> None:
    captions = ["A small plain red star.", "A small plain red heart.", "A large striped blue cross."]
    losses = train_texts(untrained, captions, Recipe(text_steps=150, text_batch=3))
    texts = np.stack([untrained.text_features(caption) for caption in captions])
    assert losses[-1] < 0.01 < losses[0]
    # Three words of four are shared, and none: 0.2 + 0.8 x 3/4, and 0.2.
    np.testing.assert_allclose([texts[0] @ texts[1], texts[0] @ texts[2]], [0.8, 0.2], atol=0.05)


def test_training_moves_one_tower_at_a_time_and_repeats_to_the_bit(tmp_path: Path, scenes: list[Variants]) -> None:
    weights = []
    for name in ("first", "second"):
        torch.manual_seed(0)
        (tmp_path / name).mkdir()
        write_untrained(tmp_path / name)
        model = load(tmp_path / name, trained=False)
        before = {key: value.clone() for key, value in model.network.state_dict().items()}
        assert len(train_images(model, scenes, TINY)) == 4
        assert not model.network.training
        after = model.network.state_dict()
        moved = {key.split(".")[0] for key, value in after.items() if not torch.equal(value, before[key])}
        assert moved == {"visual", "logit_scale"}
        weights.append(after)
    for key, value in weights[0].items():
        assert torch.equal(value, weights[1][key]), key


def test_a_made_folder_loads_and_records_how_it_was_made(tmp_path: Path) -> None:
    make(tmp_path, TINY, held_out=12)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    ]
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["recipe"]["steps"] == 4
    assert record["held_out"]["fold"] == "validation"
    assert 0 <= record["held_out"]["bars"]["region"]["picked"] <= 1
    stored = load_file(tmp_path / "open_clip_model.safetensors")
    loaded = load(tmp_path).network.state_dict()
    assert stored.keys() == loaded.keys()
    assert all(torch.equal(stored[key].to(value.dtype), value) for key, value in loaded.items())

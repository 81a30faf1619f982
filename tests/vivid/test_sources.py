from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder

from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT
from vivid_bench.vivid.sources import (
    PoolClips,
    SceneClips,
    SceneConfig,
    SuiteClips,
    SuiteConfig,
    fill_frames,
    open_source,
    render_pool,
    shard_tasks,
)

SCENES = SceneConfig(shards=2, clips_per_shard=4, frames=5, size=32)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    render_pool(folder, SCENES)
    return folder


def test_a_pool_rendered_again_is_the_same(folder: Path, tmp_path: Path) -> None:
    render_pool(tmp_path, SCENES, [1])
    for name in ("reference.npy", "filled.npy", "mask.npy"):
        assert np.array_equal(np.load(tmp_path / "00001" / name), np.load(folder / "00001" / name))


def test_a_pool_of_other_clips_is_refused(folder: Path) -> None:
    render_pool(folder, SCENES.model_copy(update={"shards": 1, "stored": False}))
    with pytest.raises(InputError, match="choose another --pool"):
        render_pool(folder, SCENES.model_copy(update={"mask_kind": "original"}))


def test_the_test_split_is_not_trained_on() -> None:
    with pytest.raises(InputError, match="expected clips to train on, found the test split"):
        SuiteClips(SuiteConfig(kind="suite", suite="mini", tasks=("delete",)))


def test_clips_differ_from_the_reference_under_the_mask_alone(folder: Path) -> None:
    pool = PoolClips(folder, SCENES)
    assert len(pool) == 8
    for index in range(8):
        clip = pool.clip(index, RNG)
        assert clip.reference.shape == (5, 32, 32, 3)
        assert np.array_equal(clip.reference[~clip.mask], clip.filled[~clip.mask])
        assert clip.mask.any()
        assert clip.caption


def test_a_pool_goes_to_other_processes_without_its_pixels(folder: Path) -> None:
    pool = PoolClips(folder, SCENES)
    sent = pickle.dumps(pool)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent).clip(3, RNG).filled, pool.clip(3, RNG).filled)


def test_scenes_drawn_afresh_are_those_of_the_pool(folder: Path) -> None:
    pool, scenes = PoolClips(folder, SCENES), SceneClips(SCENES)
    assert len(scenes) == len(pool)
    for index in (0, 5):
        stored, fresh = pool.clip(index, RNG), scenes.clip(index, RNG)
        assert np.array_equal(stored.filled, fresh.filled)
        assert stored.caption == fresh.caption
    assert {c for c in pool.captions() if c != DELETE_PROMPT} <= set(scenes.captions())


def test_tasks_are_drawn_by_their_shares() -> None:
    config = SceneConfig(shards=1, clips_per_shard=1000, task_shares={"add": 0.25, "delete": 0.75})
    tasks = shard_tasks(config, 0)
    assert tasks == shard_tasks(config, 0)
    assert 200 < tasks.count("add") < 300


def test_scenes_that_are_not_stored_need_no_disk(tmp_path: Path) -> None:
    assert isinstance(open_source(SCENES.model_copy(update={"stored": False}), tmp_path / "pool"), SceneClips)
    assert not (tmp_path / "pool").exists()


def test_a_suite_gives_clips_of_one_size_with_augmented_masks(data_folder: DataFolder) -> None:
    data_folder.add("one")
    source = SuiteClips(
        SuiteConfig(
            kind="suite", suite="folder", data=data_folder.path, tasks=("delete",), frames=4, height=16, width=24
        )
    )
    assert list(source.captions()) == [DELETE_PROMPT] * len(source)
    areas = set()
    for seed in range(12):
        clip = source.clip(0, np.random.default_rng(seed))
        assert clip.reference.shape == clip.filled.shape == (4, 16, 24, 3)
        assert clip.mask.shape == (4, 16, 24)
        areas.add(int(clip.mask.sum()))
    assert len(areas) > 1


def test_a_suite_without_answers_is_refused(data_folder: DataFolder) -> None:
    data_folder.add("one", with_reference=False)
    config = SuiteConfig(kind="suite", suite="folder", data=data_folder.path, tasks=("delete",))
    with pytest.raises(InputError, match="samples with a reference, or whose hole is hidden"):
        SuiteClips(config)


def test_visible_pixels_are_left_alone_by_the_fill() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    mask = np.zeros((2, 16, 16), np.bool_)
    mask[:, 4:9, 4:9] = True
    filled = fill_frames(frames, mask)
    assert np.array_equal(filled[~mask], frames[~mask])
    assert not np.array_equal(filled[mask], frames[mask])

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vivid_bench.build import mini
from vivid_bench.files import sha256_path
from vivid_bench.masks import MASK_KINDS
from vivid_bench.scenes import COLOURS
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import DELETE_PROMPT, TASKS, Task
from vivid_bench.video import read_video

SUITE = Path(__file__).parents[2] / "tasks" / "mini"


def shipped(task: Task) -> LoadedSplit:
    return load_splits("mini", (task,))[0]


@pytest.mark.parametrize("task", TASKS)
def test_shipped_clips_are_pinned_exact_and_equal_outside_the_mask(task: Task) -> None:
    split = shipped(task)
    for sample in split.split.samples:
        arrays = split.read(sample)  # checks every file against its hash
        assert arrays.reference is not None
        np.testing.assert_array_equal(arrays.source[~arrays.mask], arrays.reference[~arrays.mask])
        assert arrays.mask.any()
        assert (sample.hole == "hidden") == (sample.source == sample.reference)


@pytest.mark.parametrize("task", TASKS)
def test_shipped_samples_are_spread_evenly(task: Task) -> None:
    samples = shipped(task).split.samples
    assert len(samples) == 24
    assert len({s.source_video for s in samples}) == 24
    assert Counter(s.mask_kind for s in samples) == dict.fromkeys(MASK_KINDS, 4)
    assert Counter(s.frames for s in samples) == {17: 20, 49: 4}
    holes = Counter((s.hole, s.mask_kind) for s in samples)
    if task == "delete":
        assert holes == {(hole, kind): 2 for hole in ("visible", "hidden") for kind in MASK_KINDS}
        assert {s.prompt for s in samples} == {DELETE_PROMPT}
    else:
        assert {hole for hole, _ in holes} == {"visible"}
        words = {word for s in samples for word in s.prompt.rstrip(".").split()}
        assert len(words & set(COLOURS)) >= 8


def test_shipped_masks_hold_only_black_and_white() -> None:
    for sample in shipped("delete").split.samples:
        assert set(np.unique(read_video(SUITE / sample.mask.path, grey=True).frames)) == {0, 255}


def test_suite_is_small_and_holds_no_stray_file() -> None:
    files = [path for path in SUITE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25_000_000
    named = {"README.md", "suite.toml", *(f"{task}.jsonl" for task in TASKS)}
    for task in TASKS:
        for sample in shipped(task).split.samples:
            assert sample.reference is not None
            named |= {sample.source.path, sample.mask.path, sample.reference.path}
    assert {path.relative_to(SUITE).as_posix() for path in files} == named


@pytest.mark.parametrize("fold", ["test", "validation"])
def test_build_writes_a_suite_that_loads_and_is_the_same_every_time(
    fold: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("skimage", reason="some backgrounds are scikit-image's photographs")
    monkeypatch.setattr(mini, "SAMPLES_PER_TASK", 3)
    monkeypatch.setattr(mini, "LONG_SAMPLES_PER_TASK", 0)
    hashes = []
    for run in ("first", "second"):
        mini.build_mini(tmp_path / run, fold)
        hashes.append(sha256_path(tmp_path / run))
    assert hashes[0] == hashes[1]
    for split in load_splits(str(tmp_path / "first"), TASKS):
        for number, sample in enumerate(split.split.samples):
            arrays = split.read(sample)
            scene = mini.render_mini_sample(split.split.task, number, fold)
            np.testing.assert_array_equal(arrays.source, scene.source)
            np.testing.assert_array_equal(arrays.mask, scene.mask)
            np.testing.assert_array_equal(arrays.reference, scene.reference)


def test_command_line_names_its_arguments() -> None:
    command = [sys.executable, "-m", "vivid_bench.build.mini", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--out" in text
    assert "--fold" in text

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

SUITES = Path(__file__).parents[2] / "tasks"
SUITE = SUITES / "mini"


def shipped(task: Task, suite: str = "mini") -> LoadedSplit:
    return load_splits(suite, (task,))[0]


@pytest.mark.parametrize("suite", ["mini", "mini-long"])
@pytest.mark.parametrize("task", TASKS)
def test_shipped_clips_are_pinned_exact_and_equal_outside_the_mask(task: Task, suite: str) -> None:
    split = shipped(task, suite)
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


def test_the_long_track_has_every_mask_kind_once_and_scenes_of_its_own() -> None:
    samples = [sample for task in TASKS for sample in shipped(task, "mini-long").split.samples]
    assert [(s.task, s.mask_kind) for s in samples] == [
        ("add", "original"), ("add", "expand"), ("modify", "hull"), ("modify", "hull+expand"), ("delete", "rect"),
        ("delete", "rect+expand"),
    ]  # fmt: skip
    assert [s.hole for s in samples] == ["visible"] * 5 + ["hidden"]
    assert {(s.frames, s.height, s.width) for s in samples} == {(97, 96, 96)}
    short = [sample for task in TASKS for sample in shipped(task).split.samples]
    for key in ("id", "source_video", "source"):
        assert len({getattr(s, key) for s in samples}) == 6
        assert not {getattr(s, key) for s in samples} & {getattr(s, key) for s in short}


def test_long_clips_rerender_to_the_shipped_pixels() -> None:
    split = shipped("modify", "mini-long")
    arrays = split.read(split.split.samples[0])
    scene = mini.render_mini_sample("modify", 0, track="long")
    for ours, theirs in ((scene.source, arrays.source), (scene.reference, arrays.reference)):
        assert theirs is not None
        # Another processor may round a pixel's last bit differently.
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_shipped_masks_hold_only_black_and_white() -> None:
    for sample in shipped("delete").split.samples:
        assert set(np.unique(read_video(SUITE / sample.mask.path, grey=True).frames)) == {0, 255}


def test_suites_are_small() -> None:
    assert sum(path.stat().st_size for path in SUITES.rglob("*") if path.is_file()) <= 25_000_000


@pytest.mark.parametrize("suite", ["mini", "mini-long"])
def test_suite_holds_no_stray_file(suite: str) -> None:
    files = [path for path in (SUITES / suite).rglob("*") if path.is_file()]
    named = {"README.md", "suite.toml", *(f"{task}.jsonl" for task in TASKS)}
    for task in TASKS:
        for sample in shipped(task, suite).split.samples:
            assert sample.reference is not None
            named |= {sample.source.path, sample.mask.path, sample.reference.path}
    assert {path.relative_to(SUITES / suite).as_posix() for path in files} == named


@pytest.mark.parametrize(
    ("fold", "track", "name"),
    [
        ("test", "short", "mini"),
        ("validation", "short", "mini-validation"),
        ("test", "long", "mini-long"),
        ("validation", "long", "mini-long-validation"),
    ],
)
def test_build_writes_a_suite_that_loads_and_is_the_same_every_time(
    fold: str, track: mini.Track, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("skimage", reason="some backgrounds are scikit-image's photographs")
    monkeypatch.setattr(mini, "SAMPLES_PER_TASK", {"short": 3, "long": 2})
    monkeypatch.setattr(mini, "LONGER_SAMPLES_PER_TASK", 0)
    monkeypatch.setattr(mini, "LONG_TRACK_FRAMES", 5)
    hashes = []
    for run in ("first", "second"):
        mini.build_mini(tmp_path / run, fold, track)
        hashes.append(sha256_path(tmp_path / run))
    assert hashes[0] == hashes[1]
    for split in load_splits(str(tmp_path / "first"), TASKS):
        for number, sample in enumerate(split.split.samples):
            arrays = split.read(sample)
            assert split.split.suite == name
            scene = mini.render_mini_sample(split.split.task, number, fold, track)
            np.testing.assert_array_equal(arrays.source, scene.source)
            np.testing.assert_array_equal(arrays.mask, scene.mask)
            np.testing.assert_array_equal(arrays.reference, scene.reference)


def test_command_line_names_its_arguments() -> None:
    command = [sys.executable, "-m", "vivid_bench.build.mini", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--out" in text
    assert "--fold" in text
    assert "--track" in text

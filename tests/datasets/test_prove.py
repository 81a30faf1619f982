from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import box_mask, mask_video, moving_clip
from frame_folders import write_frames

from vivid_bench.datasets.readers import read_dataset
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.suites import load_splits
from vivid_bench.types import DELETE_PROMPT
from vivid_bench.video import write_lossless_mp4

MASK = box_mask(4, 24, 32)


def truth(seed: int = 0) -> np.ndarray:
    clean = moving_clip(4, seed=seed)
    clean[MASK] = 255 - clean[MASK]
    return clean


def add(
    part: Path, name: str, *, seed: int = 0, gts: str | None = None, inputs: str = "inputs", masks: str = "masks"
) -> None:
    """Write a video, its mask and, into the folder `gts`, its ground truth."""
    write_lossless_mp4(part / inputs / f"{name}.mp4", moving_clip(4, seed=seed), 30.0)
    write_lossless_mp4(part / masks / f"{name}.mp4", mask_video(MASK), 30.0)
    if gts:
        write_lossless_mp4(part / gts / f"{name}.mp4", truth(seed), 30.0)


def test_both_parts(tmp_path: Path) -> None:
    add(tmp_path / "PROVE-H", "cat")
    add(tmp_path / "PROVE-M", "dog", seed=1, gts="gts")
    add(tmp_path / "PROVE-M", "bus", gts="gts")
    (loaded,) = load_splits("prove", ("delete",), tmp_path)
    bus, dog, cat = loaded.split.samples
    assert [s.id for s in (bus, dog, cat)] == ["PROVE-M-bus", "PROVE-M-dog", "PROVE-H-cat"]
    assert (dog.prompt, dog.hole, dog.frames, dog.fps) == (DELETE_PROMPT, "visible", 4, 30.0)
    assert (dog.source.path, dog.mask.path) == ("PROVE-M/inputs/dog.mp4", "PROVE-M/masks/dog.mp4")
    arrays = loaded.read(dog)
    assert np.array_equal(arrays.source, moving_clip(4, seed=1))
    assert np.array_equal(arrays.mask, MASK)
    assert arrays.reference is not None
    assert np.array_equal(arrays.reference, truth(1))
    assert (cat.reference, loaded.read(cat).reference) == (None, None)
    assert loaded.warnings == ()


def test_one_part_as_the_data_folder_has_the_same_ids(tmp_path: Path) -> None:
    part = tmp_path / "PROVE-M"
    add(part, "dog", gts="gts")
    inside = read_dataset("prove", part, "delete").samples
    outside = read_dataset("prove", tmp_path, "delete").samples
    assert [s.id for s in inside] == [s.id for s in outside] == ["PROVE-M-dog"]
    assert inside[0].source.path == "inputs/dog.mp4"


@pytest.mark.parametrize(
    ("inputs", "masks", "gts"),
    [("RAW_VIDEOS", "MASKS", "GT"), ("videos", "mask", "ground-truth"), ("Source", "Masks", "BG")],
)
def test_other_names_of_folders(tmp_path: Path, inputs: str, masks: str, gts: str) -> None:
    add(tmp_path / "prove_m", "dog", inputs=inputs, masks=masks, gts=gts)
    (sample,) = read_dataset("prove", tmp_path, "delete").samples
    assert sample.id == "PROVE-M-dog"
    assert sample.reference is not None
    assert sample.reference.path == f"prove_m/{gts}/dog.mp4"


def test_a_folder_of_another_name_without_ground_truth(tmp_path: Path) -> None:
    add(tmp_path, "dog")
    write_frames(tmp_path / "inputs" / "cat", range(4))
    write_frames(tmp_path / "masks" / "cat", range(4))
    report = read_dataset("prove", tmp_path, "delete")
    assert [s.id for s in report.samples] == ["dog"]
    (problem,) = report.problems
    assert "masks/cat" in str(problem)
    assert "expected a black and white mask, found colours" in str(problem)


def test_prove_m_needs_its_ground_truth(tmp_path: Path) -> None:
    add(tmp_path / "PROVE-M", "dog", gts="without_object")
    with pytest.raises(InputReportError) as raised:
        load_splits("prove", ("delete",), tmp_path)
    assert "expected a folder gts or gt or " in str(raised.value)
    assert "found 3 (inputs, masks, without_object); give that folder the name gts" in str(raised.value)


def test_what_is_missing_and_left_over(tmp_path: Path) -> None:
    part = tmp_path / "PROVE-M"
    for name in ("dog", "cow", "cat", "bus"):
        add(part, name, gts="gts")
    (part / "masks/cow.mp4").unlink()
    (part / "gts/cat.mp4").unlink()
    (part / "inputs/bus.mp4").unlink()
    (part / "inputs/notes.txt").touch()
    report = read_dataset("prove", tmp_path, "delete")
    assert [s.id for s in report.samples] == ["PROVE-M-dog"]
    reference, mask = map(str, report.problems)
    assert "expected a reference of each video, in PROVE-M/gts, found that lacking in 1 (cat)" in reference
    assert "expected a mask of each video, in PROVE-M/masks, found that lacking in 1 (cow)" in mask
    assert report.warnings == [f"{tmp_path}: masks left out, for PROVE-M/inputs has no video of their name: 1 (bus)"]


def test_a_mask_that_is_longer_than_its_video(tmp_path: Path) -> None:
    add(tmp_path, "dog")
    write_lossless_mp4(tmp_path / "masks/dog.mp4", mask_video(box_mask(5, 24, 32)), 30.0)
    (problem,) = read_dataset("prove", tmp_path, "delete").problems
    assert "expected 4 frames (as the source), found 5" in str(problem)


def test_a_folder_without_the_set(tmp_path: Path) -> None:
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputError, match=r"expected a folder inputs or .* of videos, found 1 \(dog\)"):
        read_dataset("prove", tmp_path, "delete")


def test_what_macos_leaves_behind(tmp_path: Path) -> None:
    add(tmp_path / "PROVE-H", "dog")
    (tmp_path / "PROVE-H/inputs/__MACOSX").mkdir()
    (tmp_path / "PROVE-H/masks/__MACOSX").mkdir()
    (tmp_path / "PROVE-H/inputs/._dog.mp4").write_bytes(b"x")
    report = read_dataset("prove", tmp_path, "delete")
    assert ([s.id for s in report.samples], report.problems, report.warnings) == (["PROVE-H-dog"], [], [])


def test_suffixes_in_any_case(tmp_path: Path) -> None:
    add(tmp_path, "dog")
    (tmp_path / "inputs/dog.mp4").rename(tmp_path / "inputs/dog.Mp4")
    (tmp_path / "masks/dog.mp4").rename(tmp_path / "masks/dog.mP4")
    report = read_dataset("prove", tmp_path, "delete")
    assert report.problems == []
    assert (report.samples[0].source.path, report.samples[0].mask.path) == ("inputs/dog.Mp4", "masks/dog.mP4")


def test_two_videos_of_one_name_do_not_end_the_list(tmp_path: Path) -> None:
    for name in ("bus", "cat", "dog"):
        add(tmp_path, name)
    for double in ("inputs/bus.mov", "masks/bus.mov", "inputs/cat.mov"):
        (tmp_path / double).touch()
    (tmp_path / "masks/dog.mp4").unlink()
    add(tmp_path, "eel")
    report = read_dataset("prove", tmp_path, "delete")
    assert [s.id for s in report.samples] == ["eel"]
    assert [str(problem).partition("; ")[0] for problem in report.problems] == [
        f"{tmp_path}/inputs: expected one video bus, found bus.mov, bus.mp4",
        f"{tmp_path}/masks: expected one video bus, found bus.mov, bus.mp4",
        f"{tmp_path}/inputs: expected one video cat, found cat.mov, cat.mp4",
        f"{tmp_path}: expected a mask of each video, in masks, found that lacking in 1 (dog)",
    ]


def test_a_part_without_masks_leaves_the_other(tmp_path: Path) -> None:
    add(tmp_path / "PROVE-M", "bus", gts="gts")
    add(tmp_path / "PROVE-H", "dog")
    (tmp_path / "PROVE-M/masks").rename(tmp_path / "PROVE-M/other")
    report = read_dataset("prove", tmp_path, "delete")
    assert [s.id for s in report.samples] == ["PROVE-H-dog"]
    (problem,) = report.problems
    assert "PROVE-M: expected a folder masks or " in str(problem)

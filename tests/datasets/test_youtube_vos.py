from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from frame_folders import label_map, write_binary, write_frames, write_masks

from vivid_bench.datasets.readers import read_dataset
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.suites import load_splits
from vivid_bench.types import DELETE_PROMPT, Span
from vivid_bench.video import read_video

EVERY_FIFTH = range(0, 15, 5)


def add(
    data: Path, name: str, numbers: range = EVERY_FIFTH, masks: Iterable[int] = EVERY_FIFTH, part: str = "train"
) -> None:
    write_frames(data / part / "JPEGImages" / name, numbers)
    write_masks(data / part / "Annotations" / name, masks, label_map((1, 4), (3, 20)))


def write_meta(data: Path, *names: str, part: str = "train") -> None:
    videos = {name: {"objects": {"1": {"category": "ape", "frames": ["00000"]}}} for name in names}
    (data / part / "meta.json").write_text(json.dumps({"videos": videos}))


def test_every_fifth_frame_is_a_clip(tmp_path: Path) -> None:
    add(tmp_path, "0a1b")
    write_meta(tmp_path, "0a1b")
    (loaded,) = load_splits("youtube-vos", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.id, sample.prompt, sample.frames, sample.fps) == ("0a1b", DELETE_PROMPT, 3, 6.0)
    assert (sample.span, sample.hole, sample.reference) == (Span(first=0, step=5), "visible", None)
    arrays = loaded.read(sample)
    assert arrays.source.shape == (3, 24, 32, 3)
    assert arrays.mask.sum() == 3 * 2 * 40
    assert loaded.warnings == ()


def test_numbers_that_do_not_start_at_0_and_objects_that_come_later(tmp_path: Path) -> None:
    numbers = range(20, 35, 5)
    write_frames(tmp_path / "train/JPEGImages/a", numbers)
    maps = [label_map((1, 4)), label_map((1, 4), (2, 20)), label_map((2, 20))]
    write_masks(tmp_path / "train/Annotations/a", numbers, maps)
    (loaded,) = load_splits("youtube-vos", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert sample.span == Span(first=20, step=5)
    assert loaded.read(sample).mask.sum(axis=(1, 2)).tolist() == [40, 80, 40]


def test_all_frames_give_the_frames_that_have_masks(tmp_path: Path) -> None:
    folder = tmp_path / "train_all_frames/JPEGImages/a"
    write_frames(folder, range(13))
    write_masks(tmp_path / "train/Annotations/a", EVERY_FIFTH, label_map((1, 4)))
    write_meta(tmp_path, "a")
    (loaded,) = load_splits("youtube-vos", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.source.path, sample.frames, loaded.warnings) == ("train_all_frames/JPEGImages/a", 3, ())
    assert np.array_equal(loaded.read(sample).source, read_video(folder).frames[[0, 5, 10]])


def test_a_part_itself_and_images_at_two_rates(tmp_path: Path) -> None:
    add(tmp_path, "a")
    write_frames(tmp_path / "train_all_frames/JPEGImages/a", range(13))
    # Where a part has its own images, those with all frames are not needed.
    assert read_dataset("youtube-vos", tmp_path, "delete").samples[0].source.path == "train/JPEGImages/a"
    assert read_dataset("youtube-vos", tmp_path / "train", "delete").samples[0].source.path == "JPEGImages/a"


def test_sequences_of_which_only_some_frames_have_masks_are_counted(tmp_path: Path) -> None:
    add(tmp_path, "a")
    for index, masks in enumerate([(0,), (0, 5), (0, 10), (5,), ()]):
        add(tmp_path, f"v{index}", masks=masks, part="valid")
    report = read_dataset("youtube-vos", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["a"]
    assert report.problems == []
    (warning,) = report.warnings
    assert (
        "sequences left out, for not all of their frames have masks in valid/Annotations: 5 (v0: 3 frames, " in warning
    )


def test_of_valid_alone_nothing_is_left(tmp_path: Path) -> None:
    add(tmp_path, "v0", masks=(0,), part="valid")
    with pytest.raises(
        InputError,
        match=r"every fifth frame has a mask, found .* 1 \(v0: 3 frames, 1 masks: no mask 5\); valid and test",
    ):
        load_splits("youtube-vos", ("delete",), tmp_path)


def test_a_sequence_nearly_whole_is_cut_and_said_so(tmp_path: Path) -> None:
    add(tmp_path, "a", range(0, 60, 5), range(5, 60, 5))
    report = read_dataset("youtube-vos", tmp_path, "delete")
    assert (report.samples[0].frames, report.samples[0].span) == (11, Span(first=5, step=5))
    assert "1 (a: 12 frames, 11 masks: no mask 0)" in report.warnings[0]


def test_meta_json_says_what_is_missing_and_left_over(tmp_path: Path) -> None:
    for name in ("a", "b", "extra"):
        add(tmp_path, name)
    write_meta(tmp_path, "b", "a", "gone")
    report = read_dataset("youtube-vos", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["a", "b"]
    (problem,) = report.problems
    assert "frames of each sequence, in train/JPEGImages, found that lacking in 1 (gone)" in str(problem)
    assert report.warnings[0].endswith("train/meta.json does not name them: 1 (extra)")


def test_a_sequence_in_two_parts_is_read_once(tmp_path: Path) -> None:
    add(tmp_path, "a")
    add(tmp_path, "a", part="valid")
    report = read_dataset("youtube-vos", tmp_path, "delete")
    assert [sample.source.path for sample in report.samples] == ["train/JPEGImages/a"]
    assert "an earlier part has them too: 1 (valid/JPEGImages/a)" in report.warnings[0]


def test_damage_costs_only_its_sequence(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        add(tmp_path, name)
    (tmp_path / "train/Annotations/a/00005.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "train/JPEGImages/b/5.jpg").write_bytes(b"")
    report = read_dataset("youtube-vos", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["c"]
    assert "expected a whole image" in str(report.problems[0])
    assert "expected one frame 5" in str(report.problems[1])
    with pytest.raises(InputReportError):
        load_splits("youtube-vos", ("delete",), tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"videos": []}'])
def test_a_broken_meta_json(tmp_path: Path, content: str) -> None:
    add(tmp_path, "a")
    (tmp_path / "train/meta.json").write_text(content)
    with pytest.raises(InputError, match=r"meta\.json: expected a list of videos"):
        read_dataset("youtube-vos", tmp_path, "delete")


def test_names_cannot_lead_out_of_the_set(tmp_path: Path) -> None:
    add(tmp_path, "a")
    write_meta(tmp_path, "../../a")
    with pytest.raises(InputError, match="expected names of videos"):
        read_dataset("youtube-vos", tmp_path, "delete")


def test_no_such_set(tmp_path: Path) -> None:
    (tmp_path / "empty" / "JPEGImages").mkdir(parents=True)
    with pytest.raises(InputError, match="found no sequences"):
        read_dataset("youtube-vos", tmp_path / "empty", "delete")
    with pytest.raises(InputError, match="expected YouTube-VOS, found no JPEGImages in it, nor in train, valid, test"):
        read_dataset("youtube-vos", tmp_path, "delete")


@pytest.mark.parametrize("inside", ["", "train"])
def test_of_train_a_mask_that_is_missing_is_a_problem(tmp_path: Path, inside: str) -> None:
    add(tmp_path, "a")
    add(tmp_path, "hole", masks=(0, 10))
    add(tmp_path, "gap", range(0, 20, 5), range(0, 20, 5))
    for kind in ("JPEGImages/gap/00010.jpg", "Annotations/gap/00010.png"):
        (tmp_path / "train" / kind).unlink()
    report = read_dataset("youtube-vos", tmp_path / inside, "delete")
    assert ([sample.id for sample in report.samples], report.warnings) == (["a"], [])
    gap, hole = map(str, report.problems)
    assert "found that lacking in 1 (hole: 3 frames, 2 masks: no mask 5)" in hole
    assert "numbered in steps of 5, found that lacking in 1 (gap: neither has 10)" in gap


def test_black_and_white_masks(tmp_path: Path) -> None:
    write_frames(tmp_path / "train/JPEGImages/a", EVERY_FIFTH)
    write_binary(tmp_path / "train/Annotations/a", EVERY_FIFTH, label_map((255, 4)))
    (loaded,) = load_splits("youtube-vos", ("delete",), tmp_path)
    assert loaded.read(loaded.split.samples[0]).mask.sum() == 3 * 40

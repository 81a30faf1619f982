from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import box_mask
from frame_folders import label_map, write_binary, write_frames
from numpy.typing import NDArray

from vivid_bench.datasets.readers import read_dataset
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.images import read_image
from vivid_bench.suites import load_splits
from vivid_bench.types import Span

BOX = (8, 8, 24, 16)
"""On the grid of JPEG's blocks of 8 x 8, so that its masks are exact."""


def add_video(data: Path, name: str, numbers: Iterable[int] = range(1, 4), white: int = 255) -> None:
    numbers = list(numbers)
    write_frames(data / "images" / name, numbers)
    masks = data / "bmasks" / name
    masks.mkdir(parents=True)
    for number, mask in zip(numbers, box_mask(len(numbers), 24, 32, BOX), strict=True):
        cv2.imwrite(str(masks / f"{number:05}.jpg"), mask * np.uint8(white))


def entry(video: str, kind: object, target: str = "a [red] bus on a street", **more: object) -> dict[str, object]:
    fields = {"video_name": video, "editing_type_id": kind, "save_dir": "1_a red bus"}
    return fields | {"source_prompt": "a [white] bus on a street", "target_prompt": target} | more


def write_lists(data: Path, **lists: list[dict[str, object]]) -> None:
    (data / "edit_prompt").mkdir(parents=True)
    for kind in range(1, 7):
        (data / "edit_prompt" / f"edit{kind}_FiVE.json").write_text(json.dumps(lists.get(f"edit{kind}", [])))


def frames_of(folder: Path) -> NDArray[np.uint8]:
    return np.stack([read_image(path) for path in sorted(folder.iterdir())])


def test_the_kind_of_an_edit_is_its_task(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus")
    add_video(tmp_path, "0002_girl-dog")
    write_lists(
        tmp_path,
        edit1=[entry("0001_bus", 1, "a [tram] on a street")],
        edit4=[entry("0002_girl-dog", "4", "a [wooden] dog", multiple_choice_question="?")],
        edit5=[entry("0001_bus", 5, "a bus [with a flag]")],
        edit6=[entry("0002_girl-dog", 6, "a girl"), entry("0002_girl-dog", 6, "a dog")],
    )
    add, modify, delete = load_splits("five", ("add", "modify", "delete"), tmp_path)
    assert [(s.id, s.prompt) for s in add.split.samples] == [("edit5-0001_bus", "a bus with a flag")]
    assert [(s.id, s.prompt) for s in modify.split.samples] == [
        ("edit1-0001_bus", "a tram on a street"),
        ("edit4-0002_girl-dog", "a wooden dog"),
    ]
    assert [(s.id, s.prompt) for s in delete.split.samples] == [
        ("edit6-0002_girl-dog", "a girl"),
        ("edit6.2-0002_girl-dog", "a dog"),
    ]
    sample = modify.split.samples[1]
    assert (sample.task, sample.hole, sample.reference, sample.source_video) == (
        "modify",
        "visible",
        None,
        "0002_girl-dog",
    )
    assert (sample.frames, sample.height, sample.width, sample.fps) == (3, 24, 32, 24.0)
    assert modify.split.main_metric == "background_psnr"
    arrays = modify.read(sample)
    assert np.array_equal(arrays.source, frames_of(tmp_path / "images" / "0002_girl-dog"))
    assert np.array_equal(arrays.mask, box_mask(3, 24, 32, BOX))
    assert modify.warnings == ()


def test_frames_sampled_at_an_interval_and_masks_of_ones(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus", (1, 9, 17), white=1)
    write_lists(tmp_path, edit3=[entry("0001_bus", 3)])
    (loaded,) = load_splits("five", ("modify",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.span, sample.frames, sample.labels) == (Span(first=1, step=8), 3, ())
    arrays = loaded.read(sample)
    assert np.array_equal(arrays.source, frames_of(tmp_path / "images" / "0001_bus"))
    assert np.array_equal(arrays.mask, box_mask(3, 24, 32, BOX))


def test_masks_are_paired_with_frames_by_number(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus", range(1, 13))
    (tmp_path / "bmasks/0001_bus/00001.jpg").unlink()
    write_lists(tmp_path, edit3=[entry("0001_bus", 3)])
    (loaded,) = load_splits("five", ("modify",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.span, sample.frames) == (Span(first=2), 11)
    assert np.array_equal(loaded.read(sample).source, frames_of(tmp_path / "images" / "0001_bus")[1:])
    assert "1 (0001_bus: 12 frames, 11 masks: no mask 1)" in loaded.warnings[0]


def test_what_is_missing_and_left_over(tmp_path: Path) -> None:
    for name in ("0001_bus", "0002_dog", "0003_cow"):
        add_video(tmp_path, name)
    for mask in (tmp_path / "bmasks/0002_dog").iterdir():
        mask.unlink()
    write_lists(tmp_path, edit3=[entry(name, 3) for name in ("0001_bus", "0002_dog", "0009_gone")])
    (tmp_path / "edit_prompt/edit6_FiVE.json").unlink()
    report = read_dataset("five", tmp_path, "modify")
    assert [sample.id for sample in report.samples] == ["edit3-0001_bus"]
    lists, masks, frames = map(str, report.problems)
    assert "edit1_FiVE.json to edit6_FiVE.json in edit_prompt, found that lacking in 1 (edit6_FiVE.json)" in lists
    assert "masks of each sequence, in bmasks, found that lacking in 1 (0002_dog)" in masks
    assert "frames of each sequence, in images, found that lacking in 1 (0009_gone)" in frames
    assert report.warnings == [f"{tmp_path}: videos of images left out, for no list has an edit of them: 1 (0003_cow)"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (entry("../0001_bus", 3), "expected video_name to be the plain name of a folder"),
        (entry("/etc", 3), "expected video_name"),
        (entry("0001_bus", 7), "expected editing_type_id from 1 to 6"),
        (entry("0001_bus", 3, " [] "), "expected a target_prompt of each edit"),
    ],
)
def test_entries_that_cannot_be_used(tmp_path: Path, bad: dict[str, object], words: str) -> None:
    add_video(tmp_path, "0001_bus")
    write_lists(tmp_path, edit3=[entry("0001_bus", 3), bad])
    with pytest.raises(InputReportError, match="1 problems") as raised:
        load_splits("five", ("modify",), tmp_path)
    assert words in str(raised.value)


@pytest.mark.parametrize("content", ["{", "{}", '[{"video_name": "0001_bus"}]', '[{"video_name": 1}]'])
def test_a_list_of_another_kind(tmp_path: Path, content: str) -> None:
    add_video(tmp_path, "0001_bus")
    write_lists(tmp_path)
    (tmp_path / "edit_prompt/edit2_FiVE.json").write_text(content)
    with pytest.raises(InputError, match="expected a list of edits with video_name, editing_type_id, target_prompt"):
        read_dataset("five", tmp_path, "modify")


def test_archives_that_are_not_unpacked(tmp_path: Path) -> None:
    write_lists(tmp_path)
    (tmp_path / "images.zip").touch()
    with pytest.raises(InputError, match=r"expected a folder images, found 2 \(edit_prompt, images.zip\)"):
        read_dataset("five", tmp_path, "delete")


def test_a_faint_first_mask_in_jpeg_is_no_label_map(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus")
    faint = np.zeros((24, 32), np.uint8)
    faint[8:16, 8:16] = 3
    cv2.imwrite(str(tmp_path / "bmasks/0001_bus/00001.jpg"), faint)
    write_lists(tmp_path, edit5=[entry("0001_bus", 5)])
    (loaded,) = load_splits("five", ("add",), tmp_path)
    (sample,) = loaded.split.samples
    assert sample.labels is None
    assert [frame.any() for frame in loaded.read(sample).mask] == [False, True, True]


def test_faint_specks_beside_white_png_masks_are_refused(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus")
    shutil.rmtree(tmp_path / "bmasks/0001_bus")
    write_binary(tmp_path / "bmasks/0001_bus", (2, 3), label_map((255, 4)))
    faint = np.zeros((24, 32), np.uint8)
    faint[:2, :2] = 9
    cv2.imwrite(str(tmp_path / "bmasks/0001_bus/00001.png"), faint)
    write_lists(tmp_path, edit1=[entry("0001_bus", 1), entry("0001_bus", 1)])
    (problem,) = read_dataset("five", tmp_path, "modify").problems
    assert "found values below 32 in 00001.png and white in 00002.png" in str(problem)


def test_a_gap_in_frames_and_masks_is_named(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus", (1, 2, 3, 5))
    write_lists(tmp_path, edit1=[entry("0001_bus", 1)])
    (problem,) = read_dataset("five", tmp_path, "modify").problems
    assert "numbered one by one, found that lacking in 1 (0001_bus: neither has 4)" in str(problem)


def test_each_fault_is_told_once_for_all_tasks(tmp_path: Path) -> None:
    add_video(tmp_path, "0001_bus")
    bad = [entry("0001_bus", 7), entry("0002_gone", 1), entry("0001_bus", 6, " ")]
    write_lists(tmp_path, edit1=[entry("0001_bus", 1), *bad], edit5=[entry("0001_bus", 5)])
    with pytest.raises(InputReportError, match="3 problems"):
        load_splits("five", ("add", "modify", "delete"), tmp_path)

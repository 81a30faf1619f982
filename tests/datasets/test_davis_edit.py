from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from frame_folders import label_map, write_binary, write_frames, write_masks
from PIL import Image

from vivid_bench.datasets.davis_edit import CAPTIONS, CARD
from vivid_bench.datasets.readers import read_dataset
from vivid_bench.errors import InputError
from vivid_bench.suites import load_splits

BEAR = {
    "original": "a bear walking on rocks",
    "similar": "A panda walking on rocks",
    "changing": "A rabbit walking on rocks",
}


def add(data: Path, name: str, frames: int = 2, masks: int = 2) -> None:
    write_frames(data / "JPEGImages" / name, range(frames))
    write_masks(data / "Annotations" / name, range(masks), label_map((1, 4)))


def write_captions(data: Path, captions: object) -> None:
    data.mkdir(exist_ok=True)
    (data / CAPTIONS).write_text(json.dumps(captions), encoding="utf-8")


def test_a_sequence_has_an_edit_of_each_kind(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    write_captions(tmp_path, {"bear": BEAR})
    (tmp_path / "ReferenceImages" / "similar").mkdir(parents=True)
    (loaded,) = load_splits("davis-edit", ("modify",), tmp_path)
    similar, changing = loaded.split.samples
    assert (similar.id, similar.prompt) == ("bear-similar", "A panda walking on rocks")
    assert (changing.id, changing.prompt) == ("bear-changing", "A rabbit walking on rocks")
    assert {s.source_video for s in loaded.split.samples} == {"bear"}
    assert (similar.task, similar.hole, similar.reference, similar.fps) == ("modify", "visible", None, 24.0)
    assert (similar.source, similar.source.path) == (changing.source, "JPEGImages/bear")
    assert loaded.read(similar).mask.sum() == 2 * 40
    assert loaded.warnings == ()


def test_black_and_white_masks_and_the_order_of_the_captions(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    write_frames(tmp_path / "JPEGImages" / "cow", range(2))
    write_binary(tmp_path / "Annotations" / "cow", range(2), label_map((255, 4)))
    write_captions(tmp_path, {"cow": BEAR, "bear": BEAR})
    (loaded,) = load_splits("davis-edit", ("modify",), tmp_path, limit=3)
    assert [s.id for s in loaded.split.samples] == ["cow-similar", "cow-changing", "bear-similar"]
    assert loaded.split.samples[0].labels is None
    assert np.array_equal(*(loaded.read(loaded.split.samples[i]).mask for i in (1, 2)))


def test_captions_on_a_tree_with_resolutions(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages/480p/bear", range(2))
    write_masks(tmp_path / "Annotations/480p/bear", range(2), label_map((1, 4)))
    write_captions(tmp_path, {"bear": BEAR})
    assert read_dataset("davis-edit", tmp_path, "modify").samples[0].source.path == "JPEGImages/480p/bear"


def test_one_mask_less_than_frames_is_cut_and_said_so(tmp_path: Path) -> None:
    add(tmp_path, "bear", frames=12, masks=11)
    write_captions(tmp_path, {"bear": BEAR})
    report = read_dataset("davis-edit", tmp_path, "modify")
    assert [sample.frames for sample in report.samples] == [11, 11]
    assert "1 (bear: 12 frames, 11 masks: no mask 11)" in report.warnings[0]


def test_what_is_missing_and_left_over(tmp_path: Path) -> None:
    for name in ("bear", "cow", "dog"):
        add(tmp_path, name)
    captions = {"bear": BEAR, "cow": {**BEAR, "changing": " "}, "gone": BEAR}
    write_captions(tmp_path, captions)
    report = read_dataset("davis-edit", tmp_path, "modify")
    assert [sample.id for sample in report.samples] == ["bear-similar", "bear-changing", "cow-similar"]
    caption, frames = map(str, report.problems)
    assert "found that lacking in 1 (cow (changing))" in caption
    assert "frames of each sequence, in JPEGImages, found that lacking in 1 (gone)" in frames
    (warning,) = report.warnings
    assert warning.endswith(f"sequences left out, for {CAPTIONS} has none of them: 1 (dog)")


@pytest.mark.parametrize(
    ("captions", "words"),
    [
        ([BEAR], "expected captions:"),
        ({"bear": "a panda"}, "expected captions:"),
        ({"../bear": BEAR}, "expected names of sequences"),
        ({"b" * 195: BEAR}, "expected names of sequences"),
    ],
)
def test_broken_captions(tmp_path: Path, captions: object, words: str) -> None:
    add(tmp_path, "bear")
    write_captions(tmp_path, captions)
    with pytest.raises(InputError, match=words):
        read_dataset("davis-edit", tmp_path, "modify")


def test_no_captions_and_no_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder JPEGImages, found nothing"):
        read_dataset("davis-edit", tmp_path, "modify")
    add(tmp_path / "DAVIS-Edit", "bear")
    with pytest.raises(InputError, match="expected the edited captions, found nothing"):
        read_dataset("davis-edit", tmp_path, "modify")
    (tmp_path / "DAVIS-Edit" / CAPTIONS).write_text("{")
    with pytest.raises(InputError, match="expected captions:"):
        read_dataset("davis-edit", tmp_path, "modify")


def test_what_is_not_known_of_the_layout_is_said() -> None:
    assert not CARD.certain
    assert "Not seen" in CARD.source


def test_captions_that_nothing_can_write_are_refused(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    for content in ('{"bear": {"similar": "\\ud800"}}', "[" * 100_000):
        (tmp_path / CAPTIONS).write_text(content)
        with pytest.raises(InputError, match="expected captions"):
            read_dataset("davis-edit", tmp_path, "modify")
    (tmp_path / CAPTIONS).unlink()
    (tmp_path / CAPTIONS).mkdir()
    with pytest.raises(InputError, match="expected readable files, found IsADirectoryError"):
        read_dataset("davis-edit", tmp_path, "modify")


def test_soft_masks_whose_first_is_faint(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages" / "bear", range(3))
    masks = np.stack([label_map(), label_map((255, 4)), label_map((255, 4))])
    masks[:, 3, 4:8] = np.array([[13], [90], [200]])  # an edge, all there is of the first
    (tmp_path / "Annotations" / "bear").mkdir(parents=True)
    for number, mask in enumerate(masks):
        Image.fromarray(mask).save(tmp_path / "Annotations" / "bear" / f"{number:05}.png")
    write_captions(tmp_path, {"bear": BEAR})
    (loaded,) = load_splits("davis-edit", ("modify",), tmp_path)
    sample = loaded.split.samples[0]
    assert sample.labels is None
    assert loaded.read(sample).mask.sum(axis=(1, 2)).tolist() == [0, 40, 44]

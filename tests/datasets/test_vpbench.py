from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from clips import moving_clip
from frame_folders import label_map, write_binary, write_frames
from numpy.typing import NDArray

from vivid_bench.datasets.readers import read_dataset
from vivid_bench.errors import InputError, InputReportError, NoSamplesError
from vivid_bench.suites import load_splits
from vivid_bench.types import Span
from vivid_bench.video import write_lossless_mp4

INPAINT = "our_video_inpaint.csv"
EDIT = "our_video_edit.csv"
FROG, BOAT = "000005000007.0.mp4", "000000000042_852038.mp4"
"""A video of Videvo, and one of Pexels."""

Row = dict[str, object]


def label_maps(frames: int) -> NDArray[np.uint8]:
    """Label maps as the set has them: object 3 moves by a pixel a frame, object 5 stands still."""
    maps = np.zeros((frames, 24, 32), np.uint8)
    maps[:, 16:20, 20:28] = 5
    for t in range(frames):
        maps[t, 4:14, 2 + t : 8 + t] = 3
    return maps


def add_video(data: Path, name: str, frames: int = 8) -> None:
    """Write a video and its masks where the set has them."""
    base = name.split(".")[0]
    if name.endswith(".0.mp4"):
        place, masks = data / "videovo/raw_video" / base[:-3] / name, data / "video_inpainting/videovo" / base
    else:
        place, masks = data / "pexels/pexels/raw_video" / base[:9] / name, data / "video_inpainting/pexels" / base
    write_lossless_mp4(place, moving_clip(frames), 25.0)
    masks.mkdir(parents=True)
    np.savez_compressed(masks / "all_masks.npz", label_maps(frames))


def row(path: str, **changed: object) -> Row:
    fixed: Row = {"path": path, "mask_id": 3, "start_frame": 2, "end_frame": 7, "fps": 25}
    return fixed | {"video_inpainting_prompt": "a pond", "image_inpainting_prompt": "a green frog"} | changed


def edit(path: str, instruction: str, **changed: object) -> Row:
    captions = {"Edited_video_caption": "a pond, red", "Edited_image_caption": "a red frog"}
    return row(path) | captions | {"Editing_instruction": instruction} | changed


def write_list(data: Path, name: str, *rows: Row) -> None:
    data.mkdir(exist_ok=True)
    with (data / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_inpainting_is_add_with_a_hidden_hole(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    add_video(tmp_path, BOAT)
    write_list(
        tmp_path, INPAINT, row(FROG), row(BOAT, mask_id="5.0", start_frame=0, image_inpainting_prompt='a "boat"')
    )
    (loaded,) = load_splits("vpbench", ("add",), tmp_path)
    frog, boat = loaded.split.samples
    assert (frog.id, frog.prompt, frog.hole, frog.labels) == ("000005000007-mask3-2", "a green frog", "hidden", (3,))
    assert (frog.frames, frog.height, frog.width, frog.fps, frog.span) == (5, 24, 32, 25.0, Span(first=2))
    assert frog.source.path == "videovo/raw_video/000005000/000005000007.0.mp4"
    assert frog.mask.path == "video_inpainting/videovo/000005000007/all_masks.npz"
    assert frog.reference == frog.source
    assert (boat.id, boat.prompt, boat.source_video) == ("000000000042_852038-mask5-0", 'a "boat"', BOAT[:-4])
    assert boat.source.path == "pexels/pexels/raw_video/000000000/000000000042_852038.mp4"
    assert loaded.split.main_metric == "edit_psnr"
    arrays = loaded.read(frog)
    assert np.array_equal(arrays.source, moving_clip(8)[2:7])
    assert np.array_equal(arrays.mask, label_maps(8)[2:7] == 3)
    assert arrays.reference is not None
    assert np.array_equal(arrays.reference, arrays.source)
    assert np.array_equal(loaded.read(boat).mask, label_maps(8)[:7] == 5)
    assert loaded.warnings == ()


def test_the_instruction_tells_an_edit_from_a_delete(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    instructions = ("Make the frog red", "Remove the frog", " “delete” it", "Add a hat", "Replace it by a removed one")
    write_list(tmp_path, EDIT, *(edit(FROG, text, start_frame=i) for i, text in enumerate(instructions)))
    modify, delete = load_splits("vpbench", ("modify", "delete"), tmp_path)
    assert [sample.span for sample in modify.split.samples] == [Span(first=i) for i in (0, 3, 4)]
    assert [sample.span for sample in delete.split.samples] == [Span(first=i) for i in (1, 2)]
    sample = modify.split.samples[0]
    assert (sample.prompt, sample.hole, sample.reference) == ("a red frog", "visible", None)
    assert np.array_equal(modify.read(sample).mask, label_maps(8)[:7] == 3)


def test_two_edits_of_one_clip_have_ids_of_their_own(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    write_list(
        tmp_path, EDIT, edit(FROG, "Make it red"), edit(FROG, "Make it blue", Edited_image_caption="a blue frog")
    )
    samples = read_dataset("vpbench", tmp_path, "modify").samples
    assert [(s.id, s.prompt) for s in samples] == [
        ("000005000007-mask3-2", "a red frog"),
        ("000005000007-mask3-2.2", "a blue frog"),
    ]


def test_long_clips_are_read_where_the_short_ones_are_not(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    write_list(tmp_path, INPAINT, row(FROG))
    write_list(tmp_path, "our_video_inpaint_long.csv", row(FROG, start_frame=0, end_frame=8))
    report = read_dataset("vpbench", tmp_path, "add")
    assert [sample.frames for sample in report.samples] == [5]
    assert f"lists not read ({INPAINT} is): 1 (our_video_inpaint_long.csv)" in report.warnings[0]
    (tmp_path / INPAINT).unlink()
    report = read_dataset("vpbench", tmp_path, "add")
    assert [sample.frames for sample in report.samples] == [8]
    assert report.warnings == []


def test_vpdatas_own_list_has_one_caption(tmp_path: Path) -> None:
    add_video(tmp_path, BOAT)
    listed = {"path": BOAT, "start_frame": 1, "end_frame": 4, "fps": 25, "mask_id": 5, "caption": "a boat on a lake"}
    write_list(tmp_path, "pexels_videovo_test_dataset.csv", listed)
    (sample,) = read_dataset("vpbench", tmp_path, "add").samples
    assert (sample.prompt, sample.frames) == ("a boat on a lake", 3)


def test_what_is_missing_and_left_over(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    add_video(tmp_path, BOAT)
    (tmp_path / "video_inpainting/videovo/999").mkdir()
    gone = [f"00000500{i:04}.0.mp4" for i in range(7)]
    write_list(tmp_path, INPAINT, row(FROG), *map(row, gone))
    write_list(tmp_path, EDIT, edit(BOAT, "Make it red"))
    report = read_dataset("vpbench", tmp_path, "add")
    assert [sample.id for sample in report.samples] == ["000005000007-mask3-2"]
    video, mask = map(str, report.problems)
    assert (
        "expected the video of each listed clip, found that lacking in 7 (videovo/raw_video/000005000/000005000000"
        in video
    )
    assert "expected the mask of each listed clip" in mask
    (left_over,) = report.warnings
    assert "no list names them, in video_inpainting/videovo: 1 (999)" in left_over


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"path": "../../secret.mp4"}, "expected names <video>.0.mp4 or <video>.mp4"),
        ({"path": "/etc/a/b.mp4"}, "expected names"),
        ({"path": "..\\secrets.mp4"}, "expected names"),
        ({"path": "shard.tar::name.mp4"}, "expected names"),
        ({"path": ""}, "expected names"),
        ({"mask_id": "three"}, "expected whole numbers mask_id"),
        ({"start_frame": -1}, "expected whole numbers"),
        ({"end_frame": 2}, "start_frame < end_frame"),
        ({"end_frame": "6.5"}, "expected whole numbers"),
        ({"image_inpainting_prompt": " "}, "expected image_inpainting_prompt"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, changed: Row, words: str) -> None:
    add_video(tmp_path, FROG)
    write_list(tmp_path, INPAINT, row(FROG), row(FROG) | changed)
    with pytest.raises(InputReportError, match="1 problems") as raised:
        load_splits("vpbench", ("add",), tmp_path)
    assert words in str(raised.value)
    assert "(row 2)" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found none"),
        (b"path,mask_id\n", "expected columns path, mask_id, start_frame, end_frame, image_inpainting_prompt, found 2"),
        ("path,ü\n".encode("latin-1"), "comma-separated values in UTF-8"),
    ],
)
def test_a_list_of_another_kind(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / INPAINT).write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_dataset("vpbench", tmp_path, "add")
    assert words in str(raised.value)


def test_a_clip_that_ends_after_its_video(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    write_list(tmp_path, INPAINT, row(FROG, end_frame=9))
    (problem,) = read_dataset("vpbench", tmp_path, "add").problems
    assert "expected 7 frames of the clip, found 6" in str(problem)


def test_a_folder_without_the_set(tmp_path: Path) -> None:
    write_list(tmp_path, INPAINT, row(FROG))
    with pytest.raises(
        InputError, match=r"expected the list our_video_edit.csv or .*, found 1 \(our_video_inpaint.csv\)"
    ):
        read_dataset("vpbench", tmp_path, "modify")


def test_the_davis_part(tmp_path: Path) -> None:
    for name in ("bear", "bus"):
        frames = write_frames(tmp_path / "JPEGImages_432_240" / name, range(3))
        write_binary(tmp_path / "test_masks" / name, range(3), label_map((255, 4)))
    captions = [{"Video_Index": i, "Video_Caption": "x", "Masked_Target_Caption": f"target {i}"} for i in (2, 1)]
    write_list(tmp_path, "davis_caption.csv", *captions)
    (loaded,) = load_splits("vpbench", ("add",), tmp_path)
    bear, bus = loaded.split.samples
    assert [(s.id, s.prompt, s.hole, s.fps) for s in (bear, bus)] == [
        ("bear", "target 1", "hidden", 24.0),
        ("bus", "target 2", "hidden", 24.0),
    ]
    arrays = loaded.read(bus)
    assert arrays.reference is not None
    assert np.array_equal(arrays.source, arrays.reference)
    assert float(np.abs(arrays.source.astype(int) - frames).mean()) < 16
    assert np.array_equal(arrays.mask, np.stack([label_map((255, 4)) > 0] * 3))
    with pytest.raises(InputError, match="the DAVIS part, which is add"):
        read_dataset("vpbench", tmp_path, "modify")


def test_the_davis_part_without_a_caption_or_a_sequence(tmp_path: Path) -> None:
    for name in ("bear", "bus"):
        write_binary(tmp_path / "test_masks" / name, range(2), label_map((255, 4)))
    for name in ("bus", "cow"):
        write_frames(tmp_path / "JPEGImages_432_240" / name, range(2))
    captions = [{"Video_Index": i, "Masked_Target_Caption": text} for i, text in ((1, "a bear"), (2, " "))]
    write_list(tmp_path, "davis_caption.csv", *captions)
    report = read_dataset("vpbench", tmp_path, "add")
    frames, caption = sorted(map(str, report.problems), key=lambda text: "Caption" in text)
    assert "frames of each sequence, in JPEGImages_432_240, found that lacking in 1 (bear)" in frames
    assert "Masked_Target_Caption of each sequence in davis_caption.csv, found that lacking in 1 (bus)" in caption
    assert "test_masks has none of them: 1 (cow)" in report.warnings[0]


def test_of_several_tasks_one_without_a_list_is_left_out(tmp_path: Path) -> None:
    add_video(tmp_path, FROG)
    write_list(tmp_path, EDIT, edit(FROG, "Make the frog red"))
    assert [loaded.split.task for loaded in load_splits("vpbench", ("add", "modify", "delete"), tmp_path)] == ["modify"]
    with pytest.raises(NoSamplesError, match=f"expected the list {INPAINT}"):
        load_splits("vpbench", ("add",), tmp_path)


def write_davis(data: Path, *names: str, captions: int) -> None:
    for name in names:
        write_frames(data / "JPEGImages_432_240" / name, range(2))
        write_binary(data / "test_masks" / name, range(2), label_map((255, 4)))
    rows = [{"Video_Index": i, "Masked_Target_Caption": f"target {i}"} for i in range(1, captions + 1)]
    write_list(data, "davis_caption.csv", *rows)


def test_captions_of_the_davis_part_need_all_its_folders(tmp_path: Path) -> None:
    # With camel missing, dog would be given camel's caption.
    write_davis(tmp_path, "bear", "dog", captions=3)
    expected = "Video_Index from 1 to 2, as many as test_masks has folders, found 3 captions, from 1 to 3; download"
    with pytest.raises(InputError, match=expected):
        read_dataset("vpbench", tmp_path, "add")


def test_leftovers_are_no_folders_of_the_davis_part(tmp_path: Path) -> None:
    write_davis(tmp_path, "bear", "dog", captions=2)
    for kind in ("test_masks", "JPEGImages_432_240"):
        (tmp_path / kind / "__MACOSX" / "bear").mkdir(parents=True)
        (tmp_path / kind / ".cache").mkdir()
    report = read_dataset("vpbench", tmp_path, "add")
    assert [(sample.id, sample.prompt) for sample in report.samples] == [("bear", "target 1"), ("dog", "target 2")]
    assert (report.problems, report.warnings) == ([], [])


def test_captions_without_numbers(tmp_path: Path) -> None:
    write_davis(tmp_path, "bear", captions=1)
    write_list(tmp_path, "davis_caption.csv", {"Video_Index": "bear", "Masked_Target_Caption": "a bear"})
    with pytest.raises(InputError, match="found rows whose Video_Index is no number"):
        read_dataset("vpbench", tmp_path, "add")

"""Everything between the command line and the files, with a small random model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import box_mask, moving_clip

from vivid_bench.compositing import composite
from vivid_bench.errors import InputError, MethodError, VividBenchError
from vivid_bench.images import read_image, write_image
from vivid_bench.types import Frames, Mask
from vivid_bench.video import Write, read_video, write_lossless, write_stream
from vivid_bench.vivid.edit_command import EditCommand
from vivid_bench.vivid.edit_file import OUTLINE, count_clips, side_by_side
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.pipeline import VividPipeline

COUNT = 20  # more than one clip of 17 frames


class Quiet:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.finished: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        self.said.append(f"{title}: {total}")
        yield self.finished.append


@pytest.fixture(scope="module")
def checkpoint(tiny: VividPipeline, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("checkpoint")
    tiny.save_pretrained(folder)
    return str(folder)


def source() -> tuple[Frames, Mask]:
    return moving_clip(COUNT), box_mask(COUNT, 24, 32)


@pytest.fixture
def command(tmp_path: Path, checkpoint: str) -> EditCommand:
    video, mask = source()
    write_lossless(tmp_path / "video.mkv", video, 12.0)
    write_lossless(tmp_path / "mask.mkv", mask * np.uint8(255), 12.0)
    return EditCommand(
        video=tmp_path / "video.mkv",
        mask=tmp_path / "mask.mkv",
        box=None,
        prompt="a red circle",
        keyframe=None,
        only_keyframe=False,
        given={},
        out=tmp_path / "out" / "edit.mkv",
        checkpoint=checkpoint,
        steps=1,
        guidance_scale=None,
        seed=4,
        composite="hard",
        device="cpu",
    )


def expected_edit(command: EditCommand, keyframes: dict[int, Frames] | None = None) -> Frames:
    video, mask = source()
    editor = Editor(load_pipeline(command.checkpoint), command.steps)
    edited = editor.edit(video, mask, command.prompt, keyframes=keyframes, seed=command.seed)
    return composite(video, edited, mask, command.composite)


def test_a_video_is_edited_as_in_one_call(command: EditCommand) -> None:
    reporter = Quiet()
    record = command.run(reporter)
    made = read_video(command.out)
    assert np.array_equal(made.frames, expected_edit(command))
    assert made.fps == 12.0
    assert reporter.said == ["edit 20 frames: 2"]
    assert reporter.finished == ["17 frames", "3 frames"]
    preview = read_video(command.preview)
    assert preview.frames.shape == (COUNT, 24, 64, 3)
    stored = json.loads((command.out.parent / "edit.json").read_text())
    assert stored == json.loads(record.model_dump_json())
    assert stored["out"]["sha256"] == hashlib.sha256(command.out.read_bytes()).hexdigest()
    assert stored["input"] | {"video": 0, "mask": 0} == {
        "video": 0, "mask": 0, "box": None, "unseen_frames": None,
        "frames": COUNT, "height": 24, "width": 32, "fps": 12.0,
    }  # fmt: skip
    assert stored["settings"] | {"weights_sha256": 0} == {
        "prompt": "a red circle", "seed": 4, "steps": 1, "guidance_scale": 1.0, "composite": "hard",
        "checkpoint": command.checkpoint, "weights_sha256": 0, "device": "cpu",
    }  # fmt: skip
    assert stored["video_cost"]["clips"] == 2
    assert stored["video_cost"]["flops"] > 0
    assert stored["keyframes"] == []
    assert (stored["lossless"], stored["audio"]) == (True, "not carried over")


def test_a_keyframe_of_the_image_mode_is_propagated(command: EditCommand, tmp_path: Path) -> None:
    alone = replace(command, keyframe=18, only_keyframe=True, out=tmp_path / "key.png")
    record = alone.run(Quiet())
    image = read_image(alone.out)
    assert record.video_cost is None
    assert read_image(tmp_path / "key.preview.png").shape == (24, 64, 3)
    video, mask = source()
    assert np.array_equal(image[~mask[18]], video[18][~mask[18]])

    record = replace(command, keyframe=18).run(Quiet())
    by_index = read_video(command.out).frames
    assert np.array_equal(by_index, expected_edit(command, {18: image}))
    assert np.array_equal(by_index[18], image)
    assert (record.keyframes[0].index, record.keyframes[0].image) == (18, None)

    record = replace(command, given={18: alone.out}).run(Quiet())
    assert np.array_equal(read_video(command.out).frames, by_index)
    assert record.keyframes[0].image is not None
    assert record.keyframes[0].seconds is None


def test_a_box_is_tracked_and_its_masks_can_be_used_again(command: EditCommand) -> None:
    reporter = Quiet()
    record = replace(command, mask=None, box="8,6,12,10").run(reporter)
    masks = command.out.parent / "edit.mask.mkv"
    assert reporter.said[0] == f"tracked box: {masks} (pass it with --mask to use it again)"
    assert record.input.box == "8,6,12,10"
    assert record.input.mask.path == str(masks)
    first = read_video(command.out).frames
    replace(command, mask=masks).run(Quiet())
    assert np.array_equal(read_video(command.out).frames, first)


def test_h264_is_said_not_to_be_lossless(command: EditCommand, tmp_path: Path) -> None:
    record = replace(command, out=tmp_path / "edit.mp4").run(Quiet())
    assert not record.lossless
    assert read_video(tmp_path / "edit.mp4").codec == "h264"


def test_an_inverted_mask_is_warned_of(command: EditCommand, tmp_path: Path) -> None:
    write_image(tmp_path / "white.png", np.full((24, 32, 3), 255, np.uint8))
    reporter = Quiet()
    replace(command, mask=tmp_path / "white.png", keyframe=0, only_keyframe=True, out=tmp_path / "a.png").run(reporter)
    assert reporter.said == ["warning: 100% of the mask is white; white means edit: is it inverted?"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": "1,2,8,8"}, "say where to edit: --mask FILE, or --box x,y,w,h, not both"),
        ({"mask": None}, "say where to edit"),
        ({"mask": None, "box": "30,2,8,8"}, "expected it inside the first frame, 32x24"),
        ({"mask": None, "box": "a"}, "--box a: expected x,y,w,h"),
        ({"only_keyframe": True}, "--only-keyframe goes with --keyframe I"),
        ({"keyframe": 0, "given": {0: Path("a.png")}}, "frame 0 has both --keyframe and --keyframe-image"),
        ({"keyframe": 20}, "keyframe 20: expected an index from 0 to 19"),
        ({"given": {99: Path("a.png")}}, "keyframe 99: expected an index from 0 to 19"),
        ({"given": {0: Path("a.png")}}, "a.png: expected an image, found nothing"),
        ({"out": Path("edit.avi")}, "edit.avi: expected --out in .mkv or .mp4, found .avi; rename it"),
        ({"keyframe": 0, "only_keyframe": True}, "edit.mkv: expected --out in .png, found .mkv"),
        ({"checkpoint": "nowhere"}, "nowhere holds no VIVID pipeline"),
        ({"video": Path("nothing.mp4")}, "nothing.mp4: expected a video or a folder of frames, found nothing"),
    ],
)
def test_what_does_not_fit_is_named(command: EditCommand, changes: dict[str, object], words: str) -> None:
    with pytest.raises(VividBenchError) as caught:
        replace(command, **changes).run(Quiet())  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert isinstance(caught.value, VividBenchError | InputError | MethodError)
    assert not command.out.exists()


def test_a_keyframe_of_another_size_or_without_a_hole(command: EditCommand, tmp_path: Path) -> None:
    write_image(tmp_path / "key.png", np.zeros((24, 30, 3), np.uint8))
    with pytest.raises(InputError, match=r"key\.png: expected 32x24 \(the video's size\), found 30x24"):
        replace(command, given={0: tmp_path / "key.png"}).run(Quiet())
    mask = source()[1]
    mask[3] = False
    write_lossless(tmp_path / "mask.mkv", mask * np.uint8(255), 12.0)
    with pytest.raises(VividBenchError, match="keyframe 3: its mask is empty"):
        replace(command, keyframe=3).run(Quiet())


@pytest.mark.parametrize("name", ["video.mkv", "mask.mkv"])
def test_an_input_is_never_written_over(command: EditCommand, tmp_path: Path, name: str) -> None:
    before = (tmp_path / name).read_bytes()
    with pytest.raises(InputError, match="expected a new file, found one among the inputs"):
        replace(command, out=tmp_path / name).run(Quiet())
    assert (tmp_path / name).read_bytes() == before


def test_nothing_is_written_into_a_folder_of_frames_or_onto_a_folder(command: EditCommand, tmp_path: Path) -> None:
    for index, frame in enumerate(source()[0]):
        write_image(tmp_path / "frames" / f"{index}.png", frame)
    with pytest.raises(InputError, match="found one among the inputs"):
        replace(command, video=tmp_path / "frames", out=tmp_path / "frames" / "deep" / "edit.mkv").run(Quiet())
    (tmp_path / "edit.preview.mp4").mkdir()
    with pytest.raises(InputError, match=r"edit\.preview\.mp4: expected a new file, found a folder of that name"):
        replace(command, out=tmp_path / "edit.mkv").run(Quiet())


def test_an_edit_that_cannot_be_finished_has_no_preview(command: EditCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full_at_the_end(path: Path, fps: float) -> Iterator[Write]:
        with write_stream(path, fps) as write:
            yield write
            if path == command.out:
                raise InputError(path, expected="room on the disk", found="a full disk", fix="free some space")

    monkeypatch.setattr("vivid_bench.vivid.edit_file.write_stream", full_at_the_end)
    with pytest.raises(InputError, match="a full disk"):
        command.run(Quiet())
    assert list(command.out.parent.iterdir()) == []


def test_a_cut_video_leaves_nothing_behind(command: EditCommand, tmp_path: Path) -> None:
    content = command.video.read_bytes()
    command.video.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated"):
        command.run(Quiet())
    assert not command.out.parent.exists()


@pytest.mark.parametrize(
    ("frames", "length", "clips"), [(1, 17, 1), (17, 17, 1), (18, 17, 2), (33, 17, 2), (34, 17, 3), (385, 49, 8)]
)
def test_count_clips(frames: int, length: int, clips: int) -> None:
    assert count_clips(frames, length) == clips


def test_side_by_side_outlines_the_mask_in_the_source_alone() -> None:
    mask = np.zeros((8, 10), np.bool_)
    mask[3:5, 4:7] = True
    shown = side_by_side(np.zeros((8, 10, 3), np.uint8), mask, np.full((8, 10, 3), 9, np.uint8))
    assert shown.shape == (8, 20, 3)
    # A ring of one pixel around 2 x 3.
    assert (shown == OUTLINE).all(axis=-1).sum() == 4 * 5 - 2 * 3
    assert (shown[:, 10:] == 9).all()
    assert not shown[3:5, 4:7].any()

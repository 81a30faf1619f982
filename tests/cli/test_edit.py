"""`vivid-bench edit` as a user types it; what it does with the files is tested in tests/vivid/test_edit_command.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import Command, box_mask, moving_clip

from vivid_bench.images import read_image
from vivid_bench.types import DELETE_PROMPT
from vivid_bench.video import read_video, write_lossless


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, Path]:
    write_lossless(tmp_path / "video.mkv", moving_clip(), 12.0)
    write_lossless(tmp_path / "mask.mkv", box_mask(5, 24, 32) * np.uint8(255), 12.0)
    return tmp_path / "video.mkv", tmp_path / "mask.mkv"


def test_edit_a_keyframe_then_the_video(vivid_bench: Command, tmp_path: Path, clip: tuple[Path, Path]) -> None:
    video, mask = clip
    work = tmp_path / "work"
    common = ("edit", video, "--mask", mask, "--delete", "--device", "cpu", "--steps", "1")
    done = vivid_bench(*common, "--keyframe", "2", "--only-keyframe", "--seed", "3")
    assert "video-keyframe-2.png" in done.stdout
    image = read_image(work / "video-keyframe-2.png")

    done = vivid_bench(*common, "--keyframe-image", "2=video-keyframe-2.png")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["edit", "preview", "record"]
    edited = read_video(work / "video-edited.mkv").frames
    assert np.array_equal(edited[2], image)
    outside = ~box_mask(5, 24, 32)
    assert np.array_equal(edited[outside], moving_clip()[outside])
    record = json.loads((work / "video-edited.json").read_text())
    assert record["settings"]["prompt"] == DELETE_PROMPT
    assert record["keyframes"][0]["image"]["path"] == "video-keyframe-2.png"
    assert (work / "video-edited.preview.mp4").stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mask", "m.mkv"), "say what the masked part is to show: --prompt TEXT, or --delete"),
        (("--mask", "m.mkv", "--delete", "--keyframe-image", "a.png"), "--keyframe-image a.png: expected I=FILE"),
        (("--mask", "m.mkv", "--delete"), "m.mkv: expected a video or a folder of frames, found nothing"),
    ],
)
def test_an_error_is_one_sentence(
    vivid_bench: Command, clip: tuple[Path, Path], options: tuple[str, ...], words: str
) -> None:
    done = vivid_bench("edit", clip[0], *options, expect=2)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", [("--seed", str(2**63)), ("--steps", "1001")])
def test_numbers_that_no_model_takes_are_refused(
    vivid_bench: Command, clip: tuple[Path, Path], option: tuple[str, str]
) -> None:
    done = vivid_bench("edit", clip[0], "--mask", clip[1], "--delete", *option, expect=2)
    assert f"Invalid value for '{option[0]}'" in done.stderr

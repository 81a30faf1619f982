from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import Frames, box_mask, moving_clip

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.images import write_image
from vivid_bench.mask_input import open_masked_video, survey
from vivid_bench.video import write_lossless


@pytest.fixture
def video(tmp_path: Path) -> Path:
    write_lossless(tmp_path / "video.mkv", moving_clip(), 12.0)
    return tmp_path / "video.mkv"


def masks(frames: int = 5, height: int = 24, width: int = 32) -> Frames:
    """White boxes, of which the third frame has none."""
    grey = box_mask(frames, height, width) * np.uint8(255)
    grey[2] = 0
    return grey


def rgb(grey: Frames) -> Frames:
    return np.repeat(grey[..., None], 3, axis=-1)


def read(video: Path, mask: Path) -> tuple[Frames, np.ndarray]:
    with open_masked_video(video, mask) as opened:
        assert opened.fps == 12.0
        frames, holes = zip(*opened.frames, strict=True)
    return np.stack(frames), np.stack(holes)


def test_a_mask_video_and_a_mask_folder(video: Path, tmp_path: Path) -> None:
    write_lossless(tmp_path / "mask.mkv", masks(), 24.0)
    for index, mask in enumerate(rgb(masks())):
        write_image(tmp_path / "masks" / f"{index}.png", mask)
    for path in (tmp_path / "mask.mkv", tmp_path / "masks"):
        frames, holes = read(video, path)
        assert np.array_equal(frames, moving_clip())
        assert np.array_equal(holes, masks() > 0)


def test_an_image_is_the_mask_of_every_frame(video: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "mask.png", rgb(masks())[0])
    _, holes = read(video, tmp_path / "mask.png")
    assert holes.shape == (5, 24, 32)
    assert (holes == (masks()[0] > 0)).all()


def test_survey_counts(video: Path, tmp_path: Path) -> None:
    write_lossless(tmp_path / "mask.mkv", masks(), 24.0)
    found = survey(video, tmp_path / "mask.mkv", [2, 4])
    assert (found.frames, found.height, found.width, found.fps, found.masked_frames) == (5, 24, 32, 12.0, 4)
    # A box of 12 x 10 in four of five frames of 32 x 24.
    assert found.mask_share == pytest.approx(4 * 120 / (5 * 768))
    assert sorted(found.picked) == [2, 4]
    assert np.array_equal(found.picked[4][0], moving_clip()[4])
    assert found.picked[4][1].sum() == 120
    assert not found.picked[2][1].any()


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (masks(frames=4), r"mask.mkv: expected 5 frames \(as the video\), found 4"),
        (masks(frames=7), r"mask.mkv: expected 5 frames \(as the video\), found 7"),
        (masks(height=26), r"mask.mkv: expected 32x24 \(the video's size\), found 32x26"),
        (0 * masks(), "mask.mkv: expected white .* where to edit, found an empty mask in all frames"),
    ],
)
def test_masks_that_do_not_fit(video: Path, tmp_path: Path, mask: Frames, words: str) -> None:
    write_lossless(tmp_path / "mask.mkv", mask, 24.0)
    with pytest.raises(InputError, match=words):
        survey(video, tmp_path / "mask.mkv")


def test_a_mask_image_of_another_size(video: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "mask.png", rgb(masks(width=40))[0])
    with pytest.raises(InputError, match=r"mask.png: expected 32x24 \(the video's size\), found 40x24"):
        survey(video, tmp_path / "mask.png")


@pytest.mark.parametrize("name", ["mask.mkv", "mask.png"])
def test_a_missing_mask(video: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: expected an? .*, found nothing"):
        survey(video, tmp_path / name)


def test_a_wanted_frame_beyond_the_end(video: Path, tmp_path: Path) -> None:
    write_lossless(tmp_path / "mask.mkv", masks(), 24.0)
    with pytest.raises(VividBenchError, match=r"keyframe 5: expected an index from 0 to 4: .* has 5 frames"):
        survey(video, tmp_path / "mask.mkv", [5])


def test_one_image_is_no_video(video: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", moving_clip()[0])
    with pytest.raises(InputError, match=r"photo\.png: expected a video .*, found one image; put it into a folder"):
        survey(tmp_path / "photo.png", video)

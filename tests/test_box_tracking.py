from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import Frames

from vivid_bench.box_tracking import Box, parse_box, track_box, track_to_file
from vivid_bench.errors import VividBenchError
from vivid_bench.video import read_video, write_lossless


def moving_patch(frames: int = 8, step: tuple[int, int] = (3, 2), start: int = 20) -> Frames:
    """A 96x128 clip whose still background has a textured patch of 32x32 that moves by `step` = (x, y)
    a frame, from x = `start`."""
    rng = np.random.default_rng(0)
    ground, patch = (
        cv2.GaussianBlur(rng.integers(0, 256, (*size, 3), dtype=np.uint8), (0, 0), 1.5)
        for size in ((96, 128), (32, 32))
    )
    clip = np.repeat(ground[None], frames, axis=0)
    for t in range(frames):
        x, y = start + step[0] * t, 24 + step[1] * t
        clip[t, y : y + 32, x : x + 32] = patch[: max(0, 96 - y), : max(0, 128 - x)]
    return clip


def test_a_box_follows_what_is_inside_it() -> None:
    tracked = list(track_box(moving_patch(), Box(20, 24, 32, 32)))
    assert all(item.seen for item in tracked)
    for t, item in enumerate(tracked):
        assert (item.box.x, item.box.y) == pytest.approx((20 + 3 * t, 24 + 2 * t), abs=1.5)
        assert (item.box.width, item.box.height) == (32, 32)
        assert item.mask.sum() == 32 * 32


def test_a_box_on_what_stands_still_stands_still() -> None:
    frames = np.repeat(moving_patch(1), 4, axis=0)
    assert [item.box for item in track_box(frames, Box(20, 24, 32, 32))] == [Box(20, 24, 32, 32)] * 4


def test_a_box_that_leaves_the_frame_is_cut() -> None:
    tracked = list(track_box(moving_patch(6, (3, 0), start=90), Box(90, 24, 32, 32)))
    for t, item in enumerate(tracked):
        assert item.mask.sum() == pytest.approx(32 * min(32, 128 - (90 + 3 * t)), abs=48)


def test_a_box_outside_the_frame_is_empty() -> None:
    assert not Box(130, 24, 32, 32).mask(96, 128).any()


def test_what_vanishes_is_not_followed() -> None:
    picture = moving_patch(1)[0]
    frames = [picture, 255 - picture]  # nothing in the second looks like anything in the first
    first, second = track_box(frames, Box(20, 24, 32, 32))
    assert (first.seen, second.seen) == (True, False)
    assert second.box == first.box


def test_only_two_frames_are_read_at_a_time() -> None:
    given = 0

    def counted() -> object:
        nonlocal given
        for frame in moving_patch():
            given += 1
            yield frame

    for index, _ in enumerate(track_box(counted(), Box(20, 24, 32, 32))):  # type: ignore[arg-type]
        assert given == index + 1


def test_masks_of_a_tracked_box_are_a_file(tmp_path: Path) -> None:
    write_lossless(tmp_path / "video.mkv", moving_patch(4), 12.0)
    report = track_to_file(tmp_path / "video.mkv", Box(20, 24, 32, 32), tmp_path / "mask.mkv")
    stored = read_video(tmp_path / "mask.mkv", grey=True)
    assert (report.unseen, report.empty, stored.fps) == ((), 0, 12.0)
    expected = [item.mask for item in track_box(moving_patch(4), Box(20, 24, 32, 32))]
    assert np.array_equal(stored.frames, np.stack(expected) * np.uint8(255))


def test_a_box_is_read_and_drawn() -> None:
    box = parse_box("3, 2,5,4")
    assert box == Box(3, 2, 5, 4)
    mask = box.mask(8, 10)
    assert np.argwhere(mask)[[0, -1]].tolist() == [[2, 3], [5, 7]]
    assert mask.sum() == 20
    assert Box(-3, -2, 5, 4).corners(8, 10) == (0, 0, 2, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,3", "expected x,y,w,h in whole pixels"),
        ("1,2,8,x", "expected x,y,w,h in whole pixels"),
        ("1,2,8.5,9", "expected x,y,w,h in whole pixels"),
        ("1,2,3,9", "expected sides of at least 4 px, found 3x9"),
        ("1,2,-8,9", "expected sides of at least 4 px, found -8x9"),
    ],
)
def test_odd_boxes(text: str, words: str) -> None:
    with pytest.raises(VividBenchError, match=words):
        parse_box(text)


@pytest.mark.parametrize("box", [Box(-1, 0, 8, 8), Box(0, 90, 8, 8), Box(125, 0, 8, 8), Box(0, 0, 129, 8)])
def test_a_box_outside_the_first_frame(box: Box) -> None:
    with pytest.raises(VividBenchError, match="expected it inside the first frame, 128x96"):
        list(track_box(moving_patch(2), box))

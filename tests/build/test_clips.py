from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import Frames, box_mask, mask_video
from raw_videos import shot, textured, write_raw

from vivid_bench.build.clips import CutClip, cut_clips
from vivid_bench.build.inputs import Input, find_inputs
from vivid_bench.build.quality import CLIP_LIMITS, clip_reject_reason, measure_clip
from vivid_bench.build.results import Reject
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.shots import ShotDetector
from vivid_bench.video import write_lossless

GREY = np.full((8, 48, 64, 3), 128, np.uint8)


def cut(path: Path, mask: Path | None = None, **settings: int) -> list[CutClip | Reject]:
    chosen = BuildSettings(name="s", **{"frames": 8, "clips_per_video": 100, **settings})  # type: ignore[arg-type]
    return list(cut_clips(Input(path, mask, None, path.name), "v", path.parent, chosen))


def clips_of(pieces: list[CutClip | Reject]) -> list[CutClip]:
    return [piece for piece in pieces if isinstance(piece, CutClip)]


def rejects_of(pieces: list[CutClip | Reject]) -> list[tuple[str, str]]:
    return [(piece.name, piece.reason) for piece in pieces if isinstance(piece, Reject)]


def cuts_of(frames: Frames) -> list[int]:
    detector = ShotDetector()
    cuts = [cut for frame in frames if (cut := detector.add(frame)) is not None]
    return cuts + detector.finish()


@pytest.mark.parametrize("lengths", [(12, 20), (20, 1), (1, 20), (2, 20), (20, 2), (9, 4, 9), (6, 6, 6, 6)])
def test_cuts_are_found_to_the_frame(lengths: tuple[int, ...]) -> None:
    frames = np.concatenate([shot(seed, length) for seed, length in enumerate(lengths)])
    assert cuts_of(frames) == np.cumsum(lengths)[:-1].tolist()


def test_a_fast_camera_is_no_cut() -> None:
    canvas = textured(0, 48, 512)
    assert cuts_of(np.stack([canvas[:, 6 * t : 6 * t + 64] for t in range(20)])) == []
    assert ShotDetector().finish() == []


def test_clips_lie_inside_shots(tmp_path: Path) -> None:
    shots = [shot(0, 19), shot(1, 5), shot(2, 8)]
    path = tmp_path / "two words.mkv"
    write_lossless(path, np.concatenate(shots), 12.0)
    pieces = cut(path)
    clips = [piece.clip for piece in clips_of(pieces)]
    assert [clip.id for clip in clips] == ["v-c0000", "v-c0001", "v-c0002"]
    for clip, frames in zip(clips, (shots[0][:8], shots[0][8:16], shots[2]), strict=True):
        assert np.array_equal(clip.frames, frames)
        assert (clip.video, clip.fps, clip.notes) == ("two words.mkv", 12.0, ())
        assert 2 <= clip.keyframe < 6
    assert rejects_of(pieces) == [("two words.mkv, frames 19-23", "short shot")]
    assert pieces[2].detail == "5 of 8 frames; from 1.58 s on"  # type: ignore[union-attr]


def test_clips_of_lossy_videos_stop_at_cuts_too(tmp_path: Path) -> None:
    frames = np.concatenate([shot(0, 13), shot(1, 13)])
    path = write_raw(tmp_path / "a.mp4", frames, "libx264", "yuv420p")
    first, second = (piece.clip.frames.astype(int) for piece in clips_of(cut(path)))
    assert np.abs(first - frames[:8]).mean() < 12
    assert np.abs(second - frames[13:21]).mean() < 12


@pytest.mark.parametrize(("wanted", "starts"), [(1, [0]), (2, [0, 24]), (3, [0, 16, 32]), (6, [0, 8, 16, 24, 32, 40])])
def test_clips_are_spread_over_the_video(tmp_path: Path, wanted: int, starts: list[int]) -> None:
    frames = shot(0, 48)
    write_lossless(tmp_path / "a.mkv", frames, 24.0)
    clips = [piece.clip.frames for piece in clips_of(cut(tmp_path / "a.mkv", clips_per_video=wanted))]
    assert len(clips) == wanted
    for clip, start in zip(clips, starts, strict=True):
        assert np.array_equal(clip, frames[start : start + 8])


def test_the_next_clip_of_the_part_takes_a_rejected_ones_place(tmp_path: Path) -> None:
    frames = np.concatenate([GREY, shot(0, 16), shot(1, 4), shot(2, 20)])
    write_lossless(tmp_path / "a.mkv", frames, 24.0)
    pieces = cut(tmp_path / "a.mkv", clips_per_video=2)
    assert rejects_of(pieces) == [("a.mkv, frames 0-7", "flat"), ("a.mkv, frames 24-27", "short shot")]
    first, second = (piece.clip.frames for piece in clips_of(pieces))
    assert np.array_equal(first, frames[8:16])
    assert np.array_equal(second, frames[28:36])


def test_a_video_of_exactly_one_clip(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", shot(0, 8), 24.0)
    (piece,) = clips_of(cut(tmp_path / "a.mkv", clips_per_video=1))
    assert np.array_equal(piece.clip.frames, shot(0, 8))


def test_a_video_that_is_too_short(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", shot(0, 7), 24.0)
    assert rejects_of(cut(tmp_path / "a.mkv")) == [("a.mkv, frames 0-6", "short shot")]


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", shot(0, 2), 24.0)
    clips = clips_of(cut(tmp_path / "a.mkv", frames=1))
    assert [(len(piece.clip.frames), piece.clip.keyframe) for piece in clips] == [(1, 0), (1, 0)]


def letterboxed() -> Frames:
    frames = shot(0, 8)
    frames[:, :6] = frames[:, -6:] = 3
    return frames


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (shot(0, 8), None),
        (shot(0, 8) // 20, "dark"),
        (np.concatenate([shot(0, 7), GREY[:1]]), "flat"),
        (np.stack([cv2.GaussianBlur(frame, (0, 0), 9) for frame in shot(0, 8)]), "blurred"),
        (np.repeat(shot(0, 1), 8, axis=0), "still"),
        (np.repeat(shot(0, 1), 1, axis=0), None),
        (letterboxed(), "black borders"),
        (np.ascontiguousarray(letterboxed().swapaxes(1, 2)), "black borders"),
        (np.where(np.arange(48)[:, None, None] < 6, np.uint8(0), shot(0, 8)), None),  # at the top alone: a dark sky
    ],
)
def test_the_quality_of_clips(frames: Frames, reason: str | None) -> None:
    assert clip_reject_reason(measure_clip(frames), len(frames)) == reason


def test_measures_of_a_known_clip() -> None:
    frames = np.zeros((3, 40, 50, 3), np.uint8)
    frames[0, 4:34], frames[1, 4:30], frames[2, 4:30] = 100, 200, 50
    measures = measure_clip(frames)
    assert measures.luma == pytest.approx(50 * 26 / 40)  # the last frame's
    assert measures.contrast == pytest.approx(50 * np.sqrt(26 / 40 * 14 / 40))
    assert measures.motion == 150  # from the second frame to the third
    assert measures.border == pytest.approx(4 / 40)  # four rows above; six or more below


def test_the_keyframe_is_the_sharpest_near_the_middle() -> None:
    soft = [cv2.GaussianBlur(frame, (0, 0), 2) for frame in shot(0, 9)]
    assert measure_clip(np.repeat(shot(0, 1), 9, axis=0)).keyframe == 4  # all are equal: the middle one
    assert measure_clip(np.repeat(shot(0, 1), 8, axis=0)).keyframe == 3
    soft[5] = shot(0, 9)[5]
    assert measure_clip(np.stack(soft)).keyframe == 5
    soft[0] = textured(3)  # sharper still, but at an end
    assert measure_clip(np.stack(soft)).keyframe == 5


def test_a_slow_pan_is_not_still() -> None:
    canvas = cv2.GaussianBlur(textured(3, 64, 512), (0, 0), 6)
    pan = np.stack([canvas[:, t : t + 96] for t in range(40)])
    steps = measure_clip(pan[:2]).motion
    assert steps < CLIP_LIMITS.min_motion <= measure_clip(pan).motion


def test_a_clip_whose_frames_mostly_repeat_is_none(tmp_path: Path) -> None:
    steps = [40] * 7 + [400] + [40] * 8 + [120] * 8
    times = np.cumsum([0, *steps]).tolist()
    path = write_raw(tmp_path / "a.mkv", shot(0, len(times)), fps=25, times=times)
    pieces = cut(path)
    reasons = [piece.clip.id if isinstance(piece, CutClip) else piece.reason for piece in pieces]
    # The pause, the even frames after it, and those that come every third time.
    assert reasons == ["v-c0000", "still", "v-c0001", *["uneven frame rate"] * 3]
    assert "repeated 4, left out 0" in pieces[3].detail  # type: ignore[union-attr]


def test_a_caption_tells_of_the_first_clips_shot(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", np.concatenate([shot(0, 5), shot(1, 17), shot(2, 8)]), 12.0)
    assert [piece.clip.in_first_shot for piece in clips_of(cut(tmp_path / "a.mkv"))] == [True, True, False]


def test_a_given_mask_is_cut_with_its_clip(tmp_path: Path) -> None:
    frames = shot(0, 24, 96, 128)
    mask = np.concatenate([box_mask(1, 96, 128, (4 * t, 20, 4 * t + 32, 60)) for t in range(24)])
    mask[8:16] = False
    write_lossless(tmp_path / "a.mkv", frames, 24.0)
    write_lossless(tmp_path / "m.mkv", mask_video(mask), 24.0)
    pieces = cut(tmp_path / "a.mkv", tmp_path / "m.mkv", side=48)
    assert rejects_of(pieces) == [("a.mkv, frames 8-15", "empty mask")]
    first, second = clips_of(pieces)
    assert first.mask is not None
    assert second.mask is not None
    assert np.array_equal(first.mask, mask[:8, ::2, ::2])
    assert np.array_equal(second.mask, mask[16:, ::2, ::2])
    assert first.clip.notes == ("128x96 -> 64x48",)


def test_soft_masks_are_noted(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", shot(0, 8), 24.0)
    cv2.imwrite(str(tmp_path / "m.png"), np.where(np.arange(64) < 32, 150, 0).astype(np.uint8)[None].repeat(48, 0))
    (piece,) = clips_of(cut(tmp_path / "a.mkv", tmp_path / "m.png"))
    assert piece.clip.notes == ("50.0 % of the mask mid-grey, cut at half",)
    assert piece.mask is not None
    assert piece.mask.mean() == 0.5


def test_what_was_done_to_a_video_is_with_its_clips(tmp_path: Path) -> None:
    times = [40 * t + (19 if t == 12 else 0) for t in range(16)]
    path = write_raw(tmp_path / "a.mkv", shot(0, 16, 49, 64), pix_fmt="yuv420p10le", fps=25, times=times)
    first, second = (piece.clip for piece in clips_of(cut(path)))
    always = ("10 -> 8 bits", "64x49 cut to 64x48, for even sides")
    assert first.notes == always
    assert second.notes[:2] == always
    assert second.notes[2] == ("uneven frame rate -> 25 fps (repeated 1, left out 1, the others moved by up to 0 ms)")


def test_a_broken_video_costs_only_itself(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", shot(0, 8), 24.0)
    (tmp_path / "b.mp4").write_text("no video")
    write_lossless(tmp_path / "c\nd 'e\" ü.mkv", shot(1, 8), 24.0)
    pieces = [piece for entry in find_inputs(tmp_path) for piece in cut(entry.video)]
    assert [type(piece) for piece in pieces] == [CutClip, Reject, CutClip]
    assert isinstance(pieces[1], Reject)
    assert (pieces[1].name, pieces[1].reason) == ("b.mp4", "cannot be read")
    assert "cannot be decoded" in pieces[1].detail
    assert isinstance(pieces[2], CutClip)
    assert pieces[2].clip.video == "c\nd 'e\" ü.mkv"


def test_clips_from_before_the_damage_stay(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.mkv", shot(0, 40), "libx264", "yuv420p", options={"bf": "0", "g": "8"})
    whole = clips_of(cut(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    pieces = cut(path)
    clips = clips_of(pieces)
    assert 0 < len(clips) < len(whole) == 5
    for clip, other in zip(clips, whole, strict=False):
        assert np.array_equal(clip.clip.frames, other.clip.frames)
    assert rejects_of(pieces)[-1] == ("a.mkv", "cannot be read")
    # With one clip wanted the damage is never reached.
    assert rejects_of(cut(path, clips_per_video=1)) == []


def test_the_same_video_gives_the_same_clips(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.mp4", shot(0, 24, 96, 128), "libx264", "yuv420p")
    one, other = (clips_of(cut(path, side=48)) for _ in range(2))
    assert [a.clip.keyframe for a in one] == [b.clip.keyframe for b in other]
    assert all(np.array_equal(a.clip.frames, b.clip.frames) for a, b in zip(one, other, strict=True))


def test_a_video_that_states_no_length_gives_its_first_clips(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    frames = shot(0, 32)
    write_raw(path, frames, container_options={"live": "1"})
    clips = [piece.clip.frames for piece in clips_of(cut(path, clips_per_video=2))]
    assert len(clips) == 2
    assert np.array_equal(clips[1], frames[8:16])


def test_samples_of_vivid10m_are_one_clip_each(real_clips: Path) -> None:
    for entry in find_inputs(real_clips / "vivid10m-samples"):
        (piece,) = cut_clips(entry, "v", real_clips, BuildSettings(name="s"))
        assert isinstance(piece, CutClip)
        assert piece.mask is not None
        assert (piece.clip.frames.shape, piece.mask.shape) == ((49, 480, 854, 3), (49, 480, 854))
        assert (piece.clip.fps, piece.clip.notes) == (24.0, ())

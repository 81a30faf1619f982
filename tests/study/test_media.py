"""Clips of a study: alike in all but the picture."""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from clips import box_mask, moving_clip

from vivid_bench.study.media import SAME_TIME, encode, link_all, pad_to_equal_bytes
from vivid_bench.study.pictures import BLOCKS, OUTLINE_COLOUR, break_clip, enlarge_small, outline_hole
from vivid_bench.video import read_video

TAGS = (b"x264", b"264 -", b"libx", b"Lav", b"Lavf", b"FFm", b"PyAV", b"encoder")


def test_encoding_keeps_size_rate_and_colours(tmp_path: Path) -> None:
    # Large areas of one colour: chroma at half size costs them nothing.
    frames = np.zeros((6, 64, 96, 3), np.uint8)
    frames[:, :, :32], frames[:, :, 32:64], frames[:, :, 64:] = (200, 40, 30), (20, 180, 60), (40, 60, 220)
    encode(tmp_path / "clip.mp4", frames, 12.5)
    read = read_video(tmp_path / "clip.mp4")
    assert (read.codec, read.fps, read.frames.shape) == ("h264", 12.5, frames.shape)
    with av.open(str(tmp_path / "clip.mp4")) as file:
        video = file.streams.video[0]
        assert (video.codec_context.pix_fmt, video.codec_context.color_primaries) == ("yuv420p", 1)
        decoded = list(file.decode(video))
        assert [frame.pts * frame.time_base for frame in decoded] == [Fraction(2 * n, 25) for n in range(6)]
        picture = decoded[-1].reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray()
        for column in (16, 48, 80):
            np.testing.assert_allclose(picture[32, column], frames[0, 32, column], atol=3)
        assert not {**file.metadata, **video.metadata}.keys() - {
            "major_brand", "minor_version", "compatible_brands", "handler_name", "language",
        }  # fmt: skip


def test_an_odd_size_becomes_even(tmp_path: Path) -> None:
    encode(tmp_path / "clip.mp4", moving_clip(3, 33, 47), 8.0)
    assert read_video(tmp_path / "clip.mp4").frames.shape == (3, 34, 48, 3)


def test_equal_frames_make_equal_files_without_tags(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        encode(tmp_path / name, moving_clip(8, 48, 64), 24.0)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content == (tmp_path / "b.mp4").read_bytes()
    assert [tag for tag in TAGS if tag in content] == []


def test_padding_makes_sizes_equal_and_keeps_the_video(tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.mp4" for seed in range(3)]
    for path, height in zip(paths, (24, 48, 80), strict=True):
        encode(path, moving_clip(5, height, 64), 24.0)
    before = [read_video(path).frames for path in paths]
    largest = max(path.stat().st_size for path in paths)
    pad_to_equal_bytes(paths)
    assert {path.stat().st_size for path in paths} == {largest + 8}
    zipped = [len(zlib.compress(path.read_bytes(), 9)) for path in paths]
    assert max(zipped) < 1.02 * min(zipped)
    for path, frames in zip(paths, before, strict=True):
        np.testing.assert_array_equal(read_video(path).frames, frames)


def test_links_are_copies_where_there_can_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clip").write_bytes(b"clip")

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    link_all([(tmp_path / "clip", tmp_path / "linked")])
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    link_all([(tmp_path / "clip", tmp_path / "copied")])
    assert (tmp_path / "linked").samefile(tmp_path / "clip")
    assert not (tmp_path / "copied").samefile(tmp_path / "clip")
    for name in ("linked", "copied"):
        assert (tmp_path / name).read_bytes() == b"clip"
        assert (tmp_path / name).stat().st_mtime == SAME_TIME


def test_the_outline_is_around_the_hole_and_hides_nothing_else() -> None:
    frames, mask = moving_clip(2, 24, 32), box_mask(2, 24, 32, (8, 6, 20, 16))
    marked = outline_hole(frames, mask)
    changed = (marked != frames).any(axis=-1)
    # A line of one pixel around 12 x 10 pixels, without its corners.
    assert changed.sum(axis=(1, 2)).tolist() == [44, 44]
    assert not (changed & mask).any()
    assert (marked[changed] == OUTLINE_COLOUR).all()


def test_the_outline_of_a_hole_that_fills_the_frame_is_its_edge() -> None:
    marked = outline_hole(np.zeros((1, 20, 30, 3), np.uint8), np.ones((1, 20, 30), bool))
    assert (marked.any(axis=-1)).sum() == 2 * 30 + 2 * 18


def test_small_clips_are_enlarged_by_a_whole_factor_and_large_ones_stay() -> None:
    frames, mask = moving_clip(2, 24, 100), box_mask(2, 24, 100, (8, 6, 20, 16))
    larger, its_mask = enlarge_small(frames, mask)
    assert (larger.shape, its_mask.shape) == ((2, 72, 300, 3), (2, 72, 300))
    np.testing.assert_array_equal(its_mask, box_mask(2, 72, 300, (24, 18, 60, 48)))
    frames, mask = moving_clip(1, 288, 40), box_mask(1, 288, 40, (8, 6, 20, 16))
    assert enlarge_small(frames, mask)[0] is frames


def test_an_empty_mask_has_no_outline() -> None:
    frames = moving_clip(2)
    np.testing.assert_array_equal(outline_hole(frames, np.zeros(frames.shape[:3], bool)), frames)


def test_the_broken_clip_is_the_inverse_in_blocks_anew_in_every_frame() -> None:
    rng = np.random.default_rng(0)
    still = np.repeat(rng.integers(0, 256, (1, 50, 70, 3), dtype=np.uint8), 4, axis=0)
    broken = break_clip(still, Random(0))
    assert broken.shape == still.shape
    rows, columns = 50 // BLOCKS, 70 // BLOCKS
    for one, before in zip(broken[1:], broken, strict=False):
        assert (one != before).any(axis=-1).mean() > 0.8
    for picture in broken:
        inner = np.s_[: rows * BLOCKS, : columns * BLOCKS]
        np.testing.assert_array_equal(np.sort(picture[inner].ravel()), np.sort(255 - still[0][inner].ravel()))
    np.testing.assert_array_equal(break_clip(still, Random(0)), broken)

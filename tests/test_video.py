from __future__ import annotations

import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import Frames, moving_clip
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.errors import InputError
from vivid_bench.video import (
    check_shape,
    codec_round_trip,
    find_video,
    missing_codecs,
    one_ahead,
    read_video,
    resize,
    write_lossless,
    write_preview,
    write_stream,
)
from vivid_bench.video_reader import open_video


def write_raw(
    path: Path, frames: np.ndarray, codec: str, pix_fmt: str, source: str, times: list[int] | None = None
) -> None:
    """Encode with any pixel format and any time stamps, as foreign tools do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pix_fmt
        container.start_encoding()
        for i, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format=source)
            if times is not None:
                frame.pts = times[i]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 5), st.integers(4, 40), st.integers(4, 40), st.integers(0, 99), st.booleans())
def test_lossless_round_trip(
    tmp_path_factory: pytest.TempPathFactory, t: int, h: int, w: int, seed: int, compact: bool
) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (t, h, w, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("clip") / "a.mkv"
    write_lossless(path, frames, 24.0, compact=compact)
    video = read_video(path)
    assert video.frames.dtype == np.uint8
    assert np.array_equal(video.frames, frames)
    assert video.fps == 24.0


def test_equal_frames_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_lossless(tmp_path / f"{name}.mkv", moving_clip(), 24.0)
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()


def test_one_ahead_reads_the_next_item_while_the_last_is_in_use() -> None:
    asked: list[int] = []
    results = one_ahead(lambda number: asked.append(number) or number * 10, range(5))
    assert next(results) == 0
    # The second may still be under way; the third waits for its turn.
    assert asked in ([0], [0, 1])
    assert list(results) == [10, 20, 30, 40]
    assert asked == [0, 1, 2, 3, 4]


def test_one_ahead_raises_where_the_item_is_due() -> None:
    def read(number: int) -> int:
        if number == 1:
            raise ValueError("broken")
        return number

    results = one_ahead(read, range(3))
    assert next(results) == 0
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_a_stream_reads_and_writes_what_whole_clips_do(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(), 12.0)
    write_preview(tmp_path / "a.mp4", moving_clip(), 12.0)
    with open_video(tmp_path / "a.mkv") as stream:
        assert (stream.fps, stream.codec, stream.announced) == (12.0, "ffv1", 5)
        with write_stream(tmp_path / "b.mkv", 12.0) as lossless, write_stream(tmp_path / "b.mp4", 12.0) as preview:
            for frame in stream.frames:
                lossless(frame)
                preview(frame)
    assert (tmp_path / "b.mkv").read_bytes() == (tmp_path / "a.mkv").read_bytes()
    # x264's macroblock tree encodes one small clip in several ways, so previews are equally good, not equal.
    one, other = (
        float(np.abs(read_video(tmp_path / name).frames.astype(float) - moving_clip()).mean())
        for name in ("a.mp4", "b.mp4")
    )
    assert one == pytest.approx(other, abs=1)


def test_a_stream_of_a_folder(tmp_path: Path) -> None:
    frames = write_frames(tmp_path, ["0.png", "1.png"])
    with open_video(tmp_path) as stream:
        assert (stream.fps, stream.codec, stream.announced) == (24.0, "png", 2)
        assert np.array_equal(np.stack(list(stream.frames)), frames)


def fail_in_stream(path: Path) -> None:
    with write_stream(path, 24.0) as write:
        write(moving_clip()[0])
        raise RuntimeError


def write_nothing(path: Path) -> None:
    with write_stream(path, 24.0):
        pass


def test_a_stream_that_stops_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_in_stream(tmp_path / "a.mkv")
    with pytest.raises(ValueError, match="no frame was written"):
        write_nothing(tmp_path / "a.mkv")
    with pytest.raises(InputError, match=r"expected a name in \.mkv \(lossless\) or \.mp4"):
        write_nothing(tmp_path / "a.avi")
    assert list(tmp_path.iterdir()) == []


def fail_while_reading(path: Path) -> None:
    with open_video(path) as stream:
        next(stream.frames)
        raise PermissionError


def test_an_error_of_a_streams_user_is_not_the_streams(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(), 24.0)
    with pytest.raises(PermissionError):
        fail_while_reading(tmp_path / "a.mkv")


@pytest.mark.parametrize("fps", [8.0, 23.976, 24.0, 29.97, 60.0])
def test_frame_rates_survive(tmp_path: Path, fps: float) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(30), fps)
    assert read_video(tmp_path / "a.mkv").fps == pytest.approx(fps, abs=0.02)


def test_preview_pads_odd_sizes(tmp_path: Path) -> None:
    write_preview(tmp_path / "a.mp4", moving_clip(3, 21, 33), 24.0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.height, stream.width, stream.frames) == (22, 34, 3)


def test_codec_round_trip_is_close_but_not_equal() -> None:
    frames = moving_clip(4, 21, 33)
    back = codec_round_trip(frames, 24.0, 23)
    assert back.shape == frames.shape
    assert not np.array_equal(back, frames)
    assert np.abs(back.astype(int) - frames).mean() < 30


def test_codec_round_trip_gives_the_same_pixels_each_time() -> None:
    # With macroblock-tree rate control x264 gave 5 different results in 400 tries on a clip of this size.
    frames = moving_clip(5, 24, 32)
    first = codec_round_trip(frames, 24.0, 18)
    assert all(np.array_equal(codec_round_trip(frames, 24.0, 18), first) for _ in range(40))


def test_masks_are_stored_as_grey(tmp_path: Path) -> None:
    mask = (moving_clip()[..., 0] > 128) * np.uint8(255)
    write_lossless(tmp_path / "m.mkv", mask, 24.0, compact=True)
    assert np.array_equal(read_video(tmp_path / "m.mkv", grey=True).frames, mask)


def test_max_frames_stops_early(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(9), 24.0)
    assert np.array_equal(read_video(tmp_path / "a.mkv", max_frames=4).frames, moving_clip(9)[:4])


def test_grey_reading_gives_luma(tmp_path: Path) -> None:
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    frames[:, :4] = 255
    write_lossless(tmp_path / "m.mkv", frames, 24.0)
    assert np.array_equal(read_video(tmp_path / "m.mkv", grey=True).frames, frames[..., 0])


def test_folder_of_frames(tmp_path: Path) -> None:
    frames = moving_clip(3)
    for i, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{i:05}.png"), frame[..., ::-1])
    (tmp_path / "notes.txt").write_text("no frame")
    video = read_video(tmp_path)
    assert np.array_equal(video.frames, frames)
    assert (video.codec, video.fps) == ("png", 24.0)
    assert len(read_video(tmp_path, max_frames=2).frames) == 2


def bad_files(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Name -> a broken video, and words its error must have."""
    frames = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
    write_lossless(tmp_path / "whole.mkv", frames, 24.0)
    write_preview(tmp_path / "whole.mp4", frames, 24.0)
    for suffix in ("mkv", "mp4"):
        content = (tmp_path / f"whole.{suffix}").read_bytes()
        (tmp_path / f"cut.{suffix}").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "empty.mp4").touch()
    grey = frames[..., 0].copy()
    write_raw(tmp_path / "grey.mkv", grey, "ffv1", "gray", "gray")
    write_raw(tmp_path / "deep.mkv", frames, "ffv1", "yuv420p10le", "rgb24")
    rgba = np.concatenate([frames, grey[..., None]], axis=-1)
    write_raw(tmp_path / "alpha.mkv", rgba, "ffv1", "bgra", "rgba")
    write_raw(tmp_path / "vfr.mkv", frames, "ffv1", "bgr0", "rgb24", [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 16])
    write_raw(tmp_path / "none.mkv", frames[:0], "ffv1", "bgr0", "rgb24")
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
    return {
        "no frames": (tmp_path / "none.mkv", "expected at least one frame, found 0 frames"),
        "sound": (tmp_path / "sound.mkv", "expected a video stream, found none"),
        "missing": (tmp_path / "nothing.mp4", "found nothing"),
        "cut mkv": (tmp_path / "cut.mkv", "truncated"),
        "cut mp4": (tmp_path / "cut.mp4", "truncated"),
        "text": (tmp_path / "text.mp4", "cannot be decoded"),
        "empty": (tmp_path / "empty.mp4", "cannot be decoded"),
        "grey": (tmp_path / "grey.mkv", "expected RGB or YUV colour, found grey"),
        "10 bits": (tmp_path / "deep.mkv", "expected 8 bits a channel, found 10"),
        "alpha": (tmp_path / "alpha.mkv", "expected no alpha channel"),
        "variable rate": (tmp_path / "vfr.mkv", "expected a constant frame rate, found 1 irregular steps"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "no frames",
        "sound",
        "missing",
        "cut mkv",
        "cut mp4",
        "text",
        "empty",
        "grey",
        "10 bits",
        "alpha",
        "variable rate",
    ],
)
def test_broken_videos_are_named(tmp_path: Path, name: str) -> None:
    path, words = bad_files(tmp_path)[name]
    with pytest.raises(InputError) as caught:
        read_video(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((8, 8), np.uint8), "expected a colour image, found a grey one"),
        (np.zeros((8, 8, 4), np.uint8), "expected no alpha channel, found RGBA"),
        (np.zeros((8, 8, 3), np.uint16), "expected 8 bits a channel, found uint16"),
        (np.zeros((9, 8, 3), np.uint8), "expected the size of the frames before it, found 8x9"),
    ],
)
def test_broken_frames_are_named(tmp_path: Path, image: np.ndarray, words: str) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "1.png"), image)
    with pytest.raises(InputError, match=words):
        read_video(tmp_path)


def test_cut_image_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 frames"):
        read_video(tmp_path)
    (tmp_path / "0.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="damaged"):
        read_video(tmp_path)


def write_frames(folder: Path, names: list[str]) -> Frames:
    frames = moving_clip(len(names))
    for name, frame in zip(names, frames, strict=True):
        cv2.imwrite(str(folder / name), frame[..., ::-1])
    return frames


def test_frames_are_ordered_by_number(tmp_path: Path) -> None:
    frames = write_frames(tmp_path, [f"frame_{i}.png" for i in range(8, 13)])
    assert np.array_equal(read_video(tmp_path).frames, frames)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["0.png", "1.png", "3.png"], "expected frames without gaps, found no frame 2"),
        (["0.png", "1.png", "01.png"], "expected one frame 1, found two: 01.png and 1.png"),
        (["first.png", "1.png"], "expected a number at the end of the name"),
    ],
)
def test_frames_with_unclear_numbers(tmp_path: Path, names: list[str], words: str) -> None:
    write_frames(tmp_path, names)
    with pytest.raises(InputError, match=words):
        read_video(tmp_path)


@pytest.mark.parametrize(
    ("pixel", "words"),
    [((0, 0, 255), "expected a black and white mask, found colours"), ((0, 0, 0, 255), "expected no alpha channel")],
)
def test_masks_are_black_and_white(tmp_path: Path, pixel: tuple[int, ...], words: str) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.full((8, 8, len(pixel)), pixel, np.uint8))
    with pytest.raises(InputError, match=words):
        read_video(tmp_path, grey=True)


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_lossless(Path("http:1.mkv"), moving_clip(), 24.0)
    assert np.array_equal(read_video(Path("http:1.mkv")).frames, moving_clip())


def test_a_list_of_other_files_is_no_video(tmp_path: Path) -> None:
    write_lossless(tmp_path / "real.mkv", moving_clip(), 24.0)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile real.mkv\n")
    with pytest.raises(InputError, match="cannot be decoded"):
        read_video(tmp_path / "list.mp4")


def test_resize() -> None:
    frames = np.full((2, 8, 12, 3), 7, np.uint8)
    assert resize(frames, 8, 12) is frames
    assert np.array_equal(resize(frames, 4, 6), np.full((2, 4, 6, 3), 7, np.uint8))
    assert resize(frames[..., 0], 16, 24).shape == (2, 16, 24)


def test_check_shape(tmp_path: Path) -> None:
    check_shape(tmp_path, (5, 8, 12), (5, 8, 12), "the source")
    with pytest.raises(InputError, match=r"expected 12x8 \(the source's size\), found 10x8"):
        check_shape(tmp_path, (5, 8, 10), (5, 8, 12), "the source")
    with pytest.raises(InputError, match=r"expected 5 frames \(as the source\), found 4"):
        check_shape(tmp_path, (4, 8, 12), (5, 8, 12), "the source")


def test_find_video_takes_the_only_one(tmp_path: Path) -> None:
    assert find_video(tmp_path, "a") is None
    (tmp_path / "a").mkdir()
    assert find_video(tmp_path, "a") == tmp_path / "a"
    (tmp_path / "b.MP4").touch()
    assert find_video(tmp_path, "b") == tmp_path / "b.MP4"
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match=r"expected one video a, found a, a\.mp4"):
        find_video(tmp_path, "a")


def test_find_video_takes_suffixes_in_any_case(tmp_path: Path) -> None:
    for name in ("a.Mp4", "b.mOV", "c.WebM"):
        (tmp_path / name).touch()
        assert find_video(tmp_path, name[0]) == tmp_path / name
    (tmp_path / "b.MOV").touch()
    if not (tmp_path / "B.mov").exists():  # a file system that tells cases apart
        with pytest.raises(InputError, match=r"expected one video b, found b\.MOV, b\.mOV"):
            find_video(tmp_path, "b")


def test_find_video_takes_two_names_of_one_file_for_one(tmp_path: Path) -> None:
    """What a file system that does not tell cases apart shows."""
    (tmp_path / "a.mp4").touch()
    (tmp_path / "a.MP4").hardlink_to(tmp_path / "a.mp4")
    assert find_video(tmp_path, "a") == tmp_path / "a.mp4"


def test_this_build_has_the_codecs() -> None:
    assert missing_codecs() == []


def test_a_video_that_players_turn_is_refused(tmp_path: Path) -> None:
    write_preview(tmp_path / "turned.mp4", moving_clip(), 24.0)
    content = bytearray((tmp_path / "turned.mp4").read_bytes())
    # The track header's matrix: what phones write when held upright.
    start = content.index(struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), content.index(b"tkhd"))
    content[start : start + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 24 << 16, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(content)
    with pytest.raises(InputError, match="expected upright frames, found frames that players turn by -90 degrees"):
        read_video(tmp_path / "turned.mp4")

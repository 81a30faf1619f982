from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import Frames, mask_video, moving_clip
from raw_videos import set_matrix, shot, write_raw, write_sound

from vivid_bench.build.frame_rate import Shown, rate_note
from vivid_bench.build.reading import RawVideo, open_raw
from vivid_bench.errors import InputError
from vivid_bench.video import read_video, write_lossless, write_preview


def read(path: Path, **options: object) -> tuple[Frames, RawVideo, list[Shown]]:
    with open_raw(path, **options) as raw:  # type: ignore[arg-type]
        shown = list(raw.frames)
    return np.stack([one.picture.pixels for one in shown]), raw, shown


def masks_of(shown: list[Shown]) -> np.ndarray:
    return np.stack([one.picture.mask for one in shown if one.picture.mask is not None])


def test_a_plain_video_is_taken_as_it_is(tmp_path: Path) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(), 24.0)
    frames, raw, shown = read(tmp_path / "a.mkv")
    assert np.array_equal(frames, moving_clip())
    assert (raw.fps, raw.stored_fps, raw.announced, raw.notes) == (24.0, 24.0, 5, ())
    assert rate_note(shown, raw.stored_fps, raw.fps) is None


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "avi", "ts", "flv"])
@pytest.mark.parametrize("fps", [24, 60])
def test_no_frame_of_a_constant_rate_is_lost_or_repeated(tmp_path: Path, suffix: str, fps: int) -> None:
    # Matroska and FLV count milliseconds, MPEG-TS does not begin at zero.
    path = write_raw(tmp_path / f"a.{suffix}", shot(0, 50), "libx264", "yuv420p", fps=fps)
    frames, raw, shown = read(path)
    assert (len(frames), raw.fps, raw.notes) == (50, float(fps), ())
    assert not any(one.is_repeated or one.skipped for one in shown)
    assert rate_note(shown, raw.stored_fps, raw.fps) is None


def test_a_rate_that_is_not_stated_or_spoilt_by_a_pause(tmp_path: Path) -> None:
    # As browsers record: WebM whose only statement is its clock of milliseconds.
    times = [33 * t + (t % 3) for t in range(40)]
    path = write_raw(tmp_path / "a.webm", shot(0, 40), "libvpx-vp9", "yuv420p", fps=1000, times=times)
    _, raw, shown = read(path)
    assert raw.fps == pytest.approx(1000 / 33, rel=0.01)
    assert sum(one.is_repeated for one in shown) == 0
    times = [40 * t + 4000 * (t >= 20) for t in range(40)]
    path = write_raw(tmp_path / "b.mkv", shot(0, 40), "libx264", "yuv420p", fps=25, times=times)
    assert read(path)[1].fps == pytest.approx(25.0, rel=1e-3)


def test_both_readers_decode_the_same_pixels(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.mp4", shot(0, 6), "libx264", "yuv420p")
    assert np.array_equal(read(path)[0], read_video(path).frames)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "note"),
    [
        ("ffv1", "yuv420p10le", "10 -> 8 bits"),
        ("libx265", "yuv420p10le", "10 -> 8 bits"),
        ("ffv1", "gray", "grey -> RGB"),
    ],
)
def test_deep_and_grey_pixels(tmp_path: Path, codec: str, pix_fmt: str, note: str) -> None:
    path = write_raw(tmp_path / "a.mkv", np.full((3, 48, 64, 3), 100, np.uint8), codec, pix_fmt)
    frames, raw, _ = read(path)
    assert raw.notes == (note,)
    assert frames.shape == (3, 48, 64, 3)
    assert np.abs(frames.astype(int) - 100).max() <= 3


def test_hdr_is_said(tmp_path: Path) -> None:
    options = {"x265-params": "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc:log-level=none"}
    path = write_raw(tmp_path / "a.mp4", shot(0, 3), "libx265", "yuv420p10le", options=options)
    assert read(path)[1].notes == ("10 -> 8 bits", "HDR (PQ) read without tone mapping")


def quarters() -> Frames:
    """Red, green over blue, white: each quarter of 32x24 pixels another colour."""
    image = np.zeros((24, 32, 3), np.uint8)
    image[:12, :16], image[:12, 16:], image[12:, :16], image[12:, 16:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    return np.stack([image] * 3)


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((0, 1, -1, 0), np.rot90(quarters()[0], -1)),  # a phone held upright: a quarter turn clockwise
        ((0, -1, 1, 0), np.rot90(quarters()[0], 1)),
        ((-1, 0, 0, -1), np.rot90(quarters()[0], 2)),
        ((-1, 0, 0, 1), quarters()[0][:, ::-1]),  # a mirror
        ((0, 1, 1, 0), quarters()[0].swapaxes(0, 1)),
    ],
)
def test_turned_videos_are_turned_upright(tmp_path: Path, matrix: tuple[int, ...], shown: np.ndarray) -> None:
    path = write_raw(tmp_path / "a.mp4", quarters(), "libx264rgb", "rgb24", options={"qp": "0"})
    set_matrix(path, *matrix)
    frames, raw, _ = read(path)
    assert raw.notes == ("turned upright, as the file says",)
    assert np.array_equal(frames[0], shown)


def test_a_slanted_video_is_refused(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.mp4", quarters(), "libx264rgb", "rgb24")
    set_matrix(path, 0.8, 0.6, -0.6, 0.8)
    with pytest.raises(InputError, match="expected frames turned by right angles"):
        read(path)


@pytest.mark.parametrize(
    ("height", "width", "side", "size", "notes"),
    [
        (72, 128, 48, (48, 86), ("128x72 -> 86x48",)),  # 85.3 wide, to the nearest even number
        (128, 72, 48, (86, 48), ("72x128 -> 48x86",)),
        (48, 64, 480, (48, 64), ()),
        (49, 65, 480, (48, 64), ("65x49 cut to 64x48, for even sides",)),
        (97, 131, 48, (48, 64), ("131x97 -> 64x48",)),
    ],
)
def test_sizes(
    tmp_path: Path, height: int, width: int, side: int, size: tuple[int, int], notes: tuple[str, ...]
) -> None:
    path = write_raw(tmp_path / "a.mkv", np.full((2, height, width, 3), (200, 10, 90), np.uint8))
    frames, raw, _ = read(path, side=side)
    assert raw.notes == notes
    assert frames.shape == (2, *size, 3)
    assert np.abs(frames.astype(int) - (200, 10, 90)).max() <= 2


def test_shrinking_averages_areas(tmp_path: Path) -> None:
    stripes = np.zeros((2, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 200
    frames, _, _ = read(write_raw(tmp_path / "a.mkv", stripes), side=32)
    assert np.abs(frames.astype(int) - 100).max() <= 2


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    # 1440x1080 with pixels of 4:3 is shown as 1920x1080; a twentieth of it here.
    path = write_raw(tmp_path / "a.mp4", shot(0, 3, 54, 72), "libx264", "yuv420p", sample_aspect_ratio=Fraction(4, 3))
    frames, raw, _ = read(path)
    assert frames.shape[1:3] == (40, 72)  # 54 / (4/3) = 40.5
    assert raw.notes == ("pixels of 4:3 -> square", "72x54 -> 72x40")


def test_an_uneven_rate_becomes_constant(tmp_path: Path) -> None:
    # Ten pictures in one second: 10 frames a second on average. Each moment shows the last picture that had begun:
    # 0 100 200 300 400 500 600 700 800 900 -> 0 1 2 2 3 3 5 7 8 9; picture 4 and 6 are never shown.
    times = [0, 100, 200, 400, 590, 599, 601, 700, 800, 900]
    clip = np.stack([np.full((16, 16, 3), 20 * i, np.uint8) for i in range(10)])
    path = write_raw(tmp_path / "a.mkv", clip, fps=10, times=times)
    frames, raw, shown = read(path, fps=10.0)
    assert (frames[:, 0, 0, 0] // 20).tolist() == [0, 1, 2, 2, 3, 3, 6, 7, 8, 9]
    assert [one.skipped for one in shown] == [0, 0, 0, 0, 0, 0, 2, 0, 0, 0]
    note = rate_note(shown, 10.0, raw.fps)
    assert note == "uneven frame rate -> 10 fps (repeated 2, left out 2, the others moved by up to 1 ms)"


def test_an_asked_rate(tmp_path: Path) -> None:
    clip = np.stack([np.full((16, 16, 3), 20 * i, np.uint8) for i in range(8)])
    write_lossless(tmp_path / "a.mkv", clip, 24.0)
    frames, raw, shown = read(tmp_path / "a.mkv", fps=12.0)
    assert (frames[:, 0, 0, 0] // 20).tolist() == [0, 2, 4, 6]
    assert (raw.fps, raw.stored_fps, raw.announced) == (12.0, 24.0, 4)
    assert "24 -> 12 fps (repeated 0, left out 3" in str(rate_note(shown, raw.stored_fps, raw.fps))
    frames, _, _ = read(tmp_path / "a.mkv", fps=48.0)
    assert (frames[:, 0, 0, 0] // 20).tolist() == [i // 2 for i in range(16)]


def test_clocks_that_jump_are_refused(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.mkv", moving_clip(4), times=[0, 42, 83, 2_000_000])
    with pytest.raises(InputError, match=r"expected time stamps that go on, found a jump of 1999\.9 s before frame 3"):
        read(path)


def test_a_folder_of_deep_grey_and_odd_images(tmp_path: Path) -> None:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((17, 20), 25_700, np.uint16))
    frames, raw, _ = read(tmp_path)
    assert (frames.shape, int(frames.min()), int(frames.max())) == ((3, 16, 20, 3), 100, 100)
    assert raw.notes == ("16 -> 8 bits", "grey -> RGB", "20x17 cut to 20x16, for even sides")
    assert (raw.fps, raw.announced) == (24.0, 3)


def test_masks_go_through_the_same_steps(tmp_path: Path) -> None:
    # The left upper quarter of a turned video of odd sides, uneven in time, that shrinks to half.
    frames = np.zeros((4, 65, 97, 3), np.uint8)
    frames[:, :32, :48] = 255
    times = [0, 100, 300, 400]
    write_raw(tmp_path / "a.mkv", frames, fps=10, times=times)
    write_raw(tmp_path / "m.mkv", frames, fps=24)
    pixels, _, shown = read(tmp_path / "a.mkv", side=32, fps=10.0, mask=tmp_path / "m.mkv")
    masks = masks_of(shown)
    assert pixels.shape == (5, 32, 48, 3)
    assert masks.shape == (5, 32, 48)
    assert np.array_equal(np.unique(masks), [0, 255])
    assert ((masks >= 128) == (pixels[..., 0] >= 128)).mean() > 0.99
    assert [one.is_repeated for one in shown] == [False, False, True, False, False]


def test_masks_of_turned_videos(tmp_path: Path) -> None:
    white = np.where(quarters() == 255, np.uint8(255), np.uint8(0))
    white[:] = white.min(axis=-1, keepdims=True)  # the right lower quarter
    for name, frames in (("a", quarters()), ("m", white)):
        write_raw(tmp_path / f"{name}.mp4", frames, "libx264rgb", "rgb24", options={"qp": "0"})
        set_matrix(tmp_path / f"{name}.mp4", 0, 1, -1, 0)
    upright = np.ascontiguousarray(np.rot90(white[0, ..., 0], -1))
    cv2.imwrite(str(tmp_path / "upright.png"), upright)
    for mask in ("m.mp4", "upright.png"):
        _, _, shown = read(tmp_path / "a.mp4", mask=tmp_path / mask)
        assert np.array_equal(masks_of(shown), np.stack([upright] * 3))


@pytest.mark.parametrize(
    ("frames", "height", "words"),
    [(4, 24, "expected a mask for each frame, found 4"), (6, 24, "more than the video's 5"), (5, 22, "found 32x22")],
)
def test_masks_that_do_not_fit(tmp_path: Path, frames: int, height: int, words: str) -> None:
    write_lossless(tmp_path / "a.mkv", moving_clip(), 24.0)
    write_lossless(tmp_path / "m.mkv", mask_video(np.ones((frames, height, 32), bool)), 24.0)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "a.mkv", mask=tmp_path / "m.mkv")


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name -> a video that is of no use, and words its error must have."""
    frames = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
    write_preview(folder / "whole.mp4", frames, 24.0)
    fast = {"movflags": "faststart"}
    write_raw(folder / "fast.mp4", frames, "libx264", "yuv420p", container_options=fast)
    for name in ("whole.mp4", "fast.mp4"):
        content = (folder / name).read_bytes()
        (folder / f"cut-{name}").write_bytes(content[: len(content) * 2 // 3])
    whole = write_raw(folder / "whole.mkv", frames, "libx264", "yuv420p").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "text.mp4").write_text("this is no video")
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile whole.mp4\n")
    (folder / "empty.mp4").touch()
    rgba = np.concatenate([frames, frames[..., :1]], axis=-1)
    write_raw(folder / "alpha.mkv", rgba, "ffv1", "bgra", source="rgba")
    write_raw(folder / "alpha-yuv.mkv", rgba, "ffv1", "yuva420p", source="rgba")
    write_raw(folder / "alpha.webm", rgba[:2], "libvpx-vp9", "yuva420p", source="rgba")
    key = "00112233445566778899aabbccddeeff"
    encryption = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    write_raw(folder / "locked.mp4", frames, "libx264", "yuv420p", container_options=encryption)
    write_raw(folder / "none.mkv", frames[:0])
    write_raw(folder / "tiny.mkv", frames[:, :2, :2])
    damaged = bytearray(write_raw(folder / "whole.ts", frames, "libx264", "yuv420p").read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 900] = bytes(900)
    (folder / "damaged.ts").write_bytes(damaged)
    undecodable = "found one that cannot be decoded"
    return {
        "missing": (folder / "nothing.mp4", "found nothing"),
        "zero bytes": (folder / "empty.mp4", "found a file of zero bytes"),
        "no frames": (folder / "none.mkv", "expected at least one frame, found 0 frames"),
        "sound": (write_sound(folder / "sound.m4a"), "expected a video stream, found sound only"),
        "sound with a cover": (write_sound(folder / "cover.mp4", frames[0]), "found sound only"),
        "text": (folder / "text.mp4", undecodable),
        "a list of files": (folder / "list.mp4", undecodable),
        "encrypted": (folder / "locked.mp4", "found encrypted ones"),
        "cut mp4": (folder / "cut-whole.mp4", undecodable),
        "cut fast mp4": (folder / "cut-fast.mp4", "found damage at frame 3; it is cut off"),
        "cut mkv": (folder / "cut.mkv", "cut off"),
        "damaged": (folder / "damaged.ts", "expected whole frames, found damage at frame"),
        "alpha": (folder / "alpha.mkv", "expected no alpha channel, found one (bgra)"),
        "alpha yuv": (folder / "alpha-yuv.mkv", "expected no alpha channel, found one (yuva420p)"),
        "alpha vp9": (folder / "alpha.webm", "expected no alpha channel, found one (alpha_mode 1)"),
        "tiny": (folder / "tiny.mkv", "expected sides of at least 4 px, found 2x2"),
    }


@pytest.mark.parametrize(
    "name",
    ["missing", "zero bytes", "no frames", "sound", "sound with a cover", "text", "a list of files", "encrypted",
     "cut mp4", "cut fast mp4", "cut mkv", "damaged", "alpha", "alpha yuv", "alpha vp9", "tiny"],
)  # fmt: skip
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    path, words = bad_files(tmp_path)[name]
    with pytest.raises(InputError) as caught:
        read(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "name", ["a b.mkv", 'it\'s "b".mkv', "über 影.mkv", "two\nlines.mkv", "-y.mkv", "http:b.mkv", "%03d.mkv"]
)
def test_any_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_lossless(Path("plain.mkv"), moving_clip(), 24.0)
    Path("plain.mkv").rename(name)
    assert np.array_equal(read(Path(name))[0], moving_clip())


def test_tags_in_no_known_encoding(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.avi", shot(0, 3), "libx264", "yuv420p")
    content = path.read_bytes()
    assert b"Lavf" in content
    path.write_bytes(content.replace(b"Lavf", b"\xe9\xe8\xff\xfe"))
    assert len(read(path)[0]) == 3


def test_a_stream_that_states_no_length_gives_the_frames_that_are_there(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.ts", shot(0, 12), "libx264", "yuv420p", options={"bf": "0"})
    whole, _, _ = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    part, _, _ = read(path)
    assert 0 < len(part) < 12
    assert np.array_equal(part, whole[: len(part)])


def test_images_of_several_sizes(tmp_path: Path) -> None:
    for i, height in enumerate((16, 18)):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.zeros((height, 16, 3), np.uint8))
    with pytest.raises(InputError, match="expected one frame size, found 16x18 at frame 1"):
        read(tmp_path)
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((16, 16, 4), np.uint8))
    with pytest.raises(InputError, match="expected no alpha channel"):
        read(tmp_path)

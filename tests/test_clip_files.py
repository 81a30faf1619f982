from __future__ import annotations

import os
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import box_mask, mask_video, moving_clip
from frame_folders import SIZE, label_map, write_binary, write_frames, write_masks, write_palette
from numpy.typing import NDArray
from PIL import Image

from vivid_bench.clip_files import content_sha256, read_clip, read_mask
from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.images import write_image
from vivid_bench.types import Span
from vivid_bench.video import write_lossless

LABELS = label_map((1, 4), (2, 12), (9, 20))
"""40 pixels each of the labels 1, 2 and 9."""


@pytest.fixture
def clip(tmp_path: Path) -> NDArray[np.uint8]:
    """Twelve frames, also kept as `clip.mkv`."""
    frames = moving_clip(12)
    write_lossless(tmp_path / "clip.mkv", frames, 25.0)
    return frames


def write_png_frames(folder: Path, frames: NDArray[np.uint8], numbers: range) -> None:
    for number, frame in zip(numbers, frames, strict=True):
        write_image(folder / f"{number:05}.png", frame)


@pytest.mark.parametrize(
    ("span", "count", "expected"),
    [
        (None, None, range(12)),
        (None, 3, range(3)),
        (Span(), None, range(12)),
        (Span(first=4), None, range(4, 12)),
        (Span(first=1, step=5), 3, range(1, 12, 5)),
        (Span(first=1, step=5), 2, range(1, 7, 5)),
        (Span(first=11), 1, range(11, 12)),
    ],
)
def test_spans_of_a_video(
    tmp_path: Path, clip: NDArray[np.uint8], span: Span | None, count: int | None, expected: range
) -> None:
    video = read_clip(tmp_path, "clip.mkv", span, count)
    assert np.array_equal(video.frames, clip[list(expected)])
    assert (video.fps, video.codec) == (25.0, "ffv1")


@pytest.mark.parametrize(
    ("span", "count", "found"), [(Span(first=8), 5, "4"), (Span(first=1, step=5), 4, "3"), (Span(first=12), None, "0")]
)
def test_a_video_that_ends_before_the_clip(
    tmp_path: Path, clip: NDArray[np.uint8], span: Span, count: int | None, found: str
) -> None:
    wanted = f"{count} frames of the clip" if count else "at least one frame"
    with pytest.raises(InputError, match=rf"clip\.mkv: expected {wanted}, found {found}"):
        read_clip(tmp_path, "clip.mkv", span, count)


def test_a_folder_of_every_fifth_frame(tmp_path: Path) -> None:
    frames = moving_clip(4)
    write_png_frames(tmp_path / "a", frames, range(10, 30, 5))
    every = Span(first=10, step=5)
    assert np.array_equal(read_clip(tmp_path, "a", every).frames, frames)
    assert np.array_equal(read_clip(tmp_path, "a", every, 4).frames, frames)
    assert np.array_equal(read_clip(tmp_path, "a", Span(first=15, step=10), 2).frames, frames[[1, 3]])
    assert read_clip(tmp_path, "a", every).codec == "png"
    # Without a span the numbers must follow each other.
    with pytest.raises(InputError, match="expected frames without gaps, found no frame 11"):
        read_clip(tmp_path, "a")


@pytest.mark.parametrize(
    ("span", "count", "words"),
    [
        (Span(first=10, step=5), 5, "expected 5 frames, found no frame 30"),
        (Span(first=0, step=5), 4, r"expected 4 frames, found no frame 0 \(2 missing\)"),
        (Span(first=10, step=1), 3, r"expected 3 frames, found no frame 11 \(2 missing\)"),
    ],
)
def test_a_folder_that_lacks_frames_of_the_clip(tmp_path: Path, span: Span, count: int, words: str) -> None:
    write_png_frames(tmp_path / "a", moving_clip(4), range(10, 30, 5))
    with pytest.raises(InputError, match=words):
        read_clip(tmp_path, "a", span, count)


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg"])
def test_one_image_is_a_clip_of_one_frame(tmp_path: Path, name: str) -> None:
    image = moving_clip(1)[0]
    cv2.imwrite(str(tmp_path / name), image[..., ::-1])
    video = read_clip(tmp_path, name)
    assert video.frames.shape == (1, 24, 32, 3)
    assert (video.codec, video.fps) == (name.lower().partition(".")[2], 24.0)
    if name == "a.png":
        assert np.array_equal(video.frames[0], image)


def test_one_image_as_a_mask(tmp_path: Path) -> None:
    mask = box_mask(1, 24, 32)
    write_image(tmp_path / "m.png", mask_video(mask)[0])
    found, grey = read_mask(tmp_path, "m.png")
    assert np.array_equal(found, mask)
    assert grey == 0
    write_palette(tmp_path / "l.png", LABELS)
    assert np.array_equal(read_mask(tmp_path, "l.png", labels=(2,))[0], (LABELS == 2)[None])


@pytest.mark.parametrize(("labels", "pixels"), [((1,), 40), ((2, 9), 80), ((1, 2, 3, 9), 120), ((3,), 0)])
@pytest.mark.parametrize("kind", ["palette", "grey"])
def test_labels_of_a_folder(tmp_path: Path, labels: tuple[int, ...], pixels: int, kind: str) -> None:
    (write_masks if kind == "palette" else write_binary)(tmp_path / "m", range(0, 15, 5), LABELS)
    mask, grey = read_mask(tmp_path, "m", Span(step=5), 3, labels)
    assert mask.shape == (3, *SIZE)
    assert mask.dtype == np.bool_
    assert np.array_equal(mask[0], np.isin(LABELS, labels))
    assert (int(mask[0].sum()), grey) == (pixels, 0.0)


def test_labels_of_a_folder_without_a_span_are_those_of_all_files(tmp_path: Path) -> None:
    write_masks(tmp_path / "m", range(2, 5), [LABELS, label_map(), LABELS])
    mask, _ = read_mask(tmp_path, "m", labels=(1,))
    assert mask.sum(axis=(1, 2)).tolist() == [40, 0, 40]
    mask, _ = read_mask(tmp_path, "m", None, 2, (1,))
    assert mask.sum(axis=(1, 2)).tolist() == [40, 0]
    with pytest.raises(InputError, match="expected 4 frames of the clip, found 3"):
        read_mask(tmp_path, "m", None, 4, (1,))


def test_palette_masks_without_labels_are_colours(tmp_path: Path) -> None:
    write_masks(tmp_path / "m", range(2), LABELS)
    with pytest.raises(InputError, match="expected a black and white mask, found colours"):
        read_mask(tmp_path, "m")


def test_black_and_white_folders_and_videos(tmp_path: Path) -> None:
    mask = box_mask(4, 24, 32)
    mask[2] = False
    write_binary(tmp_path / "grey", range(4), mask[0] * np.uint8(255))
    write_lossless(tmp_path / "m.mkv", mask_video(mask), 24.0)
    assert np.array_equal(read_mask(tmp_path, "grey")[0][0], mask[0])
    assert np.array_equal(read_mask(tmp_path, "m.mkv", Span(first=1, step=2), 2)[0], mask[[1, 3]])
    assert np.array_equal(read_mask(tmp_path, "m.mkv", Span(first=2), 1)[0], mask[[2]])


def test_the_share_of_grey_is_that_of_the_clips_frames(tmp_path: Path) -> None:
    frames = np.zeros((2, 24, 32), np.uint8)
    frames[1, :, :8] = 100
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame)
    assert read_mask(tmp_path, ".")[1] == pytest.approx(8 / 32 / 2)
    assert read_mask(tmp_path, ".", Span(first=1), 1)[1] == pytest.approx(8 / 32)


def test_label_maps_in_an_array(tmp_path: Path) -> None:
    maps = np.stack([LABELS, label_map((1, 4)), label_map((2, 12)), label_map()])
    np.savez_compressed(tmp_path / "m.npz", maps)
    read = lambda *given: read_mask(tmp_path, "m.npz", *given)[0].sum(axis=(1, 2)).tolist()  # noqa: E731
    assert read(None, None, (2,)) == [40, 0, 40, 0]
    assert read(None, None, (1, 2)) == [80, 40, 40, 0]
    assert read(Span(first=1, step=2), 2, (1,)) == [40, 0]
    assert read(Span(first=1), 2, (2,)) == [0, 40]
    # Without labels whatever is not background is the mask.
    assert read() == [120, 40, 40, 0]


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int64])
def test_kinds_of_arrays(tmp_path: Path, kind: type) -> None:
    np.savez(tmp_path / "m.npz", masks=label_map((1, 4))[None].astype(kind))
    mask, grey = read_mask(tmp_path, "m.npz", labels=(1,))
    assert (mask.dtype, int(mask.sum()), grey) == (np.bool_, 40, 0.0)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros((2, 4, 4)), "b": np.zeros((2, 4, 4))}, "found 2 arrays"),
        ({}, "found 0 arrays"),
        ({"a": np.zeros((4, 4), np.uint8)}, r"found uint8 of shape \(4, 4\)"),
        ({"a": np.zeros((2, 4, 4), np.float32)}, "found float32 of shape"),
    ],
)
def test_arrays_that_hold_no_label_maps(tmp_path: Path, arrays: dict[str, NDArray[np.uint8]], words: str) -> None:
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(InputError, match=rf"expected one array \(frames, height, width\) of labels, {words}"):
        read_mask(tmp_path, "m.npz", labels=(1,))


def test_an_array_with_too_few_frames(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", np.zeros((4, 8, 8), np.uint8))
    with pytest.raises(InputError, match="expected 3 frames of the clip, found 2"):
        read_mask(tmp_path, "m.npz", Span(first=2), 3, (1,))
    with pytest.raises(InputError, match="expected at least one frame, found 0"):
        read_mask(tmp_path, "m.npz", Span(first=4), None, (1,))


class Harmful:
    """Pickled into an array, it would write a file when that array is loaded with pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.path),)


def test_an_array_runs_no_code(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", np.array([Harmful(tmp_path / "made")], object))
    with pytest.raises(InputError, match=r"expected one array \(frames, height, width\) of labels"):
        read_mask(tmp_path, "m.npz", labels=(1,))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_damaged_files(tmp_path: Path, clip: NDArray[np.uint8], keep: float) -> None:
    np.savez_compressed(tmp_path / "m.npz", np.random.default_rng(0).integers(0, 3, (4, 24, 32), np.uint8))
    write_image(tmp_path / "i.png", clip[0])
    write_masks(tmp_path / "folder", range(0, 10, 5), LABELS)
    for name in ("m.npz", "i.png", "clip.mkv", "folder/00005.png"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(keep * len(content))])
    with pytest.raises(InputError, match=r"m\.npz: expected one array \(frames, height, width\) of labels"):
        read_mask(tmp_path, "m.npz", labels=(1,))
    with pytest.raises(InputError, match=r"i\.png: expected a whole image, found a damaged one"):
        read_clip(tmp_path, "i.png")
    with pytest.raises(InputError, match=r"clip\.mkv: expected"):
        read_clip(tmp_path, "clip.mkv", Span(), 12)
    with pytest.raises(InputError, match=r"00005\.png: expected a whole image, found a damaged one"):
        read_mask(tmp_path, "folder", Span(step=5), 2, (1,))


@pytest.mark.parametrize("path", ["none.mkv", "none.png", "none"])
def test_what_is_not_there_is_named(tmp_path: Path, path: str) -> None:
    for span in (None, Span()):
        with pytest.raises(InputError, match=rf"{path}: expected .* found nothing"):
            read_clip(tmp_path, path, span, 1)
        with pytest.raises(InputError, match=rf"{path}: expected .* found nothing"):
            read_mask(tmp_path, path, span, 1, (1,) if path != "none.mkv" else None)
    with pytest.raises(InputError, match="expected a file of label maps, found nothing"):
        read_mask(tmp_path, "none.npz", labels=(1,))


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for span in (None, Span()):
        with pytest.raises(InputError, match="expected PNG or JPEG frames, found 0 frames"):
            read_clip(tmp_path, "a", span)
        with pytest.raises(InputError, match="expected PNG or JPEG frames, found 0 frames"):
            read_mask(tmp_path, "a", span, None, (1,))


@pytest.mark.parametrize("span", [None, Span()])
def test_frames_of_two_sizes(tmp_path: Path, span: Span | None) -> None:
    write_frames(tmp_path / "a", range(2))
    write_masks(tmp_path / "m", range(2), [LABELS, LABELS[:20]])
    Image.new("RGB", (16, 16)).save(tmp_path / "a" / "00001.jpg")
    with pytest.raises(InputError, match=r"expected the size of the frames before it, found 16x16"):
        read_clip(tmp_path, "a", span)
    with pytest.raises(InputError, match=r"expected the size of the frames before it, found 32x20"):
        read_mask(tmp_path, "m", span, None, (1,))


def test_hashes_of_files_and_folders(tmp_path: Path, clip: NDArray[np.uint8]) -> None:
    write_masks(tmp_path / "m", range(2), LABELS)
    assert content_sha256(tmp_path, "clip.mkv") == sha256_path(tmp_path / "clip.mkv")
    before = content_sha256(tmp_path, "m")
    assert before == sha256_path(tmp_path / "m")
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._00001.png", "notes.txt"):
        (tmp_path / "m" / name).write_text(name)
    assert content_sha256(tmp_path, "m") == before
    write_palette(tmp_path / "m" / "00001.png", label_map())
    assert content_sha256(tmp_path, "m") != before


def test_no_labels_are_all_objects_without_background_and_void(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 2, 255]], np.uint8)
    cv2.imwrite(str(tmp_path / "l.png"), labels)
    assert read_mask(tmp_path, "l.png", labels=())[0].tolist() == [[[False, True, True, False]]]


def test_an_array_saved_by_columns(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).integers(0, 3, (6, 5, 7), np.uint8)
    np.savez_compressed(tmp_path / "m.NPZ.npz", np.asfortranarray(maps))
    (tmp_path / "m.NPZ.npz").rename(tmp_path / "m.NPZ")
    mask, _ = read_mask(tmp_path, "m.NPZ", Span(first=1, step=2), 2, (2,))
    assert np.array_equal(mask, maps[[1, 3]] == 2)


def test_of_a_long_array_only_the_clip_is_kept_in_memory(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "m.npz", np.ones((400, 200, 200), np.uint8))  # 16 MB
    tracemalloc.start()
    try:
        mask, _ = read_mask(tmp_path, "m.npz", Span(first=2), 3, (1,))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert mask.sum() == 3 * 200 * 200
    assert peak < 4e6


def test_an_array_with_more_behind_it_or_with_a_wrong_checksum(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", np.ones((4, 8, 8), np.uint8))
    content = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(content.replace(b"\1" * 64, b"\1" * 63 + b"\2", 1))
    with pytest.raises(InputError, match="CRC"):
        read_mask(tmp_path, "m.npz", Span(), 2, (1,))
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive, archive.open("a.npy", "w") as file:
        np.lib.format.write_array(file, np.ones((4, 8, 8), np.uint8))
        file.write(b"more")
    with pytest.raises(InputError, match="found more than an array"):
        read_mask(tmp_path, "m.npz", Span(), 2, (1,))


def test_of_several_arrays_the_one_without_a_name_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", np.ones((1, 4, 4), np.uint8), boxes=np.zeros((3, 4)))
    assert read_mask(tmp_path, "m.npz", labels=(1,))[0].all()

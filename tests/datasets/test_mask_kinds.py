from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from frame_folders import label_map, write_palette
from numpy.typing import NDArray
from PIL import Image

from vivid_bench.datasets.mask_kinds import OBJECTS, labels_of
from vivid_bench.errors import InputError

WHITE = label_map((255, 4))
EMPTY = label_map()


def written(folder: Path, *masks: NDArray[np.uint8], suffix: str = ".png") -> list[Path]:
    files = [folder / f"{number:05}{suffix}" for number in range(len(masks))]
    for file, mask in zip(files, masks, strict=True):
        cv2.imwrite(str(file), mask)
    return files


def edged(mask: NDArray[np.uint8], grey: int) -> NDArray[np.uint8]:
    """A mask with a line of one grey above its first box, as blurring or resizing leaves."""
    soft = mask.copy()
    soft[3, 4:8] = grey
    return soft


@pytest.mark.parametrize(
    ("masks", "labels"),
    [
        ([EMPTY, label_map((1, 4)), label_map((1, 4), (2, 20))], OBJECTS),
        ([label_map((1, 4)), label_map((1, 4), (255, 8))], OBJECTS),
        ([EMPTY, WHITE], None),
        ([edged(EMPTY, 13), edged(WHITE, 13), edged(WHITE, 90)], None),
        ([edged(WHITE, 200)], None),
        ([EMPTY], None),
    ],
    ids=["labels", "labels and void", "white", "soft, faint first", "soft", "empty"],
)
def test_grey_pngs(tmp_path: Path, masks: list[NDArray[np.uint8]], labels: tuple[int, ...] | None) -> None:
    assert labels_of(tmp_path, written(tmp_path, *masks)) == labels


def test_wide_slopes_are_soft_masks(tmp_path: Path) -> None:
    big = np.zeros((120, 160), np.uint8)
    big[50:70, 60:100] = 255
    assert labels_of(tmp_path, written(tmp_path, cv2.GaussianBlur(big, (0, 0), 8).astype(np.uint8))) is None


@pytest.mark.parametrize(
    ("masks", "found"),
    [
        ([label_map((64, 4), (128, 12), (192, 20))], "an area of grey 192 in 00000.png"),
        ([label_map((1, 4)), WHITE], "values below 32 in 00000.png and white in 00001.png"),
        ([label_map((1, 4)), edged(WHITE, 90)], "values below 32 in 00000.png and white in 00001.png"),
        ([edged(EMPTY, 9), WHITE], "values below 32 in 00000.png and white in 00001.png"),
        ([label_map((1, 4), (255, 8), (255, 12))], "values below 32 in 00000.png and white in 00000.png"),
    ],
    ids=["spaced labels", "labels, white", "labels, soft", "specks, white", "more void than objects"],
)
def test_what_may_be_either_is_refused(tmp_path: Path, masks: list[NDArray[np.uint8]], found: str) -> None:
    with pytest.raises(InputError, match=f"either label maps .* or black and white masks, found {found}; save label"):
        labels_of(tmp_path, written(tmp_path, *masks))


def test_a_palette_of_colours_holds_labels(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    write_palette(files[0], label_map((255, 4)))  # void alone
    write_palette(files[1], label_map((1, 4)))
    assert labels_of(tmp_path, files[:2]) == OBJECTS
    cv2.imwrite(str(files[2]), label_map((1, 4)))
    assert labels_of(tmp_path, files) == OBJECTS
    cv2.imwrite(str(files[2]), WHITE)
    with pytest.raises(InputError, match=r"found labels in 0\.png and white in 2\.png"):
        labels_of(tmp_path, files)


def test_a_palette_of_white_and_black_is_no_label_map(tmp_path: Path) -> None:
    image = Image.fromarray(label_map((1, 4)))
    image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(tmp_path / "0.png")
    assert labels_of(tmp_path, [tmp_path / "0.png"]) is None


def test_a_palette_is_told_without_its_pixels(tmp_path: Path) -> None:
    write_palette(tmp_path / "0.png", label_map((1, 4)))
    content = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(content[: content.index(b"IDAT") + 8])
    assert labels_of(tmp_path, [tmp_path / "0.png"]) == OBJECTS


def test_jpegs_whose_black_is_not_0(tmp_path: Path) -> None:
    assert labels_of(tmp_path, written(tmp_path, EMPTY + np.uint8(3), WHITE, suffix=".jpg")) is None
    dark = tmp_path / "dark"
    dark.mkdir()
    assert labels_of(dark, written(dark, label_map((1, 4)), suffix=".jpg")) == OBJECTS


def test_what_cannot_be_read_is_left_to_the_reading_of_the_clip(tmp_path: Path) -> None:
    files = written(tmp_path, WHITE, WHITE)
    files[0].write_bytes(b"\x89PNG")
    assert labels_of(tmp_path, [*files, tmp_path / "gone.png"]) is None

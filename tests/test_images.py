from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frame_folders import label_map, write_palette
from numpy.typing import NDArray
from PIL import Image

from vivid_bench.errors import InputError
from vivid_bench.images import read_image, read_labels, write_image

LABELS = label_map((1, 4), (2, 12), (255, 20))


def test_round_trip(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    write_image(tmp_path / "new" / "a.png", image)
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), image)


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: expected an image, found nothing"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="expected an image, found a folder"):
        read_image(tmp_path)
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(InputError, match="expected a whole image, found a damaged one"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("colours", [0, 1])
def test_labels_are_the_palettes_indices_whatever_their_colours(tmp_path: Path, colours: int) -> None:
    write_palette(tmp_path / "a.png", LABELS)
    if colours:
        with Image.open(tmp_path / "a.png") as image:
            image.putpalette([255, 255, 255] * 256)
            image.save(tmp_path / "a.png")
    labels = read_labels(tmp_path / "a.png")
    assert (labels.dtype, labels.shape) == (np.uint8, (24, 32))
    assert np.array_equal(labels, LABELS)


def test_labels_of_a_grey_image_are_its_values(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "a.png")
    assert np.array_equal(read_labels(tmp_path / "a.png"), LABELS)


def test_labels_of_a_small_palette(tmp_path: Path) -> None:
    # Two colours take one bit a pixel on disk.
    image = Image.fromarray(label_map((1, 4)))
    image.putpalette([0, 0, 0, 128, 0, 0])
    image.save(tmp_path / "a.png", bits=1)
    assert np.array_equal(read_labels(tmp_path / "a.png"), label_map((1, 4)))


@pytest.mark.parametrize(
    ("pixels", "mode"),
    [
        (np.zeros((4, 4, 3), np.uint8), "RGB"),
        (np.zeros((4, 4, 4), np.uint8), "RGBA"),
        (np.zeros((4, 4), np.uint16), "I;16"),
        (np.zeros((4, 4), np.bool_), "1"),
    ],
)
def test_pixels_that_are_no_labels(tmp_path: Path, pixels: NDArray[np.uint8], mode: str) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=f"expected a label for each pixel, found {mode} pixels"):
        read_labels(tmp_path / "a.png")


def test_labels_of_no_image(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: expected an image, found nothing"):
        read_labels(tmp_path / "a.png")
    with pytest.raises(InputError, match="expected an image, found a folder"):
        read_labels(tmp_path)


def test_labels_of_a_damaged_image_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_palette(path, np.random.default_rng(0).integers(0, 255, (24, 32), dtype=np.uint8))
    content = path.read_bytes()
    for end in (*range(60), len(content) // 2, len(content) - 40):
        path.write_bytes(content[:end])
        with pytest.raises(InputError, match="expected a whole image, found a damaged one"):
            read_labels(path)
    # The length of the header's chunk: Pillow raises a ValueError of its own.
    path.write_bytes(content[:11] + b"\x0b" + content[12:])
    with pytest.raises(InputError, match="expected a whole image, found a damaged one"):
        read_labels(path)


def test_labels_of_an_image_that_says_it_is_huge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_palette(tmp_path / "a.png", LABELS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="expected a whole image"):
        read_labels(tmp_path / "a.png")

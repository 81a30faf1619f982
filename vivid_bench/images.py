"""Single images, and folders of numbered PNG or JPEG frames. Input is never repaired: what does not fit raises."""

from __future__ import annotations

import re
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_COLOUR_OF_GREY = 32
"""How far apart a mask's channels may lie, of 255: JPEG moves them a little."""


def read_image(path: Path, *, grey: bool = False) -> NDArray[np.uint8]:
    """Read a PNG or JPEG image.

    Args:
        grey: read a black and white mask; grey input is an error otherwise.

    Returns:
        (H, W, 3) uint8 RGB, or (H, W) uint8 with `grey`.

    Raises:
        InputError: missing, unreadable, damaged, more than 8 bits, alpha, or grey where colour is needed (or colour
            where grey is).
    """
    return decode_image(path, _content(path), grey=grey)


def decode_image(path: Path, content: bytes, *, grey: bool = False) -> NDArray[np.uint8]:
    """Decode the bytes of an image as `read_image` does; `path` names it in errors."""
    encoded = np.frombuffer(content, np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None:
        raise InputError(path, expected="a whole image", found="a damaged one", fix="it is truncated; make it again")
    if image.dtype != np.uint8:
        raise InputError(path, expected="8 bits a channel", found=f"{image.dtype}", fix="save it with 8 bits")
    if image.ndim == 3 and image.shape[2] == 4:
        raise InputError(path, expected="no alpha channel", found="RGBA", fix="flatten it onto a background")
    if grey:
        return _grey_image(path, image)
    if image.ndim == 2:
        raise InputError(path, expected="a colour image", found="a grey one", fix="save it in colour")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Read a PNG that holds a label for each pixel, as a palette's indices or as grey.

    Returns:
        (H, W) uint8 labels, whatever colours the palette shows them in.

    Raises:
        InputError: missing, unreadable, damaged, or an image of colours.
    """
    from PIL import Image

    content = _content(path)
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
            mode, labels = image.mode, np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(path, expected="a whole image", found="a damaged one", fix="download it again") from error
    if mode not in ("P", "L"):
        raise InputError(path, expected="a label for each pixel", found=f"{mode} pixels", fix="download it again")
    return np.asarray(labels, np.uint8)


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 RGB as PNG, so that `read_image` gives the same bytes back; whole or not at all."""
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    assert done, "OpenCV cannot encode PNG"
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


def frame_files(folder: Path) -> list[Path]:
    """Return a folder's PNG and JPEG frames, sorted by the number at the end of their names.

    Raises:
        InputError: as `numbered_frames` does, and for a gap.
    """
    numbered = numbered_frames(folder)
    numbers = sorted(numbered)
    if numbers[-1] - numbers[0] + 1 != len(numbers):
        gap = next(a + 1 for a, b in pairwise(numbers) if b != a + 1)
        raise InputError(folder, expected="frames without gaps", found=f"no frame {gap}", fix="add it or renumber")
    return [numbered[number] for number in numbers]


def numbered_frames(folder: Path) -> dict[int, Path]:
    """Return a folder's PNG and JPEG frames by the number at the end of their names.

    Raises:
        InputError: unreadable, no frames, a name without a number, or two frames of one number.
    """
    files = image_files(folder)
    if not files:
        fix = "name them 00000.png, 00001.png, …"
        raise InputError(folder, expected="PNG or JPEG frames", found="0 frames", fix=fix)
    # By name alone 10.png comes before 2.png.
    numbered: dict[int, Path] = {}
    for file in files:
        match = re.search(r"(\d+)$", file.stem)
        if match is None:
            raise InputError(file, expected="a number at the end of the name", found="none", fix="name it 00000.png …")
        if (number := int(match[1])) in numbered:
            found = f"two: {numbered[number].name} and {file.name}"
            raise InputError(folder, expected=f"one frame {number}", found=found, fix="remove one")
        numbered[number] = file
    return numbered


def image_files(folder: Path) -> list[Path]:
    """Return a folder's visible PNG and JPEG files, by name; raises `InputError` where it cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != ".")
    except PermissionError as error:
        raise InputError(folder, expected="a readable folder", found="no permission", fix="chmod it") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise InputError(path, expected="a readable file", found="no permission", fix="chmod it") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(path, expected="an image", found="nothing", fix="check the path") from error
    except IsADirectoryError as error:
        raise InputError(path, expected="an image", found="a folder", fix="give one PNG or JPEG file") from error


def _grey_image(path: Path, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim == 2:
        return image
    if int((image.max(axis=-1) - image.min(axis=-1)).max()) > MAX_COLOUR_OF_GREY:
        raise InputError(
            path, expected="a black and white mask", found="colours", fix="make white what is to be edited"
        )
    return np.asarray(image[..., 1], np.uint8)

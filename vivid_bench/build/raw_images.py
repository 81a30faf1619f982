"""Single images of whatever depth and colour, for folders of frames that the builder reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError


def read_raw_image(path: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read a PNG or JPEG image; more than 8 bits become 8, and grey becomes RGB.

    Returns:
        (H, W, 3) uint8 RGB, and what was done, in words.

    Raises:
        InputError: unreadable, damaged, or with an alpha channel.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(path, expected="a readable file", found=str(error.strerror), fix="chmod it") from error
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None:
        raise InputError(path, expected="a whole image", found="a damaged one", fix="it is truncated; make it again")
    if image.ndim == 3 and image.shape[2] == 4:
        raise InputError(path, expected="no alpha channel", found="RGBA", fix="flatten it onto a background")
    notes = []
    if image.dtype == np.uint16:
        notes.append("16 -> 8 bits")
        image = np.rint(image / 257).astype(np.uint8)
    if image.ndim == 2:
        notes.append("grey -> RGB")
        image = np.repeat(image[..., None], 3, axis=-1)
    return np.ascontiguousarray(image[..., ::-1], np.uint8), tuple(notes)

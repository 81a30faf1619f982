"""Tells folders of label maps from folders of black and white masks, by all of a folder's masks.

One mask does not tell: the first of a soft black and white one may be faint, and 255 is white in one kind and void in
the other. A palette of colours settles it by its header; other masks are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.images import read_image
from vivid_bench.masks import NEAR_BLACK, NEAR_WHITE

Labels = tuple[int, ...] | None
"""A sample's labels: those to edit; None: its masks are black and white."""

OBJECTS: tuple[int, ...] = ()
"""All objects. 0 is background, and 255 is left out by DAVIS' own reader too
(davisvideochallenge/davis2017-evaluation, davis2017/davis.py)."""

_WHITE = 255


@dataclass(frozen=True)
class _Look:
    """What a mask without a palette of colours holds.

    Attributes:
        file: its name.
        dark, white: pixels of 1 to 31, which labels are, and of 255.
        grey: whether there are others from 32 up, which no label and no void has.
        even: the grey of an area, 0 without one: soft edges have none, objects of a label map do.
    """

    file: str
    dark: int
    white: int
    grey: bool
    even: int


def labels_of(folder: Path, files: Iterable[Path]) -> Labels:
    """Return the labels to edit, all objects'; None where the masks are white on black, or all empty.

    Args:
        folder: of the masks, for errors.
        files: all of its masks. Those that cannot be read are passed over: reading the clip says what is wrong.

    Raises:
        InputError: masks that may be either, or some of each.
    """
    palettes: list[Path] = []
    looks: list[_Look] = []
    for file in files:
        if _has_colours(file):
            palettes.append(file)
        elif look := _look(file):
            looks.append(look)
    dark = [look for look in looks if look.dark]
    bright = [look for look in looks if look.white or look.grey]
    if not bright:
        return OBJECTS if palettes or dark else None
    if any(look.grey for look in bright):
        # A soft or resized black and white mask has greys, some faint, up to its white.
        labelled = [look for look in looks if look.even]
    elif dark and all(look.dark for look in bright) and sum(k.dark for k in looks) >= sum(k.white for k in looks):
        return OBJECTS  # void lies around objects
    else:
        labelled = dark
    if not (palettes or labelled):
        return None
    if palettes:
        found = f"labels in {palettes[0].name} and white in {bright[0].file}"
    elif labelled[0].even >= NEAR_BLACK:
        found = f"an area of grey {labelled[0].even} in {labelled[0].file}"
    else:
        found = f"values below {NEAR_BLACK} in {labelled[0].file} and white in {bright[0].file}"
    expected = f"either label maps (below {NEAR_BLACK}, 255 for void) or black and white masks"
    fix = "save label maps as PNGs with a palette of colours, or cut black and white masks at half, to 0 and 255"
    raise InputError(folder, expected=expected, found=found, fix=fix)


def _has_colours(file: Path) -> bool:
    """Return whether a file is a PNG with a palette of colours; of one of greys its pixels have to tell."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            if image.mode != "P" or image.palette is None:
                return False
            colours = np.frombuffer(bytes(image.palette.palette), np.uint8).reshape(-1, 3)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return bool((colours.min(axis=1) != colours.max(axis=1)).any())


def _look(file: Path) -> _Look | None:
    try:
        mask = read_image(file, grey=True)
    except InputError:
        return None
    counts = np.bincount(mask.ravel(), minlength=256)
    dark, grey, white = int(counts[1:NEAR_BLACK].sum()), bool(counts[NEAR_BLACK:_WHITE].any()), int(counts[_WHITE])
    if file.suffix.lower() != ".png":
        # Of JPEGs black is not always 0: what is dark says nothing beside white, and none has void.
        bright = grey or white > 0
        return _Look(file.name, dark=0 if bright else dark, white=white, grey=bright, even=0)
    return _Look(file.name, dark, white, grey, _even_grey(mask, counts))


def _even_grey(mask: NDArray[np.uint8], counts: NDArray[np.int64]) -> int:
    """Return a grey, neither 0 nor near white, that fills 3 x 3 pixels; 0 where none does.

    Masks of many greys are soft ones, in whose slopes that happens too.
    """
    if not 0 < np.count_nonzero(counts[1 : NEAR_WHITE + 1]) < NEAR_BLACK:
        return 0
    square = np.ones((3, 3), np.uint8)
    even = (cv2.erode(mask, square) == cv2.dilate(mask, square)) & (mask > 0) & (mask <= NEAR_WHITE)
    return int(mask[even].max()) if even.any() else 0

"""Folders of numbered frames and masks on disk, for tests to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from clips import moving_clip
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 24, 32
SIZE = (HEIGHT, WIDTH)


def write_frames(folder: Path, numbers: Iterable[int]) -> NDArray[np.uint8]:
    """Write one JPEG a number; returns the frames before compression."""
    folder.mkdir(parents=True)
    numbers = list(numbers)
    frames = moving_clip(len(numbers), HEIGHT, WIDTH)
    for number, frame in zip(numbers, frames, strict=True):
        cv2.imwrite(str(folder / f"{number:05}.jpg"), frame[..., ::-1])
    return frames


def label_map(*boxes: tuple[int, int]) -> NDArray[np.uint8]:
    """A label map of 24 x 32 pixels: each (label, column) fills 10 rows of 4 columns, so 40 pixels."""
    labels = np.zeros(SIZE, np.uint8)
    for label, column in boxes:
        labels[4:14, column : column + 4] = label
    return labels


def write_masks(folder: Path, numbers: Iterable[int], labels: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> None:
    """Write one palette PNG a number: one label map for all, or one each."""
    folder.mkdir(parents=True)
    numbers = list(numbers)
    maps = [labels] * len(numbers) if isinstance(labels, np.ndarray) else labels
    for number, one in zip(numbers, maps, strict=True):
        write_palette(folder / f"{number:05}.png", one)


def write_palette(path: Path, labels: NDArray[np.uint8]) -> None:
    """Write a PNG whose palette of 256 has DAVIS' first colours, none of them grey."""
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0, 0, 128] * 252)
    image.save(path)


def write_binary(folder: Path, numbers: Iterable[int], white: NDArray[np.uint8]) -> None:
    """Write black and white PNGs, grey or, for an (H, W, 3) array, in colour."""
    folder.mkdir(parents=True)
    for number in numbers:
        Image.fromarray(white).save(folder / f"{number:05}.png")

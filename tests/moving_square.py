"""Clips of a textured square that moves over a textured ground, with its exact mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

Result = TypeVar("Result")


def texture(seed: int, height: int, width: int, low: int = 0, high: int = 256) -> NDArray[np.uint8]:
    """Smooth colour noise between two levels."""
    noise = np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5, borderType=cv2.BORDER_REFLECT_101)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return (low + smooth * (high - 1 - low)).astype(np.uint8)


def with_other_threads(monkeypatch: pytest.MonkeyPatch, compute: Callable[[], Result]) -> list[Result]:
    """Compute the same with 1, 2 and 4 threads, each time with OpenCV's random numbers in another state."""
    before = cv2.getNumThreads()
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr("vivid_bench.flow.worker_count", lambda threads=threads: threads)
        cv2.setNumThreads(threads)
        cv2.setRNGSeed(threads)
        found.append(compute())
    cv2.setNumThreads(before)
    return found


def square_clip(
    at: list[tuple[int, int]], side: int = 20, *, size: tuple[int, int] = (96, 128), pan: tuple[int, int] = (0, 0)
) -> tuple[Frames, Mask]:
    """A square, whose upper left corners are given as x, y, over a ground that pans by so many pixels a frame.

    The square is bright and the ground dark. It may leave the frame.

    Returns:
        (T, H, W, 3) uint8 and (T, H, W) bool.
    """
    height, width = size
    room = 8 * max(1, len(at))
    canvas = texture(1, height + 2 * room, width + 2 * room, 20, 120)
    patch = texture(2, side, side, 130, 250)
    frames, mask = np.empty((len(at), height, width, 3), np.uint8), np.zeros((len(at), height, width), np.bool_)
    for t, (x, y) in enumerate(at):
        top, left = room + t * pan[1], room + t * pan[0]
        frames[t] = canvas[top : top + height, left : left + width]
        rows, columns = slice(max(0, y), max(0, y + side)), slice(max(0, x), max(0, x + side))
        seen = mask[t, rows, columns].shape
        frames[t, rows, columns] = patch[max(0, -y) :, max(0, -x) :][: seen[0], : seen[1]]
        mask[t, rows, columns] = True
    return frames, mask


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 for two empty masks."""
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0


def mean_iou(masks: Mask, truth: Mask) -> float:
    """Mean of the frames' IoU."""
    return float(np.mean([iou(*pair) for pair in zip(masks, truth, strict=True)]))

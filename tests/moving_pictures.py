"""Clips whose background moves in a known way, for tests to import."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
Floats = NDArray[np.float64]


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture with structure everywhere, (height, width, 3)."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    fine, coarse = (cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 6))
    return np.clip(128 + 60 * fine + 60 * coarse, 0, 255).astype(np.uint8)


def translated(frames: int, step: tuple[int, int], height: int = 72, width: int = 96, seed: int = 0) -> Frames:
    """A background that moves by `step` whole pixels (x, y) a frame."""
    reach = [(frames - 1) * abs(s) for s in step]
    canvas = texture(height + reach[1], width + reach[0], seed)
    starts = [[(frames - 1 - t) * s if s > 0 else -t * s for s in step] for t in range(frames)]
    return np.stack([canvas[y : y + height, x : x + width] for x, y in starts])


def zooming(frames: int, height: int = 72, width: int = 96) -> tuple[Frames, Floats]:
    """A camera that pans, zooms and turns; the clip and its (T, 3, 3) canvas-to-frame maps."""
    canvas = texture(height + 40, width + 40)
    maps = np.tile(np.eye(3), (frames, 1, 1))
    for t in range(frames):
        scale, angle = 1 + 0.012 * t, 0.01 * t
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([width / 2 + 20, height / 2 + 20])
        maps[t, :2, :2] = turn
        maps[t, :2, 2] = [width / 2 + 1.3 * t, height / 2 - 0.7 * t] - turn @ middle
    return np.stack([cv2.warpAffine(canvas, m[:2], (width, height), flags=cv2.INTER_CUBIC) for m in maps]), maps

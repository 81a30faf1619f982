"""Following pixels through a clip along the background's motion, and sampling frames where they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

from .motion import Affine

Points = NDArray[np.float32]  # (N, 2) as x, y

_MAX_HOPS = 64  # fits are accurate to some hundredths of a pixel a frame: beyond, the drift is no longer small
_ROW = 1024  # cv2.remap takes maps of at most 32767 rows or columns


@dataclass(frozen=True)
class Tracks:
    """A clip with a hole and its background's motion.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, mid-grey in the hole.
        mask: (T, H, W) bool, True = hole.
        forward, backward: T-1 maps from frame t to t+1 and from t+1 to t, in pixels.
    """

    frames: Frames
    mask: Mask
    forward: list[Affine]
    backward: list[Affine]

    def hops(self, t: int, step: int) -> Iterator[tuple[int, Affine]]:
        """Yield the frames after (step 1) or before (step -1) frame t, nearest first, and the map to each."""
        to_there = np.eye(3)
        for there in range(t + step, t + step * (_MAX_HOPS + 1), step):
            if not 0 <= there < len(self.frames):
                return
            to_there = (self.forward[there - 1] if step > 0 else self.backward[there]) @ to_there
            yield there, to_there

    def inside(self, points: Points) -> NDArray[np.bool_]:
        """Tell which points lie inside the frame; (N,) bool."""
        height, width = self.mask.shape[1:]
        x, y = points.T
        return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))

    def visible(self, t: int, points: Points) -> NDArray[np.bool_]:
        """Tell which points lie in the frame with all the pixels around them outside the hole; (N,) bool."""
        shown = np.where(self.mask[t], np.float32(0), np.float32(1))
        return np.asarray(self.inside(points) & (sample(shown, points) == 1))


def apply(motion: Affine, points: Points) -> Points:
    """Map (N, 2) points."""
    return np.asarray(points @ motion[:2, :2].T + motion[:2, 2], np.float32)


def sample(image: NDArray[Any], points: Points) -> NDArray[np.float32]:
    """Interpolate an image bilinearly at points; (N,) or (N, C) float32."""
    count = len(points)
    if not count:
        return np.zeros((0, *image.shape[2:]), np.float32)
    maps = np.zeros((-(-count // _ROW) * _ROW, 2), np.float32)
    maps[:count] = points
    sampled = cv2.remap(image, maps.reshape(-1, _ROW, 2), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled.reshape(-1, *image.shape[2:])[:count], np.float32)

"""Where one shot ends and the next begins (PySceneDetect's adaptive detector, fed one frame after another)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 2
"""Frames on each side that the detector compares a step with; a cut is known so many frames after it."""

SEEN_WIDTH = 256
"""Pixels of the longer side that the detector sees, as in PySceneDetect's own SceneManager."""


class ShotDetector:
    """Finds cuts in frames that are added one by one.

    The step between two frames is a cut when it is at least 3 times the mean of the two steps before and the two after
    it, and at least 15 grey levels in the mean of hue, saturation and value: scenedetect.AdaptiveDetector with its
    defaults. Dissolves and fades are not cuts. Unlike there a shot may be as short as one frame, for a clip must not
    run across any cut, and the first and last frame are repeated at the ends, so that cuts next to them are found.
    """

    def __init__(self) -> None:
        from scenedetect import AdaptiveDetector

        self._detector: Any = AdaptiveDetector(window_width=WINDOW, min_scene_len=0)
        self._fed = 0
        self._last: NDArray[np.uint8] | None = None

    def add(self, frame: NDArray[np.uint8]) -> int | None:
        """Take the next frame, (H, W, 3) uint8 RGB; return the index of a frame that begins a new shot.

        It is the index of the frame added WINDOW frames ago, or None.
        """
        small = cv2.cvtColor(seen(frame), cv2.COLOR_RGB2BGR).astype(np.uint8)
        if self._last is None:
            for _ in range(WINDOW):
                self._feed(small)
        self._last = small
        return self._feed(small)

    def finish(self) -> list[int]:
        """Return the cuts among the last WINDOW frames."""
        if self._last is None:
            return []
        cuts = [self._feed(self._last) for _ in range(WINDOW)]
        return [cut for cut in cuts if cut is not None]

    def _feed(self, frame: NDArray[np.uint8]) -> int | None:
        from scenedetect import FrameTimecode

        # Only differences of its frame numbers matter, so the rate may be any.
        cuts = self._detector.process_frame(FrameTimecode(self._fed, fps=24.0), frame)
        self._fed += 1
        return int(cuts[0].frame_num) - WINDOW if cuts else None


def seen(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 3) or (H, W) pixels shrunk to SEEN_WIDTH on the longer side; smaller ones as they are."""
    height, width = frame.shape[:2]
    if max(height, width) <= SEEN_WIDTH:
        return frame
    scale = SEEN_WIDTH / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)

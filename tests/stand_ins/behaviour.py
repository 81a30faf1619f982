"""What every stand-in does: invert the hole, or on a magenta clip whatever $STAND_IN_FAULT says."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np


def fill(frames: Any, mask: Any) -> Any:
    """Return (T, H, W, 3) uint8 frames with the (T, H, W) bool hole inverted, unless the clip asks for a fault."""
    fault = os.environ.get("STAND_IN_FAULT") if np.abs(frames[0].mean((0, 1)) - (255, 0, 255)).max() < 8 else None
    if fault == "crash":
        sys.exit("CUDA out of memory")
    if fault == "killed":
        os._exit(9)
    if fault == "hang":
        time.sleep(600)
    if fault == "nothing":
        sys.exit(0)
    if fault == "raise":
        raise RuntimeError("CUDA out\nof memory")
    edited = np.where(mask[..., None], 255 - frames, frames)
    if fault == "short":
        return edited[:-1]
    if fault == "size":
        return edited[:, :-8]
    return edited


def read_mp4(path: str) -> tuple[Any, float]:
    """Return (T, H, W, 3) uint8 RGB frames and the frame rate, as cv2 reads them."""
    video = cv2.VideoCapture(path)
    frames = []
    while True:
        read, frame = video.read()
        if not read:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    if not frames:
        raise ValueError(f"{path} cannot be read")
    return np.stack(frames), float(video.get(cv2.CAP_PROP_FPS))


def write_mp4(path: str, frames: Sequence[Any], fps: float) -> None:
    """Write (T, H, W, 3) uint8 RGB frames as cv2's mp4v, which is lossy."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()

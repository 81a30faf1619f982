"""Small clips on disk, for tests to import; fixtures are in conftest.py."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.video import write_lossless

Frames = NDArray[np.uint8]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def moving_clip(frames: int = 5, height: int = 24, width: int = 32, seed: int = 0) -> Frames:
    """A smooth textured clip that moves by one pixel a frame."""
    canvas = np.random.default_rng(seed).integers(0, 256, (height // 4 + 2, (width + frames) // 4 + 2, 3))
    canvas = np.kron(canvas, np.ones((4, 4, 1))).astype(np.uint8)
    return np.stack([canvas[:height, t : t + width] for t in range(frames)])


def box_mask(
    frames: int, height: int, width: int, box: tuple[int, int, int, int] = (8, 6, 20, 16)
) -> NDArray[np.bool_]:
    """A mask that is True in the half-open box x0, y0, x1, y1 of every frame."""
    mask = np.zeros((frames, height, width), bool)
    x0, y0, x1, y1 = box
    mask[:, y0:y1, x0:x1] = True
    return mask


def mask_video(mask: NDArray[np.bool_]) -> Frames:
    """The mask as black and white RGB frames."""
    return np.repeat((mask * np.uint8(255))[..., None], 3, axis=-1)


class DataFolder:
    """A `folder` suite being written by a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, object]] = []

    def add(
        self, sample_id: str, *, with_reference: bool = True, frames: int = 5, seed: int = 0, **entry: object
    ) -> Path:
        """Write one sample; further keywords go into its `clips.json` entry."""
        folder = self.path / sample_id
        folder.mkdir(parents=True)
        source = moving_clip(frames, seed=seed)
        mask = box_mask(*source.shape[:3])
        write_lossless(folder / "source.mkv", source, 24.0)
        write_lossless(folder / "mask.mkv", mask_video(mask), 24.0)
        if with_reference:
            clean = source.copy()
            clean[mask] = 255 - clean[mask]
            write_lossless(folder / "reference.mkv", clean, 24.0)
        if entry:
            self.entries.append({"id": sample_id, **entry})
            (self.path / "clips.json").write_text(json.dumps(self.entries))
        return folder

"""Fixtures that several test files share: small clips on disk, methods that misbehave, the installed command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vivid_bench.video import write_lossless

Frames = NDArray[np.uint8]

REAL_CLIPS = Path(os.environ.get("VIVID_BENCH_REAL_CLIPS", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


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


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    path = tmp_path / "data"
    path.mkdir()
    return DataFolder(path)


@pytest.fixture
def adapter(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a one-class adapter whose `edit` has the given body; returns `path:Class`."""

    def write(class_name: str, body: str) -> str:
        path = tmp_path / f"{class_name.lower()}.py"
        path.write_text(
            f"import numpy as np\n\n\nclass {class_name}:\n    tasks = ('delete',)\n\n"
            "    def __init__(self, device):\n        pass\n\n"
            f"    def edit(self, request):\n        {body}\n"
        )
        return f"{path}:{class_name}"

    return write


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def vivid_bench(tmp_path: Path) -> Command:
    """Run the command as a user types it, in an empty folder, with no network to find."""
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "250", "NO_COLOR": "1"}

    def run(*arguments: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "vivid_bench", *map(str, arguments)],
            cwd=work, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def real_clips() -> Path:
    """The folder of real clips; the test is skipped where they are absent."""
    if not REAL_CLIPS.is_dir():
        pytest.skip(f"no real clips at {REAL_CLIPS}; set VIVID_BENCH_REAL_CLIPS")
    return REAL_CLIPS

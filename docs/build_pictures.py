"""Build a suite from rendered scenes and keep its contact sheet, the README's picture of built samples.

python docs/build_pictures.py --out docs/build/delete.png
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from vivid_bench.scenes import PHOTOGRAPHS, render_sample
from vivid_bench.video import write_lossless

FRAMES, HEIGHT, WIDTH, FPS = 17, 240, 426, 8.0
SEEDS = (3, 5, 8, 11)
WIDTH_SHOWN = 900


def write_videos(folder: Path) -> None:
    """Render scenes, some with photographs behind them, each a folder with its entity's mask and caption."""
    names = PHOTOGRAPHS["test"]
    for number, seed in enumerate(SEEDS):
        scene = render_sample(
            "add", seed, fold="test", frames=FRAMES, height=HEIGHT, width=WIDTH,
            photograph=names[number % len(names)] if number % 2 else None,
        )  # fmt: skip
        place = folder / f"scene-{seed}"
        write_lossless(place / "source.mkv", scene.reference, FPS)
        assert scene.entity_mask is not None
        write_lossless(place / "mask.mkv", scene.entity_mask.astype(np.uint8) * np.uint8(255), FPS)
        (place / "caption.txt").write_text(scene.prompt)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        videos, suite = Path(folder) / "videos", Path(folder) / "suite"
        write_videos(videos)
        subprocess.run(
            [
                sys.executable, "-m", "vivid_bench", "data", "build", "--videos", videos, "--out", suite,
                "--task", "all", "--frames", str(FRAMES), "--side", str(HEIGHT),
            ],
            check=True,
        )  # fmt: skip
        sheet = cv2.imread(str(suite / "card" / "delete.png"))
        size = (WIDTH_SHOWN, round(sheet.shape[0] * WIDTH_SHOWN / sheet.shape[1]))
        cv2.imwrite(str(arguments.out), cv2.resize(sheet, size, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()

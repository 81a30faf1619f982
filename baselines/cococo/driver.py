"""COCOCO's own script behind vivid-bench's contract; README.md says what it is called with, and why.

The script loads its weights and draws ten samples for every clip. It is started as it is, for its repository names no
licence under which its code could be used in any other way.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from ..driving import Clip, Edit

SAMPLES = 10
GUIDANCE = 10
NEGATIVE_PROMPT = "worst quality. bad quality."  # the authors' own; used where a sample has none


def load(repo: Path, device: str) -> Edit:
    """Return the function that runs the script; the device is always the first GPU, which the script hard-codes."""

    def edit(clip: Clip) -> Any:
        if not 0 <= clip.seed < SAMPLES:
            raise ValueError(f"seed {clip.seed}: the script draws {SAMPLES} samples from a seed of its own; use 0 to 9")
        with tempfile.TemporaryDirectory() as folder:
            run_script(repo, Path(folder), clip)
            return read_sample(Path(folder) / "outputs", clip.seed, len(clip.frames))

    return edit


def run_script(repo: Path, folder: Path, clip: Clip) -> None:
    """Write the clip as the script wants it, and run the script; raises `CalledProcessError` when it fails."""
    np.save(folder / "images.npy", clip.frames)
    np.save(folder / "masks.npy", clip.mask[..., None].astype(np.uint8) * np.uint8(255))
    # The configuration that ships lacks the output folder, without which the script cannot start.
    config = folder / "release.yaml"
    shipped = (repo / "configs" / "code_release.yaml").read_text()
    config.write_text(f"{shipped.rstrip()}\n\noutput_dir: {folder / 'outputs'}\n")
    words = [
        sys.executable, "valid_code_release.py", "--config", config, f"--prompt={clip.prompt}",
        f"--negative_prompt={clip.negative_prompt or NEGATIVE_PROMPT}", "--guidance_scale", GUIDANCE,
        "--video_path", folder, "--model_path", "cococo_weights",
        "--pretrain_model_path", "stable-diffusion-v1-5-inpainting", "--sub_folder", "unet",
    ]  # fmt: skip
    subprocess.run([str(word) for word in words], cwd=repo, check=True)


def read_sample(outputs: Path, number: int, length: int) -> Any:
    """Read one of the samples that the script has written as numbered images."""
    frames = []
    for index in range(length):
        pattern = f"*/test_release_*_guidance_scale_{number}_image_{index}.png"
        found = list(outputs.glob(pattern))
        if len(found) != 1:
            raise FileNotFoundError(f"expected one {pattern}, found {len(found)}")
        frames.append(np.asarray(Image.open(found[0]).convert("RGB")))
    return np.stack(frames)

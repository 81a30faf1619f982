"""How long scoring takes, beside decoding and a straightforward NumPy pass of the same formulas.

    python benchmarks/scoring.py

Takes a real 720x480x49 clip where $VIVID_BENCH_REAL_CLIPS or ../shared/data holds one, else makes one up. The reference
is the source moved by one pixel, so that its flow costs as much as the source's. All in one run, on one machine:
decoding and NumPy take a+b; scoring has to take no more than 1.5 times that, decoding included.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import binary_erosion, gaussian_filter

from vivid_bench.flow import worker_count
from vivid_bench.masks import boundary_band
from vivid_bench.metrics import METRICS, load_metric
from vivid_bench.metrics.clip import EditClip, SampleClip
from vivid_bench.types import DELETE_PROMPT, FileRef, Frames, Mask, Sample
from vivid_bench.video import read_video, write_preview

FRAMES, HEIGHT, WIDTH = 49, 480, 720
LIMIT = 1.5
Figures = dict[str, float]
Result = TypeVar("Result")


def main() -> None:
    """Time the three and print them as a table."""
    with tempfile.TemporaryDirectory() as folder:
        clip = real_clip() or synthetic_clip(Path(folder))
        (source, mask, edited), decode = timed(lambda: decode_clip(clip))
    reference = np.roll(source, 1, axis=2)
    theirs, numpy_pass = timed(lambda: numpy_figures(source, mask, reference, edited))
    ours, scoring = timed(lambda: our_figures(source, mask, reference, edited))

    table = Table(title=f"{clip.name}: {'x'.join(map(str, source.shape[2:0:-1]))}, {len(source)} frames")
    for heading in ("step", "wall s", "CPU s"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    rows = {
        "a  decode source, mask and edit": decode,
        "b  NumPy pass of the same formulas": numpy_pass,
        f"c  scoring, {len(METRICS)} metrics, {worker_count()} threads": scoring,
    }
    for step, (wall, cpu) in rows.items():
        table.add_row(step, f"{wall:.2f}", f"{cpu:.2f}")
    for index, heading in enumerate(("wall", "CPU")):
        ratio = (decode[index] + scoring[index]) / (decode[index] + numpy_pass[index])
        table.add_row(f"(a+c) / (a+b), {heading}; at most {LIMIT}", *([""] * index), f"{ratio:.2f}")
    console = Console()
    console.print(table)
    name = max(ours, key=lambda name: abs(ours[name] - theirs[name]) / abs(theirs[name]))
    difference = abs(ours[name] - theirs[name]) / abs(theirs[name])
    console.print(f"largest relative difference between b's figures and c's: {difference:.1e} ({name})")


def timed(function: Callable[[], Result]) -> tuple[Result, tuple[float, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, (time.perf_counter() - wall, time.process_time() - cpu)


def real_clip() -> Path | None:
    root = Path(os.environ.get("VIVID_BENCH_REAL_CLIPS", "../shared/data"))
    clips = sorted(path.parent for path in root.glob("**/edited.mp4"))
    return clips[0] if clips else None


def synthetic_clip(folder: Path) -> Path:
    """Write a textured ground that moves 3 px a frame under a still mask, and a noisy copy as its edit."""
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(0, 256, (90, 180, 3), dtype=np.uint8), (WIDTH * 2, HEIGHT), interpolation=2)
    source = np.stack([ground[:, 3 * t : 3 * t + WIDTH] for t in range(FRAMES)])
    noise = rng.integers(-8, 9, source.shape, dtype=np.int16)
    edited = np.clip(source + noise, 0, 255).astype(np.uint8)
    mask = np.zeros_like(source)
    mask[:, 160:320, 240:440] = 255
    clip = folder / "synthetic"
    clip.mkdir()
    for name, frames in (("source", source), ("edited", edited), ("mask", mask)):
        write_preview(clip / f"{name}.mp4", frames, 24)
    return clip


def decode_clip(clip: Path) -> tuple[Frames, Mask, Frames]:
    mask = read_video(clip / "mask.mp4", grey=True).frames >= 128
    return read_video(clip / "source.mp4").frames, mask, read_video(clip / "edited.mp4").frames


def our_figures(source: Frames, mask: Mask, reference: Frames, edited: Frames) -> Figures:
    file = FileRef(path="clip.mp4", sha256="0" * 64)
    sample = Sample(
        id="clip",
        task="delete",
        source=file,
        mask=file,
        reference=file,
        prompt=DELETE_PROMPT,
        frames=source.shape[0],
        height=source.shape[1],
        width=source.shape[2],
        fps=24,
        hole="visible",
        source_video="clip",
    )
    clip = EditClip(SampleClip(sample, source, mask, reference), edited)
    return {name: value for name in METRICS if (value := load_metric(name)(clip).value) is not None}


def numpy_figures(source: Frames, mask: Mask, reference: Frames, edited: Frames) -> Figures:
    """Compute the same figures the plain way: whole frames, float64, SciPy's filters, OpenCV's flow."""
    regions = {"background": ~mask, "edit": mask, "boundary": boundary_band(mask)}
    sums = {name: np.zeros(5) for name in regions}
    for t, y in enumerate(edited):
        to_source, to_reference = difference_maps(y, source[t]), difference_maps(y, reference[t])
        for name, region in regions.items():
            squared, absolute, similarity = to_source if name == "background" else to_reference
            inside = kept = region[t]
            if name == "background":
                kept = binary_erosion(inside, np.ones((11, 11), bool), border_value=1)
            errors, values = squared[inside], similarity[kept]
            sums[name] += (errors.sum(), absolute[inside].sum(), errors.size, values.sum(), values.size)
    figures: Figures = {}
    for name in regions:
        squared_sum, absolute_sum, count, ssim_sum, ssim_count = map(float, sums[name])
        figures[f"{name}_mse"] = squared_sum / count
        figures[f"{name}_psnr"] = -10 * math.log10(squared_sum / count)
        figures[f"{name}_l1"] = absolute_sum / count
        figures[f"{name}_ssim"] = ssim_sum / ssim_count
    figures["background_warp_error"] = warp_error(edited, source, ~mask)
    figures["edit_warp_error"] = warp_error(edited, reference, mask)
    return figures


def difference_maps(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    difference = (first.astype(np.float64) - second) / 255
    return np.square(difference), np.abs(difference), ssim(first, second)


def ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b, aa, bb, ab = (
        gaussian_filter(values, (1.5, 1.5, 0), mode="mirror", radius=(5, 5, 0))
        for values in (a, b, a * a, b * b, a * b)
    )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * (ab - mean_a * mean_b) + c2)
    return np.asarray(above / ((mean_a**2 + mean_b**2 + c1) * (aa - mean_a**2 + bb - mean_b**2 + c2)))


def warp_error(edited: Frames, motion: Frames, region: Mask) -> float:
    estimator = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in motion]
    y, x = np.mgrid[: motion.shape[1], : motion.shape[2]].astype(np.float32)
    total, count = 0.0, 0
    for t in range(len(motion) - 1):
        forward = estimator.calc(grey[t], grey[t + 1], None)
        backward = estimator.calc(grey[t + 1], grey[t], None)
        to = (x + forward[..., 0], y + forward[..., 1])
        back = cv2.remap(backward, *to, cv2.INTER_LINEAR)
        length = (forward**2).sum(axis=2) + (back**2).sum(axis=2)
        valid = ((forward + back) ** 2).sum(axis=2) < 0.01 * length + 0.5
        valid &= (to[0] >= 0) & (to[0] <= x.max()) & (to[1] >= 0) & (to[1] <= y.max())
        rounded = np.rint(forward * 32) / 32
        to = (x + rounded[..., 0], y + rounded[..., 1])
        valid &= region[t] & (cv2.remap(region[t + 1].astype(np.float32), *to, cv2.INTER_LINEAR) > 1 - 1e-4)
        warped = cv2.remap(edited[t + 1].astype(np.float32), *to, cv2.INTER_LINEAR)
        difference = ((warped - edited[t]) / 255)[valid].astype(np.float64)
        total += np.square(difference).sum()
        count += difference.size
    return total / count


if __name__ == "__main__":
    main()

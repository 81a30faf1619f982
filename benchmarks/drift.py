"""How an edit drifts over a long video: windows chained by their last edited frame, beside independent windows.

    python benchmarks/drift.py --out docs/vivid/drift.png

Renders scenes of the validation fold with 97 and 193 frames, edits each as VIVID does (every window led by the last
edited frame before it) and again with every window on its own, and reports the PSNR of the edit region by frame against
the exact reference, and the jump at the seams: how much more changes there than between other neighbouring frames, as a
mean absolute difference seen from the hole.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from ablation import difference
from numpy.typing import NDArray
from rich.progress import track

from vivid_bench.metrics.psnr import psnr, region_mse
from vivid_bench.scenes import SceneSample, render_sample
from vivid_bench.types import Frames, Mask, Task
from vivid_bench.vivid.adapter import CHECKPOINT
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.window import square_around

FIRST_SEED = 20_000
LENGTHS = (97, 193)
Curve = NDArray[np.float64]


def independent(editor: Editor, sample: SceneSample) -> Frames:
    """Edit the frames that each window of the chain adds, on their own."""
    length = int(editor.pipeline.config.window_frames) - 1
    starts = [0, *range(length + 1, len(sample.mask), length), len(sample.mask)]
    parts = [editor.edit(sample.source[a:b], sample.mask[a:b], sample.prompt) for a, b in pairwise(starts)]
    return np.concatenate(parts)


def curve(edited: Frames, sample: SceneSample) -> Curve:
    """Return the edit region's PSNR of each frame in dB; NaN, which is left out of means, where nothing is masked."""
    values = [region_mse(*frames) for frames in zip(edited, sample.reference, sample.mask, strict=True)]
    return np.array([np.nan if value is None else psnr(value) for value in values])


def seam_jump(edited: Frames, sample: SceneSample, length: int) -> float:
    """Return how much more changes at a seam than between other neighbouring frames, in levels of 255."""
    window = square_around(sample.mask)
    made, hole = window.cut(edited), window.cut(sample.mask)
    changes: dict[bool, list[float]] = {True: [], False: []}
    for t in range(1, len(made)):
        both: Mask = hole[t - 1] & hole[t]
        if both.any():
            changes[(t - 1) % length == 0 and t > 1].append(np.abs(made[t].astype(float) - made[t - 1])[both].mean())
    return float(np.mean(changes[True]) - np.mean(changes[False]))


def measure(editor: Editor, frames: int, scenes: int) -> dict[str, dict[str, object]]:
    """Return mean curves and seam jumps of both ways."""
    length = int(editor.pipeline.config.window_frames) - 1
    tasks: list[Task] = ["add", "delete"]
    curves: dict[str, list[Curve]] = {"chain": [], "independent": []}
    jumps: dict[str, list[float]] = {"chain": [], "independent": []}
    for number in track(range(scenes), description=f"{frames} frames"):
        sample = render_sample(tasks[number % 2], FIRST_SEED + number, fold="validation", frames=frames, hole="visible")
        edits = {
            "chain": editor.edit(sample.source, sample.mask, sample.prompt),
            "independent": independent(editor, sample),
        }
        for name, edited in edits.items():
            curves[name].append(curve(edited, sample))
            jumps[name].append(seam_jump(edited, sample, length))
    return {
        name: {
            "edit_psnr_by_frame": [round(float(x), 3) for x in np.nanmean(curves[name], axis=0)],
            "seam_jump": round(float(np.mean(jumps[name])), 3),
            "seam_jump_by_scene": [round(jump, 3) for jump in jumps[name]],
        }
        for name in curves
    }


def draw(figures: dict[int, dict[str, dict[str, object]]], out: Path) -> None:
    """Draw the curves."""
    figure, axes = plt.subplots(1, len(figures), figsize=(11, 3.2), sharey=True)
    for axis, (frames, ways) in zip(np.atleast_1d(axes), figures.items(), strict=True):
        for name, way in ways.items():
            axis.plot(way["edit_psnr_by_frame"], label=f"{name}, seam jump {way['seam_jump']}", linewidth=1)
        axis.set_title(f"{frames} frames", fontsize=9)
        axis.set_xlabel("frame")
        axis.legend(fontsize=8)
    np.atleast_1d(axes)[0].set_ylabel("PSNR of the edit region (dB)")
    figure.tight_layout()
    figure.savefig(out, dpi=110)


def main() -> None:
    """Read the command line, measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--scenes", type=int, default=30, help="of each length, half add and half delete")
    parser.add_argument("--out", type=Path, help="picture; the figures go beside it as JSON")
    arguments = parser.parse_args()
    editor = Editor(load_pipeline(arguments.checkpoint))
    figures = {frames: measure(editor, frames, arguments.scenes) for frames in LENGTHS}
    for frames, ways in figures.items():
        for name, way in ways.items():
            by_frame = np.array(way["edit_psnr_by_frame"])
            quarters = [round(float(np.nanmean(part)), 2) for part in np.array_split(by_frame, 4)]
            print(f"{frames} frames, {name}: PSNR by quarter {quarters} dB, seam jump {way['seam_jump']} levels")
        chain, alone = (np.array(ways[name]["seam_jump_by_scene"]) for name in ("chain", "independent"))
        mean, low, high = difference(chain, alone)
        print(f"{frames} frames, chain less independent: {mean:.2f} levels, 95 % [{low:.2f}, {high:.2f}] over scenes")
    if arguments.out:
        draw(figures, arguments.out)
        arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

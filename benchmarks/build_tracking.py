"""How well the builder finds and follows entities without weights, against exact masks; and how fast.

    python benchmarks/build_tracking.py [--scenes 100] [--sizes 96x96,426x240] [--preset medium] [--real FOLDER]

Rendered scenes of the `test` fold, half add and half modify, 17 frames each. Two figures of mean IoU over all frames:

- selected: entities are chosen as `data build` does, in the middle frame or where most is seen to move, and followed
  both ways; the one that fits the truth best in that frame counts, and where none reaches an IoU of 0.5 there the scene
  counts as 0. Over the scenes in which the entity moves against the camera by at least 0.5 % of the frame's shorter
  side a frame (the others stand still on the background: no motion tells them from it, and what is selected there is
  counted).
- given: the exact mask of the first frame is followed; all scenes.

With --real, a folder of <id>/source.mp4 and mask.mp4: the same against those masks, the first frame's given, and the
best entity selected in any tenth frame. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.entity_stages import MOTION_LOOKS, look
from vivid_bench.build.flow_tracking import FlowPropagator
from vivid_bench.build.motion_entities import MotionSelector
from vivid_bench.flow import Preset
from vivid_bench.masks import binarise
from vivid_bench.scenes import combinations, motion, render_sample
from vivid_bench.scenes.folds import streams
from vivid_bench.types import Frames, Mask, Task
from vivid_bench.video import read_video

FRAMES = 17
LEAST_MOTION = 0.005
FOUND = 0.5


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union; 1 for two empty masks."""
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0


def mean_iou(masks: Mask, truth: Mask) -> float:
    """Return the mean of the frames' IoU."""
    return float(np.mean([iou(*pair) for pair in zip(masks, truth, strict=True)]))


def motion_against_camera(task: Task, seed: int, fold: str, truth: Mask) -> float:
    """Return how far an entity's pixels move a frame against the background, as a share of the shorter side."""
    height, width = truth.shape[1:]
    random = streams(fold, task, seed)
    camera = square(motion.camera_path(random["camera"], len(truth), height, width))
    random["entity"].integers(len(combinations(fold)))  # the scene draws the entity first
    entity = square(motion.placed(motion.entity_path(random["entity"], camera[:, :2], height, width)))
    moved = []
    for t in range(len(truth) - 1):
        ys, xs = np.nonzero(truth[t])
        if len(ys):
            points = np.stack([xs, ys, np.ones_like(xs)]).astype(float)
            own, background = (path[t + 1] @ np.linalg.inv(path[t]) @ points for path in (entity, camera))
            moved.append(float(np.hypot(*(own - background)[:2]).mean()))
    return float(np.mean(moved)) / min(height, width) if moved else 0.0


def square(affines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 3, 3) of (T, 2, 3)."""
    last = np.broadcast_to([0.0, 0.0, 1.0], (len(affines), 1, 3))
    return np.concatenate([affines, last], axis=1)


def rendered(count: int, fold: str, height: int, width: int, preset: Preset) -> dict[str, object]:
    """Measure scenes of one size."""
    select, propagate = MotionSelector(preset), FlowPropagator(preset)
    chosen, strict, given, still = [], [], [], []
    tasks: list[Task] = ["add", "modify"]
    for seed in range(count):
        task = tasks[seed % 2]
        scene = render_sample(task, seed, fold=fold, frames=FRAMES, height=height, width=width)
        frames, truth = scene.reference, scene.entity_mask
        assert truth is not None
        if truth[0].any():
            given.append(mean_iou(propagate(frames, 0, [truth[0]])[0].masks, truth))
        seen = look(frames, FRAMES // 2, select, MOTION_LOOKS)
        entities, keyframe = seen.entities, seen.keyframe
        if motion_against_camera(task, seed, fold, truth) < LEAST_MOTION:
            still.append(len(entities))
            continue
        best = max(entities, key=lambda e: iou(e.mask, truth[keyframe]), default=None)
        if best is None or iou(best.mask, truth[keyframe]) < FOUND:
            strict.append(0.0)
            continue
        chosen.append(mean_iou(propagate(frames, keyframe, [best.mask])[0].masks, truth))
        strict.append(chosen[-1])
    return {
        "size": f"{width}x{height}",
        "selected": {
            "moving scenes": len(strict),
            "mean IoU, not found = 0": round(float(np.mean(strict)), 4),
            "mean IoU, found": round(float(np.mean(chosen)), 4),
            "found": round(len(chosen) / len(strict), 4),
        },
        "still scenes": {"count": len(still), "entities selected (bystanders included)": int(np.sum(still))},
        "given": {"scenes": len(given), "mean IoU": round(float(np.mean(given)), 4)},
    }


def real(folder: Path, preset: Preset) -> dict[str, object]:
    """Measure clips with masks of their own."""
    figures: dict[str, object] = {}
    for clip in sorted(path for path in folder.iterdir() if (path / "mask.mp4").exists()):
        frames = read_video(clip / "source.mp4").frames
        truth, _ = binarise(read_video(clip / "mask.mp4", grey=True).frames)
        track = FlowPropagator(preset)(frames, 0, [truth[0]])[0]
        by_frame = [iou(*pair) for pair in zip(track.masks, truth, strict=True)]
        best = {
            t: round(max((iou(e.mask, truth[t]) for e in MotionSelector(preset)(frames, t)), default=0.0), 4)
            for t in range(4, len(frames), 10)
        }
        figures[clip.name] = {
            "given first mask, mean IoU": round(float(np.mean(by_frame)), 4),
            "last frame's IoU": round(by_frame[-1], 4),
            "followed to frame": track.last,
            "selected, best IoU by keyframe": best,
            "seconds on one core": timed(frames, truth[0], preset),
        }
    return figures


def timed(frames: Frames, mask: NDArray[np.bool_], preset: Preset) -> dict[str, float]:
    """Return frames a second of propagation, of a second mask with the first, and the seconds of a selection."""
    start = time.perf_counter()
    FlowPropagator(preset)(frames, 0, [])
    flow = time.perf_counter() - start
    start = time.perf_counter()
    FlowPropagator(preset)(frames, 0, [mask])
    whole = time.perf_counter() - start
    start = time.perf_counter()
    MotionSelector(preset)(frames, len(frames) // 2)
    selection = time.perf_counter() - start
    return {
        "selection, seconds a clip": round(selection, 2),
        "propagation, frames a second, one mask": round(len(frames) / whole, 1),
        "of which flow, seconds": round(flow, 2),
        "each mask, seconds": round(whole - flow, 2),
    }


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100, help="of each size")
    parser.add_argument("--sizes", default="96x96,426x240")
    parser.add_argument("--fold", default="test")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--real", type=Path, help="folder of <id>/source.mp4 and mask.mp4")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    figures: dict[str, object] = {"fold": asked.fold, "preset": asked.preset}
    if asked.scenes:
        figures["rendered"] = [
            rendered(asked.scenes, asked.fold, *reversed([int(side) for side in size.split("x")]), asked.preset)
            for size in asked.sizes.split(",")
        ]
    if asked.real:
        figures["real"] = real(asked.real, asked.preset)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

"""Pasted masks: how well they follow the background's true motion, what is rejected, and what a step costs.

    python benchmarks/build_pasting.py [--fold test] [--scenes 24] [--overlays DIR]

Rendered scenes give the truth: the camera's path, recovered from a sample's random streams, says where every pixel of
the keyframe's background is in each frame. The error is the distance of a pasted mask's points from there, over all
frames but the keyframe. Exits with 1 above a median of 1.5 px or a 95th percentile of 4 px with `medium` DIS.

On real clips, `$VIVID_BENCH_REAL_CLIPS` or `../shared/data`, where there are any: masks of each from the other's pool,
whether they touch the entity grown by 8 px, and the time of each part. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.carrying import Carried, carry, estimate_flow
from vivid_bench.build.pasting import Rejected, paste
from vivid_bench.build.pool import Stamp, draw, stamps_of
from vivid_bench.build.positioning import keep_out, place
from vivid_bench.flow import PRESETS, clip_flow, worker_count
from vivid_bench.masks import dilate
from vivid_bench.scenes import PHOTOGRAPHS, render_sample, samples
from vivid_bench.scenes.entities import footprint
from vivid_bench.scenes.folds import combinations, streams
from vivid_bench.scenes.motion import Affines, camera_path
from vivid_bench.suites import load_splits
from vivid_bench.types import Frames, Mask

SIZES = ((96, 96, 17), (96, 96, 49), (240, 426, 17))
PASTES = 4
LIMITS = {"median_px": 1.5, "p95_px": 4.0}
Floats = NDArray[np.float64]


class Scene(NamedTuple):
    """A clip with a known camera: (T, 2, 3) canvas to screen, and the masks of what moves on its own."""

    frames: Frames
    camera: Affines
    entities: Mask


def scene(fold: str, seed: int, height: int, width: int, frames: int) -> Scene:
    """Render a clean delete scene and recover its camera and its bystander; every third shows a photograph."""
    photograph = (
        PHOTOGRAPHS[fold][seed // 3 % len(PHOTOGRAPHS[fold])] if fold in PHOTOGRAPHS and seed % 3 == 2 else None
    )
    sample = render_sample(
        "delete", seed, fold=fold, frames=frames, height=height, width=width, hole="hidden", mask_kind="original",
        photograph=photograph,
    )  # fmt: skip
    rng, size = streams(fold, "delete", seed), (height, width)
    camera = camera_path(rng["camera"], frames, *size)
    if not np.array_equal(samples._pasted_mask(rng["pool"], combinations(fold), camera, size), sample.mask):
        raise RuntimeError(f"the camera of scene {seed} is not the one that its mask went with")
    entities = np.zeros(sample.mask.shape, np.bool_)
    for layer in samples._bystander(rng["bystander"], combinations(fold), camera, size):
        entities |= footprint(layer)
    return Scene(sample.source, camera, entities)


def scene_pool(fold: str, height: int, width: int, count: int = 12) -> list[Stamp]:
    """Return stamps of entities of other scenes of the fold."""
    masks = [
        render_sample("add", 5000 + n, fold=fold, frames=1, height=height, width=width).entity_mask
        for n in range(count)
    ]
    return [stamp for n, mask in enumerate(masks) if mask is not None for stamp in stamps_of(mask, str(n))]


def point_errors(carried: Carried, camera: Affines, keyframe: int) -> Floats:
    """Return distances from the truth in pixels, (T-1) x about 200 of the mask's points."""
    rows, columns = np.nonzero(carried.track.masks[keyframe])
    points = np.stack([columns, rows, np.ones_like(rows)]).astype(np.float64)[:, :: max(1, len(rows) // 200)]
    square = np.concatenate([camera, np.tile([[[0.0, 0.0, 1.0]]], (len(camera), 1, 1))], axis=1)
    truth = (square @ np.linalg.inv(square[keyframe]) @ points)[:, :2]
    found = carried.transforms @ points
    return np.delete(np.linalg.norm(found - truth, axis=1), keyframe, axis=0).ravel()


def on_scenes(fold: str, scenes: int, size: tuple[int, int, int]) -> dict[str, Any]:
    """Paste PASTES stamps on each scene with each preset; the same places for all presets."""
    pool = scene_pool(fold, *size[:2])
    errors: dict[str, list[Floats]] = {preset: [] for preset in PRESETS}
    outcomes: dict[str, Counter[str]] = {preset: Counter() for preset in PRESETS}
    for seed in range(scenes):
        clip = scene(fold, seed, *size)
        keyframe, forbidden = len(clip.frames) // 2, keep_out(clip.entities)
        rng = np.random.default_rng(seed)
        placed = [place(draw(pool, rng, *size[:2]), forbidden[keyframe], rng) for _ in range(PASTES)]
        for preset in PRESETS:
            flow = estimate_flow(clip.frames, partial(clip_flow, preset=preset))
            for mask in placed:
                carried = None if mask is None else carry(mask, keyframe, forbidden, flow)
                reason = "no place" if carried is None else carried.stopped
                outcomes[preset][reason or "pasted"] += 1
                if carried is not None and carried.stopped is None:
                    errors[preset].append(point_errors(carried, clip.camera, keyframe))
    return {preset: {**_spread(errors[preset]), "outcomes": dict(outcomes[preset])} for preset in PRESETS}


def _spread(errors: Sequence[Floats]) -> dict[str, float]:
    pooled = np.concatenate(errors)
    worst_mask = max(float(np.quantile(e, 0.95)) for e in errors)
    figures = {"median_px": np.median(pooled), "p95_px": np.quantile(pooled, 0.95), "worst_px": pooled.max()}
    return {name: round(float(v), 3) for name, v in (figures | {"worst_mask_p95_px": worst_mask}).items()}


def on_real_clips(folder: Path, overlays: Path | None) -> dict[str, Any]:
    """Paste on each clip masks from the others' pool."""
    (split,) = load_splits("folder", ("modify",), folder)
    masks = {s.id: split.read(s).mask for s in split.split.samples}
    report: dict[str, Any] = {}
    for number, sample in enumerate(split.split.samples):
        frames, entity = split.read(sample).source, masks[sample.id]
        pool = [stamp for name, mask in masks.items() if name != sample.id for stamp in stamps_of(mask, name)]
        report[sample.id] = {"speed": speed(frames, entity, pool)}
        flow = estimate_flow(frames, clip_flow)
        pasted = []
        for seed in range(PASTES):
            found = paste(flow, sample.frames // 2, entity, pool, np.random.default_rng([seed, number]))
            if isinstance(found, Rejected):
                pasted.append({"rejected": found.reason, "tries": found.tries})
                continue
            areas = found.masks.mean(axis=(1, 2))
            pasted.append(
                {
                    "touches_entity_grown_by_8": bool((found.masks & dilate(entity, 8)).any()),
                    "area_share": [round(float(a), 4) for a in (areas.min(), areas.max())],
                    "least_confidence": round(float(found.confidence.min()), 3),
                    "largest_flow_error_px": round(float(found.flow_error.max()), 3),
                }
            )
            if overlays is not None:
                _write_overlay(overlays / f"{sample.id}-{seed}.png", frames, entity, found.masks)
        report[sample.id]["pasted"] = pasted
    return report


def speed(frames: Frames, entity: Mask, pool: Sequence[Stamp]) -> dict[str, Any]:
    """Time each part on one clip, in milliseconds; wall clock, with `flow.worker_count` threads for the flow."""
    steps, keyframe = len(frames) - 1, len(frames) // 2
    figures: dict[str, Any] = {"size": list(frames.shape[:3]), "workers": worker_count()}
    for preset in PRESETS:
        flow, took, cpu = _timed(lambda preset=preset: estimate_flow(frames, partial(clip_flow, preset=preset)))
        figures[f"flow_{preset}_ms_per_step_both_ways"] = round(took / steps, 1)
        figures[f"flow_{preset}_cpu_ms_per_step_both_ways"] = round(cpu / steps, 1)
    forbidden, took, _ = _timed(lambda: keep_out(entity))
    figures["keep_out_ms_per_frame"] = round(took / len(frames), 2)
    rng = np.random.default_rng(0)
    carries, places = [], []
    for _ in range(PASTES):
        placed, took, _ = _timed(lambda: place(draw(pool, rng, *entity.shape[1:]), forbidden[keyframe], rng))
        places.append(took)
        if placed is not None:
            carried, took, _ = _timed(lambda placed=placed: carry(placed, keyframe, forbidden, flow))
            carries.append(took / max(1, carried.track.last - carried.track.first))
    figures["place_ms"] = round(float(np.median(places)), 1)
    figures["carry_ms_per_step"] = round(float(np.median(carries)), 2) if carries else None
    return figures


def _timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def _write_overlay(path: Path, frames: Frames, entity: Mask, pasted: Mask) -> None:
    """Six frames in two rows: the entity red, the pasted mask green."""
    shown = []
    for t in np.linspace(0, len(frames) - 1, 6).round().astype(int):
        picture = frames[t].copy()
        picture[entity[t]] = picture[entity[t]] // 2 + np.array([120, 0, 0], np.uint8)
        picture[pasted[t]] = picture[pasted[t]] // 2 + np.array([0, 120, 0], np.uint8)
        shown.append(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    sheet = np.vstack([np.hstack(shown[:3]), np.hstack(shown[3:])])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fold", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--overlays", type=Path, help="folder for pictures of the real clips with their masks")
    arguments = parser.parse_args()
    report: dict[str, Any] = {"fold": arguments.fold, "scenes": arguments.scenes, "limits": LIMITS}
    for size in SIZES:
        report["x".join(map(str, size))] = on_scenes(arguments.fold, arguments.scenes, size)
    root = os.environ.get("VIVID_BENCH_REAL_CLIPS", Path(__file__).parents[2] / "shared" / "data")
    real = Path(root) / "vivid10m-samples"
    report["real"] = on_real_clips(real, arguments.overlays) if real.is_dir() else "no real clips here"
    print(json.dumps(report, indent=1))
    medium = [report["x".join(map(str, size))]["medium"] for size in SIZES]
    sys.exit(any(figures[name] > limit for figures in medium for name, limit in LIMITS.items()))


if __name__ == "__main__":
    main()

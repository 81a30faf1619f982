"""Render the mini suite, its long track, or validation suites of the same make, to disk.

These make the shipped clips again:

    python -m vivid_bench.build.mini --out tasks/mini
    python -m vivid_bench.build.mini --track long --out tasks/mini-long
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from rich.progress import track as progress

from vivid_bench.errors import VividBenchError
from vivid_bench.files import sha256_path, write_text
from vivid_bench.masks import MASK_KINDS
from vivid_bench.scenes import PHOTOGRAPHS, SceneSample, render_sample
from vivid_bench.types import TASKS, FileRef, Hole, Sample, Task
from vivid_bench.video import read_video, write_lossless

Track = Literal["short", "long"]

SAMPLES_PER_TASK: dict[Track, int] = {"short": 24, "long": 2}
FIRST_SEED: dict[Track, int] = {"short": 0, "long": 90_000}
"""Sample n of a task is the scene of seed FIRST_SEED + n, so the tracks share no scene."""

FRAMES, LONGER_FRAMES, LONG_TRACK_FRAMES = 17, 49, 97
LONGER_SAMPLES_PER_TASK = 4
SIDE = 96
FPS = 8.0
VERSION = "1"

_LICENCE = "Apache-2.0 (rendered)"
_PHOTO_LICENCES = {
    "astronaut": "public domain (NASA)",
    "brick": "CC0",
    "camera": "CC0",
    "chelsea": "CC0",
    "coffee": "CC0",
    "grass": "CC0",
    "rocket": "public domain (SpaceX)",
}


def build_mini(out: Path, fold: str = "test", track: Track = "short") -> None:
    """Render a suite, each sample from its own scene, and the lists that pin them.

    Args:
        out: the suite's folder; files in it are replaced one by one, each as a whole.
        fold: `test` for the suites that ship, `validation` for choosing settings.
        track: `short` = 24 samples a task of 17 frames, four of them of 49; `long` = 2 a task of 97 frames.

    Raises:
        VividBenchError: when a written clip does not decode to the rendered bytes.
    """
    tables = [_header(fold, track)]
    for task in TASKS:
        numbers = progress(range(SAMPLES_PER_TASK[track]), description=f"{fold} {task}")
        lines = [_build_sample(out, task, n, fold, track).model_dump_json(exclude_none=True) for n in numbers]
        listing = out / f"{task}.jsonl"
        write_text(listing, "\n".join(lines) + "\n")
        tables.append(_task_table(task, sha256_path(listing)))
    write_text(out / "suite.toml", "\n".join(tables))


def render_mini_sample(task: Task, number: int, fold: str = "test", track: Track = "short") -> SceneSample:
    """Render sample `number` (from 0) of a task; holes and mask kinds are spread evenly."""
    hole: Hole = "hidden" if task == "delete" and number % 2 else "visible"
    return render_sample(
        task, FIRST_SEED[track] + number, fold=fold, frames=_frames(number, track), height=SIDE, width=SIDE,
        hole=hole, mask_kind=_mask_kind(task, number, track), photograph=_photograph(task, number, fold, track),
    )  # fmt: skip


def _frames(number: int, track: Track) -> int:
    if track == "long":
        return LONG_TRACK_FRAMES
    return LONGER_FRAMES if number >= SAMPLES_PER_TASK["short"] - LONGER_SAMPLES_PER_TASK else FRAMES


def _mask_kind(task: Task, number: int, track: Track) -> str:
    if track == "long":  # six samples, six kinds
        turn = TASKS.index(task) * SAMPLES_PER_TASK["long"] + number
    else:
        # Delete alternates its holes, so kinds advance every second sample: each hole meets each kind equally often.
        turn = number // 2 if task == "delete" else number
    return MASK_KINDS[turn % len(MASK_KINDS)]


def _photograph(task: Task, number: int, fold: str, track: Track) -> str | None:
    """On the short track, every fifth background until each of the fold's was used once; on the long, every second."""
    names = PHOTOGRAPHS[fold]
    period, position = (2, 1) if track == "long" else (5, 2)
    turn, rest = divmod(number, period)
    return names[(turn + TASKS.index(task)) % len(names)] if rest == position and turn < len(names) else None


def _build_sample(out: Path, task: Task, number: int, fold: str, track: Track) -> Sample:
    scene = render_mini_sample(task, number, fold, track)
    name = f"{task}-{number:03d}" if track == "short" else f"{task}-long-{number:03d}"
    source = _write_clip(out, f"clips/{name}/source.mkv", scene.source)
    white = scene.mask.astype(np.uint8) * np.uint8(255)
    mask = _write_clip(out, f"clips/{name}/mask.mkv", white)
    hidden = scene.hole == "hidden"
    reference = source if hidden else _write_clip(out, f"clips/{name}/reference.mkv", scene.reference)
    photograph = _photograph(task, number, fold, track)
    licence = f"{_LICENCE}; photograph {photograph}: {_PHOTO_LICENCES[photograph]}" if photograph else _LICENCE
    frames, height, width = scene.mask.shape
    return Sample(
        id=name, task=task, source=source, mask=mask, reference=reference, prompt=scene.prompt,
        frames=frames, height=height, width=width, fps=FPS, hole=scene.hole, source_video=scene.scene_id,
        licence=licence, mask_kind=scene.mask_kind,
    )  # fmt: skip


def _write_clip(out: Path, path: str, pixels: NDArray[np.uint8]) -> FileRef:
    """Write (T, H, W, 3) RGB frames or a (T, H, W) mask, checked to decode to the same bytes."""
    file = out / path
    write_lossless(file, pixels, FPS, compact=True)
    if not np.array_equal(read_video(file, grey=pixels.ndim == 3).frames, pixels):
        raise VividBenchError(f"{file}: does not decode to what was rendered")
    return FileRef(path=path, sha256=sha256_path(file))


_FOLDS = ("test", "validation")


def _header(fold: str, track: Track) -> str:
    test = fold == "test"
    name = ("mini" if track == "short" else "mini-long") + ("" if test else "-validation")
    licence = "Apache-2.0; backgrounds from public-domain and CC0 photographs" + (", see README.md" if test else "")
    if not test:
        description = (
            "Scenes of the mini suite's make from seeds, textures and words of their own, for choosing settings."
        )
    elif track == "short":
        description = "Small rendered clips with an exact reference for every task: runs offline on a CPU."
    else:
        description = "The mini suite's long track: rendered clips of 97 frames, for drift over time."
    return f"""\
name = "{name}"
version = "{VERSION}"
licence = "{licence}"
description = "{description}"
"""


def _task_table(task: Task, sha256: str) -> str:
    metrics = [f"{region}_{m}" for region in ("edit", "boundary", "background") for m in ("psnr", "ssim", "l1")]
    metrics += ["background_mse", "edit_mse", "boundary_mse"]
    metrics += ["edit_lpips@mini-lpips", "background_lpips@mini-lpips"]
    if task != "delete":
        metrics += [f"clip_text_{view}@mini-clip" for view in ("full", "region", "masked")]
    metrics += [f"clip_{name}@mini-clip" for name in ("image_region", "temporal_full", "temporal_region")]
    if task == "delete":
        metrics += ["removal_success@mini-clip", "removal_success_histogram"]
    metrics.append("background_warp_error")
    if task == "delete":
        metrics.append("edit_warp_error")
    listed = "\n".join(f'  "{metric}",' for metric in metrics)
    return f"""\
[tasks.{task}]
samples = "{task}.jsonl"
sha256 = "{sha256}"
main_metric = "edit_psnr"
metrics = [
{listed}
]
"""


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Render the mini suite, or its long track, to disk.")
    parser.add_argument("--out", type=Path, required=True, help="the suite's folder, e.g. tasks/mini")
    parser.add_argument("--fold", choices=_FOLDS, default="test")
    parser.add_argument("--track", choices=get_args(Track), default="short", help="long = clips of 97 frames")
    arguments = parser.parse_args()
    build_mini(arguments.out, arguments.fold, arguments.track)


if __name__ == "__main__":
    main()

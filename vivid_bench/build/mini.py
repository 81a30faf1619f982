"""Render the mini suite, or a validation suite of the same make, to disk.

`python -m vivid_bench.build.mini --out tasks/mini` makes the shipped clips again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from vivid_bench.errors import VividBenchError
from vivid_bench.files import sha256_path, write_text
from vivid_bench.masks import MASK_KINDS
from vivid_bench.scenes import PHOTOGRAPHS, SceneSample, render_sample
from vivid_bench.types import TASKS, FileRef, Hole, Sample, Task
from vivid_bench.video import read_video, write_lossless

SAMPLES_PER_TASK = 24
LONG_SAMPLES_PER_TASK = 4
FRAMES, LONG_FRAMES = 17, 49
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


def build_mini(out: Path, fold: str = "test") -> None:
    """Render the suite: 24 samples a task, each from its own scene, and the lists that pin them.

    Args:
        out: the suite's folder; files in it are replaced one by one, each as a whole.
        fold: `test` for the suite that ships, `validation` for choosing settings.

    Raises:
        VividBenchError: when a written clip does not decode to the rendered bytes.
    """
    tables = [_HEADERS[fold]]
    for task in TASKS:
        numbers = track(range(SAMPLES_PER_TASK), description=f"{fold} {task}")
        lines = [_build_sample(out, task, n, fold).model_dump_json(exclude_none=True) for n in numbers]
        listing = out / f"{task}.jsonl"
        write_text(listing, "\n".join(lines) + "\n")
        tables.append(_task_table(task, sha256_path(listing)))
    write_text(out / "suite.toml", "\n".join(tables))


def render_mini_sample(task: Task, number: int, fold: str = "test") -> SceneSample:
    """Render sample `number` (0 to 23) of a task; holes and mask kinds are spread evenly."""
    hole: Hole = "hidden" if task == "delete" and number % 2 else "visible"
    # Delete alternates its holes, so kinds advance every second sample: each hole meets each kind equally often.
    kind = MASK_KINDS[(number // 2 if task == "delete" else number) % len(MASK_KINDS)]
    long = number >= SAMPLES_PER_TASK - LONG_SAMPLES_PER_TASK
    return render_sample(
        task, number, fold=fold, frames=LONG_FRAMES if long else FRAMES, height=SIDE, width=SIDE,
        hole=hole, mask_kind=kind, photograph=_photograph(task, number, fold),
    )  # fmt: skip


def _photograph(task: Task, number: int, fold: str) -> str | None:
    """Every fifth background is a photograph, until each of the fold's has been used once."""
    names = PHOTOGRAPHS[fold]
    turn, rest = divmod(number, 5)
    return names[(turn + TASKS.index(task)) % len(names)] if rest == 2 and turn < len(names) else None


def _build_sample(out: Path, task: Task, number: int, fold: str) -> Sample:
    scene = render_mini_sample(task, number, fold)
    name = f"{task}-{number:03d}"
    source = _write_clip(out, f"clips/{name}/source.mkv", scene.source)
    white = scene.mask.astype(np.uint8) * np.uint8(255)
    mask = _write_clip(out, f"clips/{name}/mask.mkv", white)
    hidden = scene.hole == "hidden"
    reference = source if hidden else _write_clip(out, f"clips/{name}/reference.mkv", scene.reference)
    photograph = _photograph(task, number, fold)
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


_HEADERS = {
    "test": f"""\
name = "mini"
version = "{VERSION}"
licence = "Apache-2.0; backgrounds from public-domain and CC0 photographs, see README.md"
description = "Small rendered clips with an exact reference for every task: runs offline on a CPU."
""",
    "validation": f"""\
name = "mini-validation"
version = "{VERSION}"
licence = "Apache-2.0; backgrounds from public-domain and CC0 photographs"
description = "Scenes of the mini suite's make from seeds, textures and words of their own, for choosing settings."
""",
}


def _task_table(task: Task, sha256: str) -> str:
    metrics = [f"{region}_{m}" for region in ("edit", "boundary", "background") for m in ("psnr", "ssim", "l1")]
    metrics += ["background_mse", "edit_mse", "boundary_mse", "background_warp_error"]
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
    parser = argparse.ArgumentParser(description="Render the mini suite to disk.")
    parser.add_argument("--out", type=Path, required=True, help="the suite's folder, e.g. tasks/mini")
    parser.add_argument("--fold", choices=sorted(_HEADERS), default="test")
    arguments = parser.parse_args()
    build_mini(arguments.out, arguments.fold)


if __name__ == "__main__":
    main()

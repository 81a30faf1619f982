"""What each part of the training recipe is worth: small runs of equal budget, one part left out in each.

    python benchmarks/ablation.py --pool training/pool --out training/ablation

Every run has the recipe of `configs/mini.toml` at a smaller budget, on a smaller pool, and is judged by one-step edits
of the mini suite's validation fold: PSNR of the edit region without a keyframe; on the frames after the first, with the
first as a keyframe; and the share of entities that have the caption's colour. Differences to the full recipe are means
over the clips, with 95 % bootstrap intervals over clips; a second seed shows how much is noise between runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from accelerate.state import AcceleratorState
from numpy.typing import NDArray
from rich.progress import track
from vivid_bars import edit_psnr

import vivid_bench.vivid
from vivid_bench.build.mini import render_mini_sample
from vivid_bench.scenes import SceneSample, dominant_colour
from vivid_bench.types import TASKS
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.recipe import TrainConfig, read_config
from vivid_bench.vivid.train import saved_states, start_or_resume, train

RECIPE = Path(vivid_bench.vivid.__path__[0]) / "configs" / "mini.toml"
GUIDANCE = 2.0
SAMPLES = 15  # of each task
Values = dict[str, NDArray[np.float64]]


def variants(steps: int, pixels: int) -> dict[str, TrainConfig]:
    """Return name -> recipe; all have as many steps of as many pixels."""
    recipe = read_config(RECIPE).model_dump()
    first, rest, *_ = ({**stage, "pixels": pixels, "until": None} for stage in recipe["batch"])
    full = {
        **recipe, "steps": steps, "log_every": 50, "save_every": steps,
        "batch": [{**first, "until": steps // 3}, rest],
        "data": {**recipe["data"], "shards": 4},
        "optimiser": {**recipe["optimiser"], "warmup_steps": 50, "decay_steps": steps // 3, "ema_decay": 0.99},
        "validation": {**recipe["validation"], "every": steps, "clips": 1},
    }  # fmt: skip
    videos = [
        {**stage, "frame_shares": {n: s for n, s in stage["frame_shares"].items() if n > 1}} for stage in full["batch"]
    ]
    changes: dict[str, dict[str, Any]] = {
        "full recipe": {},
        "full recipe, another seed": {"seed": 1},
        "without images": {"batch": videos},
        "without mask augmentation": {"data": {**full["data"], "mask_kind": "original"}},
        "without caption dropout": {"batch": [{**stage, "empty_caption_share": 0.0} for stage in full["batch"]]},
        "without keyframes": {"batch": [{**rest, "keyframe_share": 0.0}]},
    }
    return {name: TrainConfig(**{**full, **change}) for name, change in changes.items()}


def trained(config: TrainConfig, pool: Path, out: Path) -> Path:
    """Train, or go on, and return the pipeline's folder."""
    AcceleratorState._reset_state(reset_partial_state=True)
    if not saved_states(out) or saved_states(out)[-1].name != f"{config.steps:08d}":
        for progress in train(start_or_resume(config, pool, out, resume=True), pool):
            print(f"{out.name}: step {progress.step}/{config.steps}, loss {progress.loss:.3f}", flush=True)
    return out / "pipeline"


def judge(editor: Editor, samples: list[SceneSample], title: str) -> Values:
    """Return each clip's figures, NaN where one has no meaning for the clip."""
    values: dict[str, list[float]] = {"edit_psnr": [], "keyframe_psnr": [], "colour": []}
    for sample in track(samples, description=title):
        plain = editor.edit(sample.source, sample.mask, sample.prompt)
        given = editor.edit(sample.source, sample.mask, sample.prompt, keyframes={0: sample.reference[0]})
        values["edit_psnr"].append(edit_psnr(plain, sample))
        values["keyframe_psnr"].append(edit_psnr(given, sample, slice(1, None)))
        known = sample.entity is not None and sample.entity_mask is not None and sample.entity_mask.any()
        values["colour"].append(
            float(dominant_colour(plain, sample.entity_mask) == sample.entity.colour) if known else np.nan
        )
    return {name: np.array(column) for name, column in values.items()}


def difference(values: NDArray[np.float64], full: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean paired difference to the full recipe and its 95 % bootstrap interval over clips."""
    gaps = (values - full)[~np.isnan(values)]
    draws = np.random.default_rng(0).integers(len(gaps), size=(10_000, len(gaps)))
    low, high = np.quantile(gaps[draws].mean(axis=1), (0.025, 0.975))
    return float(gaps.mean()), float(low), float(high)


def main() -> None:
    """Read the command line, train, judge and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, default=Path("training/pool"))
    parser.add_argument("--out", type=Path, default=Path("training/ablation"))
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--pixels", type=int, default=65536, help="of a batch")
    arguments = parser.parse_args()
    samples = [render_mini_sample(task, n, "validation") for task in TASKS for n in range(SAMPLES)]
    found: dict[str, Values] = {}
    for name, config in variants(arguments.steps, arguments.pixels).items():
        kind = config.data.mask_kind if config.data.kind == "scenes" else None
        pool = arguments.pool.with_name(f"{arguments.pool.name}-{kind}") if kind else arguments.pool
        pipeline = load_pipeline(trained(config, pool, arguments.out / name.replace(" ", "-").replace(",", "")))
        found[name] = judge(Editor(pipeline, 1), samples, name)
        if name == "full recipe":
            found[f"full recipe, guidance {GUIDANCE:g}"] = judge(Editor(pipeline, 1, GUIDANCE), samples, "guidance")
    rows = {
        name: {
            metric: {
                "mean": round(float(np.nanmean(column)), 3),
                "difference": [round(x, 3) for x in difference(column, found["full recipe"][metric])],
            }
            for metric, column in values.items()
        }
        for name, values in found.items()
    }
    text = json.dumps({"steps": arguments.steps, "pixels": arguments.pixels, "rows": rows}, indent=1) + "\n"
    print(text, end="")
    (arguments.out / "ablation.json").write_text(text)


if __name__ == "__main__":
    main()

"""The record of a training run, shipped beside its weights."""

from __future__ import annotations

import csv
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vivid_bench.vivid.recipe import TrainConfig
from vivid_bench.vivid.validation import fill_only, telea, validation_figures, validation_samples

PACKAGES = ("torch", "diffusers", "transformers")


def write_record(path: Path, config: TrainConfig, log: Path, validation: Path) -> None:
    """Write `training.json`: recipe, steps, seconds, device, loss curve, and figures on validation scenes.

    Beside the model's figures stand those of its own input (the filled hole) and of `cv2.inpaint` (Telea, radius 3) on
    the same scenes.
    """
    curve = _rows(log)
    samples = validation_samples(config.validation_clips, config.pool.frames, config.pool.size)
    record: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "steps": int(curve[-1]["step"]),
        "seconds": curve[-1]["seconds"],
        "device": f"cpu, {platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in PACKAGES},
        "validation": {
            "scenes_per_task": config.validation_clips,
            "vivid": _rows(validation)[-1],
            "filled hole": validation_figures(fill_only, samples),
            "telea": validation_figures(telea, samples),
        },
        "loss_curve": [(int(row["step"]), row["loss"]) for row in curve],
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def _rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

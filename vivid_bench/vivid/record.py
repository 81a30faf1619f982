"""The record of a training run, shipped beside its weights."""

from __future__ import annotations

import csv
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from vivid_bench.vivid.recipe import TrainConfig

PACKAGES = ("torch", "diffusers", "transformers", "accelerate")


def write_record(path: Path, config: TrainConfig, log: Path, validation: Path, beside: dict[str, float]) -> None:
    """Write `training.json`: recipe, steps, seconds, device, loss curve, and figures on the validation split.

    Args:
        beside: figures of `cv2.inpaint` (Telea) on the same split.
    """
    curve = _rows(log)
    record: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "steps": int(curve[-1]["step"]),
        "seconds": curve[-1]["seconds"],
        "device": _device(),
        "versions": {name: version(name) for name in PACKAGES},
        "validation": {"clips_per_task": config.validation.clips, "vivid": _rows(validation)[-1], "telea": beside},
        "loss_curve": [(int(row["step"]), row["loss"]) for row in curve],
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def _device() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"cpu, {platform.machine()}, {os.cpu_count()} cores"


def _rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

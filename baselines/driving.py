"""Runs a driver, a method's own classes behind the contract on disk, inside that method's environment.

    python driving.py DRIVER.py --repo CHECKOUT --requests DIR --edits DIR --device cuda

A driver is a file with `load(repo, device)`, which returns a function from a `Clip` to (T, H, W, 3) frames: uint8, or
floats in 0..1. The contract is docs/methods/contract.md, version 1. Nothing of vivid-bench is imported: Python 3.9,
numpy and Pillow are enough.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Clip:
    """One sample to edit.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, of a size and length that the method's card asks for.
        mask: (T, H, W) bool, True = edit.
    """

    frames: Any
    mask: Any
    task: str
    prompt: str
    negative_prompt: str | None
    seed: int


Edit = Callable[[Clip], Any]


def read_clip(request: dict[str, Any]) -> Clip:
    """Read the frame folders that a line of requests.jsonl names."""
    frames = _read_frames(Path(request["source_frames"]), "RGB")
    mask = _read_frames(Path(request["mask_frames"]), "L") > 127
    return Clip(
        frames=frames, mask=mask, task=request["task"], prompt=request["prompt"],
        negative_prompt=request.get("negative_prompt"), seed=request["seed"],
    )  # fmt: skip


def _read_frames(folder: Path, mode: str) -> Any:
    return np.stack([np.asarray(Image.open(path).convert(mode)) for path in sorted(folder.glob("*.png"))])


def write_frames(folder: Path, frames: Any) -> None:
    """Write (T, H, W, 3) uint8 frames as 00000.png, 00001.png, …"""
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:05d}.png", compress_level=1)


def to_uint8(video: Any) -> Any:
    """Return frames as uint8, from uint8 or from floats in 0..1; values that are not finite raise `ValueError`."""
    if video.dtype == np.uint8:
        return video
    if not np.isfinite(video).all():
        raise ValueError("the method returned values that are not finite")
    return np.rint(np.clip(video, 0, 1) * 255).astype(np.uint8)


def serve(edit: Edit, requests: Path, edits: Path) -> None:
    """Answer all requests, one after another, saying after each how it went; a failed one does not stop the rest."""
    # A pipe: its next line may come only once this one is answered.
    with (requests / "requests.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            try:
                write_frames(edits / request["name"], to_uint8(edit(read_clip(request))))
            except Exception as error:
                traceback.print_exc()
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                print(f"vivid-bench: failed {request['name']} {reason}", flush=True)
            else:
                print(f"vivid-bench: done {request['name']}", flush=True)


def _load_driver(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("driver", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Load the driver's method once, then answer the requests, with the checkout as working folder."""
    parser = argparse.ArgumentParser(description="Run a method's driver by vivid-bench's contract, version 1.")
    parser.add_argument("driver", type=Path)
    for name in ("--repo", "--requests", "--edits"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    driver, repo, requests, edits = (
        path.resolve() for path in (arguments.driver, arguments.repo, arguments.requests, arguments.edits)
    )
    # First, so that the checkout's own packages win over installed ones of the same name.
    sys.path.insert(0, str(repo))
    os.chdir(repo)
    edit = _load_driver(driver).load(repo, arguments.device)
    print("vivid-bench: ready", flush=True)
    serve(edit, requests, edits)


if __name__ == "__main__":
    main()

"""Small programs that speak the contract, and cards that start them; tests import this."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from vivid_bench.types import EditRequest

HEAD = """
import json, os, sys, time
from pathlib import Path
import cv2, numpy as np
requests, edits = map(Path, sys.argv[1:])
def frames(path):
    video, found = cv2.VideoCapture(path), []
    while (read := video.read())[0]:
        found.append(read[1])
    return np.stack(found)
def write(folder, clip):
    folder.mkdir(parents=True)
    for i, frame in enumerate(clip):
        cv2.imwrite(str(folder / f"{i:05d}.png"), frame)
def invert(r):
    clip, mask = frames(r["source"]), frames(r["mask"])
    assert set(np.unique(mask)) <= {0, 255}
    return np.where(mask > 0, 255 - clip, clip)
def done(r):
    print("vivid-bench: done", r["id"], flush=True)
print("vivid-bench: ready", flush=True)
for r in map(json.loads, (requests / "requests.jsonl").open()):
    name = r["sample"]
"""

USUAL = """
    write(edits / r["name"], invert(r))
    done(r)
"""


def card(folder: Path, body: str = USUAL, **facts: object) -> Path:
    """Write a batch program whose loop has the given body, and its card; return the card."""
    (folder / "program.py").write_text(HEAD + body)
    run = [sys.executable, "{here}/program.py", "{requests}", "{edits}"]
    return write_card(folder, {"run": run, "per": "batch", **facts})


def write_card(folder: Path, facts: dict[str, object], more: str = "") -> Path:
    """Write a card with a `[command]` of these facts."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
    path = folder / "method.toml"
    head = 'name = "outside"\nversion = "1"\nkind = "method"\ntasks = ["delete"]\n'
    path.write_text("\n".join([head, more, "[command]", *lines, ""]))
    return path


def request(sample_id: str, frames: int = 5, height: int = 24, width: int = 32, seed: int = 0) -> EditRequest:
    """A noisy clip with a box for a hole."""
    clip = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    mask = np.zeros((frames, height, width), bool)
    mask[:, 6:14, 8:20] = True
    return EditRequest(sample_id, "delete", clip, mask, "Remove it.", 24.0, 7)


def inverted(asked: EditRequest) -> np.ndarray:
    """What the programs make of a request."""
    return np.where(asked.mask[..., None], 255 - asked.frames, asked.frames)

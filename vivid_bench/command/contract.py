"""What lies on disk between vivid-bench and a method's program; docs/methods/contract.md describes it to authors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError, MethodError
from vivid_bench.files import disk_errors_named
from vivid_bench.method_card import CommandFacts, Handover
from vivid_bench.types import EditRequest, Frames
from vivid_bench.video import find_video, read_video, write_lossless, write_lossless_mp4

VERSION = 1
REQUESTS = "requests.jsonl"

_PROGRESS = re.compile(r"vivid-bench: (?:(ready)|(done|failed) (\S+)(?: (.*))?)$")
_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True)
class Progress:
    """A line by which a program says how far it is.

    Attributes:
        name: of the sample; empty for `ready`, which says that the weights are loaded.
        reason: why it failed.
    """

    what: Literal["ready", "done", "failed"]
    name: str = ""
    reason: str = ""


def parse_progress(line: str) -> Progress | None:
    """Return what a line of a program's standard output says to vivid-bench; None for a line of its log."""
    # A progress bar may stand before it on the same line.
    match = _PROGRESS.search(line.rstrip())
    if match is None:
        return None
    ready, what, name, reason = match.groups()
    if ready:
        return Progress("ready")
    return Progress("done" if what == "done" else "failed", name, reason or "")


def safe_name(index: int, sample_id: str) -> str:
    """Return a name that every file system and shell takes, unique by its number: `00003-a_black_swan`."""
    return f"{index:05d}-{re.sub(r'[^A-Za-z0-9_-]+', '_', sample_id)[:60]}"


def write_request(folder: Path, name: str, request: EditRequest, facts: CommandFacts) -> dict[str, object]:
    """Write a fitted sample's clips to `folder/name/` and return its line of `requests.jsonl`.

    Raises `InputError` for a full disk and the like.
    """
    place = folder / name
    forms = {"source": facts.source, "mask": facts.mask}
    length, height, width = request.mask.shape
    line: dict[str, object] = {
        "contract": VERSION, "id": name, "name": name, "sample": request.sample_id, "task": request.task,
        "prompt": request.prompt, "negative_prompt": request.negative_prompt, "seed": request.seed,
        "frames": length, "height": height, "width": width, "fps": request.fps,
    }  # fmt: skip
    for key, clip in _clips(request).items():
        line[key] = str(write_clip(place, key, clip, request.fps, "mkv"))
        if forms[key] == "frames":
            line[f"{key}_frames"] = str(write_clip(place, key, clip, request.fps, "frames"))
    return line


def request_text(line: Mapping[str, object]) -> str:
    """Return a request as its line of `requests.jsonl`."""
    return json.dumps(line) + "\n"


def write_inputs(folder: Path, request: EditRequest, facts: CommandFacts) -> dict[str, str]:
    """Write a fitted sample for `per = "sample"` to a folder, and return what the names in braces stand for."""
    clips = _clips(request)
    length, height, width = request.mask.shape
    (folder / "out").mkdir(parents=True)
    return {
        "source": str(write_clip(folder, "source", clips["source"], request.fps, facts.source)),
        "mask": str(write_clip(folder, "mask", clips["mask"], request.fps, facts.mask)),
        "out": str(folder / "out"), "prompt": request.prompt, "seed": str(request.seed), "fps": f"{request.fps:g}",
        "frames": str(length), "height": str(height), "width": str(width),
    }  # fmt: skip


def write_clip(folder: Path, name: str, clip: NDArray[np.uint8], fps: float, form: Handover) -> Path:
    """Write (T, H, W, 3) RGB or (T, H, W) grey uint8 frames losslessly, and return the video or the folder of PNG."""
    if form == "frames":
        return _write_frames(folder / name, clip)
    path = folder / f"{name}.{form}"
    (write_lossless if form == "mkv" else write_lossless_mp4)(path, clip, fps)
    return path


def edit_of_batch(edits: Path, name: str) -> Path:
    """Return the video or folder of frames of a name; raises `MethodError` when there is none, or several."""
    try:
        found = find_video(edits, name)
    except InputError as error:
        raise MethodError(f"expected one edit {name}, found {error.found}") from error
    if found is None:
        raise MethodError(f"expected its edit at {name}.mkv, .mp4 or frames in {name}/, found nothing")
    return found


def edit_of_sample(out: Path, pattern: str) -> Path:
    """Return what a pattern names below a folder; raises `MethodError` when that is nothing, or several."""
    found = sorted(out.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:3]) or "nothing"
        raise MethodError(f"expected its edit at {{out}}/{pattern}, found {names}")
    return found[0]


def read_edit(path: Path) -> Frames:
    """Read a program's edit; raises `MethodError` when it is none that can be read."""
    try:
        return read_video(path).frames
    except InputError as error:
        found = f"expected {error.expected}, found {error.found}"
        raise MethodError(f"its edit {Path(error.path).name} cannot be used: {found}") from error


def _clips(request: EditRequest) -> dict[str, NDArray[np.uint8]]:
    return {"source": request.frames, "mask": request.mask.astype(np.uint8) * np.uint8(255)}


def _write_frames(folder: Path, clip: NDArray[np.uint8]) -> Path:
    with disk_errors_named(folder):
        folder.mkdir(parents=True)
        for index, frame in enumerate(clip):
            done, encoded = cv2.imencode(".png", frame[..., ::-1] if frame.ndim == 3 else frame, _FAST_PNG)
            assert done, "OpenCV cannot encode PNG"
            (folder / f"{index:05d}.png").write_bytes(encoded.tobytes())
    return folder

"""What a keyframe session consists of, and the folder it is kept in.

The folder: `session.json`, with the hash of itself and of every other file; `video.mkv` and `mask.mkv`, lossless; a PNG
for each keyframe edit. Nothing in it can run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.files import canonical_json, sha256_path, sha256_text, write_text
from vivid_bench.images import read_image, write_image
from vivid_bench.types import Frames, Mask
from vivid_bench.video import read_video, write_lossless

SESSION_FILE = "session.json"
STORED_FPS = 24.0  # a session has no frame rate; a video file must have one

_FILE_NAME = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
_SHA256 = Field(pattern=r"^[0-9a-f]{64}$")


@dataclass(frozen=True, eq=False)
class KeyframeEdit:
    """One edit of one frame by the image mode.

    Attributes:
        index: which frame of the video.
        image: (H, W, 3) uint8.
    """

    index: int
    prompt: str
    seed: int
    seconds: float
    flops: int
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Acceptance:
    """The user's word that the edit at this position of the history is a keyframe."""

    position: int


Step = KeyframeEdit | Acceptance


@dataclass(frozen=True)
class Call:
    """One call of the model and what it cost."""

    kind: Literal["keyframe", "propagation"]
    seconds: float
    flops: int


@dataclass(frozen=True, eq=False)
class SessionState:
    """All that a session needs to go on.

    Attributes:
        steps: denoising steps.
        steps_taken: what the user did and did not undo, in order.
        calls: all calls of the model, undone ones included.
    """

    weights_sha256: str
    steps: int
    guidance_scale: float
    video: Frames
    mask: Mask
    steps_taken: tuple[Step, ...]
    calls: tuple[Call, ...]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Stored):
    name: str = _FILE_NAME
    sha256: str = _SHA256


class _Edit(_Stored):
    index: int = Field(ge=0)
    prompt: str
    seed: int
    seconds: float
    flops: int
    image: _File


class _Acceptance(_Stored):
    position: int = Field(ge=0)


class _Call(_Stored):
    kind: Literal["keyframe", "propagation"]
    seconds: float
    flops: int


class _Session(_Stored):
    schema_version: Literal[1] = 1
    weights_sha256: str = _SHA256
    steps: int = Field(gt=0)
    guidance_scale: float
    video: _File
    mask: _File
    steps_taken: tuple[_Edit | _Acceptance, ...]
    calls: tuple[_Call, ...]


def write_session(folder: Path, state: SessionState) -> None:
    """Write a session to a folder that is new, empty or holds a session with the same video and mask.

    A kill leaves the session that was there before as it was: files that it needs are never written over.

    Raises:
        InputError: when the folder holds anything else, or cannot be written.
    """
    if folder.exists() and not (folder / SESSION_FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            folder, expected="a new folder or a saved session", found="something else", fix="choose another"
        )
    if (folder / SESSION_FILE).is_file():
        before = read_session(folder)
        if not (np.array_equal(before.video, state.video) and np.array_equal(before.mask, state.mask)):
            found = "one with another video or mask"
            raise InputError(folder, expected="this session, saved before", found=found, fix="choose another")
    else:
        write_lossless(folder / "video.mkv", state.video, STORED_FPS)
        write_lossless(folder / "mask.mkv", state.mask * np.uint8(255), STORED_FPS)
    stored = _Session(
        weights_sha256=state.weights_sha256,
        steps=state.steps,
        guidance_scale=state.guidance_scale,
        video=_file(folder / "video.mkv"),
        mask=_file(folder / "mask.mkv"),
        steps_taken=tuple(_write_step(folder, number, step) for number, step in enumerate(state.steps_taken)),
        calls=tuple(_Call(kind=c.kind, seconds=c.seconds, flops=c.flops) for c in state.calls),
    ).model_dump()
    stored["sha256"] = sha256_text(canonical_json(stored))
    write_text(folder / SESSION_FILE, json.dumps(stored, indent=2, ensure_ascii=False) + "\n")


def read_session(folder: Path) -> SessionState:
    """Read a saved session, every file checked by its hash.

    Raises:
        InputError: when the folder holds no session, or anything was changed.
    """
    stored = _read_json(folder / SESSION_FILE)
    video = read_video(_checked(folder, stored.video)).frames
    mask = read_video(_checked(folder, stored.mask), grey=True).frames >= 128
    steps: list[Step] = []
    for step in stored.steps_taken:
        if isinstance(step, _Acceptance):
            steps.append(Acceptance(step.position))
        else:
            image = read_image(_checked(folder, step.image))
            steps.append(KeyframeEdit(step.index, step.prompt, step.seed, step.seconds, step.flops, image))
    calls = tuple(Call(c.kind, c.seconds, c.flops) for c in stored.calls)
    return SessionState(stored.weights_sha256, stored.steps, stored.guidance_scale, video, mask, tuple(steps), calls)


def _write_step(folder: Path, number: int, step: Step) -> _Edit | _Acceptance:
    if isinstance(step, Acceptance):
        return _Acceptance(position=step.position)
    # Edits that an undo and another try put in one place differ in their pixels, hence in their names.
    digest = hashlib.sha256(step.image.tobytes()).hexdigest()[:8]
    path = folder / f"edit-{number:03}-frame-{step.index:05}-{digest}.png"
    write_image(path, step.image)
    return _Edit(
        index=step.index,
        prompt=step.prompt,
        seed=step.seed,
        seconds=step.seconds,
        flops=step.flops,
        image=_file(path),
    )


def _file(path: Path) -> _File:
    return _File(name=path.name, sha256=sha256_path(path))


def _checked(folder: Path, file: _File) -> Path:
    path = folder / file.name
    if not path.is_file():
        raise InputError(path, expected="a file of the saved session", found="nothing", fix="copy the whole folder")
    if sha256_path(path) != file.sha256:
        raise InputError(path, expected="the file as it was saved", found="a changed one", fix="restore it from a copy")
    return path


def _read_json(path: Path) -> _Session:
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        fix = "give the folder that KeyframeSession.save wrote"
        raise InputError(path.parent, expected=f"a saved session ({SESSION_FILE})", found="none", fix=fix) from error
    except ValueError as error:
        raise InputError(path, expected="JSON", found=str(error), fix="restore it from a copy") from error
    if not isinstance(stored, dict) or "sha256" not in stored:
        raise InputError(path, expected="a saved session", found="other JSON", fix="give the right folder")
    if stored.pop("sha256") != sha256_text(canonical_json(stored)):
        raise InputError(path, expected="the file as it was saved", found="a changed one", fix="restore it from a copy")
    try:
        return _Session.model_validate_json(canonical_json(stored))
    except ValidationError as error:
        found = f"{error.error_count()} entries that are not ({error.errors()[0]['msg']})"
        fix = "load it with the version of vivid-bench that saved it"
        raise InputError(path, expected="a session of this version", found=found, fix=fix) from error

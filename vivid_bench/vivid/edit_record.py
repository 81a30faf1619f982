"""The record that `vivid-bench edit` leaves beside an edit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from vivid_bench.files import sha256_path
from vivid_bench.types import Composite


class _OnDisk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedFile(_OnDisk):
    """A file, or a folder of frames, as the user named it, and the hash of its content."""

    path: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> NamedFile:
        """Name a file that exists."""
        return cls(path=str(path), sha256=sha256_path(path))


class KeyframeRecord(_OnDisk):
    """A keyframe.

    Attributes:
        image: the file it was read from; None when this command's image mode made it.
        seconds, flops: what the image mode cost; None for a given image.
    """

    index: int
    image: NamedFile | None = None
    seconds: float | None = None
    flops: int | None = None


class InputRecord(_OnDisk):
    """What was edited.

    Attributes:
        box: x,y,w,h in pixels of the first frame; `mask` is then the file of tracked masks.
        unseen_frames: frames in which the box could not be followed and stood still; None without a box.
    """

    video: NamedFile
    mask: NamedFile
    box: str | None
    unseen_frames: tuple[int, ...] | None
    frames: int
    height: int
    width: int
    fps: float


class SettingsRecord(_OnDisk):
    """How.

    Attributes:
        checkpoint: folder or hub name.
        weights_sha256: hash of the weights in memory (`measure.weights_sha256`).
    """

    prompt: str
    seed: int
    steps: int
    guidance_scale: float
    composite: Composite
    checkpoint: str
    weights_sha256: str
    device: str


class VideoCost(_OnDisk):
    """What the model spent on the video: without keyframes, decoding and encoding.

    Attributes:
        clips: windows in time, overlapping by one frame.
        flops: see `measure.Spent`.
    """

    clips: int
    seconds: float
    flops: int


class EditRecord(_OnDisk):
    """What `vivid-bench edit` did. Stored beside the edit as JSON.

    Attributes:
        video_cost: None when only a keyframe was edited.
        out: the edit, a video or one frame.
        lossless: False for H.264, which is for looking at.
        audio: sound is not carried over.
    """

    schema_version: Literal[1] = 1
    vivid_bench: str
    created_at: str
    input: InputRecord
    settings: SettingsRecord
    keyframes: tuple[KeyframeRecord, ...]
    video_cost: VideoCost | None
    out: NamedFile
    lossless: bool
    preview: str
    audio: Literal["not carried over"] = "not carried over"

"""Values that pass between stages. No input or output happens here.

What is written to disk is a frozen pydantic model that forbids unknown keys; what holds arrays is a frozen dataclass.
A value that could not be computed is `None` with a status and a reason, never 0, -1 or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["add", "modify", "delete"]
TASKS: tuple[Task, ...] = get_args(Task)
Hole = Literal["visible", "hidden"]
Composite = Literal["none", "hard", "feather"]
COMPOSITES: tuple[Composite, ...] = get_args(Composite)
Region = Literal["full", "background", "edit", "boundary"]
ScoreStatus = Literal["ok", "exact", "not_applicable", "failed"]
MethodKind = Literal["method", "baseline", "control", "submission"]
SharedKeyframes = tuple[int, ...] | Literal["by sample"]
"""A split's keyframes: the frame indices that all its samples share, or `by sample` where they differ."""

Frames = NDArray[np.uint8]  # (T, H, W, 3) RGB
Mask = NDArray[np.bool_]  # (T, H, W), True = edit

DELETE_PROMPT = "Remove objects and generate areas that blend with the background."
"""The one prompt that VIVID uses for every delete (project page of arXiv 2411.15260)."""

SAMPLE_ID_PATTERN = r"^[^/\\.\x00-\x1f][^/\\\x00-\x1f]{0,199}$"
"""Sample ids become file names: no separators, no control characters, no leading dot, at most 200 characters."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""Names of methods and suites become folders of a record's path."""

HOLE_GREY = 128
"""The value, in each channel, of a pixel under a mask that a method must not see."""


class _OnDisk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRef(_OnDisk):
    """A file, or a folder of frames, pinned by its content.

    Attributes:
        path: relative to the suite's folder; `shard.tar::name` is a member of a shard, see `shards.py`.
        sha256: hash of the file; of a folder of frames, of their sorted names and hashes.
    """

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Span(_OnDisk):
    """Which frames of longer files make a clip.

    Attributes:
        first: the clip's first frame: an index into a video or an array, the number in its name for a folder of frames.
        step: how far the next one is.
    """

    first: int = Field(default=0, ge=0)
    step: int = Field(default=1, ge=1)


class Sample(_OnDisk):
    """One clip to edit.

    Attributes:
        id: unique within the suite.
        hole: `hidden` where the source is its own ground truth: the harness greys it before a method sees the frames.
        reference: the exact ground truth, where one exists.
        keyframes: indices of the frames whose reference frame is given to the method (the keyframe track).
        source_video: the scene or video the clip was cut from; confidence intervals resample these.
        mask_kind: how the mask was augmented, one of `masks.MASK_KINDS`, if known.
        mask_grey_share: share of the mask's pixels (0 to 1) that were neither near black nor near white on disk.
        span: which frames of its files make the clip; None where they hold the clip and nothing else.
        labels: of a mask stored as labels (1, 2, … for entities), the labels to edit, all of them for
            `()`; None where white means edit.
    """

    id: str = Field(pattern=SAMPLE_ID_PATTERN)
    task: Task
    source: FileRef
    mask: FileRef
    reference: FileRef | None = None
    keyframes: tuple[int, ...] | None = None
    prompt: str
    negative_prompt: str | None = None
    frames: int = Field(gt=0)
    height: int = Field(gt=0)
    width: int = Field(gt=0)
    fps: float = Field(gt=0)
    hole: Hole
    source_video: str
    licence: str | None = None
    mask_kind: str | None = None
    mask_grey_share: float = 0.0
    span: Span | None = None
    labels: tuple[int, ...] | None = None


class Split(_OnDisk):
    """A suite's samples for one task, pinned.

    Attributes:
        sha256: hash over all samples, their file hashes included.
        metrics: names of the metrics to compute, in the table's order.
        main_metric: the metric that ranks.
    """

    suite: str = Field(pattern=NAME_PATTERN)
    task: Task
    version: str
    sha256: str
    samples: tuple[Sample, ...]
    metrics: tuple[str, ...]
    main_metric: str

    @property
    def keyframes(self) -> SharedKeyframes | None:
        """The frames that are given to methods and not scored; None off the keyframe track."""
        by_sample = {sample.keyframes for sample in self.samples}
        return by_sample.pop() if len(by_sample) == 1 else "by sample"


@dataclass(frozen=True)
class EditRequest:
    """What a method may see of a sample, nothing more: no reference and no path to one.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB; where the hole is hidden, pixels under the mask are mid-grey.
        mask: (T, H, W) bool, True = edit.
        keyframes: frame index -> (H, W, 3) uint8 RGB frame that the edit has to agree with.
    """

    sample_id: str
    task: Task
    frames: Frames
    mask: Mask
    prompt: str
    fps: float
    seed: int
    negative_prompt: str | None = None
    keyframes: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True)
class Edited:
    """An edit, with what an array cannot say; a method may return it in place of plain frames.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB of the request's size and length.
        notes: what was done to size, frames and mask on the way, in words, e.g. `50 -> 53 frames by repeating the
            last, cut back`.
        seconds: the method's own time for this clip, where the method knows better than a clock around it.
        peak_memory_bytes: of `edit_many` alone, around which nothing can be measured.
    """

    frames: Frames
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    peak_memory_bytes: int | None = None


class EditedClip(_OnDisk):
    """A method's output for one sample, as stored.

    Attributes:
        video: the stored file, relative to the folder that holds the edits.
        codec: the file's codec, so that lossy submissions are seen as such.
        seconds: time inside the method alone, without decoding and writing.
        peak_memory_bytes: device memory on a GPU, growth-inclusive resident memory of the process on a CPU.
        error: why it failed.
        notes: what the method did to size, frames and mask on the way; not stored where it did nothing.
    """

    sample_id: str
    status: Literal["ok", "failed"]
    video: FileRef | None = None
    codec: str | None = None
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()


class MetricInfo(_OnDisk):
    """What a metric is.

    Attributes:
        version: raised whenever the figures can change; a leaderboard never mixes versions.
        range: smallest and largest possible value (None = unbounded).
        tasks: tasks for which it has a meaning.
        shown_times: factor applied when printed, never when stored (a cosine is shown x100).
    """

    name: str
    version: str
    unit: str
    range: tuple[float | None, float | None]
    higher_is_better: bool
    tasks: tuple[Task, ...]
    region: Region
    needs_reference: bool = False
    needs_weights: str | None = None
    shown_times: float = 1.0
    citation: str


class Score(_OnDisk):
    """One metric's value for one clip, or the reason why there is none.

    Attributes:
        status: `exact` = identical pixels (PSNR is stored as its cap of 100 dB); `not_applicable` leaves the
            expected count; `failed` stays in it.
        per_frame: the value by frame where the metric has one.
        details: counts and shares that belong to the value, e.g. the share of pixels with a valid flow.
    """

    sample_id: str
    metric: str
    value: float | None = None
    status: ScoreStatus
    reason: str | None = None
    per_frame: tuple[float | None, ...] | None = None
    details: dict[str, float] | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> Score:
        if self.status in ("ok", "exact"):
            if self.value is None or not math.isfinite(self.value):
                raise ValueError(f"{self.metric} of {self.sample_id}: status {self.status} needs a finite value")
        elif self.value is not None or not self.reason:
            raise ValueError(f"{self.metric} of {self.sample_id}: status {self.status} needs a reason and no value")
        return self


class Summary(_OnDisk):
    """One metric over a split: the mean over scored clips.

    Attributes:
        mean: None when no clip was scored.
        ci_low, ci_high: 95 % interval over source videos; None where there are too few of them for one.
        n_expected: clips to which the metric applies; a row with n_scored < n_expected is not ranked.
        n_exact: clips whose pixels were identical.
    """

    mean: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_scored: int
    n_expected: int
    n_exact: int = 0


class MethodRef(_OnDisk):
    """Which method, exactly.

    Attributes:
        code_sha256: hash of the adapter's file, for adapters from outside the package.
        weights_sha256: hash of the weights in use; None for a method without weights.
    """

    name: str = Field(pattern=NAME_PATTERN)
    kind: MethodKind
    version: str
    parameters: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    weights_sha256: str | None = None
    code_sha256: str | None = None


class Environment(_OnDisk):
    """Where a run was made.

    Attributes:
        versions: package -> version, of all packages that can move a figure.
        decoder: the FFmpeg libraries that decoded the clips.
    """

    python: str
    platform: str
    device: str
    device_name: str
    decoder: str
    versions: dict[str, str]


class RunRecord(_OnDisk):
    """One run: a method on a split. Stored as `run.json`.

    Attributes:
        run_key: first 12 hex digits of a hash over all that decides the figures.
        samples: ids in the split's order (fewer than the split's when limited).
        source_videos: the scene or video of each sample, which intervals resample; empty in records from before there
            were intervals: each sample then counts as a video of its own.
        metrics: name -> version of every metric computed.
        weights: name -> sha256 of the weights that they needed; None for weights that were missing, and their figures.
        scored_on: the kind of device that metrics ran on, which moves those with networks a little.
        code_dirty: True when the working tree had uncommitted changes; None when not in a checkout.
        keyframes: on the keyframe track, the frames that were given and not scored.
        keyframes_given: on that track, whether the method took them; None where nobody can know (a submission).
        scores_sha256: hash of scores.jsonl, so that a hand-edited figure is noticed.
    """

    schema_version: Literal[1] = 1
    run_id: str
    run_key: str
    created_at: str
    status: Literal["generating", "generated", "complete"]
    suite: str = Field(pattern=NAME_PATTERN)
    task: Task
    split_version: str
    split_sha256: str
    samples: tuple[str, ...]
    source_videos: tuple[str, ...] = ()
    keyframes: SharedKeyframes | None = None
    keyframes_given: bool | None = None
    method: MethodRef
    composite: Composite
    seed: int
    main_metric: str
    metrics: dict[str, str] = Field(default_factory=dict)
    weights: dict[str, str | None] = Field(default_factory=dict)
    scored_on: str | None = None
    summaries: dict[str, Summary] = Field(default_factory=dict)
    scores_sha256: str | None = None
    n_edited: int = 0
    n_failed: int = 0
    code_commit: str | None = None
    code_dirty: bool | None = None
    environment: Environment

    @model_validator(mode="after")
    def _video_for_each_sample(self) -> RunRecord:
        if self.source_videos and len(self.source_videos) != len(self.samples):
            raise ValueError(f"{len(self.source_videos)} source videos for {len(self.samples)} samples")
        return self

    @property
    def clusters(self) -> tuple[str, ...]:
        """What an interval resamples, for each sample: its source video, or the sample itself where none is known."""
        return self.source_videos or self.samples

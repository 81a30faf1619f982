"""Values that pass between the builder's stages, as arrays. No input or output happens here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

FrameMask = NDArray[np.bool_]  # (H, W), True = the entity


@dataclass(frozen=True)
class Clip:
    """A clip cut from a user's video, at the suite's size and rate.

    Attributes:
        id: unique within a build; safe as a file name.
        video: the user's file, relative to `--videos`.
        frames: (T, H, W, 3) uint8 RGB.
        fps: frames a second.
        keyframe: index of the frame that entities are chosen on.
        notes: what was done to the video on the way, in words, e.g. `10 -> 8 bits`.
        in_first_shot: whether it lies in the shot of the video's first clip, which is the one that a caption tells of.
    """

    id: str
    video: str
    frames: Frames
    fps: float
    keyframe: int
    notes: tuple[str, ...] = ()
    in_first_shot: bool = True


@dataclass(frozen=True)
class Entity:
    """Something in a clip's keyframe that can be edited.

    Attributes:
        mask: (H, W) bool.
        score: 0 to 1, higher is surer; comparable within one selector only.
        label: what it is, where the selector knows.
    """

    mask: FrameMask
    score: float
    label: str | None = None


@dataclass(frozen=True)
class Track:
    """A mask followed through a clip.

    Attributes:
        masks: (T, H, W) bool; empty outside first .. last.
        first, last: indices of the first and last frame in which the mask is trusted, both included.
        confidence: (T,) float32, 0 to 1: how much of the mask could be confirmed in each frame; 1 at the keyframe, 0
            outside first .. last.
        flow_error: (T,) float32, pixels: median forward-backward distance of the mask's pixels on the step that led to
            each frame; 0 at the keyframe and outside first .. last, and where a tracker works without flow.
    """

    masks: Mask
    first: int
    last: int
    confidence: NDArray[np.float32]
    flow_error: NDArray[np.float32]


@dataclass(frozen=True)
class Captions:
    """What an entity is called, at three levels of detail, each one line."""

    short: str
    medium: str
    long: str


class Selector(Protocol):
    """Chooses entities in a keyframe."""

    def __call__(self, frames: Frames, keyframe: int) -> list[Entity]:
        """Return entities, the surest first; none where there are none. Masks do not overlap."""
        ...


class Propagator(Protocol):
    """Follows masks from the keyframe to both ends of a clip."""

    def __call__(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> list[Track]:
        """Return a track for each mask, in their order."""
        ...


class Captioner(Protocol):
    """Says what is inside a mask."""

    def __call__(self, frames: Frames, masks: Mask, label: str | None) -> Captions:
        """Return captions of the masked entity; `label` is what the selector called it."""
        ...


class MotionEstimator(Protocol):
    """Dense optical flow between consecutive frames."""

    def __call__(self, frames: Frames, *, backward: bool = False) -> NDArray[np.float32]:
        """Return (T-1, H, W, 2) pixels, as `flow.clip_flow` does."""
        ...

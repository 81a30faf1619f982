"""What decides a built suite: the same settings, inputs and weights give the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vivid_bench.types import NAME_PATTERN, TASKS, Task

SelectorName = Literal["motion", "grounding-dino"]
PropagatorName = Literal["flow", "sam2"]
CaptionerName = Literal["text", "vlm"]
MotionName = Literal["dis", "raft"]
Detail = Literal["short", "medium", "long"]


class Models(BaseModel):
    """Weights of the stages that use models: a folder, or a name on the Hugging Face hub that lies in its cache.

    Attributes:
        raft: a file of torchvision's RAFT weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    detector: str = "IDEA-Research/grounding-dino-base"
    segmenter: str = "facebook/sam-vit-huge"
    tracker: str = "facebook/sam2.1-hiera-large"
    captioner: str = "Qwen/Qwen2.5-VL-7B-Instruct"
    raft: Path | None = None


class BuildSettings(BaseModel):
    """The settings of `vivid-bench data build`.

    Attributes:
        frames: of every clip.
        side: the shorter side of every clip in pixels; smaller videos are not enlarged.
        clips_per_video: at most so many are cut from each.
        masks_per_clip: at most so many samples of a task come from a clip.
        tags: what to look for, for grounding-dino.
        detail: which of the three captions becomes the prompt.
        device: where models run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME_PATTERN)
    tasks: tuple[Task, ...] = TASKS
    seed: int = Field(default=0, ge=0)
    frames: int = Field(default=49, ge=1)
    side: int = Field(default=480, ge=32)
    clips_per_video: int = Field(default=1, ge=1)
    masks_per_clip: int = Field(default=1, ge=1)
    selector: SelectorName = "motion"
    propagator: PropagatorName = "flow"
    captioner: CaptionerName = "text"
    motion: MotionName = "dis"
    tags: tuple[str, ...] = ()
    detail: Detail = "medium"
    licence: str | None = None
    models: Models = Models()
    device: str = "cpu"

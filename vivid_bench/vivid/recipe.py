"""What decides a training run: its recipe, read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from vivid_bench.errors import InputError
from vivid_bench.vivid.build import ModelConfig
from vivid_bench.vivid.data import BatchConfig
from vivid_bench.vivid.sources import SceneConfig, SuiteConfig


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LossConfig(_Table):
    """What is minimised.

    Attributes:
        full_noise_share: share of clips trained at the last timestep, where every edit starts.
        own_trajectory: at earlier timesteps the noisy edit is made from the model's own one-step estimate rather than
            from the reference, as it is when editing; so further steps learn to mend the first.
        difficulty_floor: mean squared error (pixels in [-1, 1]) below which a clip no longer counts as easier.

    The last two are for a model that predicts the sample; else the loss is the squared error of the velocity in latent
    space.
    """

    full_noise_share: float = 0.0
    own_trajectory: bool = False
    difficulty_floor: float = 0.005


class OptimiserConfig(_Table):
    """How weights move.

    Attributes:
        learning_rate: of AdamW.
        matrix_learning_rate: of Muon, for the matrices in the transformer's blocks; 0 = AdamW for all, as DeepSpeed and
            FSDP need it.
        warmup_steps, decay_steps: the learning rate rises over the first and falls to zero over the last of these;
            between them it is constant, so that a run can be made longer or shorter while it goes on.
    """

    learning_rate: float
    matrix_learning_rate: float = 0.0
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    warmup_steps: int
    decay_steps: int
    ema_decay: float = 0.999


class ValidationConfig(_Table):
    """How a run is judged: by the harness, on a split that is neither trained on nor the test split.

    Attributes:
        suite: name or folder; None = the mini suite's validation fold, rendered when missing.
        every: steps; the last step always validates.
        clips: of each task.
    """

    suite: str | None = None
    data: Path | None = None
    every: PositiveInt = 1000
    clips: PositiveInt = 24


class TrainConfig(_Table):
    """One training run. Its file is TOML; see `configs/mini.toml` and `configs/train-full-size.toml`.

    Attributes:
        model: sizes of a new mini; or
        pipeline: folder of the pipeline to go on from, e.g. what `vivid-bench init vivid` made.
        precision: `bf16` computes matrix products in bfloat16; weights and optimisers stay in float32.
        workers: processes that prepare batches; 0 = the training process itself.
        log_every, save_every: steps.
        batch: how batches are drawn, in stages.
    """

    seed: int = 0
    steps: PositiveInt
    precision: Annotated[str, Field(pattern="^(bf16|fp16|no)$")] = "bf16"
    gradient_checkpointing: bool = False
    workers: NonNegativeInt = 0
    log_every: PositiveInt = 20
    save_every: PositiveInt = 200
    model: ModelConfig | None = None
    pipeline: Path | None = None
    data: SceneConfig | SuiteConfig = Field(discriminator="kind")
    batch: tuple[BatchConfig, ...] = Field(min_length=1)
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig
    validation: ValidationConfig = ValidationConfig()

    @model_validator(mode="after")
    def _stages_end(self) -> TrainConfig:
        *ends, last = (stage.until for stage in self.batch)
        if last is not None or None in ends or ends != sorted(set(ends)):  # type: ignore[type-var]
            raise ValueError("each [[batch]] stage but the last needs `until`, a later step than the one before it")
        return self

    @model_validator(mode="after")
    def _clips_fit_the_codec(self) -> TrainConfig:
        if self.model is None:
            return self
        side, frames = self.model.patch_side, self.model.temporal_compression
        whole = (self.data.size,) if self.data.kind == "scenes" else (self.data.height, self.data.width)
        for stage in self.batch:
            if wrong := [size for size in stage.crop_shares or whole if size % side]:
                raise ValueError(f"clips of {wrong} px: expected multiples of {side}, the side of the model's patches")
            if wrong := [length for length in stage.frame_shares if (length - 1) % frames]:
                raise ValueError(f"clips of {wrong} frames: expected {frames}k+1, as the model's codec packs them")
        return self

    @model_validator(mode="after")
    def _one_start(self) -> TrainConfig:
        if (self.model is None) == (self.pipeline is None):
            raise ValueError("give either a [model] table or `pipeline`, the folder to start from")
        return self


def read_config(path: Path) -> TrainConfig:
    """Read a training configuration; raises `InputError` naming every wrong key."""
    try:
        return TrainConfig(**tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(
            path, expected="a training configuration", found=str(error), fix="see configs/mini.toml"
        ) from error

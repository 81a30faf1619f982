"""What decides a training run: its recipe, read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.vivid.build import ModelConfig
from vivid_bench.vivid.data import BatchConfig, PoolConfig


class TrainConfig(BaseModel):
    """One training run. Its file is TOML; see `configs/mini.toml`.

    Attributes:
        steps: optimiser steps in all.
        warmup_steps, decay_steps: the learning rate rises over the first and falls to zero over the last of these;
            between them it is constant, so that a run can be made longer or shorter while it goes on.
        matrix_learning_rate: of the matrices in the transformer's blocks, by Muon; `learning_rate`: of all other
            parameters, by AdamW.
        background_weight: weight of the mean squared error outside the hole.
        difficulty_floor: mean squared error (pixels in [-1, 1]) below which a clip no longer counts as easier.
        full_noise_share: share of clips trained at the last timestep, where every edit starts.
        log_every, save_every, validate_every: steps; the last step always validates.
        validation_clips: scenes of each task.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    steps: int
    warmup_steps: int
    decay_steps: int
    learning_rate: float
    matrix_learning_rate: float
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float = 0.999
    background_weight: float = 10.0
    difficulty_floor: float = 0.005
    full_noise_share: float = 0.4
    bf16: bool = True
    log_every: int = 20
    save_every: int = 200
    validate_every: int = 1000
    validation_clips: int = 40
    model: ModelConfig
    pool: PoolConfig
    batch: BatchConfig


def read_config(path: Path) -> TrainConfig:
    """Read a training configuration; raises `InputError` naming every wrong key."""
    try:
        return TrainConfig(**tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(
            path, expected="a training configuration", found=str(error), fix="see configs/mini.toml"
        ) from error

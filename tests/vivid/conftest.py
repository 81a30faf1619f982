from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.build import ModelConfig, build_pipeline
from vivid_bench.vivid.pipeline import VividPipeline

TINY = ModelConfig(
    width=32, heads=2, layers=1, time_embedding=16, text_width=16, text_heads=2, text_layers=1, vocabulary=300
)


@pytest.fixture(scope="session")
def tiny_model() -> ModelConfig:
    return TINY


@pytest.fixture(scope="session")
def tiny() -> VividPipeline:
    """A pipeline with small random weights, the silent output layer included."""
    pipeline = build_pipeline(TINY, ["a red circle", "a blue square"], seed=1)
    torch.nn.init.normal_(pipeline.transformer.proj_out.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def clip() -> tuple[Frames, Mask]:
    """Nine 24x32 frames of noise with a hole that moves to the right."""
    video = np.random.default_rng(0).integers(0, 256, (9, 24, 32, 3), dtype=np.uint8)
    mask = np.zeros((9, 24, 32), np.bool_)
    for t in range(9):
        mask[t, 8:16, 6 + t : 16 + t] = True
    return video, mask


@pytest.fixture(scope="session")
def run_pipeline() -> Callable[..., Frames]:
    """Call a pipeline with a seed and return uint8 frames."""

    def run(pipeline: VividPipeline, video: Frames, mask: Mask, seed: int = 0, **options: object) -> Frames:
        settings = {"prompt": "a red circle", "num_inference_steps": 2, **options}
        frames = pipeline(video, mask, generator=torch.Generator().manual_seed(seed), **settings).frames
        return np.rint(frames * 255).astype(np.uint8)

    return run

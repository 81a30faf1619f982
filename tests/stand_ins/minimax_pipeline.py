"""Stands in for pipeline_minimax_remover.py of zibojia/MiniMax-Remover at 28e12b450d8a72a7547b86940a4985e6ad90d75b: the
signature of its pipeline's call and its shapes."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from behaviour import fill


class Minimax_Remover_Pipeline:  # noqa: N801
    def __init__(self, transformer: Any, vae: Any, scheduler: Any) -> None:
        assert (transformer.dtype, vae.dtype) == (torch.float16, torch.float16)
        assert type(scheduler).__name__ == "UniPCMultistepScheduler"

    def to(self, device: str) -> None: ...

    def __call__(
        self,
        height: int = 720,
        width: int = 1280,
        num_frames: int = 81,
        num_inference_steps: int = 50,
        generator: Any = None,
        images: Any = None,
        masks: Any = None,
        latents: Any = None,
        output_type: str = "np",
        iterations: int = 16,
    ) -> Any:
        assert height % 16 == width % 16 == 0
        assert images.shape == (num_frames, height, width, 3)
        assert masks.shape == (num_frames, height, width, 1)
        assert num_frames % 4 == 1
        assert (num_inference_steps, iterations) == (12, 6)
        assert images.min() >= -1
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert generator.initial_seed() == 7
        frames = np.rint((images.numpy() + 1) * 127.5).astype(np.uint8)
        return SimpleNamespace(frames=[fill(frames, masks[..., 0].numpy() > 0) / np.float32(255)])

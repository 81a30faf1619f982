"""Stands in for three modules of the package `cogvideox` of aigc-apps/VideoX-Fun at
6c39567168869bc6416cce21a7479fab0d546a2b: how its classes load, the signature of its inpainting call, and its shapes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from behaviour import fill


class _Part:
    dtype = torch.float32

    def to(self, dtype: torch.dtype) -> Any:
        self.dtype = dtype
        return self


class AutoencoderKLCogVideoX(_Part):
    @classmethod
    def from_pretrained(cls, path: str, subfolder: str) -> Any:
        assert Path(path, subfolder).is_dir()
        return cls()


class CogVideoXTransformer3DModel(_Part):
    @classmethod
    def from_pretrained_2d(cls, path: str, subfolder: str, low_cpu_mem_usage: bool) -> Any:
        assert Path(path, subfolder).is_dir()
        return cls()


class CogVideoX_Fun_Pipeline_Inpaint:  # noqa: N801
    @classmethod
    def from_pretrained(
        cls, path: str, vae: Any, text_encoder: Any, transformer: Any, scheduler: Any, torch_dtype: Any
    ) -> Any:
        assert {part.dtype for part in (vae, text_encoder, transformer)} == {torch_dtype} == {torch.bfloat16}
        assert type(scheduler).__name__ == "DDIMScheduler"
        return cls()

    def enable_model_cpu_offload(self, device: str) -> None: ...

    def __call__(
        self,
        prompt: Any = None,
        negative_prompt: Any = None,
        height: int = 480,
        width: int = 720,
        video: Any = None,
        mask_video: Any = None,
        num_frames: int = 49,
        num_inference_steps: int = 50,
        guidance_scale: float = 6,
        generator: Any = None,
        strength: float = 1,
    ) -> Any:
        assert prompt == "Remove it."
        assert negative_prompt.startswith("The video is not of a high quality")
        assert (num_inference_steps, guidance_scale, strength) == (50, 6, 1)
        assert (height % 8, width % 8, num_frames % 4) == (0, 0, 1)
        assert video.shape == (1, 3, num_frames, height, width)
        assert mask_video.shape == (1, 1, num_frames, height, width)
        assert 0 <= video.min() <= video.max() <= 1
        assert set(mask_video.unique().tolist()) <= {0.0, 255.0}
        assert generator.initial_seed() == 7
        frames = np.rint(video[0].permute(1, 2, 3, 0).numpy() * 255).astype(np.uint8)
        edited = fill(frames, mask_video[0, 0].numpy() > 127)
        return SimpleNamespace(videos=torch.from_numpy(edited).permute(3, 0, 1, 2)[None] / 255)

"""Stands in for the diffusers fork of TencentARC/VideoPainter at bbab6cd5cd5cb89f0e2444305c32fd74a010ae0a: how its
classes load, the signatures of the two calls, and their shapes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from behaviour import fill
from PIL import Image


class _Loaded:
    def __init__(self, path: Path, torch_dtype: Any, branch: Any = None) -> None:
        assert path.is_dir()
        assert torch_dtype == torch.bfloat16
        self.branch = branch
        self.scheduler = SimpleNamespace(config={"shift": 1})

    @classmethod
    def from_pretrained(cls, path: Path, torch_dtype: Any, **parts: Any) -> Any:
        return cls(path, torch_dtype, **parts)

    def enable_model_cpu_offload(self, gpu_id: int | None = None, device: str = "cuda") -> None: ...


class CogVideoXDPMScheduler:
    @classmethod
    def from_config(cls, config: Any, timestep_spacing: str) -> Any:
        assert (config, timestep_spacing) == ({"shift": 1}, "trailing")
        return SimpleNamespace(config=config)


class CogvideoXBranchModel(_Loaded): ...


class FluxFillPipeline(_Loaded):
    def __call__(
        self,
        prompt: str,
        image: Any,
        mask_image: Any,
        height: int,
        width: int,
        guidance_scale: float,
        num_inference_steps: int,
        max_sequence_length: int,
        generator: Any,
    ) -> Any:
        assert (height, width) == image.size[::-1] == mask_image.size[::-1] == (480, 720)
        assert (guidance_scale, num_inference_steps, max_sequence_length) == (30, 50, 512)
        frame, mask = np.asarray(image), np.asarray(mask_image)[..., 0] > 127
        return SimpleNamespace(images=[Image.fromarray(fill(frame[None], mask[None])[0])])


class CogVideoXI2VDualInpaintAnyLPipeline(_Loaded):
    def __call__(
        self,
        image: Any,
        prompt: Any = None,
        num_frames: int = 49,
        num_inference_steps: int = 50,
        guidance_scale: float = 6,
        use_dynamic_cfg: bool = False,
        num_videos_per_prompt: int = 1,
        generator: Any = None,
        output_type: str = "pil",
        video: Any = None,
        masks: Any = None,
        strength: float = 1.0,
        id_pool_resample_learnable: bool = False,
        mask_add: bool = False,
        replace_gt: bool = False,
        stride: int = 24,
        prev_clip_weight: float = 0.0,
    ) -> Any:
        assert isinstance(self.branch, CogvideoXBranchModel)
        assert len(video) == len(masks) == num_frames == stride <= 49
        assert {part.size for part in (*video, *masks)} == {(720, 480)}
        assert (use_dynamic_cfg, mask_add, replace_gt, output_type) == (True, True, True, "np")
        assert generator.initial_seed() == 7
        assert image is video[0]
        holes = np.stack([np.asarray(mask)[..., 0] > 127 for mask in masks])
        assert not holes[0].any()  # painted already
        assert holes[1].any()
        edited = fill(np.stack([np.asarray(frame) for frame in video]), holes)
        return SimpleNamespace(frames=[edited / np.float32(255)])

"""VideoPainter's own pipeline behind vivid-bench's contract; README.md says what it is called with, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..driving import Clip, Edit

BASE, BRANCH, FIRST_FRAME = "ckpt/CogVideoX-5b-I2V", "ckpt/VideoPainter/checkpoints/branch", "ckpt/flux_inp"
STEPS = 50
GUIDANCE = 6.0
GROWTH = 16  # side of the square that the mask is dilated with, in pixels; the authors' demo takes the same


def load(repo: Path, device: str) -> Edit:
    """Load CogVideoX with VideoPainter's branch, and FLUX.1-Fill for the first frame, from the checkout's `ckpt`."""
    # The fork that ships in the checkout, not a diffusers that happens to be installed.
    sys.path.insert(0, str(repo / "diffusers" / "src"))
    import torch
    from diffusers import (
        CogvideoXBranchModel,
        CogVideoXDPMScheduler,
        CogVideoXI2VDualInpaintAnyLPipeline,
        FluxFillPipeline,
    )
    from PIL import Image

    dtype = torch.bfloat16
    branch = CogvideoXBranchModel.from_pretrained(repo / BRANCH, torch_dtype=dtype)
    pipeline = CogVideoXI2VDualInpaintAnyLPipeline.from_pretrained(repo / BASE, branch=branch, torch_dtype=dtype)
    pipeline.scheduler = CogVideoXDPMScheduler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    painter = FluxFillPipeline.from_pretrained(repo / FIRST_FRAME, torch_dtype=dtype)
    for part in (pipeline, painter):
        part.enable_model_cpu_offload(device=device)

    def first_frame(clip: Clip, image: Any, mask: Any) -> Any:
        return painter(
            prompt=clip.prompt, image=image, mask_image=mask, height=image.size[1], width=image.size[0],
            guidance_scale=30, num_inference_steps=50, max_sequence_length=512,
            generator=torch.Generator("cpu").manual_seed(clip.seed),
        ).images[0]  # fmt: skip

    def edit(clip: Clip) -> Any:
        images = [Image.fromarray(frame) for frame in clip.frames]
        masks = [Image.fromarray(mask).convert("RGB") for mask in grown(clip.mask)]
        # The edited first frame counts as known, and the rest follows it.
        images[0] = first_frame(clip, images[0], masks[0])
        masks[0] = Image.new("RGB", masks[0].size)
        return pipeline(
            prompt=clip.prompt, image=images[0], video=images, masks=masks, num_frames=len(images), stride=len(images),
            num_inference_steps=STEPS, guidance_scale=GUIDANCE, use_dynamic_cfg=True, strength=1.0, replace_gt=True,
            mask_add=True, prev_clip_weight=0.0, id_pool_resample_learnable=False, num_videos_per_prompt=1,
            generator=torch.Generator().manual_seed(clip.seed), output_type="np",
        ).frames[0]  # fmt: skip

    return edit


def grown(mask: Any) -> Any:
    """Dilate a (T, H, W) bool mask by the square and return it as uint8, 255 = edit."""
    import cv2

    square = np.ones((GROWTH, GROWTH), np.uint8)
    return np.stack([cv2.dilate(frame.astype(np.uint8) * 255, square) for frame in mask])

"""CogVideoX-Fun's own inpainting pipeline behind vivid-bench's contract; README.md says what it is called with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..driving import Clip, Edit

MODEL = "models/Diffusion_Transformer/CogVideoX-Fun-V1.1-2b-InP"
STEPS = 50
GUIDANCE = 6.0
# The authors' own; used where a sample has none.
NEGATIVE_PROMPT = (
    "The video is not of a high quality, it has a low resolution. Watermark present in each frame. The background is "
    "solid. Strange body and strange trajectory. Distortion. "
)


def load(repo: Path, device: str) -> Edit:
    """Load the weights that lie in the checkout's `models/Diffusion_Transformer`."""
    import torch
    from cogvideox.models.autoencoder_magvit import AutoencoderKLCogVideoX  # type: ignore[import-not-found]
    from cogvideox.models.transformer3d import CogVideoXTransformer3DModel  # type: ignore[import-not-found]
    from cogvideox.pipeline.pipeline_cogvideox_inpaint import (  # type: ignore[import-not-found]
        CogVideoX_Fun_Pipeline_Inpaint,
    )
    from diffusers import DDIMScheduler
    from transformers import T5EncoderModel

    model, dtype = str(repo / MODEL), torch.bfloat16
    pipeline = CogVideoX_Fun_Pipeline_Inpaint.from_pretrained(
        model,
        vae=AutoencoderKLCogVideoX.from_pretrained(model, subfolder="vae").to(dtype),
        text_encoder=T5EncoderModel.from_pretrained(model, subfolder="text_encoder", torch_dtype=dtype),
        transformer=CogVideoXTransformer3DModel.from_pretrained_2d(
            model, subfolder="transformer", low_cpu_mem_usage=True
        ).to(dtype),
        scheduler=DDIMScheduler.from_pretrained(model, subfolder="scheduler"),
        torch_dtype=dtype,
    )
    pipeline.enable_model_cpu_offload(device=device)

    def edit(clip: Clip) -> Any:
        frames, height, width = clip.mask.shape
        video = torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None].float() / 255
        # One mask a frame: the authors' helper would tile a single image over time.
        mask = torch.from_numpy(clip.mask)[None, None].float() * 255
        with torch.no_grad():
            sample = pipeline(
                clip.prompt, negative_prompt=clip.negative_prompt or NEGATIVE_PROMPT, video=video, mask_video=mask,
                num_frames=frames, height=height, width=width, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                strength=1.0, generator=torch.Generator(device=device).manual_seed(clip.seed),
            ).videos  # fmt: skip
        return torch.as_tensor(sample)[0].permute(1, 2, 3, 0).float().cpu().numpy()

    return edit

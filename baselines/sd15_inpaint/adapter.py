"""Stable Diffusion 1.5 inpainting of each frame on its own: what no model of time costs."""

from __future__ import annotations

import numpy as np

from vivid_bench.compositing import hide_hole
from vivid_bench.fitting import ClipRule, fit_clip
from vivid_bench.types import Edited, EditRequest, Mask

from ..hub_weights import Model, OneModel
from ..pipelines import caption_notes, generator, load, to_uint8

BLOCK_PX = 8
MODEL = Model(
    "sd15-inpaint",
    "stable-diffusion-v1-5/stable-diffusion-inpainting",
    "StableDiffusionInpaintPipeline",
    ("text_encoder", "unet", "vae"),
    2.2,
    (6, 4),
    exclude=("*.ckpt", "*.bin", "safety_checker/*"),
)


class Sd15Inpaint(OneModel):
    """Stable Diffusion 1.5 inpainting, frame by frame; every frame starts from the same noise.

    The network is told the mask by one pixel of each 8x8 block, so that thin holes would be emptied and left so: the
    mask is grown to whole blocks. Frames whose mask is empty stay as they are.

    Args:
        device: `cpu`, `cuda`, …
        revision: of the weights' repository; None: what the cache calls main.
        area: pixels of a frame that it works at; the clip's shape is kept, sides are multiples of 8.
        steps: denoising steps.
        guidance_scale: 1 = without classifier-free guidance.
        dtype: of all networks.

    Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, arXiv 2112.10752.
    """

    model = MODEL

    def __init__(
        self,
        device: str,
        revision: str | None = None,
        area: int = 512 * 512,
        steps: int = 50,
        guidance_scale: float = 7.5,
        dtype: str = "float16",
    ) -> None:
        # Its checker of images blanks frames that it dislikes.
        self._pipeline, self._notes = load(
            MODEL.at(revision), device, {"default": dtype}, safety_checker=None, requires_safety_checker=False
        )
        self._rule = ClipRule(size_multiple=BLOCK_PX, area=area)
        self._steps, self._guidance_scale = steps, guidance_scale

    def edit(self, request: EditRequest) -> Edited:
        """Return the edited clip."""
        fitted = fit_clip(hide_hole(request.frames, request.mask), request.mask, self._rule)
        mask = whole_blocks(fitted.mask, BLOCK_PX)
        edited = fitted.frames.copy()
        for t in np.flatnonzero(mask.any(axis=(1, 2))):
            image = self._pipeline(
                prompt=request.prompt,
                negative_prompt=request.negative_prompt,
                image=fitted.frames[t : t + 1].astype(np.float32) / 255,
                mask_image=mask[t : t + 1, ..., None].astype(np.float32),
                height=mask.shape[1],
                width=mask.shape[2],
                strength=1.0,
                num_inference_steps=self._steps,
                guidance_scale=self._guidance_scale,
                generator=generator(request.seed),
                output_type="np",
            ).images[0]
            edited[t] = to_uint8(image)
        # Resizing there and back would blur what nobody asked to edit.
        frames = fitted.back(edited)
        empty = ~request.mask.any(axis=(1, 2))
        frames[empty] = request.frames[empty]
        grown = (f"its mask was grown to whole {BLOCK_PX}x{BLOCK_PX} blocks",) if (mask != fitted.mask).any() else ()
        cut = caption_notes(self._pipeline.tokenizer, request.prompt, self._pipeline.tokenizer.model_max_length)
        return Edited(frames, (*fitted.notes, *grown, *cut, *self._notes))


def whole_blocks(mask: Mask, block: int) -> Mask:
    """Grow a (T, H, W) mask to every block that it touches; sides are multiples of the block."""
    frames, height, width = mask.shape
    blocks = mask.reshape(frames, height // block, block, width // block, block).any(axis=(2, 4))
    return blocks.repeat(block, axis=1).repeat(block, axis=2)

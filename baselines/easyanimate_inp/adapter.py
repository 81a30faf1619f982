"""EasyAnimate V5.1 InP through diffusers: a video model that takes masked video, mask and caption."""

from __future__ import annotations

import numpy as np

from vivid_bench.compositing import hide_hole
from vivid_bench.fitting import ClipRule, fit_clip
from vivid_bench.types import Edited, EditRequest

from ..hub_weights import Model, OneModel
from ..pipelines import caption_notes, generator, load, to_uint8

_CAPTION_TOKENS = 256  # the pipeline's own limit, the chat template's words among them
MODEL = Model(
    "easyanimate-inp",
    "alibaba-pai/EasyAnimateV5.1-12b-zh-InP-diffusers",
    "EasyAnimateInpaintPipeline",
    ("text_encoder", "transformer", "vae"),
    41,
    (60, 32),
)


class EasyAnimateInp(OneModel):
    """EasyAnimate V5.1 InP on whole clips.

    Args:
        device: `cpu`, `cuda`, …
        revision: of the weights' repository; None: what the cache calls main.
        area: pixels of a frame that it works at; the clip's shape is kept, sides are multiples of 16.
        max_frames: longest clip, padded to 4k+1.
        steps: denoising steps.
        guidance_scale: 1 = without classifier-free guidance.
        dtype: of all networks, the VAE's too: the pipeline cannot mix them.

    Source: Xu et al., EasyAnimate: A High-Performance Long Video Generation Method, arXiv 2405.18991.
    """

    model = MODEL

    def __init__(
        self,
        device: str,
        revision: str | None = None,
        area: int = 512 * 512,
        max_frames: int = 49,
        steps: int = 50,
        guidance_scale: float = 5.0,
        dtype: str = "bfloat16",
    ) -> None:
        self._pipeline, self._notes = load(MODEL.at(revision), device, {"default": dtype})
        # The pipeline reads this of the VAE's settings, which need not hold it; V5.1's own configuration says true.
        if "cache_mag_vae" not in self._pipeline.vae.config:
            self._pipeline.vae.register_to_config(cache_mag_vae=True)
        self._device = device
        self._rule = ClipRule(frame_step=4, frame_offset=1, max_frames=max_frames, size_multiple=16, area=area)
        self._steps, self._guidance_scale = steps, guidance_scale

    def edit(self, request: EditRequest) -> Edited:
        """Return the edited clip; raises `MethodError` for one that is too long."""
        import torch

        fitted = fit_clip(hide_hole(request.frames, request.mask), request.mask, self._rule)
        length, height, width = fitted.mask.shape
        video = fitted.frames.astype(np.float32).transpose(3, 0, 1, 2)[None] / 255
        try:
            edited = self._pipeline(
                prompt=request.prompt,
                # With guidance the pipeline fails on None.
                negative_prompt=request.negative_prompt or "",
                video=torch.from_numpy(video),
                mask_video=torch.from_numpy(fitted.mask[None, None].astype(np.float32) * 255),
                num_frames=length,
                height=height,
                width=width,
                strength=1.0,
                num_inference_steps=self._steps,
                guidance_scale=self._guidance_scale,
                # It draws on the network's device, where a generator of the CPU is refused.
                generator=generator(request.seed, self._device),
                output_type="np",
            ).frames[0]
        finally:
            # After an error the VAE would keep part of this clip for the next one.
            self._pipeline.vae._clear_conv_cache()
        cut = caption_notes(self._pipeline.tokenizer, self._as_chat(request.prompt), _CAPTION_TOKENS)
        return Edited(fitted.back(to_uint8(edited)), (*fitted.notes, *cut, *self._notes))

    def _as_chat(self, caption: str) -> str:
        """Return what the pipeline makes of a caption."""
        message = {"role": "user", "content": [{"type": "text", "text": caption}]}
        return str(self._pipeline.tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True))

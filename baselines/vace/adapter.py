"""Wan-VACE through diffusers: a video model that takes masked video, mask and caption."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.compositing import hide_hole
from vivid_bench.errors import MethodError
from vivid_bench.fitting import ClipRule, fit_clip
from vivid_bench.types import Edited, EditRequest, Frames, Mask

from ..hub_weights import Model, identity, why_not_here
from ..pipelines import caption_notes, generator, load, to_uint8

_CAPTION_TOKENS = 512
_NETWORKS = ("text_encoder", "transformer", "vae")
MODELS = {
    model.repository: model
    for model in (
        Model("vace-1.3b", "Wan-AI/Wan2.1-VACE-1.3B-diffusers", "WanVACEPipeline", _NETWORKS, 17, (28, 15)),
        Model("vace-14b", "Wan-AI/Wan2.1-VACE-14B-diffusers", "WanVACEPipeline", _NETWORKS, 47, (70, 45)),
    )
}


class Vace:
    """Wan-VACE on whole clips.

    The pipeline encodes what lies under the mask as well, so that the hole is emptied first; it conditions on shifted
    rows unless it gets frames of exactly its size, so that clips are resized here.

    Args:
        device: `cpu`, `cuda`, …
        repository: of the weights, one of `MODELS`.
        revision: of the repository; None: what the cache calls main.
        area: pixels of a frame that it works at; the clip's shape is kept, sides are multiples of 16.
        max_frames: longest clip, padded to 4k+1.
        steps: denoising steps.
        guidance_scale: 1 = without classifier-free guidance.
        flow_shift: of the noise schedule: 3 for 480 lines, 5 for 720.
        dtype: of transformer and text encoder; the VAE works in float32.

    Source: Jiang et al., VACE: All-in-One Video Creation and Editing, arXiv 2503.07598.
    """

    def __init__(
        self,
        device: str,
        repository: str,
        revision: str | None = None,
        area: int = 480 * 832,
        max_frames: int = 81,
        steps: int = 50,
        guidance_scale: float = 5.0,
        flow_shift: float = 3.0,
        dtype: str = "bfloat16",
    ) -> None:
        from diffusers import UniPCMultistepScheduler

        precision = {"vae": "float32", "default": dtype}
        self._pipeline, self._notes = load(_model(repository, revision), device, precision)
        # A folder of one's own may come with another scheduler, whose settings lack the first two.
        self._pipeline.scheduler = UniPCMultistepScheduler.from_config(
            self._pipeline.scheduler.config, prediction_type="flow_prediction", use_flow_sigmas=True,
            flow_shift=flow_shift,
        )  # fmt: skip
        self._rule = ClipRule(frame_step=4, frame_offset=1, max_frames=max_frames, size_multiple=16, area=area)
        self._steps, self._guidance_scale = steps, guidance_scale

    @classmethod
    def why_not_here(cls, device: str, repository: str, revision: str | None = None, **_: Any) -> str | None:
        """Say why it cannot run here; None where it can."""
        return why_not_here(_model(repository, revision), device)

    @classmethod
    def identity(cls, repository: str, revision: str | None = None, **_: Any) -> dict[str, str]:
        """Return a fingerprint of the weights, which joins the record's parameters."""
        return identity(_model(repository, revision))

    def edit(self, request: EditRequest) -> Edited:
        """Return the edited clip; raises `MethodError` for one that is too long."""
        fitted = fit_clip(hide_hole(request.frames, request.mask), request.mask, self._rule)
        length, height, width = fitted.mask.shape
        # Only arrays of five axes are read right; a list of masks in mode "1" would be taken for an empty one.
        edited = self._pipeline(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            video=emptied(fitted.frames, fitted.mask)[None],
            mask=fitted.mask[None, ..., None].astype(np.float32),
            height=height,
            width=width,
            num_frames=length,
            num_inference_steps=self._steps,
            guidance_scale=self._guidance_scale,
            max_sequence_length=_CAPTION_TOKENS,
            generator=generator(request.seed),
            output_type="np",
        ).frames[0]
        cut = caption_notes(self._pipeline.tokenizer, request.prompt, _CAPTION_TOKENS)
        return Edited(fitted.back(to_uint8(edited)), (*fitted.notes, *cut, *self._notes))


def emptied(frames: Frames, mask: Mask) -> NDArray[np.float32]:
    """Return (T, H, W, 3) float32 frames in 0 to 1 whose hole is exactly mid-grey, which the pipeline scales to 0."""
    video = np.asarray(frames, np.float32) / np.float32(255)
    video[mask] = 0.5
    return video


def _model(repository: str, revision: str | None) -> Model:
    if repository not in MODELS:
        raise MethodError(f'no VACE weights are known as "{repository}"; known: {", ".join(MODELS)}')
    return MODELS[repository].at(revision)

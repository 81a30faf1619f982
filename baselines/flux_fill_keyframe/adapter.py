"""FLUX.1-Fill edits one frame, and what needs no learning carries it through the clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vivid_bench.compositing import hide_hole
from vivid_bench.controls import MovedKeyframe
from vivid_bench.fitting import ClipRule, fit_clip
from vivid_bench.types import Edited, EditRequest, Frames

from ..flow_propagation.adapter import propagate
from ..hub_weights import Model, OneModel
from ..pipelines import caption_notes, generator, load, to_uint8

MODEL = Model(
    "flux-fill-keyframe",
    "black-forest-labs/FLUX.1-Fill-dev",
    "FluxFillPipeline",
    ("text_encoder", "text_encoder_2", "transformer", "vae"),
    34,
    (42, 28),
    exclude=("flux1-fill-dev.safetensors", "ae.safetensors"),
    gated=True,
)


class FluxFillKeyframe(OneModel):
    """FLUX.1-Fill on the first frame with a mask; the other frames follow without learning.

    Delete: the keyframe counts as a frame without a hole, and every hidden pixel is followed along the background's
    motion until some frame shows it (`flow-propagation`). Add and modify: the keyframe's hole is moved and scaled with
    the mask (`moved-keyframe`). Outside the mask the source stays.

    Args:
        device: `cpu`, `cuda`, …
        revision: of the weights' repository; None: what the cache calls main.
        area: pixels of a frame that FLUX works at; the frame's shape is kept, sides are multiples of 16.
        steps: denoising steps.
        guidance_scale: FLUX's own; it has no negative prompt.
        max_sequence_length: tokens of the caption.
        dtype: of all networks.

    Source: Black Forest Labs, FLUX.1 Tools, 2024.
    """

    model = MODEL

    def __init__(
        self,
        device: str,
        revision: str | None = None,
        area: int = 1024 * 1024,
        steps: int = 50,
        guidance_scale: float = 30.0,
        max_sequence_length: int = 512,
        dtype: str = "bfloat16",
    ) -> None:
        self._pipeline, self._notes = load(MODEL.at(revision), device, {"default": dtype})
        self._rule = ClipRule(size_multiple=16, area=area)
        self._steps, self._guidance_scale = steps, guidance_scale
        self._max_sequence_length = max_sequence_length

    def edit(self, request: EditRequest) -> Edited:
        """Return the edited clip."""
        holes = np.flatnonzero(request.mask.any(axis=(1, 2)))
        if not len(holes):
            return Edited(request.frames.copy(), ("no frame has a mask: nothing was edited",))
        first = int(holes[0])
        keyframe, notes = self._keyframe(request, first)
        edited = propagated(request, first, keyframe)
        return Edited(edited, (f"keyframe: frame {first}", *notes, "outside the mask: the source", *self._notes))

    def _keyframe(self, request: EditRequest, t: int) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        frame, hole = request.frames[t : t + 1], request.mask[t : t + 1]
        fitted = fit_clip(hide_hole(frame, hole), hole, self._rule)
        image = self._pipeline(
            prompt=request.prompt,
            image=fitted.frames.astype(np.float32) / 255,
            mask_image=fitted.mask[..., None].astype(np.float32),
            height=fitted.mask.shape[1],
            width=fitted.mask.shape[2],
            strength=1.0,
            num_inference_steps=self._steps,
            guidance_scale=self._guidance_scale,
            max_sequence_length=self._max_sequence_length,
            generator=generator(request.seed),
            output_type="np",
        ).images
        # FLUX's VAE changes known pixels too; what is carried on is the hole alone.
        keyframe = np.where(hole[..., None], fitted.back(to_uint8(image)), frame)[0]
        cut = caption_notes(self._pipeline.tokenizer_2, request.prompt, self._max_sequence_length)
        unused = ("negative prompt not used: it takes none",) if request.negative_prompt else ()
        return keyframe, (*fitted.notes, *cut, *unused)


def propagated(request: EditRequest, index: int, keyframe: NDArray[np.uint8]) -> Frames:
    """Carry a keyframe through a clip.

    Args:
        request: frames, mask and task; what lies under the mask is not looked at.
        index: which frame the keyframe is.
        keyframe: (H, W, 3) uint8, edited under the mask.

    Returns:
        (T, H, W, 3) uint8, the keyframe among them.
    """
    if request.task == "delete":
        return propagate(request.frames, request.mask, {index: keyframe})
    # Where the moved hole does not reach, its surroundings grow in; the object must not be among them.
    hidden = hide_hole(request.frames, request.mask)
    return MovedKeyframe().edit(replace(request, frames=hidden, keyframes={index: keyframe}))

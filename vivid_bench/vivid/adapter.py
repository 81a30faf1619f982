"""VIVID as a method of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import EditRequest, Frames, Mask
from vivid_bench.vivid.working_size import edit_in_crop, edit_in_windows

CHECKPOINT = Path(__file__).parent / "checkpoints" / "vivid-mini"
WORKING_SIDE = 128
WINDOW_FRAMES = 17


class Vivid:
    """Edits with a `VividPipeline`: masked video, mask, caption and keyframes; no optical flow.

    Frames of at most 128 pixels a side are edited whole and returned as the model made them. Of larger frames a crop
    around the holes is edited at the working size and pasted back under the mask (`working_size`).

    Args:
        device: `cpu`, `cuda`, `cuda:1`, ...
        checkpoint: folder or hub name of a saved pipeline; None = the shipped `vivid-mini`.
        steps: denoising steps.
        guidance_scale: 1 = without classifier-free guidance.
    """

    def __init__(
        self, device: str = "cpu", checkpoint: str | None = None, steps: int = 4, guidance_scale: float = 1.0
    ) -> None:
        from vivid_bench.vivid.loading import load_pipeline

        self._pipeline = load_pipeline(checkpoint or CHECKPOINT, device)
        self._steps = steps
        self._guidance_scale = guidance_scale

    def edit(self, request: EditRequest) -> Frames:
        """Return the edited clip, (T, H, W, 3) uint8.

        The request's seed decides all randomness. On CPU the same request gives the same bytes; another number of
        threads changes the order of sums and with it, rarely, a value by one level.
        """
        import torch

        from vivid_bench.vivid.pipeline import to_uint8

        generator = torch.Generator(self._pipeline.device).manual_seed(request.seed)

        def edit_frames(frames: Frames, mask: Mask, keyframes: Mapping[int, NDArray[np.uint8]]) -> Frames:
            made = self._pipeline(
                frames,
                mask,
                request.prompt,
                request.negative_prompt,
                keyframes,
                num_inference_steps=self._steps,
                guidance_scale=self._guidance_scale,
                generator=generator,
            ).frames
            return to_uint8(made)

        def edit_window(frames: Frames, mask: Mask, keyframes: Mapping[int, NDArray[np.uint8]]) -> Frames:
            return edit_in_crop(edit_frames, frames, mask, keyframes, WORKING_SIDE)

        return edit_in_windows(edit_window, request.frames, request.mask, request.keyframes, WINDOW_FRAMES)

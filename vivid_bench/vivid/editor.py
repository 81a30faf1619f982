"""Editing videos of any size and length with a pipeline that has a working size and a length of its own."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.long_video import Keyframes, edit_stream
from vivid_bench.vivid.pipeline import VividPipeline, to_uint8
from vivid_bench.vivid.window import Window, rectangle_around, square_around, whole_frames


class Editor:
    """Edits with a `VividPipeline`, in windows of time and space that suit it.

    Longer videos are edited in clips that overlap by one frame, each led by the last edited frame before it (VIVID's
    long video). Where frames are larger than the working size, a window around the hole is edited, shrunk if need be,
    and what was made there is pasted under the mask alone, so that the sharp source stays everywhere else.

    Args:
        steps: denoising steps; None = the pipeline's own default.
        guidance_scale: 1 = without classifier-free guidance; None = the pipeline's own default.
    """

    def __init__(self, pipeline: VividPipeline, steps: int | None = None, guidance_scale: float | None = None) -> None:
        self.pipeline = pipeline
        self.steps = steps
        self.guidance_scale = guidance_scale

    def edit(
        self,
        frames: Frames,
        mask: Mask,
        prompt: str,
        *,
        negative_prompt: str | None = None,
        keyframes: Keyframes | None = None,
        seed: int = 0,
    ) -> Frames:
        """Return the edited video, (T, H, W, 3) uint8.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            mask: (T, H, W) bool, True = edit.
            keyframes: accepted frames by their index.
            seed: decides all randomness.
        """
        # On the CPU, whatever the model's device: the same noise everywhere.
        generator = torch.Generator().manual_seed(seed)

        def edit_clip(frames: Frames, mask: Mask, keyframes: Keyframes) -> Frames:
            return self.edit_clip(frames, mask, prompt, keyframes, generator, negative_prompt)

        length = self.pipeline.config.window_frames
        clips = edit_stream(edit_clip, zip(frames, mask, strict=True), keyframes or {}, length)
        return np.concatenate([clip.edited for clip in clips])

    def edit_clip(
        self,
        frames: Frames,
        mask: Mask,
        prompt: str,
        keyframes: Keyframes,
        generator: torch.Generator,
        negative_prompt: str | None = None,
    ) -> Frames:
        """Edit at most `pipeline.config.window_frames` frames of any size; arguments and result as `edit`'s."""
        if not mask.any():
            return _with_keyframes(frames, keyframes)
        window = self.choose_window(mask)
        height, width = self._fitted(window)
        shrunk = (height, width) != (window.height, window.width)
        hole = window.cut(mask)
        made = self.pipeline(
            _resize(window.cut(frames), height, width),
            _shrink_mask(hole, height, width),
            prompt,
            negative_prompt,
            {i: _resize(window.cut(k[None], np.array([i])), height, width)[0] for i, k in keyframes.items()},
            num_inference_steps=self.steps,
            guidance_scale=self.guidance_scale,
            generator=generator,
        )
        edited = _resize(to_uint8(made.frames), window.height, window.width, cv2.INTER_LINEAR)
        out = frames.copy()
        window.paste(out, edited, hole if shrunk else None)
        return _with_keyframes(out, keyframes)

    def choose_window(self, mask: Mask) -> Window:
        """Return where in the frames of a clip with this mask the pipeline works."""
        if self.pipeline.config.follow_hole:
            return square_around(mask)
        height, width = self.pipeline.config.working_size
        fits = mask.shape[1] <= height and mask.shape[2] <= width
        return whole_frames(mask) if fits else rectangle_around(mask)

    def _fitted(self, window: Window) -> tuple[int, int]:
        """Return height and width of a window shrunk into the working size; it is never enlarged."""
        height, width = self.pipeline.config.working_size
        scale = min(1.0, height / window.height, width / window.width)
        return max(1, round(window.height * scale)), max(1, round(window.width * scale))


def _with_keyframes(frames: Frames, keyframes: Keyframes) -> Frames:
    out = frames.copy()
    for index, frame in keyframes.items():
        out[index] = frame
    return out


def _resize(frames: Frames, height: int, width: int, interpolation: int = cv2.INTER_AREA) -> Frames:
    if frames.shape[1:3] == (height, width):
        return frames
    return np.stack([cv2.resize(frame, (width, height), interpolation=interpolation) for frame in frames])


def _shrink_mask(mask: Mask, height: int, width: int) -> Mask:
    """A pixel that holds any part of the hole is hole: nothing under the mask reaches the model."""
    return _resize(mask.astype(np.float32), height, width) > 0

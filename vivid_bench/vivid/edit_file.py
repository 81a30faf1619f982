"""From a video file to an edited video file, clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vivid_bench.compositing import composite
from vivid_bench.mask_input import MaskedFrame, open_masked_video
from vivid_bench.types import Composite, Frames, Mask
from vivid_bench.video import write_stream
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.long_video import edit_stream
from vivid_bench.vivid.measure import Spent, measure

OUTLINE = (255, 0, 255)
"""Colour of the mask's outline in previews."""


@dataclass(frozen=True)
class EditJob:
    """A video to edit.

    Attributes:
        video, mask: as `mask_input.open_masked_video` takes them.
        keyframes: accepted (H, W, 3) uint8 frames by their index.
        out: `.mkv` for lossless FFV1, `.mp4` for H.264.
        preview: `.mp4`, the source with the mask's outline beside the edit.
    """

    video: Path
    mask: Path
    prompt: str
    seed: int
    composite: Composite
    keyframes: Mapping[int, NDArray[np.uint8]]
    out: Path
    preview: Path


def edit_file(editor: Editor, job: EditJob, progress: Callable[[str], None]) -> Spent:
    """Edit a video of any length; at most two clips are held in memory at a time. Returns what the model cost.

    The same frames as `Editor.edit` makes of the whole video, with the source pasted back as `job.composite` says.

    Args:
        progress: called after each clip.

    Raises:
        InputError: when an input cannot be read or an output not be written. No file is half written then, and there
            is no preview without its edit.
    """
    generator = torch.Generator(editor.pipeline.device).manual_seed(job.seed)
    spent = Spent()

    def edit(frames: Frames, mask: Mask, keyframes: Mapping[int, NDArray[np.uint8]]) -> Frames:
        with measure(spent):
            return editor.edit_clip(frames, mask, job.prompt, keyframes, generator)

    with (
        open_masked_video(job.video, job.mask) as opened,
        # The last one opened is the first one finished: the edit.
        write_stream(job.preview, opened.fps) as show,
        write_stream(job.out, opened.fps) as write,
    ):
        for clip in edit_stream(edit, opened.frames, job.keyframes, editor.pipeline.config.window_frames):
            edited = composite(clip.source, clip.edited, clip.mask, job.composite)
            for source, mask, frame in zip(clip.source, clip.mask, edited, strict=True):
                write(frame)
                show(side_by_side(source, mask, frame))
            progress(f"{len(edited)} frames")
    return spent


def edit_keyframe(
    editor: Editor, masked: MaskedFrame, prompt: str, seed: int, mode: Composite
) -> tuple[NDArray[np.uint8], Spent]:
    """Edit one (H, W, 3) frame with the image mode; returns it, composited, and what it cost."""
    frames, mask = masked[0][None], masked[1][None]
    spent = Spent()
    with measure(spent):
        edited = editor.edit(frames, mask, prompt, seed=seed)
    return composite(frames, edited, mask, mode)[0], spent


def count_clips(frames: int, length: int) -> int:
    """Return how many clips of at most `length` frames, overlapping by one, cover a video."""
    return max(1, -(-(frames - 1) // (length - 1)))


def side_by_side(source: NDArray[np.uint8], mask: NDArray[np.bool_], edited: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a source frame with its mask's outline, and the edited frame to its right; (H, 2W, 3) uint8."""
    width = max(1, round(len(source) / 240))
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * width + 1, 2 * width + 1), np.uint8)) > 0
    outlined = source.copy()
    outlined[grown & ~mask] = OUTLINE
    return np.concatenate([outlined, edited], axis=1)

"""What FiVE's evaluation prints: evaluation/metrics_calculator.py, called by evaluate.py.

Both sides are black inside the mask, and errors are divided by all pixels: PSNR gains 10 log10(1 / (1 - area)) dB for
the mask's area. Left out: its source-prompt CLIP score (a sample has one prompt), structure distance (DINO ViT-B/8),
NIQE, motion fidelity (CoTracker) and FiVE-Acc (Qwen2.5-VL).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from vivid_bench.compat import pixels
from vivid_bench.compat.preset import Measure, Preset
from vivid_bench.types import Frames, Mask

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

FrameMeasure = Callable[[pixels.Frame, pixels.Frame], float]

VIT_L14, SQUEEZE = "ViT-L-14/openai", "squeeze"

FRAMES = "all frames (its code takes every 8th by default)"
UNEDITED = f"both sides black inside the mask, divided by all pixels, so a larger mask scores better; {FRAMES}"
TEXT = f"100 cos, not below 0; a prompt over 77 tokens loses its end token; {FRAMES}"


def unedited_frames(source: Frames, edited: Frames, mask: Mask, measure: FrameMeasure) -> list[float]:
    """Compare each frame with the source's, both black inside the mask; frames that the mask covers are left out.

    Args:
        source, edited: (T, H, W, 3) uint8.
        mask: (T, H, W) bool, True = edit.

    Returns:
        a value for each frame with unmasked pixels.
    """
    frames = zip(source, edited, ~mask, strict=True)
    return [measure(pixels.kept(x, outside), pixels.kept(y, outside)) for x, y, outside in frames if outside.any()]


def _unedited(clip: EditClip, *, measure: FrameMeasure) -> list[float]:
    return unedited_frames(clip.sample.source, clip.edited, clip.sample.mask, measure)


def _lpips(clip: EditClip) -> list[float]:
    from vivid_bench.compat.networks import lpips_values

    outside = ~clip.sample.mask
    some = outside.any(axis=(1, 2))
    source, edited = (pixels.kept(frames[some], outside[some]) for frames in (clip.sample.source, clip.edited))
    return lpips_values(SQUEEZE, clip.sample.device, source, edited)


def _text(clip: EditClip) -> list[float]:
    return _clip_scores(clip, clip.edited)


def _text_edited(clip: EditClip) -> list[float]:
    some = clip.sample.mask.any(axis=(1, 2))
    return _clip_scores(clip, pixels.kept(clip.edited[some], clip.sample.mask[some]))


def _clip_scores(clip: EditClip, frames: Frames) -> list[float]:
    from vivid_bench.compat.networks import clip_scores
    from vivid_bench.metrics.clip_model import load_clip

    return clip_scores(load_clip(VIT_L14, clip.sample.device), frames, clip.sample.sample.prompt)


PRESET = Preset(
    name="five",
    source="MinghanLi/FiVE-Bench 737b30e6: evaluation/metrics_calculator.py, evaluate.py",
    measures=(
        Measure(
            "psnr_unedit_part",
            "background PSNR",
            partial(_unedited, measure=pixels.psnr),
            f"{UNEDITED}; mean of the frames' dB",
            pooling="clips",
            unit="dB",
        ),
        Measure(
            "ssim_unedit_part",
            "background SSIM",
            partial(_unedited, measure=pixels.ssim),
            UNEDITED,
            pooling="clips",
            shown_times=1e2,
        ),
        Measure(
            "mse_unedit_part",
            "background MSE",
            partial(_unedited, measure=pixels.mse),
            UNEDITED,
            pooling="clips",
            better="lower",
            shown_times=1e4,
        ),
        Measure(
            "lpips_unedit_part",
            "background LPIPS",
            _lpips,
            f"LPIPS squeeze, mean over the whole map; {UNEDITED}",
            pooling="clips",
            better="lower",
            weights=SQUEEZE,
            shown_times=1e3,
        ),
        Measure(
            "clip_similarity_target_image",
            "text alignment, whole frame",
            _text,
            TEXT,
            pooling="clips",
            weights=VIT_L14,
        ),
        Measure(
            "clip_similarity_target_image_edit_part",
            "text alignment, edit region",
            _text_edited,
            f"black outside the mask, frames with an empty mask left out; {TEXT}",
            pooling="clips",
            weights=VIT_L14,
        ),
    ),
)

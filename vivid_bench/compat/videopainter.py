"""What VideoPainter's evaluation prints: evaluate/metrics.py, called by eval_inpainting.py and eval_edit.py.

Its "masked" figures black out the hole of the edit and not that of the source: a frame's error is the mean over all
pixels of (1 - M)(x - y)^2 + M x^2, so they follow the mask's area and the brightness of what it hides. All of them see
a source whose values 1 to 63 are a step darker: it goes through floats and is cut off, not rounded, to 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.compat import pixels
from vivid_bench.compat.preset import Better, Measure, Preset
from vivid_bench.types import Frames, Mask

if TYPE_CHECKING:
    from vivid_bench.metrics.clip_model import ClipModel
    from vivid_bench.metrics.sample_clip import EditClip

FrameMeasure = Callable[[pixels.Frame, pixels.Frame], float]

VIT_L14, VIT_B32, SQUEEZE = "ViT-L-14/openai", "ViT-B-32/openai", "squeeze"

FRAMES = "all frames (its code first thins to 8 fps)"
WHOLE = f"whole frame against the source, hole included, whose values 1 to 63 lose a step; mean over frames; {FRAMES}"
MASKED = f"the full source against the edit with a black hole: the source inside the mask counts as error; {FRAMES}"
TEXT = f"100 cos, not below 0, mean over frames; a prompt over 77 tokens loses its end token; {FRAMES}"
TEXT_MASKED = f"black outside the mask, frames with an empty mask included; {TEXT}"
TEMPORAL = f"ViT-B/32, frames squashed to 224x224, not normalised; {FRAMES}"
TEMPORAL_MASKED = f"black outside the mask, so that pairs with empty masks score 1; {TEMPORAL}"


def source_as_seen(frames: Frames) -> Frames:
    """Return a source as that code compares it: to [-1, 1] and back, then cut off to 8 bits.

    Args:
        frames: (T, H, W, 3) uint8.

    Returns:
        the same, with values 1 to 63 lower by 1.

    Example:
        >>> source_as_seen(np.array([0, 1, 63, 64, 255], np.uint8)).tolist()
        [0, 0, 62, 64, 255]
    """
    return _cut_off()[frames]


@cache
def _cut_off() -> NDArray[np.uint8]:
    signed = np.float32(2) * (np.arange(256, dtype=np.float32) / np.float32(255)) - np.float32(1)
    return ((signed * np.float32(0.5) + np.float32(0.5)) * np.float32(255)).astype(np.uint8)


def whole_frames(source: Frames, edited: Frames, measure: FrameMeasure) -> list[float]:
    """Compare each frame with the source's, hole included.

    Args:
        source, edited: (T, H, W, 3) uint8.

    Returns:
        T values.
    """
    return [measure(x, y) for x, y in zip(source_as_seen(source), edited, strict=True)]


def masked_frames(source: Frames, edited: Frames, mask: Mask, measure: FrameMeasure) -> list[float]:
    """Compare each full frame of the source with the edit's, black inside the mask.

    Args:
        source, edited: (T, H, W, 3) uint8.
        mask: (T, H, W) bool, True = edit.

    Returns:
        T values.
    """
    return whole_frames(source, pixels.kept(edited, ~mask), measure)


def temporal_consistency(model: ClipModel, edited: Frames, mask: Mask | None = None) -> list[float]:
    """Cosine of consecutive frames' CLIP features; frames are squashed to a square and not normalised.

    Args:
        model: ViT-B/32.
        edited: (T, H, W, 3) uint8.
        mask: (T, H, W) bool, what is left of the frames, black elsewhere; all of them if None.

    Returns:
        T-1 values, -1 to 1; two frames with an empty mask give 1.
    """
    import torch
    from torchvision.transforms.v2 import functional as F

    from vivid_bench.compat.networks import features_of

    scale = 255 if edited.max() > 1 else 1
    frames = edited if mask is None else pixels.kept(edited, mask)
    floats = (torch.from_numpy(frame).permute(2, 0, 1).float() / scale for frame in frames)
    features = features_of(model, [F.resize(image, [model.side, model.side], antialias=True) for image in floats])
    return [float(cosine) for cosine in (features[:-1] * features[1:]).sum(dim=1)]


def _whole(clip: EditClip, *, measure: FrameMeasure) -> list[float]:
    return whole_frames(clip.sample.source, clip.edited, measure)


def _masked(clip: EditClip, *, measure: FrameMeasure) -> list[float]:
    return masked_frames(clip.sample.source, clip.edited, clip.sample.mask, measure)


def _lpips(clip: EditClip, *, masked: bool) -> list[float]:
    from vivid_bench.compat.networks import lpips_values

    edited = pixels.kept(clip.edited, ~clip.sample.mask) if masked else clip.edited
    return lpips_values(SQUEEZE, clip.sample.device, source_as_seen(clip.sample.source), edited)


def _text(clip: EditClip, *, masked: bool) -> list[float]:
    from vivid_bench.compat.networks import clip_scores
    from vivid_bench.metrics.clip_model import load_clip

    frames = pixels.kept(clip.edited, clip.sample.mask) if masked else clip.edited
    return clip_scores(load_clip(VIT_L14, clip.sample.device), frames, clip.sample.sample.prompt)


def _temporal(clip: EditClip, *, masked: bool) -> list[float]:
    from vivid_bench.metrics.clip_model import load_clip

    mask = clip.sample.mask if masked else None
    return temporal_consistency(load_clip(VIT_B32, clip.sample.device), clip.edited, mask)


_PIXEL_MEASURES: tuple[tuple[str, FrameMeasure, Better, str], ...] = (
    ("psnr", pixels.psnr, "higher", "dB"),
    ("ssim", pixels.ssim, "higher", ""),
    ("mse", pixels.mse, "lower", ""),
    ("mae", pixels.mae, "lower", ""),
)


def _measures() -> Iterator[Measure]:
    for name, measure, better, unit in _PIXEL_MEASURES:
        of_whole, of_masked = partial(_whole, measure=measure), partial(_masked, measure=measure)
        yield Measure(name, f"whole-frame {name.upper()}", of_whole, WHOLE, better=better, unit=unit)
        yield Measure(f"masked_{name}", f"background {name.upper()}", of_masked, MASKED, better=better, unit=unit)
    for prefix, masked, region in (("", False, "whole-frame"), ("masked_", True, "background")):
        yield Measure(
            f"{prefix}lpips",
            f"{region} LPIPS",
            partial(_lpips, masked=masked),
            f"LPIPS squeeze, mean over the whole map; {MASKED if masked else WHOLE}",
            better="lower",
            weights=SQUEEZE,
        )
    for prefix, masked, region in (("", False, "whole frame"), ("masked_", True, "edit region")):
        yield Measure(
            f"{prefix}clip_score",
            f"text alignment, {region}",
            partial(_text, masked=masked),
            TEXT_MASKED if masked else TEXT,
            weights=VIT_L14,
        )
        yield Measure(
            f"{prefix}temporal_consistency",
            f"temporal consistency, {region}",
            partial(_temporal, masked=masked),
            TEMPORAL_MASKED if masked else TEMPORAL,
            pooling="clips",
            weights=VIT_B32,
        )


PRESET = Preset(
    name="videopainter-asis",
    source="TencentARC/VideoPainter bbab6cd5: evaluate/metrics.py, eval_inpainting.py (mask not dilated)",
    measures=tuple(_measures()),
)

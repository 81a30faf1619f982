"""What the LOVEU-TGVE-2023 evaluation prints: scripts/run_eval.py.

Frames are squashed to 480x480 before CLIP sees them; nothing is masked. Left out: PickScore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivid_bench.compat.preset import Measure, Preset
from vivid_bench.types import Frames

if TYPE_CHECKING:
    from vivid_bench.metrics.clip_model import ClipModel
    from vivid_bench.metrics.sample_clip import EditClip

VIT_L14 = "ViT-L-14/openai"
SIDE = 480


def image_features(model: ClipModel, edited: Frames) -> NDArray[np.float32]:
    """CLIP features of frames squashed to 480x480 (bicubic).

    Args:
        edited: (T, H, W, 3) uint8.

    Returns:
        (T, D) float32 of length 1.
    """
    from vivid_bench.compat.networks import centre_squares

    bicubic = Image.Resampling.BICUBIC
    squashed = [np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), bicubic)) for frame in edited]
    return model.image_features(centre_squares(squashed, model.side))


def text_logits(model: ClipModel, images: NDArray[np.float32], prompt: str) -> list[float]:
    """Cosine of each frame's and the prompt's features times the model's logit scale (100 for CLIP's own weights).

    Args:
        images: of `image_features`.

    Raises:
        VividBenchError: the prompt is longer than the model's context; that code does not truncate, and crashes.
    """
    from vivid_bench.compat.networks import untruncated_text

    scale = float(model.network.logit_scale.exp())
    return [scale * float(cosine) for cosine in images @ untruncated_text(model, prompt)]


def all_pairs(images: NDArray[np.float32]) -> float:
    """Mean cosine over all pairs of different frames.

    Args:
        images: (T, D) float32 of length 1, T at least 2.

    Returns:
        -1 to 1.

    Example:
        >>> all_pairs(np.array([[1, 0], [1, 0], [0, 1]], np.float32))  # 1 of 3 pairs
        0.3333333333333333
    """
    cosines = images.astype(np.float64) @ images.astype(np.float64).T
    np.fill_diagonal(cosines, 0)
    return float(cosines.sum() / (len(images) * (len(images) - 1)))


def _text(clip: EditClip) -> list[float]:
    model, images = _features(clip)
    return text_logits(model, images, clip.sample.sample.prompt)


def _frame(clip: EditClip) -> list[float]:
    return [all_pairs(_features(clip)[1])] if len(clip.edited) > 1 else []


def _features(clip: EditClip) -> tuple[ClipModel, NDArray[np.float32]]:
    from vivid_bench.metrics.clip_model import load_clip

    model = load_clip(VIT_L14, clip.sample.device)
    return model, clip.once("tgve features", lambda: image_features(model, clip.edited))


PRESET = Preset(
    name="tgve",
    source="showlab/loveu-tgve-2023 d75589f2: scripts/run_eval.py",
    measures=(
        Measure(
            "clip_score_text",
            "text alignment, whole frame",
            _text,
            "logit scale times cos, frames squashed to 480x480 first; a prompt over 77 tokens crashes its code",
            pooling="clips",
            weights=VIT_L14,
        ),
        Measure(
            "clip_score_frame",
            "temporal consistency, whole frame",
            _frame,
            "all pairs of frames, not consecutive ones; frames squashed to 480x480 first",
            pooling="clips",
            weights=VIT_L14,
        ),
    ),
)

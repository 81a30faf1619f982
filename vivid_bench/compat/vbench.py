"""What VBench prints for an edit: vbench/temporal_flickering.py, subject_consistency.py, background_consistency.py.

All look at the whole frame; no source, mask or prompt comes in. Left out: overall consistency (ViCLIP) and the other
dimensions, which are about generated videos.
"""

from __future__ import annotations

import functools
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vivid_bench.compat import pixels
from vivid_bench.compat.preset import Measure, Preset
from vivid_bench.errors import InputError
from vivid_bench.types import Frames
from vivid_bench.weights import locate

if TYPE_CHECKING:
    from torch import Tensor

    from vivid_bench.metrics.clip_model import ClipModel
    from vivid_bench.metrics.sample_clip import EditClip

VIT_B32, DINO = "ViT-B-32/openai", "dino-vitb16"
SIDE = 224
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def temporal_flickering(edited: Frames) -> list[float]:
    """One minus the mean absolute difference of consecutive frames, without regard to motion.

    Args:
        edited: (T, H, W, 3) uint8.

    Returns:
        T-1 values, 0 to 1 (a still).
    """
    return [1 - pixels.mae(first, second) for first, second in pairwise(edited)]


def steadiness(features: Tensor) -> list[float]:
    """Mean of a frame's cosines with the one before it and with the first, each at least 0.

    Args:
        features: (T, D) of length 1.

    Returns:
        T-1 values, 0 to 1.
    """
    previous = (features[1:] * features[:-1]).sum(dim=1).clamp(min=0)
    first = (features[1:] * features[:1]).sum(dim=1).clamp(min=0)
    return [float(value) for value in (previous + first) / 2]


def dino_features(network: Any, edited: Frames, device: str) -> Tensor:
    """DINO class tokens of frames whose shorter side is resized to 224 (bilinear, not antialiased), none cut off.

    Args:
        network: of `load_dino`.
        edited: (T, H, W, 3) uint8.

    Returns:
        (T, D) float32 of length 1.
    """
    import torch
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    def token(frame: pixels.Frame) -> Tensor:
        floats = torch.from_numpy(frame).permute(2, 0, 1).float()
        small = F.resize(floats, [SIDE], InterpolationMode.BILINEAR, antialias=False) / 255
        image = F.normalize(small, *map(list, IMAGENET))[None].to(device)
        hidden: Tensor = network(image, interpolate_pos_encoding=True).last_hidden_state
        return hidden[0, 0].cpu()

    with torch.inference_mode():
        return torch.nn.functional.normalize(torch.stack([token(frame) for frame in edited]), dim=-1)


def clip_features(model: ClipModel, edited: Frames) -> Tensor:
    """CLIP features of frames whose shorter side is resized (bicubic, not antialiased) and whose middle is cut out.

    Args:
        model: ViT-B/32.
        edited: (T, H, W, 3) uint8.

    Returns:
        (T, D) float32 of length 1.
    """
    import torch
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    from vivid_bench.compat.networks import features_of

    def prepared(frame: pixels.Frame) -> Tensor:
        floats = torch.from_numpy(frame).permute(2, 0, 1).float()
        small = F.resize(floats, [model.side], InterpolationMode.BICUBIC, antialias=False)
        squares = F.center_crop(small, [model.side, model.side])
        image: Tensor = F.normalize(squares / 255, *map(list, CLIP))
        return image

    return features_of(model, [prepared(frame) for frame in edited])


@functools.cache
def load_dino(folder: Path, device: str) -> Any:
    """Load a DINO vision transformer from a local folder of transformers; kept for the next call.

    Raises:
        InputError: the folder does not hold one.
    """
    from transformers import ViTModel

    fix = "fetch the weights again"
    try:
        # DINO's own epsilon; transformers' copy of its configuration has another.
        network, loading = ViTModel.from_pretrained(
            folder, local_files_only=True, add_pooling_layer=False, layer_norm_eps=1e-6, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        found = str(error).strip().partition("\n")[0]
        raise InputError(folder, expected="weights of a ViTModel of transformers", found=found, fix=fix) from error
    if missing := sorted(loading["missing_keys"]):
        found = f"none for {len(missing)} of its parameters, e.g. {missing[0]}"
        raise InputError(folder, expected="weights of a ViTModel of transformers", found=found, fix=fix)
    network.embeddings.interpolate_pos_encoding = functools.partial(_positions, network.embeddings)
    return network.float().eval().to(device)


def _positions(embeddings: Any, tokens: Tensor, height: int, width: int) -> Tensor:
    """Resize position embeddings as DINO's own code does: by a factor a little off, which moves every sample point."""
    import torch

    table: Tensor = embeddings.position_embeddings
    side = math.isqrt(table.shape[1] - 1)
    patch = embeddings.patch_embeddings.patch_size[0]
    if (height // patch, width // patch) == (side, side) and height == width:
        return table
    grid = table[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    factors = [(length // patch + 0.1) / side for length in (height, width)]
    resized = torch.nn.functional.interpolate(grid, scale_factor=factors, mode="bicubic")
    return torch.cat([table[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def _flicker(clip: EditClip) -> list[float]:
    return temporal_flickering(clip.edited)


def _subject(clip: EditClip) -> list[float]:
    device = clip.sample.device
    return steadiness(dino_features(load_dino(locate(DINO), device), clip.edited, device))


def _background(clip: EditClip) -> list[float]:
    from vivid_bench.metrics.clip_model import load_clip

    return steadiness(clip_features(load_clip(VIT_B32, clip.sample.device), clip.edited))


PRESET = Preset(
    name="vbench",
    source="Vchitect/VBench 45e79ec1: vbench/temporal_flickering.py, subject_consistency.py, background_consistency.py",
    measures=(
        Measure(
            "temporal_flickering",
            "temporal consistency, whole frame",
            _flicker,
            "1 - mean absolute difference of consecutive frames: motion counts as flicker, a frozen frame is best",
            pooling="clips",
        ),
        Measure(
            "subject_consistency",
            "temporal consistency, whole frame",
            _subject,
            "DINO ViT-B/16, mean of the cosines with the frame before and with the first, not below 0; whole frame; "
            "mean over pairs on 1 GPU, as here (over clips on several)",
            pooling="pairs",
            weights=DINO,
        ),
        Measure(
            "background_consistency",
            "temporal consistency, whole frame",
            _background,
            "ViT-B/32, as subject_consistency: the whole frame, nothing is masked; resized without antialiasing",
            pooling="pairs",
            weights=VIT_B32,
        ),
    ),
)

"""Clips, and small vision transformers with random weights, that the tests of PROVE and ReMOVE share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from metric_clips import box_mask, noisy, textured

from vivid_bench.types import Frames, Mask

if TYPE_CHECKING:
    from torch import nn


def fill(network: nn.Module, seed: int = 0) -> None:
    """Set every parameter from one NumPy generator: what transformers starts from may change between versions."""
    import torch

    rng = np.random.default_rng(seed)
    for name, parameter in sorted(network.named_parameters()):
        values = rng.standard_normal(tuple(parameter.shape)) * (0.3 if parameter.ndim > 1 else 0.1)
        offset = 1.0 if parameter.ndim == 1 and name.endswith(("weight", "lambda1")) else 0.0
        parameter.data = torch.from_numpy(values + offset).float()


def save_dinov2(folder: Path, **changes: object) -> Path:
    """A DINOv2 of 2 layers and 24 channels."""
    from transformers import Dinov2Config, Dinov2Model

    config = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2, "image_size": 56}
    network = Dinov2Model(Dinov2Config(**(config | {"patch_size": 14} | changes)))
    fill(network)
    network.save_pretrained(folder)
    return folder


def save_sam(folder: Path, **changes: object) -> Path:
    """A SAM image encoder of 2 layers and 24 channels, 64 x 64 patches of 4 px, windowed attention."""
    from transformers import SamVisionConfig, SamVisionModel

    config = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "mlp_dim": 48,
        "output_channels": 256,
    }
    config |= {"image_size": 256, "patch_size": 4, "window_size": 14, "global_attn_indexes": []}
    network = SamVisionModel(SamVisionConfig(**(config | changes)))
    fill(network)
    network.save_pretrained(folder)
    return folder


def parts_clip() -> tuple[Mask, Frames]:
    """Two parts that move, a speck below 200 px, a frame without a mask."""
    mask = np.zeros((4, 120, 160), bool)
    for t in range(4):
        mask[t, 30 + 2 * t : 70 + 2 * t, 40 + 3 * t : 85 + 3 * t] = True
        mask[t, 80:100, 120 - 2 * t : 145 - 2 * t] = True
        mask[t, 5:10, 5:10] = True
    mask[2] = False
    return mask, noisy(textured(4, 120, 160, step=(2, 1)), 20)


def small_clip() -> tuple[Mask, Frames]:
    """Parts of 80 px only; in one frame two of them."""
    mask = box_mask(3, 120, 160, (60, 50, 70, 58))
    mask[1, 20:30, 20:28] = True
    return mask, textured(3, 120, 160, seed=3)


def corner_clip() -> tuple[Mask, Frames]:
    """A square in the frame's corner, whose crop it fills, and a box elsewhere in the frame between."""
    mask = box_mask(3, 120, 160, (0, 0, 40, 40))
    mask[1] = False
    mask[1, 30:61, 70:120] = True
    return mask, textured(3, 120, 160, seed=3)


def ellipse_clip() -> tuple[Mask, Frames]:
    y, x = np.mgrid[:120, :160]
    mask = np.stack([(y - 50 - t) ** 2 / 900 + (x - 70 - 4 * t) ** 2 / 1600 < 1 for t in range(3)])
    return mask, np.random.default_rng(2).integers(0, 256, (3, 120, 160, 3), dtype=np.uint8)


CLIPS = {
    "parts": parts_clip(),
    "small": small_clip(),
    "corner": corner_clip(),
    "ellipse": ellipse_clip(),
    "box": (box_mask(3, 120, 160, (50, 40, 101, 83)), textured(3, 120, 160, step=(2, 1))),
    "wide": (box_mask(2, 120, 160, (10, 20, 155, 110)), noisy(textured(2, 120, 160, seed=3), 30)),
    "full": (np.ones((2, 120, 160), bool), textured(2, 120, 160, seed=3)),
}
